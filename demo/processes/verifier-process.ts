import type { ChildProcess } from 'node:child_process'
import { join } from 'node:path'
import type { VerifierReport } from '../model/verifier-report.ts'
import type { ChildProcesses } from './child-processes.ts'
import type { VerifierNews, VerifierOrder } from './verifier-message.ts'

const PROGRAM = join(import.meta.dirname, 'verifier-program.ts')

/** A verifier process, as its parent speaks to it. */
export class VerifierProcess {
  readonly child: ChildProcess

  constructor(processes: ChildProcesses, onReport: (report: VerifierReport) => void) {
    this.child = processes.fork(PROGRAM)
    this.child.on('message', (news: VerifierNews) => {
      if (news.type === 'report') onReport(news.report)
    })
  }

  /** Resolves when it may decide. */
  attach(url: string, feedToken: string): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>()
    this.child.on('message', (news: VerifierNews) => news.type === 'attached' && resolve())
    this.#order({ type: 'attach', url, feedToken })
    return promise
  }

  /** One that is frozen hears of it when it wakes. */
  verify(number: number, token: string): void {
    this.#order({ type: 'verify', number, token })
  }

  #order(order: VerifierOrder): void {
    if (this.child.connected) this.child.send(order)
  }
}
