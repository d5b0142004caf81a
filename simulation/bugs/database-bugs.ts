import type { Patch } from '../patched-source.ts'
import type { Bug } from './bug.ts'

const LOG_TAIL = 'packages/server/storage/postgres/log-tail.ts'
const NOTIFICATIONS = 'packages/server/storage/postgres/notifications.ts'
const MEMBERSHIP = 'simulation/database/simulated-membership.ts'
const STORAGE = 'simulation/database/simulated-storage.ts'
const TABLES = 'simulation/database/tables.ts'
const TRANSACTION = 'simulation/database/simulated-transaction.ts'
const VIEW = 'simulation/database/view.ts'

/** Polls make up for every notification that is missed. Without them, where a node listens, only what failed is tried again. */
const WITHOUT_POLLS: readonly Patch[] = [
  {
    file: STORAGE,
    find: '      timers,\n      failed:',
    replace: '      timers,\n      told: newClient !== undefined,\n      failed:',
  },
  {
    file: LOG_TAIL,
    find: '      } while (this.#lookAgain)\n    } finally {',
    replace:
      '      } while (this.#lookAgain)\n      this.told = this.#deps.told\n    } catch (error) {\n      this.told = false\n      throw error\n    } finally {',
  },
  {
    file: LOG_TAIL,
    find: 'if (!this.#isOver) this.#cancelPoll',
    replace: 'if (!this.#isOver && !this.told) this.#cancelPoll',
  },
]

const CATCH_UP = '      for (const topic of TOPICS) heard(topic)\n'

