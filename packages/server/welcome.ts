import type { FirstTokens } from './install.ts'

/** What the first start prints, once: the secrets, and commands to paste that issue, use and revoke a token. */
export function welcome(url: string, { businessId, ownerToken, operatorToken }: FirstTokens): string {
  const owner = `-H 'Authorization: Bearer ${ownerToken}' \\\n  -H 'x-business-id: ${businessId}'`
  return `Business  ${businessId}
Owner token  ${ownerToken}
Operator token  ${operatorToken}

These tokens are shown this once. Paste these commands into a shell, one after the other:

# Issue a token.
issued=$(curl -sS -X POST '${url}/api/v1/tokens' \\
  ${owner} \\
  -H 'Content-Type: application/json' \\
  -d '{"name": "My first token"}'); echo "$issued"

# Use it.
token=$(printf '%s' "$issued" | sed 's/.*"token":"\\([^"]*\\)".*/\\1/')
curl -sS '${url}/api/v1/tokens' -H "Authorization: Bearer $token" -H 'x-business-id: ${businessId}'; echo

# Revoke it. Once this has answered, the token is dead.
id=$(printf '%s' "$issued" | sed 's/.*"token_info":{"id":"\\([^"]*\\)".*/\\1/')
curl -sS -X POST "${url}/api/v1/tokens/$id/revoke" \\
  ${owner} \\
  -H 'Content-Type: application/json' \\
  -d '{"reason": "Trying it out"}'; echo

# Use it again, and be refused.
curl -sS '${url}/api/v1/tokens' -H "Authorization: Bearer $token" -H 'x-business-id: ${businessId}'; echo
`
}
