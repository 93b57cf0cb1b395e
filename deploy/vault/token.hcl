# What every node may do with its own token: look at it and renew it. Nodes' tokens come without Vault's default policy.

path "auth/token/lookup-self" {
  capabilities = ["read"]
}

path "auth/token/renew-self" {
  capabilities = ["update"]
}
