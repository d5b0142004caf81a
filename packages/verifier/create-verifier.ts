import { readOptions, type Settings, type VerifierOptions } from './options.ts'
import { ServiceVerifier } from './service-verifier.ts'
import type { Verifier } from './verifier.ts'
import { VerifierError, type VerifierErrorCode } from './verifier-error.ts'

/** Trouble that lasts until somebody sees to it: starting does not wait for that. */
const LASTING: ReadonlySet<VerifierErrorCode> = new Set([
  'wrong_url',
  'wrong_issuer',
  'scope_missing',
  'websocket_blocked',
  'credential_unavailable',
  'credential_refused',
  'credential_ended',
])

/**
 * A verifier for the tokens of a service. Resolves once it may decide.
 *
 * @throws TypeError when an option is wrong
 * @throws VerifierError when that cannot come about, or does not in time; `code` says what is in the way
 */
export async function createVerifier(options: VerifierOptions): Promise<Verifier> {
  const settings = readOptions(options)
  const verifier = new ServiceVerifier(settings)
  try {
    await started(verifier, settings)
  } catch (error) {
    await verifier.close()
    throw error
  }
  verifier.watchExpiry()
  return verifier
}

async function started(verifier: ServiceVerifier, settings: Settings): Promise<void> {
  const { url, issuer, startTimeoutMs, environment } = settings
  const { promise, resolve, reject } = Promise.withResolvers<void>()
  let inTheWay = new VerifierError('unreachable', `${url} gave no answer in ${startTimeoutMs} ms`)
  const onReady = () => {
    if (issuer === undefined || verifier.issuer === issuer) resolve()
    else reject(new VerifierError('wrong_issuer', `${url} issues as ${verifier.issuer}, not as ${issuer}`))
  }
  const onTrouble = (error: VerifierError) => {
    inTheWay = error
    if (LASTING.has(error.code)) reject(error)
  }
  verifier.on('caught-up', onReady).on('trouble', onTrouble)
  const onDeadline = () => {
    const isAwaited = verifier.awaitsCredential
    reject(isAwaited ? new VerifierError('credential_unavailable', `none in ${startTimeoutMs} ms`) : inTheWay)
  }
  const cancel = environment.timers.after(startTimeoutMs, onDeadline)
  verifier.start()
  try {
    await promise
  } finally {
    cancel()
    verifier.off('caught-up', onReady).off('trouble', onTrouble)
  }
}
