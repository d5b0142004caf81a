import assert from 'node:assert/strict'
import type { IncomingHttpHeaders } from 'node:http'
import Schema from 'typebox/schema'
import type { Answered } from './answered.ts'

/** What an OpenAPI document declares of answers. */
export interface Declared {
  /**
   * An answer of a declared operation must have a declared status, a body of the schema declared for it, a code or
   * sentence that the description of the status lists, the headers declared as required, and no header of the service's
   * own that is not declared. Paths and methods that the document does not have are not its matter.
   *
   * @throws AssertionError otherwise
   */
  check(method: string, path: string, answered: Received): void
}

/** By Node's own client or by `fetch`. */
type Received = Pick<Answered, 'status' | 'json'> & { readonly headers: Headers | IncomingHttpHeaders }

interface Document {
  readonly paths: Readonly<Record<string, Readonly<Record<string, Operation>>>>
  readonly components: { readonly schemas: Readonly<Record<string, object>> }
}

interface Operation {
  readonly operationId: string
  readonly responses: Readonly<Record<string, Response>>
}

interface Response {
  readonly description: string
  readonly headers?: Readonly<Record<string, { readonly required?: boolean }>>
  readonly content?: Readonly<Record<string, { readonly schema?: object }>>
}

type Validate = (
  body: { readonly code?: unknown; readonly detail?: unknown } | undefined,
  headers: ReadonlySet<string>,
) => void

/** Reads the document that the service at `url` serves. */
export async function readDeclared(url: string): Promise<Declared> {
  const response = await fetch(`${url}/openapi.json`)
  const document = (await response.json()) as Document
  const patterns = Object.entries(document.paths)
    // A literal segment wins over a parameter.
    .toSorted(([one], [other]) => one.split('{').length - other.split('{').length)
    .map(([template, operations]) => ({ matches: patternOf(template), operations }))
  const validators = new Map<string, Validate>()

  return {
    check(method, path, { status, headers, json }) {
      const pathname = path.split('?', 1)[0] ?? ''
      const found = patterns.find(({ matches }) => matches.test(pathname))
      const operation = found?.operations[method.toLowerCase()]
      if (operation === undefined) return
      const key = `${operation.operationId} ${status}`
      const validate = validators.get(key) ?? validatorOf(document, operation, status)
      validators.set(key, validate)
      validate(json, new Set(headers instanceof Headers ? headers.keys() : Object.keys(headers)))
    },
  }
}

function patternOf(template: string): RegExp {
  return new RegExp(`^${template.replaceAll('.', '\\.').replace(/\{\w+\}/g, '[^/]+')}$`)
}

function validatorOf(document: Document, { operationId, responses }: Operation, status: number): Validate {
  const declared = responses[status]
  assert.ok(declared, `${operationId} answered ${status}, which the document does not declare`)
  const content = declared.content ?? {}
  // A file has nothing that could be checked against a schema.
  if (Object.keys(content).some((mediaType) => mediaType !== 'application/json')) return () => {}
  const schema = content['application/json']?.schema
  assert.ok(schema, `${operationId} has no schema for ${status}`)
  const validator = Schema.Compile({ ...schema, components: document.components })
  const listed = declared.description.split('\n').filter((line) => line.startsWith('- '))
  const declaredHeaders = new Map(
    Object.entries(declared.headers ?? {}).map(([name, header]) => [name.toLowerCase(), header]),
  )
  return (body, headers) => {
    for (const [name, { required }] of declaredHeaders) {
      assert.ok(required !== true || headers.has(name), `${operationId} ${status} lacks the header ${name}`)
    }
    for (const name of headers) {
      assert.ok(
        !name.startsWith('rescind-') || declaredHeaders.has(name),
        `${operationId} ${status} does not declare ${name}`,
      )
    }
    // The answer to a HEAD.
    if (body === undefined) return
    const { code, detail } = body
    const said = typeof code === 'string' ? `- \`${code}\`: ` : `- ${detail}`
    if (status !== 422)
      assert.ok(
        listed.some((line) => line.startsWith(said)),
        `${operationId} ${status} lacks ${said}`,
      )
    if (validator.Check(body)) return
    const [, errors] = validator.Errors(body)
    assert.fail(`${operationId} ${status} answered what its schema does not allow: ${JSON.stringify(errors)}`)
  }
}
