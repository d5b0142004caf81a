import type { Clock } from '@rescind/protocol'
import type { Reads, Storage } from '../storage/storage.ts'
import type { Refused, Write } from '../storage/write.ts'
import { type Business, saveBusiness } from './businesses.ts'
import { type Member, type MemberChange, removeMember, saveMember, type TokenEnder } from './members.ts'
import type { Principal } from './principal.ts'
import { resolveSubject, type Subject } from './subject.ts'
import { writeAs } from './write-as.ts'

/** The part of a request that says who is behind it. */
export interface Caller {
  readonly principal: Principal
  /** The selected business; `null` when an operator selected none. */
  readonly businessId: string | null
  /** `x-user-email`. */
  readonly claimedEmail: string | null
  readonly requestId: string
}

/** Who may do what, businesses and their members. */
export interface Access {
  /** Whose tokens the request is about. */
  subject(caller: Caller): Promise<Subject | Refused>
  /** Writes in the caller's name. */
  writeAs(caller: Caller): Write

  business(id: string): Promise<Business | undefined>
  saveBusiness(caller: Caller, business: Pick<Business, 'id' | 'name'>): Promise<Business | Refused>
  member(businessId: string, userId: string): Promise<Member | undefined>
  memberByEmail(businessId: string, email: string): Promise<Member | undefined>
  saveMember(caller: Caller, member: Omit<Member, 'createdAtMs'>): Promise<MemberChange | Refused>
  removeMember(caller: Caller, member: Pick<Member, 'businessId' | 'userId'>): Promise<MemberChange | Refused>
}

interface Deps {
  readonly storage: Pick<Storage, 'transact'> & { readonly read: Reads }
  readonly clock: Clock
  /** A new UUID v7. */
  readonly newId: () => string
  readonly tokens: TokenEnder
}

export function createAccess(deps: Deps): Access {
  const { read } = deps.storage
  const write = (caller: Caller) => writeAs(deps, caller.principal, caller)
  const subject = ({ principal, businessId, claimedEmail }: Caller) =>
    resolveSubject(read, principal, businessId, claimedEmail)
  return {
    subject,
    writeAs: write,
    business: (id) => read.business(id),
    saveBusiness: (caller, business) => saveBusiness(deps, write(caller), business),
    member: (businessId, userId) => read.member(businessId, userId),
    memberByEmail: (businessId, email) => read.memberByEmail(businessId, email),
    saveMember: async (caller, member) => {
      const actsFor = await subject(caller)
      if ('refused' in actsFor) return actsFor
      return saveMember(deps, write(caller), caller.principal, actsFor.email, member)
    },
    removeMember: async (caller, member) => {
      const actsFor = await subject(caller)
      if ('refused' in actsFor) return actsFor
      return removeMember(deps, write(caller), caller.principal, actsFor.email, member)
    },
  }
}
