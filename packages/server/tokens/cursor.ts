import { createHmac, timingSafeEqual } from 'node:crypto'
import { decodeBase64url, encodeBase64url } from '@rescind/protocol'
import type { TokenPlace } from '../storage/storage.ts'

const TAG_BYTES = 16

/** Opaque, tamper-evident places in a list. A cursor opens only for the list and order it was made for. */
export interface CursorCodec {
  /** @param list names the list and its order */
  encode(place: TokenPlace, list: string): string
  /** `undefined` for anything this codec did not encode for the same list. */
  decode(cursor: string, list: string): TokenPlace | undefined
}

/** @param key 32 secret bytes */
export function createCursorCodec(key: Uint8Array): CursorCodec {
  const tagOf = (payload: Uint8Array, list: string) =>
    createHmac('sha256', key).update(list).update('\0').update(payload).digest().subarray(0, TAG_BYTES)
  return {
    encode: (place, list) => {
      const payload = Buffer.from(JSON.stringify([place.value, place.id]))
      return encodeBase64url(Buffer.concat([tagOf(payload, list), payload]))
    },
    decode: (cursor, list) => {
      const bytes = decodeBase64url(cursor)
      if (bytes === undefined || bytes.length <= TAG_BYTES) return undefined
      const payload = bytes.subarray(TAG_BYTES)
      if (!timingSafeEqual(bytes.subarray(0, TAG_BYTES), tagOf(payload, list))) return undefined
      const [value, id] = JSON.parse(payload.toString())
      return { value, id }
    },
  }
}
