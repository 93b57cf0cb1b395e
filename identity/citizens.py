"""Reads about citizens, and the key their data is kept under.

Each citizen has a random 32-byte data key, sealed by the home agency's own key. Destroying it
makes everything derived from it meaningless: the owner tags of grants, and what it encrypts.
"""

from __future__ import annotations

import hmac
import secrets

from identity import agencies
from identity.errors import IdentityError
from identity.models import Agency, Citizen


def by_id_number(home: Agency, id_number: str) -> Citizen:
    """The citizen of `home` with this identity number; raises `IdentityError("citizen-unknown")`."""
    citizen = Citizen.objects.filter(home=home, id_number=id_number.strip().upper()).first()
    if citizen is None:
        raise IdentityError("citizen-unknown")
    return citizen


def enrol(*, home: Agency, name: str, id_number: str) -> Citizen:
    """A citizen not yet saved, with a fresh data key."""
    citizen = Citizen(home=home, name=name, id_number=id_number)
    citizen.data_key_sealed = agencies.sealer(home).seal(secrets.token_bytes(32), _context(citizen))
    return citizen


def data_key(citizen: Citizen) -> bytes:
    """The citizen's 32-byte data key. Keep it no longer than needed."""
    return agencies.sealer(citizen.home).open(bytes(citizen.data_key_sealed), _context(citizen))


def owner_tag(citizen: Citizen) -> bytes:
    """32 bytes by which the home agency finds the citizen's grants, and nobody else can."""
    return hmac.digest(data_key(citizen), b"govchain/owner/v1", "sha256")


def birth_date(citizen: Citizen) -> str:
    """YYYYMMDD, as GB 11643 puts it into the identity number."""
    return citizen.id_number[6:14]


def _context(citizen: Citizen) -> bytes:
    return b"govchain/citizen-data-key/v1\n" + citizen.id.bytes
