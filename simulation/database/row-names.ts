import type { BulkTarget } from '../../packages/server/storage/storage.ts'

/** What locks are taken on. */
export const HEAD_ROW = 'head'
export const COUNTER_ROW = 'counter'

export function businessRow(businessId: string): string {
  return `business ${businessId}`
}

export function memberRow(businessId: string, userId: string): string {
  return `member ${businessId} ${userId}`
}

export function emailRow(businessId: string, email: string): string {
  return `email ${businessId} ${email}`
}

export function keyRow(kid: string): string {
  return `key ${kid}`
}

export function tokenRow(idx: number): string {
  return `token ${idx}`
}

/** The row whose lock stands for every token of the target. */
export function targetRow(target: BulkTarget): string {
  switch (target.kind) {
    case 'business':
      return businessRow(target.businessId)
    case 'member':
      return memberRow(target.businessId, target.userId)
    case 'key':
      return keyRow(target.kid)
  }
}
