import type { VerifierReport } from '../model/verifier-report.ts'

/** What a verifier process is told. */
export type VerifierOrder =
  /** Attach to the service at `url`; answered when it may decide. */
  | { readonly type: 'attach'; readonly url: string; readonly feedToken: string }
  /** Verify this token under load from now on, and try the ones before it now and then. */
  | { readonly type: 'verify'; readonly number: number; readonly token: string }

/** What a verifier process tells. */
export type VerifierNews = { readonly type: 'attached' } | { readonly type: 'report'; readonly report: VerifierReport }
