import type { Route } from '../route.ts'
import type { Services } from '../services.ts'
import { backupRoute } from './backup-route.ts'
import { businessRoutes } from './business-routes.ts'
import { keyRoutes } from './key-routes.ts'
import { memberRoutes } from './member-routes.ts'
import { revokeRoutes } from './revoke-routes.ts'
import { tokenRoutes } from './token-routes.ts'
import { verifyRoute } from './verify-route.ts'

/** Every operation of the API. */
export function createRoutes(services: Services): readonly Route[] {
  return [
    ...tokenRoutes(services),
    ...revokeRoutes(services),
    verifyRoute(services),
    ...businessRoutes(services),
    ...memberRoutes(services),
    ...keyRoutes(services),
    backupRoute(services),
  ]
}
