import assert from 'node:assert/strict'
import { test } from 'node:test'
import {
  isManagementScope,
  isOperatorScope,
  MANAGEMENT_SCOPES,
  OPERATOR_SCOPES,
  parseScope,
  SCOPE_PATTERN,
} from '@rescind/protocol'

test('every management scope is a scope, and every operator scope is a management scope', () => {
  for (const scope of MANAGEMENT_SCOPES) assert.ok(SCOPE_PATTERN.test(scope) && isManagementScope(scope))
  for (const scope of OPERATOR_SCOPES) assert.ok(isManagementScope(scope) && isOperatorScope(scope))
  assert.deepEqual([...OPERATOR_SCOPES], ['operator', 'introspect', 'feed'])
})

test('application scopes have 1 to 64 characters of a small alphabet', () => {
  for (const scope of ['a', 'orders:read', 'v1.x_y-z', 'a'.repeat(64)]) assert.ok(SCOPE_PATTERN.test(scope), scope)
  for (const scope of ['', 'a'.repeat(65), 'A', 'a b', 'a\n', 'é', 'a"', '*', 'a,b']) {
    assert.ok(!SCOPE_PATTERN.test(scope), JSON.stringify(scope))
  }
})

test('names of built-in members are not management scopes', () => {
  for (const scope of ['__proto__', 'constructor', 'length']) {
    assert.ok(!isManagementScope(scope) && !isOperatorScope(scope))
  }
})

test('a scope claim is its scopes in order, and an empty one is none', () => {
  assert.deepEqual(parseScope(''), [])
  assert.deepEqual(parseScope('b a'), ['b', 'a'])
})
