/**
 * A process that takes API tokens, as an application of yours would: it verifies one under load and tells its parent what
 * it saw. It ends with the parent, however that ends.
 */
import { createVerifier } from '@rescind/verifier'
import { Load } from './load.ts'
import type { VerifierNews, VerifierOrder } from './verifier-message.ts'

const REPORT_INTERVAL_MS = 250

/** For a service that does not answer: what cannot be decided is to be seen soon. */
const ASK_TIMEOUT_MS = 500

let load: Load | undefined

process.on('disconnect', () => process.exit())
process.on('message', async (order: VerifierOrder) => {
  if (order.type === 'verify') load?.verifyFromNowOn(order.number, order.token)
  else await attach(order.url, order.feedToken)
})

async function attach(url: string, feedToken: string): Promise<void> {
  const verifier = await createVerifier({ url, token: feedToken, askTimeoutMs: ASK_TIMEOUT_MS })
  const report = () => load !== undefined && tell({ type: 'report', report: load.report() })
  load = new Load(verifier, report)
  setInterval(report, REPORT_INTERVAL_MS)
  void load.run()
  tell({ type: 'attached' })
}

function tell(news: VerifierNews): void {
  if (process.connected) process.send?.(news)
}
