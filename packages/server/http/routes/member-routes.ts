import type { Member } from '../../access/members.ts'
import { defineRoute, type Route } from '../route.ts'
import { MemberResponse, MemberSave } from '../schemas.ts'
import type { Services } from '../services.ts'
import { instant } from './present.ts'

/** Who belongs to a business, and as what. */
export function memberRoutes({ access }: Services): Route[] {
  const shared = {
    path: '/api/v1/businesses/{business_id}/members/{user_id}',
    tag: 'members',
    scopes: ['members:write'],
    business: 'path',
  } as const
  const success = {
    status: 200,
    description: 'The member',
    schemaName: 'SuccessEnvelope_MemberResponse_',
    data: MemberResponse,
  } as const

  const saveMember = defineRoute({
    ...shared,
    method: 'PUT',
    operationId: 'save_member_api_v1_businesses__business_id__members__user_id__put',
    summary: 'Add or change a member',
    description:
      'Adds the user to the business, or changes their email and role. A lower role revokes the tokens that carry more than it allows.',
    body: MemberSave,
    success: { ...success, codes: ['MEMBER_SAVED'], inForce: 'always' },
    errors: ['business_not_found', 'member_not_found', 'owner_protected', 'email_taken', 'last_owner'],
    handler: async (call) => {
      const { business_id: businessId, user_id: userId } = call.params
      const { email, role } = call.body
      const saved = await access.saveMember(call, { businessId, userId, email: email.toLowerCase(), role })
      if ('refused' in saved) return saved
      return { code: 'MEMBER_SAVED', data: presentMember(saved.member), inForce: saved.inForce }
    },
  })

  const showMember = defineRoute({
    ...shared,
    method: 'GET',
    operationId: 'get_member_api_v1_businesses__business_id__members__user_id__get',
    summary: 'Show member',
    description: 'One member of the business.',
    success: { ...success, codes: ['MEMBER_FOUND'] },
    errors: ['business_not_found', 'member_not_found'],
    handler: async (call) => {
      const subject = await access.subject(call)
      if ('refused' in subject) return subject
      const member = await access.member(call.params.business_id, call.params.user_id)
      return member ? { code: 'MEMBER_FOUND', data: presentMember(member) } : { refused: 'member_not_found' }
    },
  })

  const removeMember = defineRoute({
    ...shared,
    method: 'DELETE',
    operationId: 'remove_member_api_v1_businesses__business_id__members__user_id__delete',
    summary: 'Remove member',
    description: 'Removes the user from the business and ends every token they hold in it.',
    success: { ...success, codes: ['MEMBER_REMOVED'], inForce: 'always' },
    errors: ['business_not_found', 'member_not_found', 'owner_protected', 'last_owner'],
    handler: async (call) => {
      const { business_id: businessId, user_id: userId } = call.params
      const removed = await access.removeMember(call, { businessId, userId })
      if ('refused' in removed) return removed
      return { code: 'MEMBER_REMOVED', data: presentMember(removed.member), inForce: removed.inForce }
    },
  })

  return [saveMember, showMember, removeMember]
}

function presentMember({ businessId, userId, email, role, createdAtMs }: Member) {
  return { business_id: businessId, user_id: userId, email, role, created_at: instant(createdAtMs) }
}
