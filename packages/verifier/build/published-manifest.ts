/** What the manifest in the source tree says. */
interface SourceManifest {
  readonly name: string
  readonly version: string
  readonly description: string
  readonly keywords: readonly string[]
  readonly type: string
  readonly engines: Readonly<Record<string, string>>
  readonly exports: Readonly<Record<string, string>>
  readonly dependencies: Readonly<Record<string, string>>
  readonly peerDependencies: Readonly<Record<string, string>>
  readonly peerDependenciesMeta: Readonly<Record<string, { readonly optional: boolean }>>
}

/** Entry points for the other packages of the repository, whose shape is promised to nobody else. */
const INTERNAL: readonly string[] = ['./core']

/** What the package holds a copy of. */
const INCLUDED: readonly string[] = ['@rescind/protocol']

/**
 * The manifest of the published package: built entry points, and what to install with it. The types of an entry point
 * are named first, since the first condition that applies is taken.
 */
export function publishedManifest(source: SourceManifest) {
  const { name, version, description, keywords, type, engines, peerDependencies, peerDependenciesMeta } = source
  const entryPoints = Object.entries(source.exports).filter(([path]) => !INTERNAL.includes(path))
  const dependencies = Object.entries(source.dependencies).filter(([name]) => !INCLUDED.includes(name))
  const exports = Object.fromEntries(entryPoints.map(([path, file]) => [path, built(file)]))
  return {
    name,
    version,
    description,
    keywords,
    type,
    engines,
    sideEffects: false,
    exports,
    files: ['verifier', 'protocol'],
    dependencies: Object.fromEntries(dependencies),
    peerDependencies,
    peerDependenciesMeta,
  }
}

/** @param file such as `./index.ts` */
function built(file: string): { readonly types: string; readonly default: string } {
  const path = file.replace(/^\.\//, './verifier/').replace(/\.ts$/, '')
  return { types: `${path}.d.ts`, default: `${path}.js` }
}
