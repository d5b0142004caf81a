export type { Expectations } from './expectations.ts'
export type { Lease } from './lease.ts'
export { LogMismatch } from './log-mismatch.ts'
export { createVerifier, type Undecided, type Verifier, type VerifierOptions } from './verifier.ts'
