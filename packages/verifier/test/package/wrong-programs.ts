/** Wrong use of the package by what is wrong with it, and the error of the compiler. */
export const WRONG_PROGRAMS: readonly (readonly [what: string, code: string, error: string])[] = [
  ['the token is taken before the status is looked at', 'const { token } = await verifier.verify("")', 'TS2339'],
  [
    'what is undecided is taken for rejected',
    'const verdict = await verifier.verify(""); if (verdict.status !== "valid") verdict.tokenId',
    'TS2339',
  ],
  [
    'a reason that does not exist',
    'const verdict = await verifier.verify(""); if (verdict.status === "rejected") verdict.reason === "stolen"',
    'TS2367',
  ],
  [
    'a token is changed',
    'const verdict = await verifier.verify(""); if (verdict.status === "valid") verdict.token.userId = ""',
    'TS2540',
  ],
  [
    'a business that may be missing',
    'const headers = new Headers(); verifier.verify("", { businessId: headers.get("x") })',
    'TS2322',
  ],
  ['one scope instead of a list', 'verifier.verify("", { scopes: "reports:read" })', 'TS2322'],
  ['an event that does not exist', 'verifier.on("revoked", () => {})', 'TS2345'],
  ['no token for the verifier', 'createVerifier({ url: "" })', 'TS2741'],
  ['a mode that does not exist', 'createVerifier({ url: "", token: "", mode: "offline" })', 'TS2322'],
  ['what is not published', 'import("@rescind/verifier/core")', 'TS2307'],
]

/** A program that is right but for `code`. */
export function wrongProgram(code: string): string {
  return `import { createVerifier } from '@rescind/verifier'
const verifier = await createVerifier({ url: '', token: '' })
${code}
export { createVerifier, verifier }
`
}
