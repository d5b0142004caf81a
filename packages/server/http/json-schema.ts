import type { TSchema } from 'typebox'

/** The JSON Schema keywords that route schemas may use. TypeBox schemas are plain objects of these. */
export interface JsonSchema {
  readonly $id?: string
  readonly title?: string
  readonly description?: string
  readonly type?: string
  readonly const?: string
  readonly enum?: readonly string[]
  readonly anyOf?: readonly JsonSchema[]
  readonly properties?: Readonly<Record<string, JsonSchema>>
  readonly required?: readonly string[]
  readonly items?: JsonSchema
  readonly default?: unknown
  readonly pattern?: string
  readonly minLength?: number
  readonly maxLength?: number
  readonly minimum?: number
  readonly maximum?: number
  readonly minItems?: number
  readonly maxItems?: number
  /** See `free-text.ts`. */
  readonly 'x-free-text'?: boolean
}

/** A TypeBox schema as the JSON Schema that it is. */
export function anySchema(schema: TSchema): JsonSchema {
  return schema as JsonSchema
}

/** The strings a schema of literals allows, in order; `undefined` for every other schema. */
export function literalsOf(schema: JsonSchema): readonly string[] | undefined {
  if (schema.const !== undefined) return [schema.const]
  if (schema.enum !== undefined) return schema.enum
  const literals = schema.anyOf?.map((branch) => branch.const)
  return literals?.every((literal) => literal !== undefined) ? literals : undefined
}

/**
 * What a nullable schema allows besides `null`.
 *
 * @throws TypeError when the union is not of that kind: other unions have no single pydantic error shape.
 */
export function nonNullBranch(schema: JsonSchema): JsonSchema {
  const branches = schema.anyOf?.filter((branch) => branch.type !== 'null') ?? []
  const [only, ...others] = branches
  if (only === undefined || branches.length === schema.anyOf?.length) throw new TypeError('a union must be with null')
  if (others.length === 0) return only
  const literals = { anyOf: branches }
  if (literalsOf(literals) === undefined) throw new TypeError('a union must be of literals, or of one schema and null')
  return literals
}
