import type { Member } from '../packages/server/storage/storage.ts'
import type { IssuedToken } from './issued-token.ts'
import type { Network } from './network.ts'
import { Unreachable } from './network.ts'
import type { Observer } from './observer.ts'
import type { SimulatedProcess } from './process.ts'
import type { Random } from './random.ts'
import type { Scheduler } from './scheduler.ts'
import type { SimulatedNode } from './simulated-node.ts'
import type { SimulatedVerifier } from './simulated-verifier.ts'

interface WorkloadDeps {
  readonly scheduler: Scheduler
  readonly random: Random
  readonly network: Network
  readonly observer: Observer
  /** Whoever calls the API. */
  readonly client: SimulatedProcess
  readonly leaseMs: number
  readonly businessId: string
  /** Those who hold tokens; the first is the owner. */
  readonly members: readonly Member[]
  readonly operator: IssuedToken
  readonly owner: IssuedToken
  nodes(): readonly SimulatedNode[]
  verifiers(): readonly SimulatedVerifier[]
}

type Operation = (node: SimulatedNode) => Promise<void>

const ATTEMPTS = 6

/** What users of the service do: issue, revoke, revoke again, verify, everywhere and all the time. */
export class Workload {
  readonly tokens: IssuedToken[]
  readonly #deps: WorkloadDeps
  #firstKid: string | undefined
  /** Somebody asked for their revocation, the last one last. */
  readonly #doomed: IssuedToken[] = []
  #resting = false
  #stopped = false

  constructor(deps: WorkloadDeps) {
    this.#deps = deps
    this.tokens = [deps.operator, deps.owner]
  }

  start(): void {
    this.#later([20, 500], () => this.#resting || this.#operate())
    this.#later([5, 120], () => this.#verifySomething())
  }

  /** Nothing more is changed; tokens are still used. */
  rest(): void {
    this.#resting = true
  }

  stop(): void {
    this.#stopped = true
  }

  /** Every token, by everybody. */
  verifyEverything(): void {
    for (const token of this.tokens) this.#verifyEverywhere(token)
  }

