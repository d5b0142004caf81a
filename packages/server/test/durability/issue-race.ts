import assert from 'node:assert/strict'
import { decodeBase64url, parseClaims, type TokenClaims } from '@rescind/protocol'
import type { ClientAnswer } from '../service/http-client.ts'
import type { ServedBusiness } from '../service/installation-client.ts'
import type { Random } from './random.ts'

const WIDTH = 16

/** An issued token, and where its request lay in time against the event that raced it. */
export interface RacedToken {
  readonly token: string
  readonly claims: TokenClaims
  readonly kid: string
  /** Its 201 had come before the event was sent. */
  readonly before: boolean
  /** Its request was sent after the event was answered. */
  readonly after: boolean
}

export interface Race {
  readonly issued: readonly RacedToken[]
  /** Answers other than 201, with whether their request was sent after the event was answered. */
  readonly refused: readonly { readonly answer: ClientAnswer; readonly after: boolean }[]
}

/**
 * Issues tokens to the first `holders` members from many connections at once; after a number of answers that the seed
 * chooses, sends `event`; goes on until some were issued behind it.
 */
export async function raceIssue(
  random: Random,
  business: ServedBusiness,
  holders: number,
  event: () => Promise<ClientAnswer>,
  operatorToken: () => string | undefined = () => undefined,
): Promise<Race> {
  const issued: RacedToken[] = []
  const refused: { answer: ClientAnswer; after: boolean }[] = []
  let eventAfter = 4 + random.below(WIDTH)
  let sent = false
  let answered = false
  let behind = WIDTH
  let ended: Promise<void> | undefined
  const worker = async () => {
    while (behind > 0) {
      const after = answered
      const answer = await business.member(random.below(holders)).issue(operatorToken())
      if (answer.status === 201) issued.push({ ...taken(answer), before: !sent, after })
      else refused.push({ answer, after })
      if (after) behind -= 1
      eventAfter -= 1
      if (eventAfter > 0 || ended) continue
      sent = true
      ended = event().then(({ status, text }) => {
        assert.equal(status, 200, text)
        answered = true
      })
    }
  }
  await Promise.all(Array.from({ length: WIDTH }, worker))
  await ended
  return { issued, refused }
}

function taken(answer: ClientAnswer): Pick<RacedToken, 'token' | 'claims' | 'kid'> {
  const token: string = answer.json.data.token
  const payload = decodeBase64url(token.split('.')[1] ?? '') ?? assert.fail('not a token')
  return { token, claims: parseClaims(payload) ?? assert.fail('not a token'), kid: kidOf(token) }
}

/** The id of the key that signed it. */
export function kidOf(token: string): string {
  const header = token.slice(token.indexOf('_') + 1).split('.')[0] ?? ''
  return JSON.parse(Buffer.from(header, 'base64url').toString()).kid
}
