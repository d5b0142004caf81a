import type { Business } from '../../access/businesses.ts'
import { defineRoute, type Route } from '../route.ts'
import { BusinessResponse, BusinessSave } from '../schemas.ts'
import type { Services } from '../services.ts'
import { instant } from './present.ts'

/** The tenants. */
export function businessRoutes({ access }: Services): Route[] {
  const shared = {
    path: '/api/v1/businesses/{business_id}',
    tag: 'businesses',
    business: 'path',
  } as const
  const success = {
    status: 200,
    description: 'The business',
    schemaName: 'SuccessEnvelope_BusinessResponse_',
    data: BusinessResponse,
  } as const

  const saveBusiness = defineRoute({
    ...shared,
    method: 'PUT',
    operationId: 'save_business_api_v1_businesses__business_id__put',
    summary: 'Create or rename a business',
    description: 'Creates the business with this id, or changes its name. Operators only.',
    scopes: ['operator'],
    body: BusinessSave,
    success: { ...success, codes: ['BUSINESS_SAVED'] },
    errors: [],
    handler: async (call) => {
      const saved = await access.saveBusiness(call, { id: call.params.business_id, name: call.body.name })
      return 'refused' in saved ? saved : { code: 'BUSINESS_SAVED', data: presentBusiness(saved) }
    },
  })

  const showBusiness = defineRoute({
    ...shared,
    method: 'GET',
    operationId: 'get_business_api_v1_businesses__business_id__get',
    summary: 'Show business',
    description: 'One business.',
    scopes: ['members:write'],
    success: { ...success, codes: ['BUSINESS_FOUND'] },
    errors: ['business_not_found', 'member_not_found'],
    handler: async (call) => {
      const subject = await access.subject(call)
      if ('refused' in subject) return subject
      const business = await access.business(call.params.business_id)
      if (business === undefined) return { refused: 'business_not_found' }
      return { code: 'BUSINESS_FOUND', data: presentBusiness(business) }
    },
  })

  return [saveBusiness, showBusiness]
}

function presentBusiness({ id, name, createdAtMs }: Business) {
  return { id, name, created_at: instant(createdAtMs) }
}
