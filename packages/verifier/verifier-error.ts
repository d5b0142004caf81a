/** What may be wrong between a verifier and its service, and what to do about it. A closed table. */
const TROUBLES = {
  unreachable: 'Nothing answers there; check the URL, and that the service runs',
  not_ready: 'The service answers, but cannot serve verifiers at the moment',
  wrong_url: 'Something else than the service answers there; check the URL',
  credential_unavailable: 'The token of the verifier could not be obtained',
  credential_refused:
    'The service refused the token of the verifier: it is malformed, expired, revoked or of another service',
  scope_missing: 'The token of the verifier does not carry the scope `feed`; online, `introspect` is enough',
  websocket_blocked:
    'The service answers over HTTP, but no WebSocket connection comes through; check the proxies in between',
  wrong_issuer: 'The service issues tokens in another name than expected',
  credential_ended: 'The token of the verifier was revoked or has expired while it was in use',
  log_mismatch: 'The log of the service is not the one that was followed; nothing revoked was given up',
  feed_damaged: 'The service sent what cannot be read, and the connection was given up',
  disconnected: 'The connection ended, and is made again',
  silent: 'The service fell silent, and the connection was given up',
} as const

export type VerifierErrorCode = keyof typeof TROUBLES

/** Trouble between a verifier and its service. Never holds a token. */
export class VerifierError extends Error {
  override readonly name = 'VerifierError'
  readonly code: VerifierErrorCode

  /**
   * @param about the service's URL, and what is known beyond the code
   * @param options the `cause`, where something was thrown
   */
  constructor(code: VerifierErrorCode, about: string, options?: ErrorOptions) {
    super(`${TROUBLES[code]} (${about})`, options)
    this.code = code
  }
}
