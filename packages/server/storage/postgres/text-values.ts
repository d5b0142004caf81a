/**
 * PostgreSQL stores every character in text but U+0000. It is written as U+0001 U+0002, and U+0001 as U+0001 U+0003:
 * what is written sorts as what was meant.
 */
export function encodeText(text: string): string {
  if (!text.includes('\u0000') && !text.includes('\u0001')) return text
  return text.replaceAll('\u0001', '\u0001\u0003').replaceAll('\u0000', '\u0001\u0002')
}

/** What {@link encodeText} wrote. */
export function decodeText(stored: string): string {
  if (!stored.includes('\u0001')) return stored
  return stored.replaceAll('\u0001\u0002', '\u0000').replaceAll('\u0001\u0003', '\u0001')
}
