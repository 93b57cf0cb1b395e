# What a node may do with the keys of one group: GROUP is an agency's short name (psb), or `ledger` (the node's own
# checkpoint and cosigner keys), or `consortium` (the certificate authority, on one node only).
#
# Signing, sealing and opening, reading public halves; making keys of our three types and rotating them. Every pattern
# matches one path segment, so nothing below a key (export, backup, config, trim) is within reach, and a key can be
# made with a type and with nothing else: not exportable, not with a plaintext backup.

path "govchain/GROUP/keys/+" {
  capabilities       = ["create", "read", "update"]
  allowed_parameters = { "type" = ["ed25519", "ecdsa-p256", "aes256-gcm96"] }
}

path "govchain/GROUP/keys/+/rotate" {
  capabilities = ["update"]
}

path "govchain/GROUP/sign/+" {
  capabilities = ["update"]
}

path "govchain/GROUP/encrypt/+" {
  capabilities = ["update"]
}

path "govchain/GROUP/decrypt/+" {
  capabilities = ["update"]
}
