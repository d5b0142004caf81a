import { createHmac, createPublicKey, sign } from 'node:crypto'
import {
  decodeBase64url,
  encodeBase64url,
  headerSegment,
  parseClaims,
  statusListUri,
  type TokenClaims,
  toLowS,
} from '@rescind/protocol'
import { createSigner, highSTwin, join, segmentsOf } from '../../../verifier/test/mint.ts'
import type { SigningKey } from '../../tokens/signing-key.ts'

/** A string that is no valid token, and what is wrong with it. */
export interface Forgery {
  readonly name: string
  readonly token: string
}

const ALPHABET = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_'

/** Signs any two segments with a real key of the service. */
function mint({ jwk, privateKey }: SigningKey, header: string, payload: string): string {
  const input = Buffer.from(`${header}.${payload}`)
  const raw =
    jwk.alg === 'EdDSA'
      ? sign(null, input, privateKey)
      : toLowS(sign('sha256', input, { key: privateKey, dsaEncoding: 'ieee-p1363' }))
  return join(header, payload, encodeBase64url(raw))
}

/** A token with the proper header and exactly this payload. */
export function mintPayload(key: SigningKey, payload: string | Uint8Array): string {
  return mint(key, headerSegment(key.jwk.alg, key.jwk.kid), encodeBase64url(payload))
}

export function claimsOf(token: string): TokenClaims {
  const claims = parseClaims(decodeBase64url(segmentsOf(token)[1]) ?? Buffer.alloc(0))
  if (claims === undefined) throw new Error('Not a token')
  return claims
}

/**
 * Every attack on a token that must fail.
 *
 * @param genuine a valid token signed by `key`
 */
export function forgeries(key: SigningKey, genuine: string): readonly Forgery[] {
  return [...headerForgeries(key, genuine), ...claimForgeries(key, genuine), ...shapeForgeries(key, genuine)]
}

function headerForgeries(key: SigningKey, genuine: string): Forgery[] {
  const { alg, kid } = key.jwk
  const proper = { alg, kid, typ: 'at+jwt' }
  const [, payload] = segmentsOf(genuine)
  const attacker = createSigner()
  const encode = (header: object | string) =>
    encodeBase64url(typeof header === 'string' ? header : JSON.stringify(header))
  const found: Forgery[] = []
  const add = (name: string, token: string) => found.push({ name, token })

  for (const none of ['none', 'NONE', 'None', '']) {
    const header = encode({ ...proper, alg: none })
    add(`alg ${none}, unsigned`, join(header, payload, ''))
    add(`alg ${none}, signed`, mint(key, header, payload))
    add(`alg ${none}, with the genuine signature`, join(header, payload, segmentsOf(genuine)[2]))
  }
  const publicKey = createPublicKey({ key: { ...key.jwk }, format: 'jwk' })
  const secrets = {
    raw: decodeBase64url(key.jwk.x) ?? '',
    jwk: JSON.stringify(key.jwk),
    PEM: publicKey.export({ format: 'pem', type: 'spki' }),
    'PEM without its last line end': publicKey.export({ format: 'pem', type: 'spki' }).toString().trim(),
    DER: publicKey.export({ format: 'der', type: 'spki' }),
  }
  for (const [name, secret] of Object.entries(secrets)) {
    for (const [hmac, hash] of [
      ['HS256', 'sha256'],
      ['HS512', 'sha512'],
    ] as const) {
      for (const header of [encode({ ...proper, alg: hmac }), headerSegment(alg, kid)]) {
        const mac = createHmac(hash, secret).update(`${header}.${payload}`).digest('base64url')
        add(`${hmac} with the public key as secret, ${name}`, join(header, payload, mac))
      }
    }
  }
  const extras: object[] = [
    { jku: 'http://127.0.0.1:1/jwks.json' },
    { x5u: 'http://127.0.0.1:1/cert.pem' },
    { x5c: ['MIIB'] },
    { jwk: attacker.jwk },
    { jwk: attacker.jwk, kid: attacker.jwk.kid },
    { kid: attacker.jwk.kid },
    { kid: '../../../../dev/null' },
    { kid: "' OR '1'='1" },
    { kid: "x'; DROP TABLE tokens; --" },
    { kid: `${kid}\0` },
    { kid: '\0' },
    { kid: '__proto__' },
    { kid: 'constructor' },
    { kid: null },
    { kid: [kid] },
    { crit: ['exp'] },
    { crit: ['unknown'], unknown: 1 },
    { crit: ['b64'], b64: false },
    { b64: false },
    { typ: 'JWT' },
    { typ: 'AT+JWT' },
    { typ: undefined },
    { alg: 'RS256' },
    { alg: 'ES384' },
    { zip: 'DEF' },
  ]
  for (const extra of extras) {
    const header = encode({ ...proper, ...extra })
    const name = `header with ${JSON.stringify(extra)}`
    add(`${name}, signed by an attacker`, attacker.mintSegments(header, payload))
    add(`${name}, signed by the service`, mint(key, header, payload))
  }
  add(
    'b64 false and the payload left plain',
    mint(key, encode({ ...proper, b64: false, crit: ['b64'] }), JSON.stringify({})),
  )
  for (const spelling of [
    JSON.stringify({ kid, alg, typ: 'at+jwt' }),
    ` ${JSON.stringify(proper)}`,
    '{}',
    '',
    'null',
  ]) {
    add(`header spelled ${spelling}`, mint(key, encode(spelling), payload))
  }
  return found
}

