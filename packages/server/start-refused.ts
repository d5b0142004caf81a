/**
 * The service will not start for a reason that a person can mend: a setting, a port, a folder. The message is one
 * sentence for that person, and all that is printed.
 */
export class StartRefused extends Error {
  override readonly name = 'StartRefused'
}
