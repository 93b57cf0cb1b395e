"""Delete a citizen's account at their home agency, and sign for it.

1. what others must be told is told first (grants are withdrawn on the ledger): repeatable, and a failure stops here,
   with the account as it was
2. the proof is signed: what went, what stays; about whom, only as a digest salted by the citizen
3. in one transaction: every part's rows go, then the citizen's own row with name, number and data key (what that key
   sealed is then noise for ever), the proof is kept, and its digest goes to the ledger. A crash before the commit
   leaves the account as it was

The proof holds nothing personal, so it may stay. The citizen chose its number and can fetch it again.
"""

from __future__ import annotations

import uuid
from dataclasses import dataclass

from django.db import IntegrityError, transaction

from gov_chain import clock
from gov_chain.core.codec import b64url, sha256
from identity import accounts, agencies
from identity.actions.erase_citizen import erase_citizen
from identity.core import jose
from identity.errors import IdentityError
from identity.models import Citizen, ErasureProof

TYP = "govchain-erasure+jwt"
SALT_BYTES = 16
_LABEL = b"govchain/erasure/v1\n"


@dataclass(frozen=True, slots=True)
class DeletedAccount:
    proof: str
    """A JWS (ES256) under the home agency's request key, which the ledger holds."""


def delete_account(*, citizen: Citizen, number: uuid.UUID, salt: bytes) -> DeletedAccount:
    """Raises `IdentityError` erasure-known (this number was used), and whatever stops step 1."""
    home = citizen.home
    told = accounts.overview(citizen)
    for part in accounts.parts():
        if part.close is not None:
            part.close(citizen)
    signer = agencies.signer(home, "request")
    claims = {
        "iss": home.did,
        "iat": clock.now(),
        "jti": str(number),
        "subject": subject(salt, citizen.id_number),
        "erased": {part["id"]: part["count"] for part in told["goes"]},
        "kept": [kept["id"] for kept in told["stays"]],
    }
    proof = jose.sign({"typ": TYP, "kid": signer.key_id}, claims, signer)
    try:
        with transaction.atomic():
            kept = ErasureProof.objects.create(number=number, home=home, proof=proof)
            for part in accounts.parts():
                part.erase(citizen)
            erase_citizen(citizen=citizen, proof=kept)
    except IntegrityError as error:
        raise IdentityError("erasure-known") from error
    return DeletedAccount(proof)


def subject(salt: bytes, id_number: str) -> str:
    """By whom a proof is meant: the citizen can show it with the salt, nobody can guess it without."""
    return b64url(sha256(_LABEL, salt, id_number.encode("ascii")))
