/** Hands out the elements of `all` in turn, for ever. */
export function cycle<T>(all: readonly T[]): () => T | undefined {
  let index = -1
  return () => {
    index = index + 1 < all.length ? index + 1 : 0
    return all[index]
  }
}

/** Hands out the elements of `all` in turn, each once. */
export function eachOnce<T>(all: readonly T[]): () => T | undefined {
  let index = -1
  return () => {
    index += 1
    return all[index]
  }
}
