import type { Command } from 'commander'
import { type ConfigFlags, readConfig } from '../config.ts'
import type { Context } from './context.ts'
import { withExample } from './help.ts'
import { renderRecord } from './render.ts'
import { addConfigOptions } from './service.ts'

/** The commands that bring a service back from a copy of its database, while it is stopped. */
export function addRecoveryCommands(program: Command, context: Context): void {
  const restore = program
    .command('restore')
    .description('Put a backup into a data folder that has no database')
    .argument('<file>', 'What `rescind backup` made')
    .action(async (file: string, flags: ConfigFlags) => {
      const { LOST_LEASE_SECONDS, restoreBackup } = await import('../server.ts')
      const config = readConfig(context.env, flags)
      const { seq, lastChangeMs, epoch, hasMasterKey } = await restoreBackup(config, file)
      context.stdout(
        renderRecord({
          data_dir: config.dataDir,
          last_change_at: new Date(lastChangeMs).toISOString(),
          seq,
          epoch,
          master_key: hasMasterKey ? 'found' : 'missing',
        }),
      )
      context.stderr(consequences(LOST_LEASE_SECONDS))
      if (!hasMasterKey) context.stderr(MASTER_KEY_MISSING)
    })
  withExample(addConfigOptions(restore), 'rescind restore rescind-2026-11-22.db --data-dir ./data')

  const newEpoch = program
    .command('new-epoch')
    .description(
      'Say that a database was put back from an older copy by other means, or has lost its end, while every service is stopped',
    )
    .action(async (flags: ConfigFlags) => {
      const { LOST_LEASE_SECONDS, openNewEpoch } = await import('../server.ts')
      const { epoch, formerEpoch } = await openNewEpoch(readConfig(context.env, flags))
      context.stdout(renderRecord({ epoch, former_epoch: formerEpoch }))
      context.stderr(consequences(LOST_LEASE_SECONDS))
    })
  withExample(addConfigOptions(newEpoch), 'rescind new-epoch --data-dir ./data')
}

const MASTER_KEY_MISSING =
  'The master key is missing. Put the file master.key into the data folder, or set RESCIND_MASTER_KEY, before the service is started.\n'

function consequences(lostLeaseSeconds: number): string {
  return `What came after the last change cannot be brought back:
- Revocations made since are not known. Revoke again what was revoked since; your own records and the log of the service
  that was lost tell. Verifiers that ran through keep rejecting what they saw revoked.
- Tokens issued since are refused, everywhere and for good. Issue others in their place.
- Businesses, members, roles and signing keys are as they were then.
Stop the service that this one replaces, if it still runs anywhere. Once this one has been started, revocations wait for up
to ${lostLeaseSeconds} seconds for verifiers that the former one let decide.
`
}
