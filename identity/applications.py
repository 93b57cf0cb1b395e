"""Applications: the file by which an agency asks to be enrolled, or to have its keys rotated.

JSON, made by whoever holds the keys (`govchain agency apply`, `govchain agency rotate-key --out`) and handed to an
agency that proposes it. It holds public keys and their proof of possession, nothing secret. The consortium's ledger is
named in it: a file for another consortium is refused before anything else.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any, Literal

from pydantic import Field, ValidationError

from gov_chain import keys
from gov_chain.core.codec import canonical_json, sha256
from gov_chain.ledger import node
from gov_chain.ledger.core import possession, proposals
from gov_chain.web.errors import InputError
from gov_chain.web.inputs import Input, parse_json
from identity import agencies
from identity.errors import IdentityError

FORMAT = 1
MAX_FILE = 16 * 1024
_HEX32, _HEX33 = r"^[0-9a-f]{64}$", r"^0[23][0-9a-f]{64}$"
PURPOSES: tuple[agencies.Purpose, ...] = ("ledger", "issue", "request")
"""In the order the ledger names the keys."""


class _Name(Input):
    zh: str = Field(min_length=1, max_length=100)
    en: str = Field(min_length=1, max_length=200)


class Profile(Input):
    """What the ledger will hold the digest of: see `identity.models.Agency.profile`."""

    kind: Literal["agency"]
    number: int = Field(ge=1, le=65535)
    slug: str = Field(pattern=r"^[a-z0-9]([a-z0-9-]{0,30}[a-z0-9])?$")
    name: _Name


class _Keys(Input):
    ledger: str = Field(pattern=_HEX32)
    issue: str = Field(pattern=_HEX33)
    request: str = Field(pattern=_HEX33)


class _File(Input):
    format: Literal[1]
    ledger: str = Field(pattern=_HEX32)
    agency: int = Field(ge=1, le=65535)
    key_no: int = Field(ge=1, le=65535)
    keys: _Keys
    possession: str = Field(pattern=r"^[0-9a-f]{384}$")
    profile: Profile | None = None
    base_url: str = Field("", max_length=200, pattern=r"^(https?://[A-Za-z0-9.:\[\]-]+)?$")


@dataclass(frozen=True, slots=True)
class Application:
    """A checked file: the action it proposes and, for an enrolment, who asks and where its endpoints are."""

    action: list[Any]
    profile: Profile | None
    base_url: str

    @property
    def enrolment(self) -> bool:
        return self.profile is not None

    @property
    def ledger_key(self) -> bytes:
        key: bytes = self.action[2 if self.enrolment else 3]
        return key


def write(*, slug: str, agency: int, key_no: int, profile: dict[str, Any] | None = None, base_url: str = "") -> str:
    """The file for keys this node holds under `slug` and this number; each of them signs it."""
    signers = [keys.signer(agencies.key_uri(slug, purpose, key_no)) for purpose in PURPOSES]
    public = [signer.public_key for signer in signers]
    if profile is not None:
        action: list[Any] = [proposals.ENROL, agency, *public, sha256(canonical_json(profile))]
    else:
        action = [proposals.ROTATE, agency, key_no, *public]
    ledger_id = node.ledger().ledger_id
    proven = possession.prove(action, ledger_id, signers=[signer.sign for signer in signers])
    value = {
        "format": FORMAT,
        "ledger": ledger_id.hex(),
        "agency": agency,
        "key_no": key_no,
        "keys": {purpose: key.hex() for purpose, key in zip(PURPOSES, public, strict=True)},
        "possession": proven[-1].hex(),
        **({"profile": profile, "base_url": base_url} if profile is not None else {}),
    }
    return json.dumps(value, ensure_ascii=False, indent=1) + "\n"


def read(text: str) -> Application:
    """Raises `IdentityError`: application-malformed, application-elsewhere, application-unproven."""
    if len(text.encode("utf-8", "replace")) > MAX_FILE:
        raise IdentityError("application-malformed", log="too long")
    try:
        parse_json(text.encode("utf-8", "surrogatepass"))
        file = _File.model_validate_json(text, strict=True)
    except (ValidationError, InputError, UnicodeError) as error:
        raise IdentityError("application-malformed", log=type(error).__name__) from error
    ledger_id = node.ledger().ledger_id
    if file.ledger != ledger_id.hex():
        raise IdentityError("application-elsewhere")
    public = [bytes.fromhex(getattr(file.keys, purpose)) for purpose in PURPOSES]
    if file.profile is None:
        action: list[Any] = [proposals.ROTATE, file.agency, file.key_no, *public]
    else:
        if (file.profile.number, file.key_no) != (file.agency, 1) or not file.base_url:
            raise IdentityError("application-malformed", log="number, key number or address")
        action = [proposals.ENROL, file.agency, *public, sha256(canonical_json(file.profile.model_dump()))]
    action.append(bytes.fromhex(file.possession))
    if not proposals.ACTION.fits(action):
        raise IdentityError("application-malformed", log="not keys")
    if not possession.shown(action, ledger_id):
        raise IdentityError("application-unproven")
    return Application(action, file.profile, file.base_url)
