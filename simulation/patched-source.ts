import { readFileSync } from 'node:fs'
import { registerHooks } from 'node:module'
import { fileURLToPath } from 'node:url'

/** A change to a production source that takes one rule away. */
export interface Patch {
  /** From the root of the repository, such as `packages/verifier/core/follower.ts`. */
  readonly file: string
  /** Occurs exactly once in the file. */
  readonly find: string
  readonly replace: string
}

const ROOT = new URL('../', import.meta.url)

/**
 * Applies the patches to everything that this process loads from now on: nothing they patch may have been loaded
 * before, so they are for a process of their own, whose other modules are imported dynamically after this. Several
 * patches of one file are applied in order.
 *
 * @returns throws an Error naming the patched files that have not been loaded, if there are any
 * @throws Error naming the file and the snippet when it does not occur exactly once
 */
export function usePatches(patches: readonly Patch[]): () => void {
  const byUrl = new Map<string, Patch[]>()
  for (const patch of patches) {
    const url = new URL(patch.file, ROOT).href
    byUrl.set(url, [...(byUrl.get(url) ?? []), patch])
  }
  // Before anything runs, so that a patch that has rotted is told from a rule that is not needed.
  for (const [url, ofFile] of byUrl) patched(readFileSync(fileURLToPath(url), 'utf8'), ofFile)
  const missing = new Set(byUrl.keys())
  registerHooks({
    load(url, context, nextLoad) {
      const loaded = nextLoad(url, context)
      const ofFile = byUrl.get(url)
      if (ofFile === undefined) return loaded
      if (loaded.source === undefined || loaded.source === null) throw new Error(`${url} has no source to patch.`)
      missing.delete(url)
      const text = typeof loaded.source === 'string' ? loaded.source : new TextDecoder().decode(loaded.source)
      return { ...loaded, source: patched(text, ofFile) }
    },
  })
  return () => {
    if (missing.size > 0) throw new Error(`Patched, but never loaded after that: ${[...missing].join(', ')}`)
  }
}

/**
 * The text with every patch applied, in order.
 *
 * @throws Error naming the file and the snippet when it does not occur exactly once
 */
export function patched(text: string, patches: readonly Patch[]): string {
  let result = text
  for (const { file, find, replace } of patches) {
    const parts = result.split(find)
    if (find === '' || parts.length !== 2) {
      throw new Error(`${file} has this ${parts.length - 1} times, and a patch needs it exactly once:\n${find}`)
    }
    result = parts.join(replace)
  }
  return result
}
