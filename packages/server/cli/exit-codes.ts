/** How the command ends, for scripts to branch on. Public API: a number never changes its meaning. */
export const EXIT_CODES = {
  ok: { code: 0, about: 'done' },
  fault: { code: 1, about: 'something failed that should not: the message or the log of the service names it' },
  usage: { code: 2, about: 'a wrong argument or setting, or a service that cannot start until one is changed' },
  notAuthenticated: { code: 3, about: 'the token was not accepted (401)' },
  notPermitted: { code: 4, about: 'the token may not do this (403)' },
  notFound: { code: 5, about: 'no such token, business, member or key (404)' },
  invalidInput: { code: 6, about: 'the service refused the input (400, 413, 422)' },
  conflict: { code: 7, about: 'the current state does not allow it (409)' },
  unavailable: { code: 8, about: 'no answer, or the service cannot answer now (429, 502, 503, 504): try again' },
  tokenRejected: { code: 10, about: 'token verify: the token is not valid' },
} as const satisfies Record<string, { code: number; about: string }>

export type ExitCode = (typeof EXIT_CODES)[keyof typeof EXIT_CODES]['code']

/** The code for an HTTP answer that is not a success. */
export function exitCodeForStatus(status: number): ExitCode {
  switch (status) {
    case 400:
    case 413:
    case 422:
      return EXIT_CODES.invalidInput.code
    case 401:
      return EXIT_CODES.notAuthenticated.code
    case 403:
      return EXIT_CODES.notPermitted.code
    case 404:
      return EXIT_CODES.notFound.code
    case 409:
      return EXIT_CODES.conflict.code
    case 429:
    case 502:
    case 503:
    case 504:
      return EXIT_CODES.unavailable.code
    default:
      return EXIT_CODES.fault.code
  }
}

/** The table for `--help`. */
export function describeExitCodes(): string {
  const lines = Object.values(EXIT_CODES).map(({ code, about }) => `  ${String(code).padStart(2)}  ${about}`)
  return ['Exit codes:', ...lines].join('\n')
}