  #later(range: readonly [number, number], act: () => void): void {
    this.#deps.scheduler.after(this.#deps.random.within(range), () => {
      if (this.#stopped) return
      act()
      this.#later(range, act)
    })
  }

  #operate(): void {
    const { random } = this.#deps
    const draw = random.next()
    if (draw < 0.34) this.#issue()
    else if (draw < 0.82) this.#revoke()
    else if (draw < 0.86) this.#revokeMember()
    else if (draw < 0.87) this.#revokeBusiness()
    else if (draw < 0.93) this.#changeMembership()
    else if (draw < 0.97) this.#rotate()
    else this.#retire()
  }

  #issue(): void {
    const { random, members } = this.#deps
    const by = this.#actor()
    const holder = random.pick(members)
    this.#call(async (node) => {
      const token = await node.api.issue(by.text, holder)
      this.tokens.push(token)
      if (random.chance(0.5)) this.#verifyEverywhere(token)
    })
  }

  #revoke(): void {
    const { random, operator } = this.#deps
    const again = this.#doomed.length > 0 && random.chance(0.2)
    const token = again ? random.pick(this.#doomed.slice(-5)) : random.pick(this.tokens.slice(-15))
    if (token === operator) return
    this.#doomed.push(token)
    // A token may end itself, and be used to issue another one while it dies.
    const by = random.chance(0.2) ? token : this.#actor()
    if (random.chance(0.4)) {
      const holder = random.pick(this.#deps.members)
      this.#call(async (node) => {
        this.tokens.push(await node.api.issue(token.text, holder))
      }, 1)
    }
    this.#call(async (node) => {
      await node.api.revoke(by.text, token.record.id)
      this.#verifyEverywhere(token)
    }, ATTEMPTS)
    // Somebody else had the same idea.
    if (random.chance(0.15))
      this.#call(async (node) => void (await node.api.revoke(operator.text, token.record.id)), ATTEMPTS)
  }

  #revokeMember(): void {
    const { random, members, businessId, operator } = this.#deps
    const { userId } = random.pick(members)
    this.#issue()
    this.#call(async (node) => {
      await node.api.revokeAll(operator.text, { kind: 'member', businessId, userId })
      for (const token of this.tokens) if (token.record.userId === userId) this.#verifyEverywhere(token)
    }, ATTEMPTS)
  }

  #revokeBusiness(): void {
    const { businessId, operator } = this.#deps
    this.#call(
      async (node) => void (await node.api.revokeAll(operator.text, { kind: 'business', businessId })),
      ATTEMPTS,
    )
  }

  /** Somebody leaves, or may do less, while a token is being issued to them; then all is as it was. */
  #changeMembership(): void {
    const { random, members, operator } = this.#deps
    const member = random.pick(members.slice(1))
    const leaves = random.chance(0.5)
    const change = async (node: SimulatedNode) => {
      if (leaves) await node.api.removeMember(operator.text, member)
      else await node.api.saveMember(operator.text, { ...member, role: 'viewer' })
      for (const token of this.tokens) if (token.record.userId === member.userId) this.#verifyEverywhere(token)
    }
    this.#call(async (node) => {
      this.tokens.push(await node.api.issue(operator.text, member))
    }, 1)
    this.#call(change, ATTEMPTS)
    // Whoever had no answer asks again.
    if (random.chance(0.5)) this.#call(change, ATTEMPTS)
    this.#deps.scheduler.after(random.between(500, 3_000), () => {
      this.#call(async (node) => node.api.saveMember(operator.text, member), ATTEMPTS)
    })
  }

  #rotate(): void {
    const { operator, random } = this.#deps
    this.#call(async (node) => {
      this.#firstKid ??= node.signingKid
      await node.api.rotate(operator.text)
      const token = await node.api.issue(operator.text, random.pick(this.#deps.members))
      this.tokens.push(token)
      this.#verifyEverywhere(token)
    }, 1)
  }

  #retire(): void {
    const { operator, random } = this.#deps
    this.#call(async (node) => {
      const kids = node.kids.filter((kid) => kid !== operator.record.kid && kid !== node.signingKid)
      if (kids.length > 0) await node.api.retire(operator.text, random.pick(kids))
    }, 1)
  }

  /** Mostly somebody who may. */
  #actor(): IssuedToken {
    const { random, operator, owner } = this.#deps
    const draw = random.next()
    if (draw < 0.6) return operator
    return draw < 0.8 ? owner : random.pick(this.tokens.slice(-10))
  }

  #verifySomething(): void {
    const { random, verifiers } = this.#deps
    const running = verifiers().filter(({ process }) => process.running)
    if (running.length === 0) return
    const hot = this.#doomed.length > 0 && random.chance(0.6)
    this.#verify(random.pick(running), random.pick(hot ? this.#doomed.slice(-6) : this.tokens.slice(-30)))
  }

  #verifyEverywhere(token: IssuedToken): void {
    const { scheduler, random, verifiers, nodes, network, client } = this.#deps
    for (const verifier of verifiers()) {
      scheduler.after(random.between(0, 30), () => {
        if (verifier.process.running) this.#verify(verifier, token)
      })
    }
    if (nodes().length === 0) return
    const node = random.pick(nodes())
    const beganMs = scheduler.nowMs
    network
      .request(client, node.process, () => node.verify(token, beganMs), 2_000)
      .catch((error: unknown) => {
        this.#deps.observer.noteFault(error)
      })
  }

  #verify(verifier: SimulatedVerifier, token: IssuedToken): void {
    verifier.verify(token).catch((error: unknown) => this.#deps.observer.noteFault(error))
  }

  /** Calls a node, and another one when the first does not answer, `attempts` times in all. */
  #call(operation: Operation, attempts = 1): void {
    const { random, network, client, leaseMs, observer, scheduler, nodes } = this.#deps
    if (attempts === 0 || this.#stopped) return
    const again = () => scheduler.after(random.between(50, 800), () => this.#call(operation, attempts - 1))
    const running = nodes()
    if (running.length === 0) {
      again()
      return
    }
    const node = random.pick(running)
    network
      .request(client, node.process, () => operation(node), leaseMs * 2 + 4_000)
      .catch((error: unknown) => {
        observer.noteFault(error)
        const isOver = !(error instanceof Unreachable) && error instanceof Error && error.message.startsWith('Refused')
        if (!isOver) again()
      })
  }
}
