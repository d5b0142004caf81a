import { dirname, relative } from 'node:path/posix'

/** What stands in front of a specifier: `from`, `import` for its effects, `import(` in code and in types. */
const IN_FRONT = String.raw`(?<=\b(?:from |import |import\())`
const PROTOCOL = new RegExp(`${IN_FRONT}(['"])@rescind/protocol\\1`, 'g')
const RELATIVE = new RegExp(`${IN_FRONT}(['"])(\\.\\.?/[^'"]+)\\1`, 'g')
const RELATIVE_TS = new RegExp(`${IN_FRONT}(['"])(\\.\\.?/[^'"]+)\\.ts\\1`, 'g')

/**
 * Turns what the compiler leaves as it was in the source into what resolves in the package: the protocol is in a folder
 * next to the verifier, and declarations, too, are imported by the names of the modules they declare.
 *
 * @param file path in the package, with slashes
 * @param text of a module or a declaration, as the compiler wrote it
 */
export function resolvableSpecifiers(file: string, text: string): string {
  const protocol = relative(dirname(file), 'protocol/index.js')
  return text
    .replace(PROTOCOL, (_, quote) => quote + protocol + quote)
    .replace(RELATIVE_TS, (_, quote, path) => `${quote}${path}.js${quote}`)
}

/** The files of the package that a module or a declaration in it imports, as it names them. */
export function relativeSpecifiers(text: string): readonly string[] {
  return [...text.matchAll(RELATIVE)].map(([, , specifier = '']) => specifier)
}
