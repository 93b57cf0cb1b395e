"""Proof that whoever asks for keys to be enrolled or rotated holds them: each key signs the whole action.

What is signed is `DOMAIN` ‖ ledger id ‖ canonical CBOR of the action without its proof. So a proof serves one ledger,
one agency, one key number, these very keys (and, at enrolment, this profile), and nobody can have another's public
key enrolled as their own. The proof is three signatures of 64 bytes, in the order of the keys: Ed25519 by the ledger
key, ECDSA P-256 with SHA-256 as r ‖ s by the issue key and by the request key.

Without it an agency could be enrolled under a key it only copied: what the key's holder signs elsewhere would then
count as that agency's word (a duplicate-signature key-selection attack).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature

from gov_chain.core.codec import encode
from gov_chain.ledger.core import proposals

DOMAIN = b"govchain/possession/v1\n"
SIGNATURE = 64
KEYS = 3

Sign = Callable[[bytes], bytes]


def statement(action: Sequence[Any], ledger_id: bytes) -> bytes:
    """What the keys sign; `action` without its proof."""
    return DOMAIN + ledger_id + encode(list(action))


def prove(action: Sequence[Any], ledger_id: bytes, *, signers: Sequence[Sign]) -> list[Any]:
    """The action with its proof; `signers` of the ledger, issue and request key."""
    data = statement(action, ledger_id)
    return [*action, b"".join(sign(data) for sign in signers)]


def shown(action: Sequence[Any], ledger_id: bytes) -> bool:
    """Whether an action that needs a proof carries one; every other action needs none."""
    if action[0] not in (proposals.ENROL, proposals.ROTATE):
        return True
    *stated, proof = action
    first = 2 if action[0] == proposals.ENROL else 3
    keys = stated[first : first + KEYS]
    data = statement(stated, ledger_id)
    parts = [proof[at : at + SIGNATURE] for at in range(0, KEYS * SIGNATURE, SIGNATURE)]
    return _ed25519(keys[0], parts[0], data) and all(
        _p256(key, part, data) for key, part in zip(keys[1:], parts[1:], strict=True)
    )


def _ed25519(key: bytes, signature: bytes, data: bytes) -> bool:
    try:
        Ed25519PublicKey.from_public_bytes(key).verify(signature, data)
    except InvalidSignature:
        return False
    return True


def _p256(key: bytes, signature: bytes, data: bytes) -> bool:
    der = encode_dss_signature(int.from_bytes(signature[:32]), int.from_bytes(signature[32:]))
    try:
        ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256R1(), key).verify(der, data, ec.ECDSA(hashes.SHA256()))
    except InvalidSignature:
        return False
    return True
