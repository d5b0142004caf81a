/** What a new installation has to show. */
interface FirstTokens {
  readonly businessId: string
  readonly ownerToken: string
  readonly operatorToken: string
}

export function firstTokenLines({ businessId, ownerToken, operatorToken }: FirstTokens): string {
  return `Business  ${businessId}\nOwner token  ${ownerToken}\nOperator token  ${operatorToken}\n`
}

/** What the first start prints, once: the secrets, and commands to paste that issue, use and revoke a token. */
export function welcome(url: string, first: FirstTokens): string {
  const { businessId, ownerToken } = first
  const owner = `-H 'Authorization: Bearer ${ownerToken}' \\\n  -H 'x-business-id: ${businessId}'`
  return `${firstTokenLines(first)}
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
