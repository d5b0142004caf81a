import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import type { Role } from '../../access/members.ts'
import type { Answered } from './answered.ts'
import type { RunningService } from './running-service.ts'

/** A member of a business, made over the API. */
export interface Holder {
  readonly businessId: string
  readonly userId: string
  readonly email: string
  readonly role: Role
}

/** A token made over the API. */
export interface Issued {
  readonly token: string
  readonly id: string
  readonly jti: string
}

/** Makes a business and returns its id. */
export async function addBusiness({ call, operatorToken }: RunningService): Promise<string> {
  const id = randomUUID()
  const path = `/api/v1/businesses/${id}`
  expect(200, await call('PUT', path, { token: operatorToken, business: null, json: { name: 'A business' } }))
  return id
}

/** Makes a member, of the first business unless another is given. */
export async function addMember(service: RunningService, role: Role, businessId?: string): Promise<Holder> {
  const userId = randomUUID()
  const holder = { businessId: businessId ?? service.businessId, userId, email: `${userId}@example.com`, role }
  expect(200, await saveMember(service, holder))
  return holder
}

/** Saves a member as the operator. */
export function saveMember({ call, operatorToken }: RunningService, holder: Holder): Promise<Answered> {
  const { businessId, userId, email, role } = holder
  const path = `/api/v1/businesses/${businessId}/members/${userId}`
  return call('PUT', path, { token: operatorToken, business: null, json: { email, role } })
}

/** Issues a token to a member, as the operator who acts for them. */
export async function issueTo(
  { call, operatorToken }: RunningService,
  { businessId, email }: Holder,
  fields: object = {},
): Promise<Issued> {
  return issued(
    await call('POST', '/api/v1/tokens', {
      token: operatorToken,
      business: businessId,
      headers: { 'x-user-email': email },
      json: { name: 'a token', ...fields },
    }),
  )
}

/** The token in an answer that issued one. */
export function issued(answered: Answered): Issued {
  const { token, token_info } = expect(201, answered).json.data
  return { token, id: token_info.id, jti: token_info.jti }
}

/** The answer, which must have this status. */
export function expect(status: number, answered: Answered): Answered {
  assert.equal(answered.status, status, answered.text)
  return answered
}

/** Asserts that a token is refused everywhere in the API, or that it is not. */
export async function assertAlive(
  { call }: RunningService,
  { token }: Pick<Issued, 'token'>,
  alive: boolean,
): Promise<void> {
  // Whatever the token may do, only a dead one is a 401.
  const { status } = await call('GET', '/api/v1/tokens', { token, business: randomUUID() })
  assert.equal(status !== 401, alive)
}