/** How a database is used that may fail over, and that several nodes share. */
export const DATABASE_BUGS: readonly Bug[] = [
  {
    name: 'the head is read apart from the renewal',
    rule: 1,
    breaks: 'I1',
    patches: [
      {
        file: MEMBERSHIP,
        find: 'return renewed ? tables.head : undefined',
        replace:
          'const before = followed.head ?? tables.head\n        followed.head = tables.head\n        return renewed ? before : undefined',
      },
    ],
  },
  {
    name: 'a lease counts for another history than the one it names',
    rule: 1,
    breaks: 'I7',
    patches: [{ file: MEMBERSHIP, find: 'if (value !== undefined) expect(value)', replace: '' }],
  },
  {
    name: 'a renewal only reads',
    rule: 7,
    breaks: 'I5',
    patches: [
      {
        file: MEMBERSHIP,
        find: 'const { value, confirmation } = await write((tables) => {',
        replace: "const confirmation = 'durable'\n      const value = await read((tables) => {",
      },
      {
        file: MEMBERSHIP,
        find: 'change(tables, nodeId, (node) => ({ ...node, renewals: counted(node), inForceSeq }))',
        replace: 'tables.nodes.has(nodeId)',
      },
    ],
  },
  {
    name: 'a renewal that was seen and lost gives its count away again',
    rule: 7,
    breaks: 'I5',
    patches: [{ file: MEMBERSHIP, find: 'Math.max(renewals + 1, count)', replace: 'renewals + 1' }],
  },
  {
    name: 'a row is removed although its node has renewed since',
    rule: 7,
    breaks: 'I5',
    patches: [
      {
        file: MEMBERSHIP,
        find: 'if (node !== undefined && node.renewals <= renewals)',
        replace: 'if (node !== undefined)',
      },
    ],
  },
  {
    name: 'the members are read where the entry is not',
    rule: 8,
    breaks: 'I1',
    patches: [
      {
        file: MEMBERSHIP,
        find: 'new View({ tables }).includes(position) ? [...tables.nodes.values()] : undefined',
        replace: '[...tables.nodes.values()]',
      },
    ],
  },
  {
    name: 'a history that is as long counts as the same',
    rule: 10,
    breaks: 'I7',
    patches: [
      {
        file: VIEW,
        find: 'return seq === 0 || this.#tables.entries[seq - 1]?.hash === hash',
        replace: 'return seq === 0 || hash === (this.#tables.entries[seq - 1] && hash)',
      },
      { file: LOG_TAIL, find: 'if (known !== undefined && known !== hash) this.diverged()', replace: '' },
      { file: LOG_TAIL, find: 'if (seq > 0 && entries[0]?.hash !== hash) this.diverged()', replace: '' },
    ],
  },
  {
    name: 'nobody looks for entries who is not told of them',
    rule: 10,
    breaks: 'I17',
    patches: [
      {
        file: LOG_TAIL,
        find: 'if (!this.#isOver) this.#cancelPoll = this.#deps.timers.after(POLL_MS, () => this.wake())',
        replace: '',
      },
    ],
  },
  {
    name: 'the log is looked at before the connection listens, and not polled',
    rule: 10,
    breaks: 'I17',
    patches: [
      ...WITHOUT_POLLS,
      { file: NOTIFICATIONS, find: CATCH_UP, replace: '' },
      {
        file: NOTIFICATIONS,
        find: '      await client.connect()\n',
        replace: `      await client.connect()\n${CATCH_UP}`,
      },
    ],
  },
  {
    name: 'the log is not looked at when the connection is back, and not polled',
    rule: 10,
    breaks: 'I17',
    patches: [
      ...WITHOUT_POLLS,
      {
        file: NOTIFICATIONS,
        find: CATCH_UP,
        replace: `      if (!this.wasListening) for (const topic of TOPICS) heard(topic)\n      this.wasListening = true\n`,
      },
    ],
  },
  {
    name: 'a warning at a commit is overlooked',
    rule: 12,
    breaks: 'I10',
    patches: [{ file: STORAGE, find: "if (confirmation === 'warning') throw unavailable()", replace: '' }],
  },
  {
    name: 'a warning at a renewal is overlooked',
    rule: 12,
    breaks: 'I7',
    patches: [
      {
        file: MEMBERSHIP,
        find: "      if (confirmation === 'warning') throw new Unavailable('storage_unavailable')\n      if (value",
        replace: '      if (value',
      },
    ],
  },
  {
    name: 'an entry takes its number from a sequence instead of the row of the head',
    rule: 13,
    breaks: 'I7',
    patches: [
      {
        file: VIEW,
        find: '  /** Whether the log as it is committed goes through',
        replace:
          '  sequence() {\n    this.#tables.sequence = Math.max(this.#tables.sequence ?? 0, this.#tables.head?.seq ?? 0) + 1\n    return this.#tables.sequence\n  }\n\n  /** Whether the log as it is committed goes through',
      },
      {
        file: VIEW,
        find: 'this.#tables.entries.slice(seq, seq + limit)',
        replace: 'this.#tables.entries.slice(seq, seq + limit).filter((entry) => entry)',
      },
      {
        file: TRANSACTION,
        find: 'return this.#write([exclusive(HEAD_ROW)], (changes, view) => {\n      if',
        replace: 'return this.#write([], (changes, view) => {\n      if',
      },
      {
        file: TRANSACTION,
        find: 'nextEntry(view.head(), body, atMs)',
        replace: 'nextEntry({ ...view.head(), seq: view.sequence() - 1 }, body, atMs)',
      },
      {
        file: TABLES,
        find: 'entry.seq !== this.head.seq + 1 || entry.prevHash !== this.head.hash',
        replace: 'this.entries[entry.seq - 1] !== undefined',
      },
      {
        file: TABLES,
        find: '    this.entries.push(entry)\n    this.head = positionAfter',
        replace:
          '    this.entries[entry.seq - 1] = entry\n    if (entry.seq > this.head.seq) this.head = positionAfter',
      },
      {
        file: LOG_TAIL,
        find: 'if (position === undefined || !continues(position, entry)) this.diverged()',
        replace: '',
      },
      { file: LOG_TAIL, find: '    this.expect(head)\n', replace: '' },
    ],
  },
]
