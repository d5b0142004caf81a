/**
 * Every way the service refuses, in one closed table: the HTTP status, the sentence the client reads and the cause the
 * log names. The sentences are public API; a code never leaves the log. Validation errors (422) carry a list instead of
 * a sentence and are not in the table.
 */
export const ERRORS = {
  bad_request: { status: 400, detail: 'The request could not be understood', log: 'malformed HTTP request' },
  body_unreadable: { status: 400, detail: 'The body is not valid UTF-8', log: 'body is not UTF-8' },
  business_header_missing: {
    status: 400,
    detail: 'The x-business-id header is required',
    log: 'x-business-id missing',
  },
  business_header_invalid: {
    status: 400,
    detail: 'The x-business-id header must be one UUID',
    log: 'x-business-id is not a UUID',
  },
  business_header_mismatch: {
    status: 400,
    detail: 'The x-business-id header names another business than the path',
    log: 'x-business-id differs from the path',
  },
  path_id_invalid: { status: 400, detail: 'The id in the path must be a UUID', log: 'path id is not a UUID' },
  cursor_invalid: {
    status: 400,
    detail: 'The cursor does not belong to this list and order; start again without it',
    log: 'cursor refused',
  },
  quota_reached: {
    status: 400,
    detail: 'The limit of active tokens is reached; revoke one first',
    log: 'active token quota reached',
  },
  not_authenticated: { status: 401, detail: 'Not authenticated', log: 'not authenticated' },
  other_business: {
    status: 403,
    detail: 'The token does not belong to this business',
    log: 'token of another business',
  },
  scope_missing: { status: 403, detail: 'The token does not permit this', log: 'scope missing' },
  role_insufficient: {
    status: 403,
    detail: 'Only an owner or admin of the business may do this',
    log: 'role insufficient',
  },
  not_your_token: {
    status: 403,
    detail: 'Only an owner or admin may revoke the token of someone else',
    log: 'token of another member',
  },
  scope_not_held: {
    status: 403,
    detail: 'A token cannot be granted scopes that its creator or its holder may not use',
    log: 'scope beyond the creator or holder',
  },
  scope_operator_only: {
    status: 403,
    detail: 'Only an operator grants the scopes operator, introspect and feed',
    log: 'operator scope asked for by a member',
  },
  owner_protected: {
    status: 403,
    detail: 'Only an owner may change or appoint an owner',
    log: 'admin touched an owner',
  },
  standing_changed: {
    status: 403,
    detail: 'Your role changed while the request was running; repeat it',
    log: 'role changed during the request',
  },
  route_not_found: { status: 404, detail: 'There is nothing at this path', log: 'no such route' },
  token_not_found: { status: 404, detail: 'Token not found', log: 'token not found' },
  business_not_found: { status: 404, detail: 'Business not found', log: 'business not found' },
  member_not_found: { status: 404, detail: 'Member not found', log: 'member not found' },
  key_not_found: { status: 404, detail: 'Signing key not found', log: 'signing key not found' },
  method_not_allowed: {
    status: 405,
    detail: 'The method is not allowed here; see the Allow header',
    log: 'method not allowed',
  },
  request_timeout: { status: 408, detail: 'The request took too long to arrive', log: 'request timed out' },
  email_taken: { status: 409, detail: 'Another member of the business has this email', log: 'email taken' },
  last_owner: { status: 409, detail: 'A business keeps at least one owner; appoint another first', log: 'last owner' },
  key_in_use: {
    status: 409,
    detail: 'The signing key in use cannot be retired; rotate first',
    log: 'retiring the signing key in use',
  },
  backup_elsewhere: {
    status: 409,
    detail: 'The service keeps its data in PostgreSQL; back it up with the tools of that',
    log: 'backup of a database that is not embedded',
  },
  backup_no_room: {
    status: 409,
    detail: 'The disk of the data folder has no room for a copy of the database; make room first',
    log: 'no room for a copy of the database',
  },
  body_too_large: { status: 413, detail: 'The body is larger than 64 KiB', log: 'body too large' },
  upgrade_required: {
    status: 426,
    detail: 'This path takes WebSocket connections only',
    log: 'no upgrade to WebSocket',
  },
  headers_too_large: { status: 431, detail: 'The request headers are larger than 16 KiB', log: 'headers too large' },
  internal: {
    status: 500,
    detail: 'The service failed; the request id leads to the cause in its log',
    log: 'unexpected fault',
  },
  may_not_decide: { status: 503, detail: 'This node may not decide at the moment; retry', log: 'node may not decide' },
  storage_unavailable: {
    status: 503,
    detail: 'The storage is unavailable; nothing was changed that was not confirmed',
    log: 'storage unavailable',
  },
  draining: { status: 503, detail: 'The service is shutting down; retry', log: 'draining' },
} as const satisfies Record<string, { status: number; detail: string; log: string }>

/** A row of {@link ERRORS}. */
export type ErrorCode = keyof typeof ERRORS

/** A fault of the service, not of the request: the answer is the 503 of `code`, and the cause goes to the log only. */
export class Unavailable extends Error {
  override readonly name = 'Unavailable'
  readonly code: ErrorCode

  constructor(code: ErrorCode, options?: ErrorOptions) {
    super(ERRORS[code].log, options)
    this.code = code
  }
}
