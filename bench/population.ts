import { randomUUID } from 'node:crypto'
import { drive } from './load/drive.ts'
import { eachOnce } from './load/next-request.ts'
import { type RequestParts, requestBytes } from './load/request-bytes.ts'
import type { RescindService } from './servers/rescind-process.ts'

const SEEDING_CLIENTS = 32
const FEW_TOKENS = 10

/** The members and tokens that the requests of the bench are made of. */
export interface Population {
  /** May ask about tokens, and nothing else. */
  readonly introspectToken: string
  /** May follow the feed, and nothing else. */
  readonly feedToken: string
  /** One of each member, allowed to issue and to list. */
  readonly memberTokens: readonly string[]
  /** Of a member who holds 10 tokens. */
  readonly fewHolder: string
  /** Of a member who holds {@link Population.manyTokens} tokens. */
  readonly manyHolder: string
  readonly manyTokens: number
}

/** A member: email and id. */
interface Person {
  readonly userId: string
  readonly email: string
}

/** Fills a service that was just started, through its own API. */
export async function populate(
  rescind: RescindService,
  size: { readonly members: number; readonly manyTokens: number },
): Promise<Population> {
  const { businessId, operatorToken: token } = rescind
  const send = async (requests: readonly RequestParts[], expectedStatus: number, clients = SEEDING_CLIENTS) => {
    const bodies: Buffer[] = []
    const next = eachOnce(requests.map((parts) => requestBytes({ token, ...parts })))
    const onBody = (body: Buffer) => bodies.push(body)
    const load = { port: rescind.port, clients, next, durationMs: Number.POSITIVE_INFINITY, expectedStatus, onBody }
    if (requests.length > 0) await drive(load)
    return bodies
  }
  const issueTo = async (people: readonly Person[], clients?: number) => {
    const requests = people.map(({ email }) => issueRequest({ businessId, userEmail: email }))
    return (await send(requests, 201, clients)).map((body) => issuedToken(body).token)
  }

  const people = Array.from({ length: size.members + 2 }, newPerson)
  await send(
    people.map(({ userId, email }) => ({
      method: 'PUT',
      path: `/api/v1/businesses/${businessId}/members/${userId}`,
      businessId,
      json: { email, role: 'member' },
    })),
    200,
  )
  const [few, many, ...issuers] = people
  if (few === undefined || many === undefined) throw new Error('There are at least two members')
  const [fewHolder = ''] = await issueTo(Array(FEW_TOKENS).fill(few))
  const [manyHolder = ''] = await issueTo(Array(size.manyTokens).fill(many))
  const memberTokens = await issueTo(issuers)
  const issueFor = async (scope: string) => {
    const [answer] = await send([issueRequest({}, [scope])], 201)
    if (answer === undefined) throw new Error('There is an answer to every request')
    return issuedToken(answer).token
  }
  const introspectToken = await issueFor('introspect')
  const feedToken = await issueFor('feed')
  return { introspectToken, feedToken, memberTokens, fewHolder, manyHolder, manyTokens: size.manyTokens }
}

/** Issues a token, with all scopes that its creator may grant unless some are named. */
export function issueRequest(
  as: Pick<RequestParts, 'token' | 'businessId' | 'userEmail'>,
  scopes?: readonly string[],
): RequestParts {
  return { ...as, method: 'POST', path: '/api/v1/tokens', json: { name: 'Bench', ...(scopes && { scopes }) } }
}

export interface IssuedToken {
  readonly token: string
  readonly id: string
}

/** The token and its id, from the answer that issued it. */
export function issuedToken(body: Buffer): IssuedToken {
  const { data } = JSON.parse(body.toString('utf8'))
  return { token: data.token, id: data.token_info.id }
}

function newPerson(): Person {
  const userId = randomUUID()
  return { userId, email: `${userId}@bench.example` }
}
