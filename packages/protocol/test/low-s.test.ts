import assert from 'node:assert/strict'
import { generateKeyPairSync, sign, verify } from 'node:crypto'
import { test } from 'node:test'
import { isLowS, toLowS } from '@rescind/protocol'

const ORDER = 'ffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551'
const LARGEST_LOW = '7fffffff800000007fffffffffffffffde737d56d38bcf4279dce5617e3192a8'
const SMALLEST_HIGH = '7fffffff800000007fffffffffffffffde737d56d38bcf4279dce5617e3192a9'

const withS = (s: string) => Buffer.from(`${'11'.repeat(32)}${s}`, 'hex')

test('the border between low and high lies in the middle of the group', () => {
  assert.equal(BigInt(`0x${LARGEST_LOW}`) + BigInt(`0x${SMALLEST_HIGH}`), BigInt(`0x${ORDER}`))
  assert.ok(isLowS(withS(LARGEST_LOW)))
  assert.ok(!isLowS(withS(SMALLEST_HIGH)))
  assert.deepEqual(toLowS(withS(SMALLEST_HIGH)), withS(LARGEST_LOW))
})

test('a signature and its low twin are both good, and the low one is left as it is', () => {
  const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  const seen = new Set<boolean>()
  for (let n = 0; n < 40; n++) {
    const data = Buffer.from(`${n}`)
    const signature = sign('sha256', data, { key: privateKey, dsaEncoding: 'ieee-p1363' })
    const low = toLowS(signature)
    seen.add(isLowS(signature))
    assert.ok(isLowS(low))
    assert.ok(verify('sha256', data, { key: publicKey, dsaEncoding: 'ieee-p1363' }, low))
    assert.deepEqual(toLowS(low), low)
    if (isLowS(signature)) assert.deepEqual(low, signature)
  }
  assert.equal(seen.size, 2)
})

test('the signature handed in is not changed', () => {
  const signature = withS(SMALLEST_HIGH)
  toLowS(signature)
  assert.deepEqual(signature, withS(SMALLEST_HIGH))
})
