"""Reads about citizens, and the key their data is kept under.

Each citizen has a data key of their own (`personal`), wrapped by the home agency's. Destroying it makes everything
derived from it meaningless: name and number, the owner tags of grants, and what else it encrypts.
"""

from __future__ import annotations

import hmac
from collections.abc import Iterable

from identity import personal
from identity.errors import IdentityError
from identity.models import Agency, Citizen

SCOPE = "citizen/id-number"


def by_id_number(home: Agency, id_number: str) -> Citizen:
    """The citizen of `home` with this identity number; raises `IdentityError("citizen-unknown")`."""
    citizen = Citizen.objects.filter(home=home, id_index=id_index(home, id_number)).first()
    if citizen is None:
        raise IdentityError("citizen-unknown")
    return citizen


def id_index(home: Agency, id_number: str) -> bytes:
    return personal.index(home, SCOPE, id_number.strip().upper())


def enrol(*, home: Agency, name: str, id_number: str) -> Citizen:
    """A citizen not yet saved, with a fresh data key."""
    return enrol_many(home=home, people=[(name, id_number)])[0]


def enrol_many(*, home: Agency, people: Iterable[tuple[str, str]]) -> list[Citizen]:
    """Citizens (name, identity number) not yet saved; one call to the key store for all."""
    made = [
        (Citizen(home=home, id_index=id_index(home, number)), {"name": name, "id_number": number})
        for name, number in people
    ]
    personal.seal_rows(made)
    return [citizen for citizen, _ in made]


def data_key(citizen: Citizen) -> bytes:
    """The citizen's 32-byte data key. Keep it no longer than needed."""
    return personal.open_keys([citizen.wrapped])[0]


def owner_tag(citizen: Citizen) -> bytes:
    """32 bytes by which the home agency finds the citizen's grants, and nobody else can."""
    return hmac.digest(data_key(citizen), b"govchain/owner/v1", "sha256")


def birth_date(citizen: Citizen) -> str:
    """YYYYMMDD, as GB 11643 puts it into the identity number."""
    return citizen.id_number[6:14]
