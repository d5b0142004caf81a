import type { JsonSchema } from '../decode/json-schema.ts'

/** A schema as the document shows it. */
type Shown = Readonly<Record<string, unknown>>

/** Gathers the schemas of a document. One with a `title` of its own becomes a component of that name. */
export class OpenApiSchemas {
  readonly #components = new Map<string, object>()

  /** Registers a component under a name and returns the reference to it. */
  add(name: string, schema: object): Shown {
    const titled = { ...schema, title: name }
    const known = this.#components.get(name)
    if (known !== undefined && JSON.stringify(known) !== JSON.stringify(titled)) {
      throw new TypeError(`two different schemas are named ${name}`)
    }
    this.#components.set(name, titled)
    return { $ref: `#/components/schemas/${name}` }
  }

  of(schema: JsonSchema): Shown {
    return schema.title === undefined ? this.#show(schema) : this.add(schema.title, this.#show(schema))
  }

  /** A schema in the place of a property: it has a title made from the property's name, unless it is a component. */
  property(name: string, schema: JsonSchema): Shown {
    const shown = this.of(schema)
    return '$ref' in shown ? shown : { ...shown, title: titleOf(name) }
  }

  /** Every component by name, sorted. */
  components(): Readonly<Record<string, object>> {
    return Object.fromEntries([...this.#components].sort(([a], [b]) => (a < b ? -1 : 1)))
  }

  #show(schema: JsonSchema): Shown {
    const { $id, title, properties, items, anyOf, 'x-free-text': freeText, ...rest } = schema
    return {
      ...(schema.enum !== undefined && { type: 'string' }),
      ...rest,
      ...(anyOf !== undefined && { anyOf: anyOf.map((branch) => this.of(branch)) }),
      ...(items !== undefined && { items: this.of(items) }),
      ...(properties !== undefined && this.#properties(properties, rest.required)),
    }
  }

  /** Like FastAPI, a property with a default is not required. */
  #properties(properties: Readonly<Record<string, JsonSchema>>, required: readonly string[] = []): Shown {
    const needed = required.filter((name) => properties[name]?.default === undefined)
    const shown = Object.entries(properties).map(([name, property]) => [name, this.property(name, property)])
    return { ...(needed.length > 0 && { required: needed }), properties: Object.fromEntries(shown) }
  }
}

/** `token_id` becomes `Token Id`. */
export function titleOf(name: string): string {
  return name
    .split('_')
    .map((word) => word.charAt(0).toUpperCase() + word.slice(1))
    .join(' ')
}
