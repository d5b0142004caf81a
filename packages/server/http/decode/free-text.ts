import Type, { type TString, type TStringOptions } from 'typebox'

/**
 * A text that people write and that is stored or shown again. A token pasted into it never gets further than the
 * decoder, which replaces it after the length was checked.
 */
export function FreeText(options: TStringOptions = {}): TString {
  return Type.String({ ...options, 'x-free-text': true })
}
