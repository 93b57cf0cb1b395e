"""didkit, for what it does without a network: W3C VC 1.1 credentials of others (interop), under did:key and did:jwk.

It fetches did:web and credential statuses by itself, from wherever a credential says. So nothing reaches it in which
any text names another DID or asks for a status: such a credential is refused here, never handed on. What we issue
ourselves does not come through here.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from typing import Any

import didkit

from gov_chain.core.codec import b64url_decode
from gov_chain.web.errors import InputError
from gov_chain.web.inputs import parse_json
from identity.core.dids import DidError, method_of
from identity.errors import IdentityError

MAX_CREDENTIAL = 64 * 1024
OFFLINE = ("key", "jwk")
FETCHED = frozenset({"credentialStatus", "credentialSchema", "refreshService", "evidence", "termsOfUse"})
"""Members of a credential that name something elsewhere; didkit follows the first."""
CONTEXTS = ("https://www.w3.org/2018/credentials/", "https://w3id.org/security/", "https://www.w3.org/ns/")
"""didkit has these within itself, and fetches none."""


def document(did: str) -> dict[str, Any]:
    """didkit's idea of an offline DID's document: what ours is compared with. Raises `IdentityError` did-…."""
    _offline(did)
    resolved: dict[str, Any] = json.loads(asyncio.run(_resolve(did)))
    return resolved


async def _resolve(did: str) -> str:
    return str(await didkit.resolve_did(did, "{}"))


def verify_credential(text: str) -> list[str]:
    """didkit's errors about a VC 1.1 credential, JSON-LD or JWT; none: it verifies.

    Raises `IdentityError`: credential-online (verifying it would ask the network), credential-malformed.
    """
    if len(text) > MAX_CREDENTIAL:
        raise IdentityError("credential-malformed", log="too long")
    is_jwt = text.count(".") == 2 and not text.lstrip().startswith("{")
    try:
        parts = [b64url_decode(part) for part in text.split(".")[:2]] if is_jwt else [text.encode()]
        values = [parse_json(part) for part in parts]
    except (InputError, ValueError, UnicodeError) as error:
        raise IdentityError("credential-malformed", log=type(error).__name__) from error
    for value in values:
        _check(value)
    options = json.dumps({"proofFormat": "jwt"} if is_jwt else {})
    try:
        told = json.loads(asyncio.run(_verify(text, options)))
    except didkit.DIDKitException as error:
        return [str(error)[:200]]
    return [str(each) for each in told["errors"]]


async def _verify(text: str, options: str) -> str:
    return str(await didkit.verify_credential(text, options))


def _check(value: object) -> None:
    for name, text in _texts(value, ""):
        if name in FETCHED:
            raise IdentityError("credential-online", log=name)
        if name == "@context" and not text.startswith(CONTEXTS):
            raise IdentityError("credential-online", log="a context not known here")
        if "did:" in text.lower():
            _offline(text.partition("#")[0])


def _texts(value: object, name: str) -> Iterator[tuple[str, str]]:
    """Every text in a JSON value with the member it stands in; members that are fetched by their name alone."""
    if isinstance(value, str):
        yield name, value
    elif isinstance(value, list):
        for item in value:
            yield from _texts(item, name)
    elif isinstance(value, dict):
        for member, item in value.items():
            if member in FETCHED:
                yield member, ""
            if name == "@context":
                raise IdentityError("credential-online", log="a context of its own")
            yield from _texts(member, "")
            yield from _texts(item, member)


def _offline(did: str) -> None:
    try:
        if method_of(did) in OFFLINE:
            return
    except DidError as error:
        raise IdentityError("credential-online", log=str(error)) from error
    raise IdentityError("credential-online", log="a DID that has to be fetched")
