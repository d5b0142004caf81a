import type { Refusal } from './refusal.ts'

/** As headers and path parameters are typed. Only one UUID can be that of the token: a list, or nothing, is met by none. */
type NamedBusiness = string | readonly string[] | undefined

/**
 * What a request must bring besides a valid token. When one of the functions throws or rejects, that is the
 * application's error: it goes to the error handling of the framework, and the handler does not run.
 */
export interface Requirements<Request> {
  /** The token must carry every one of these. */
  readonly scopes?: readonly string[]
  /**
   * UUID of the business that the token must belong to, or where the request names it. The function is called for
   * requests with a valid token only.
   */
  readonly businessId?: string | ((request: Request) => NamedBusiness | Promise<NamedBusiness>)
  /** Told why, which the client is not, before a refused request is answered. */
  readonly onRefused?: (refusal: Refusal, request: Request) => unknown
}

const NAMES: readonly string[] = ['scopes', 'businessId', 'onRefused'] satisfies (keyof Requirements<never>)[]

/** @throws TypeError when there is no such requirement: misspelt, it would demand nothing */
export function checkRequirements(requirements: object): void {
  if (typeof requirements !== 'object') throw new TypeError('Requirements must be an object')
  // Inherited ones count, too.
  for (const name in requirements) {
    if (!NAMES.includes(name)) throw new TypeError(`There is no requirement ${name}, only ${NAMES.join(', ')}`)
  }
}
