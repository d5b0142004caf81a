import {
  createVerifier,
  type Expectations,
  type RejectionReason,
  type Token,
  UNDECIDED_REASONS,
  type UndecidedReason,
  type Verdict,
  VerifierError,
  type VerifierErrorCode,
  type VerifierOptions,
  type VerifierStatus,
} from '@rescind/verifier'

const options: VerifierOptions = {
  url: new URL(process.env.RESCIND_URL ?? ''),
  token: async () => process.env.RESCIND_FEED_TOKEN ?? '',
  mode: 'attached',
  onLapse: 'reject',
}
const verifier = await createVerifier(options)
verifier.on('expiring', ({ expiresAtMs }) => {
  const untilMs: number = expiresAtMs
  console.error(untilMs)
})
verifier.on('trouble', (error) => {
  const code: VerifierErrorCode = error.code
  console.error(code, error instanceof VerifierError)
})
const expected: Expectations = { scopes: ['reports:read'] }
const verdict: Verdict = await verifier.verify(process.argv[2], expected)
const { position, leaseMs, counters }: VerifierStatus = verifier.status()
await verifier.close()

console.log(described(verdict))
if (position === null || leaseMs === null || counters.valid !== 1) console.error('it did not follow the service')
if (!UNDECIDED_REASONS.includes('closed')) console.error('the list of reasons is not closed')

function described(outcome: Verdict): string {
  switch (outcome.status) {
    case 'valid': {
      const token: Token = outcome.token
      return `${token.userId} of ${token.businessId === null ? 'no' : 'a'} business`
    }
    case 'rejected': {
      const reason: RejectionReason | 'no_credential' = outcome.reason
      return outcome.tokenId === undefined ? reason : `${reason} ${outcome.tokenId}`
    }
    case 'undecided': {
      const reason: UndecidedReason = outcome.reason
      return reason
    }
  }
}
