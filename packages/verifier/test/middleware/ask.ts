import { pipeline, type RawRequest } from '../../../server/test/service/raw-http.ts'

/** An answer with every header line that does not belong to the connection or name the framework. */
export interface Answered {
  readonly status: number
  readonly headers: readonly string[]
  readonly body: string
}

const NOT_COMPARED = ['connection', 'date', 'keep-alive', 'x-powered-by']

/** Sends a request for `/reports`, each value of `authorization` in a header of its own. */
export async function ask(
  url: string,
  authorization: readonly string[],
  { method = 'GET', headers }: { readonly method?: string; readonly headers?: RawRequest['headers'] } = {},
): Promise<Answered> {
  const request = { method, path: '/reports', authorization, ...(headers !== undefined && { headers }) }
  const [answer] = await pipeline(url, [request])
  if (answer === undefined) throw new Error('There was no answer')
  const lines = answer.headers.map(([name, value]) => [name.toLowerCase(), value] as const)
  const compared = lines.filter(([name]) => !NOT_COMPARED.includes(name))
  return {
    status: answer.status,
    headers: compared.map(([name, value]) => `${name}: ${value}`).sort(),
    body: answer.body,
  }
}
