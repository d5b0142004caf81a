import type { TSchema } from 'typebox'
import { anySchema, type JsonSchema } from './json-schema.ts'

type Json = Readonly<Record<string, unknown>>

/** Collects the schemas that have a title as named components, and refers to them from everywhere else. */
export class SchemaRegistry {
  readonly #components = new Map<string, Json>()

  /** `schema` as it stands in the document: a reference when it has a name. */
  use(schema: TSchema): Json {
    return this.#place(anySchema(schema))
  }

  /** The fields of an object schema, by name. */
  fields(schema: TSchema): [string, Json][] {
    return Object.entries(anySchema(schema).properties ?? {}).map(([name, field]) => [name, this.#place(field)])
  }

  /** The success envelope around `data`. */
  envelope(name: string, data: TSchema, codes: readonly string[]): Json {
    return this.#named(name, {
      title: name,
      type: 'object',
      required: ['success', 'message', 'code', 'data'],
      properties: {
        success: { type: 'boolean', const: true },
        message: { type: 'string', description: 'For people.' },
        code: { type: 'string', enum: codes },
        data: this.use(data),
      },
    })
  }

  error(): Json {
    return this.#named('ErrorResponse', {
      title: 'ErrorResponse',
      type: 'object',
      required: ['detail'],
      properties: { detail: { type: 'string', description: 'What was wrong, for people.' } },
    })
  }

  validationError(): Json {
    const item = this.#named('ValidationError', {
      title: 'ValidationError',
      type: 'object',
      required: ['loc', 'msg', 'type'],
      properties: {
        loc: {
          type: 'array',
          items: { anyOf: [{ type: 'string' }, { type: 'integer' }] },
          description: 'Where: `body` or `query`, then the field.',
        },
        msg: { type: 'string' },
        type: { type: 'string' },
        input: { description: 'What was sent.' },
        ctx: { type: 'object' },
      },
    })
    return this.#named('HTTPValidationError', {
      title: 'HTTPValidationError',
      type: 'object',
      properties: { detail: { type: 'array', items: item } },
    })
  }

  components(): Json {
    return Object.fromEntries([...this.#components].toSorted(([a], [b]) => (a < b ? -1 : 1)))
  }

  #named(name: string, schema: Json): Json {
    this.#components.set(name, schema)
    return { $ref: `#/components/schemas/${name}` }
  }

  #place(schema: JsonSchema): Json {
    const { title, ...inline } = schema
    return title === undefined ? this.#copy(inline) : this.#named(title, { title, ...this.#copy(inline) })
  }

  /** The keywords of one schema, without the ones that are ours alone. */
  #copy({ 'x-free-text': _, ...schema }: JsonSchema): Json {
    return {
      ...schema,
      ...(schema.properties && {
        properties: Object.fromEntries(
          Object.entries(schema.properties).map(([name, field]) => [name, this.#place(field)]),
        ),
      }),
      ...(schema.items && { items: this.#place(schema.items) }),
      ...(schema.anyOf && { anyOf: schema.anyOf.map((branch) => this.#place(branch)) }),
    }
  }
}
