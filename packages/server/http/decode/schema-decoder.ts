import type { Static, TSchema } from 'typebox'
import { booleanDecoder } from './boolean-decoder.ts'
import type { Decoder } from './decoder.ts'
import { integerDecoder } from './integer-decoder.ts'
import { anySchema, type JsonSchema } from './json-schema.ts'
import { literalDecoder } from './literal-decoder.ts'
import { stringDecoder } from './string-decoder.ts'
import type { ValidationError } from './validation-error.ts'

/**
 * Compiles a schema once, at registration.
 *
 * @throws TypeError when the schema uses a keyword that this decoder does not implement.
 */
export function schemaDecoder<Schema extends TSchema>(schema: Schema): Decoder<Static<Schema>> {
  return compile(anySchema(schema)) as Decoder<Static<Schema>>
}

function compile(schema: JsonSchema): Decoder {
  if (schema.enum !== undefined) return literalDecoder(schema.enum)
  if (schema.const !== undefined) return literalDecoder([schema.const])
  if (schema.anyOf !== undefined) return nullableDecoder(schema.anyOf)
  switch (schema.type) {
    case 'string':
      return stringDecoder(schema)
    case 'integer':
      return integerDecoder(schema)
    case 'boolean':
      return booleanDecoder
    case 'array':
      return arrayDecoder(schema)
    case 'object':
      return objectDecoder(schema)
    default:
      throw new TypeError(`no decoder for a schema of type ${String(schema.type)}`)
  }
}

function nullableDecoder([schema, nothing, ...others]: readonly JsonSchema[]): Decoder {
  if (schema === undefined || nothing?.type !== 'null' || others.length > 0) {
    throw new TypeError('a union must be of one schema and null: others have no single pydantic error shape')
  }
  const decode = compile(schema)
  return (input, errors) => (input === null ? null : decode(input, errors))
}

function arrayDecoder(schema: JsonSchema): Decoder {
  if (schema.items === undefined) throw new TypeError('an array schema needs items')
  const decodeItem = compile(schema.items)
  const { minItems = 0, maxItems = Number.POSITIVE_INFINITY } = schema
  return (input, errors) => {
    if (!Array.isArray(input)) {
      errors.push({ type: 'list_type', loc: [], msg: 'Input should be a valid list', input })
      return undefined
    }
    if (input.length > maxItems) {
      errors.push(lengthError('too_long', 'at most', 'max_length', maxItems, input))
      return undefined
    }
    const before = errors.length
    const items = input.map((item, index) => decodeAt(decodeItem, item, index, errors))
    if (errors.length === before && input.length < minItems) {
      errors.push(lengthError('too_short', 'at least', 'min_length', minItems, input))
    }
    return items
  }
}

function lengthError(type: string, bound: string, key: string, limit: number, input: unknown[]): ValidationError {
  const items = limit === 1 ? 'item' : 'items'
  return {
    type,
    loc: [],
    msg: `List should have ${bound} ${limit} ${items} after validation, not ${input.length}`,
    input,
    ctx: { field_type: 'List', [key]: limit, actual_length: input.length },
  }
}

function objectDecoder(schema: JsonSchema): Decoder {
  const fields = Object.entries(schema.properties ?? {}).map(([name, field]) => ({
    name,
    decode: compile(field),
    required: schema.required?.includes(name) === true && field.default === undefined,
    fallback: field.default,
  }))
  return (input, errors) => {
    if (typeof input !== 'object' || input === null || Array.isArray(input)) {
      const msg = 'Input should be a valid dictionary or object to extract fields from'
      errors.push({ type: 'model_attributes_type', loc: [], msg, input })
      return undefined
    }
    const given = input as Record<string, unknown>
    const value: Record<string, unknown> = {}
    for (const { name, decode, required, fallback } of fields) {
      if (Object.hasOwn(given, name)) value[name] = decodeAt(decode, given[name], name, errors)
      else if (required) errors.push({ type: 'missing', loc: [name], msg: 'Field required', input })
      else if (fallback !== undefined) value[name] = fallback
    }
    return value
  }
}

/** Decodes a part and puts its place in front of the errors it made, so that a good input costs no path. */
function decodeAt(decode: Decoder, input: unknown, place: string | number, errors: ValidationError[]): unknown {
  const before = errors.length
  const value = decode(input, errors)
  for (let index = before; index < errors.length; index += 1) errors[index]?.loc.unshift(place)
  return value
}
