"""Agencies' identity providers (OpenID Connect), as GOVCHAIN_SSO=FILE lists them.

    [{"id": "psb-sso", "agency": "psb", "name": {"zh": "警务云", "en": "Police cloud"},
      "issuer": "https://sso.psb.example", "client_id": "govchain", "client_secret_file": "/run/secrets/psb-sso",
      "groups_claim": "groups", "roles": {"hall-clerks": ["counter"]}}]

`roles` may be left out: then the provider says who somebody is, and nothing about what they may do.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

MAX_PROVIDERS = 32
ROLES = frozenset({"issuer", "counter", "approver", "auditor", "agency-admin", "operator"})
"""`identity.core.permissions.ROLES`; this module is below identity, and a test holds them equal."""
_ID = re.compile(r"[a-z0-9][a-z0-9-]{0,31}")
_LOOPBACK = ("localhost", "127.0.0.1", "::1")
_MEMBERS = {"id", "agency", "name", "issuer", "client_id", "client_secret_file", "groups_claim", "roles"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Provider:
    id: str
    agency: str
    """Slug of the one agency whose officers it may log in."""
    name_zh: str
    name_en: str
    issuer: str
    client_id: str
    client_secret: str
    groups_claim: str = "groups"
    roles: tuple[tuple[str, tuple[str, ...]], ...] = ()
    """(group, the roles it gives)."""


def read(file: Path) -> tuple[Provider, ...]:
    """The providers of a file; raises `ValueError` with one line that says what is wrong."""
    try:
        rows = json.loads(file.read_text(encoding="utf-8"))
    except OSError as error:
        raise ValueError(f"cannot be read: {file}") from error
    except ValueError as error:
        raise ValueError("is not JSON") from error
    if not isinstance(rows, list) or len(rows) > MAX_PROVIDERS:
        raise ValueError(f"must be a list of at most {MAX_PROVIDERS} providers")
    found = tuple(_provider(row) for row in rows)
    if len({each.id for each in found}) != len(found):
        raise ValueError("names a provider twice")
    return found


def _provider(row: Any) -> Provider:
    if not isinstance(row, Mapping) or row.keys() - _MEMBERS:
        raise ValueError(f"may hold these members: {', '.join(sorted(_MEMBERS))}")
    name = row.get("name")
    texts: dict[str, str] = {
        member: row[member]
        for member in ("id", "agency", "issuer", "client_id", "client_secret_file")
        if isinstance(row.get(member), str) and row[member]
    }
    if not isinstance(name, Mapping) or len(texts) < 5:
        raise ValueError("needs id, agency, name (zh, en), issuer, client_id and client_secret_file for each provider")
    issuer = urlsplit(texts["issuer"])
    if issuer.scheme != "https" and not (issuer.scheme == "http" and issuer.hostname in _LOOPBACK):
        raise ValueError(f"has an issuer that is not https: {texts['issuer']}")
    if not _ID.fullmatch(texts["id"]) or not _ID.fullmatch(texts["agency"]):
        raise ValueError("has an id or agency that is no short name")
    try:
        secret = Path(texts["client_secret_file"]).read_text(encoding="utf-8").strip()
    except OSError as error:
        raise ValueError(f"names a secret that cannot be read: {texts['client_secret_file']}") from error
    return Provider(
        id=texts["id"],
        agency=texts["agency"],
        name_zh=str(name.get("zh") or texts["id"]),
        name_en=str(name.get("en") or texts["id"]),
        issuer=texts["issuer"].rstrip("/"),
        client_id=texts["client_id"],
        client_secret=secret,
        groups_claim=str(row.get("groups_claim") or "groups"),
        roles=tuple(_roles(row.get("roles") or {})),
    )


def _roles(given: Any) -> Iterator[tuple[str, tuple[str, ...]]]:
    if not isinstance(given, Mapping):
        raise ValueError("has roles that are not an object of group: [role, …]")
    for group, roles in given.items():
        if not isinstance(roles, list) or not all(isinstance(role, str) and role in ROLES for role in roles):
            raise ValueError(f"gives group {group} a role there is not; there are {', '.join(sorted(ROLES))}")
        yield str(group), tuple(roles)
