import { Unavailable } from '@rescind/protocol'

/**
 * The service will not start for a reason that a person can mend: a setting, a port, a folder. The message is one
 * sentence for that person, and all that is printed.
 */
export class StartRefused extends Error {
  override readonly name = 'StartRefused'
}

/** A database that went away while the service was starting, as a sentence for a person; any other error as it is. */
export function refusedStart(error: unknown): unknown {
  if (!(error instanceof Unavailable)) return error
  return new StartRefused(
    'The database stopped answering while the service was starting; start it again when it does.',
    {
      cause: error,
    },
  )
}
