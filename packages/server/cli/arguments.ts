import { isUuid } from '@rescind/protocol'
import { InvalidArgumentError } from 'commander'

/** Parsers for arguments: what they refuse ends the command before anything is sent. */

export function uuid(text: string): string {
  if (isUuid(text)) return text
  throw new InvalidArgumentError('It must be a UUID in lower case.')
}

export function keyId(text: string): string {
  if (/^[A-Za-z0-9_-]+$/.test(text)) return text
  throw new InvalidArgumentError('It must be the id of a key, as `rescind keys list` shows it.')
}

/** The service decides which numbers it takes. */
export function wholeNumber(text: string): number {
  if (/^-?\d{1,15}$/.test(text)) return Number(text)
  throw new InvalidArgumentError('It must be a whole number.')
}

/** Collects the values of an option that may be given several times. */
export function repeated(text: string, before: readonly string[] = []): string[] {
  return [...before, text]
}
