import { parseArgs } from 'node:util'

export interface DemoArguments {
  readonly leaseSeconds: number
  /** Play the scene without keys. */
  readonly isScripted: boolean
}

export const USAGE = `npm run demo                  on this screen, with keys
npm run demo -- --lease N     leases of N seconds, 2 to 300; 5 unless given
npm run demo -- --script      a fixed scene without keys, line by line
`

/** @returns `undefined` when the arguments mean nothing */
export function readArguments(args: readonly string[]): DemoArguments | undefined {
  try {
    const { values } = parseArgs({
      args: [...args],
      options: { lease: { type: 'string', default: '5' }, script: { type: 'boolean', default: false } },
    })
    const leaseSeconds = Number(values.lease)
    const isLease = Number.isInteger(leaseSeconds) && leaseSeconds >= 2 && leaseSeconds <= 300
    return isLease ? { leaseSeconds, isScripted: values.script } : undefined
  } catch {
    return undefined
  }
}
