import type { Command } from 'commander'

/** Ends the help of a command with a line that can be pasted. */
export function withExample(command: Command, example: string): Command {
  return command.addHelpText('after', `\nExample:\n  $ ${example}`)
}
