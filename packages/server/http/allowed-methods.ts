/** Remembers which methods each path answers, to tell an unknown path (404) from a method it does not have (405). */
export class AllowedMethods {
  readonly #methods = new Map<string, Set<string>>()

  /** @param pattern As the router writes it: `:name` stands for one segment, `*` for the rest. */
  add(pattern: string, method: string): void {
    const known = this.#methods.get(pattern)
    if (known === undefined) this.#methods.set(pattern, new Set([method]))
    else known.add(method)
  }

  /** Methods of the path in `url`, sorted; empty for an unknown one. */
  of(url: string): readonly string[] {
    const path = url.split('?', 1)[0] ?? ''
    const allowed = new Set<string>()
    for (const [pattern, methods] of this.#methods) {
      if (matches(pattern.split('/'), path.split('/'))) for (const method of methods) allowed.add(method)
    }
    return [...allowed].sort()
  }
}

function matches(pattern: readonly string[], path: readonly string[]): boolean {
  if (pattern.at(-1) === '*')
    return path.length >= pattern.length && matches(pattern.slice(0, -1), path.slice(0, pattern.length - 1))
  return (
    pattern.length === path.length &&
    pattern.every((segment, index) => segment === path[index] || (segment.startsWith(':') && path[index] !== ''))
  )
}
