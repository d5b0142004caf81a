import { SUCCESS_CODES, type SuccessCode } from './success-codes.ts'

const PREFIXES = new Map(
  Object.entries(SUCCESS_CODES).map(([code, message]) => [
    code,
    `${JSON.stringify({ success: true, message, code }).slice(0, -1)},"data":`,
  ]),
)

/** The envelope of every success: `{"success": true, "message": …, "code": …, "data": …}`. */
export function successBody(code: SuccessCode, data: unknown): string {
  return `${PREFIXES.get(code)}${JSON.stringify(data)}}`
}
