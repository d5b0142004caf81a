import type { ClientBase } from 'pg'

/**
 * Says itself what a role, a database or whoever had this session before may have set otherwise: each statement sees what
 * was committed while it waited for a lock, and the server tells when a commit was not confirmed.
 */
const BEGIN = 'BEGIN ISOLATION LEVEL READ COMMITTED; SET LOCAL client_min_messages = warning'

/** Begins a transaction that {@link commitDurably} ends. */
export async function beginDurable(client: ClientBase): Promise<void> {
  await client.query(BEGIN)
}

/** @throws Error when nothing was committed, or the server warns that it may not be durable */
export async function commitDurably(client: ClientBase): Promise<void> {
  const { command } = await withoutWarning(client, () => client.query('COMMIT'))
  if (command !== 'COMMIT') throw new Error('The server rolled the transaction back.')
}

/** Runs a step in a transaction of its own. A connection on which this throws is to be ended, and the transaction with it. */
export async function inDurableTransaction<T>(client: ClientBase, step: () => Promise<T>): Promise<T> {
  await beginDurable(client)
  const result = await step()
  await commitDurably(client)
  return result
}

/** Runs a step that makes something durable. @throws Error when the server warns that it may not be */
export async function withoutWarning<T>(client: ClientBase, step: () => Promise<T>): Promise<T> {
  let warning: Error | undefined
  const hear = ({
    message,
    code = '',
  }: {
    readonly message?: string | undefined
    readonly code?: string | undefined
  }) => {
    // A commit that was not confirmed by the standby is reported so, and as a success (SQLSTATE 01000). The severity is a
    // word in the language of the server.
    if (!code.startsWith('00')) warning = new Error(`The server warned: ${message} (${code})`)
  }
  client.on('notice', hear)
  try {
    const result = await step()
    if (warning) throw warning
    return result
  } finally {
    client.off('notice', hear)
  }
}
