"""An officer's statement that this person stands here and was checked: good for this officer, this citizen, 15 minutes.

It travels through the forms of one visit as a signed text, so that the check is made once and every act of the visit
answers to it. It holds the citizen's random id, never a name or number.
"""

from __future__ import annotations

from django.core import signing

from identity.core.assurance import Level, Verified
from identity.errors import IdentityError
from identity.models import Citizen, Officer

SECONDS = 15 * 60
_SALT = "identity.statement"


def issue(*, officer: Officer, citizen: Citizen, verified: Verified) -> str:
    return signing.dumps([officer.pk, str(citizen.pk), verified.check, int(verified.level)], salt=_SALT)


def read(text: str, *, officer: Officer, citizen: Citizen) -> Verified:
    """Raises `IdentityError` statement-missing: none, too old, or made by or about somebody else."""
    try:
        officer_pk, citizen_pk, check, level = signing.loads(text, salt=_SALT, max_age=SECONDS)
    except signing.BadSignature as error:
        raise IdentityError("statement-missing") from error
    if (officer_pk, citizen_pk) != (officer.pk, str(citizen.pk)):
        raise IdentityError("statement-missing")
    return Verified(check=check, level=Level(level))
