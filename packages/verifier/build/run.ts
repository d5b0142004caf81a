import { resolve } from 'node:path'
import { buildPackage } from './build-package.ts'

/** Where the package goes unless a folder is given. */
const FOLDER = resolve(import.meta.dirname, '../../../dist/verifier')

const [folder = FOLDER] = process.argv.slice(2)
buildPackage(resolve(folder))
process.stdout.write(`${resolve(folder)}\n`)
