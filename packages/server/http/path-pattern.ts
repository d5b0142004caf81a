const PARAMETER = /\{(\w+)\}/g

/** The names of the `{parameters}` of a route's path, in order. */
export function pathParameters(path: string): readonly string[] {
  return [...path.matchAll(PARAMETER)].map(([, name = '']) => name)
}

/** A route's path as Fastify writes it: `/tokens/{id}` becomes `/tokens/:id`. */
export function routerPath(path: string): string {
  return path.replace(PARAMETER, ':$1')
}