function claimForgeries(key: SigningKey, genuine: string): Forgery[] {
  const claims = claimsOf(genuine)
  const text = JSON.stringify(claims)
  const found: Forgery[] = []
  const add = (name: string, payload: string | Uint8Array) => found.push({ name, token: mintPayload(key, payload) })

  for (const [name, value] of Object.entries(claims)) {
    const pair = `${JSON.stringify(name)}:${JSON.stringify(value)}`
    add(`${name} twice, first`, text.replace('{', `{${pair},`))
    add(`${name} twice, last`, text.replace(/}$/, `,${pair}}`))
    const { [name]: _left, ...rest } = { ...claims } as Record<string, unknown>
    if (name !== 'business_id') add(`no ${name}`, JSON.stringify(rest))
  }
  const { exp } = claims
  for (const value of [
    `"${exp}"`,
    `${exp}.5`,
    `${exp}.0`,
    '1e400',
    '-1',
    '-0',
    'null',
    'true',
    `[${exp}]`,
    '9007199254740993',
    '0',
    '1',
  ]) {
    add(`exp ${value}`, text.replace(`"exp":${exp}`, `"exp":${value}`))
  }
  const uri = claims.status.status_list.uri
  const others: [string, object][] = [
    ['another iss', { iss: 'https://evil.example' }],
    ['another aud', { aud: 'https://evil.example' }],
    ['several aud', { aud: [claims.aud] }],
    ['another type', { type: 'session' }],
    ['another epoch', { status: { status_list: { idx: 0, uri: statusListUri(claims.jti) } } }],
    ['a negative idx', { status: { status_list: { idx: -1, uri } } }],
    ['a fractional idx', { status: { status_list: { idx: 0.5, uri } } }],
    ['a textual idx', { status: { status_list: { idx: '0', uri } } }],
    ['no status list', { status: {} }],
    ['an upper-case jti', { jti: claims.jti.toUpperCase() }],
  ]
  for (const [name, change] of others) add(name, JSON.stringify({ ...claims, ...change }))
  add('a byte order mark', `\ufeff${text}`)
  add('white space', `${text} `)
  add('no object', '[]')
  add('no JSON', 'claims')
  add('nothing', '')
  add('UTF-16', Buffer.from(text, 'utf16le'))
  for (const hex of ['ff', 'c0af', 'eda080', 'f4908080', 'e282']) {
    const at = text.indexOf('"scope":"') + 9
    add(
      `not UTF-8, ${hex}`,
      Buffer.concat([Buffer.from(text.slice(0, at)), Buffer.from(hex, 'hex'), Buffer.from(text.slice(at))]),
    )
  }
  return found
}

function shapeForgeries(key: SigningKey, genuine: string): Forgery[] {
  const [header, payload, signature] = segmentsOf(genuine)
  const found: Forgery[] = []
  const add = (name: string, token: string) => found.push({ name, token })

  add('1 segment', join(header))
  add('2 segments', join(header, payload))
  add('4 segments', join(header, payload, signature, signature))
  add('4 segments, the last empty', join(header, payload, signature, ''))
  add('5 segments', join(header, payload, signature, signature, signature))
  add('empty segments', join('', '', ''))
  add('no prefix', genuine.slice(3))
  add('the prefix twice', `dz_${genuine}`)
  add('another prefix', `DZ_${genuine.slice(3)}`)
  add('the prefix alone', 'dz_')
  add('a quoted token', `"${genuine}"`)
  add('a token and a comma', `${genuine},`)

  // A payload whose last character has four unused bits, so that all three segments but the header have sixteen spellings.
  let padded = ''
  for (let pad = 0; padded === ''; pad++) {
    const text = JSON.stringify({ ...claimsOf(genuine), pad: 'x'.repeat(pad) })
    if (Buffer.byteLength(text) % 3 === 1) padded = mintPayload(key, text)
  }
  const good = segmentsOf(padded)
  for (const [at, segment] of good.entries()) {
    const bytes = Buffer.from(segment, 'base64url')
    for (const last of ALPHABET) {
      const spelling = segment.slice(0, -1) + last
      if (spelling === segment || !Buffer.from(spelling, 'base64url').equals(bytes)) continue
      add(`other trailing bits in segment ${at}: ${last}`, join(...good.with(at, spelling)))
      if (at < 2) {
        const [h = '', p = ''] = good.with(at, spelling)
        add(`other trailing bits in segment ${at}: ${last}, signed`, mint(key, h, p))
      }
    }
    for (const extra of ['=', '==', '+', '/', '!', '%', '~', ' ', '\t']) {
      for (const place of [0, segment.length >> 1, segment.length]) {
        // White space at the end of a header belongs to HTTP, not to the token.
        if (at === 2 && place === segment.length && extra.trim() === '') continue
        add(
          `${JSON.stringify(extra)} in segment ${at} at ${place}`,
          join(...good.with(at, segment.slice(0, place) + extra + segment.slice(place))),
        )
      }
    }
  }
  const long = JSON.stringify({ ...claimsOf(genuine), pad: 'x'.repeat(6200) })
  add('longer than 8 KiB', mintPayload(key, long))
  add('a signature too short', join(header, payload, signature.slice(0, -4)))
  add('a signature too long', join(header, payload, `${signature}AAAA`))
  add('the signature of zeroes', join(header, payload, encodeBase64url(new Uint8Array(64))))
  if (key.jwk.alg === 'ES256') {
    const twin = highSTwin(decodeBase64url(signature) ?? Buffer.alloc(64))
    add('the twin of the signature', join(header, payload, encodeBase64url(twin)))
    const der = sign('sha256', Buffer.from(`${header}.${payload}`), key.privateKey)
    add('the signature as DER', join(header, payload, encodeBase64url(der)))
  }
  return found
}
