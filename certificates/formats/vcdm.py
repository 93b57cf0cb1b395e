"""Verifiable Credentials Data Model: is this object a credential, a presentation? (VCDM 2.0 §4; 1.1 where it differs)

Structure only: whether it is signed, by whom, and whether it is still good is asked elsewhere. JSON-LD sees to it
that every term is defined (`jsonld.quads`).
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

from certificates.formats.data_integrity.errors import DataIntegrityError
from certificates.formats.data_integrity.proofs import seconds

V1 = "https://www.w3.org/2018/credentials/v1"
V2 = "https://www.w3.org/ns/credentials/v2"
MAX_CREDENTIALS = 16
_ENVELOPED = ("EnvelopedVerifiableCredential", "EnvelopedVerifiablePresentation")
_SCHEME = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*", re.ASCII)
_LANGUAGE_VALUE = {"@value", "@language", "@direction"}
_TYPED = ("credentialStatus", "termsOfUse", "evidence", "refreshService", "credentialSchema", "confidenceMethod")


class VcdmError(ValueError):
    """The object is not what it says it is; the text names the property."""


def check_credential(credential: Mapping[str, Any]) -> None:
    """Raises `VcdmError` for the first property that breaks the data model."""
    version = _context(credential)
    _types(credential, "VerifiableCredential")
    _optional_url(credential, "id")
    issuer = credential.get("issuer")
    _url(issuer.get("id") if isinstance(issuer, dict) else issuer, "issuer")
    for holder in (credential, issuer if isinstance(issuer, dict) else {}):
        for name in ("name", "description"):
            _language_text(holder, name)
    _subjects(credential)
    _period(credential, version)
    for name in _TYPED:
        _typed(credential, name, needs_id=name == "credentialSchema")
    _related(credential)


def check_presentation(presentation: Mapping[str, Any]) -> None:
    """Raises `VcdmError`; the credentials inside are checked too, unless they are enveloped."""
    _context(presentation)
    _types(presentation, "VerifiablePresentation")
    _optional_url(presentation, "id")
    holder = presentation.get("holder")
    if holder is not None:
        _url(holder.get("id") if isinstance(holder, dict) else holder, "holder")
    for credential in credentials(presentation):
        if credential.get("type") not in _ENVELOPED:
            check_credential(credential)


def credentials(presentation: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The credentials of a presentation; raises `VcdmError`."""
    found = _many(presentation.get("verifiableCredential", []))
    if len(found) > MAX_CREDENTIALS or any(not isinstance(each, dict) for each in found):
        raise VcdmError("verifiableCredential")
    return found


def issuer_id(credential: Mapping[str, Any]) -> str:
    issuer = credential["issuer"]
    found: str = issuer["id"] if isinstance(issuer, dict) else issuer
    return found


def valid_at(credential: Mapping[str, Any], now: int) -> bool:
    """Whether `now` lies within the credential's own period."""
    begins = credential.get("validFrom", credential.get("issuanceDate"))
    ends = credential.get("validUntil", credential.get("expirationDate"))
    return (begins is None or _moment(begins, "validFrom") <= now) and (
        ends is None or now <= _moment(ends, "validUntil")
    )


def timestamp(now: int) -> str:
    """Unix seconds as the data model writes them."""
    return dt.datetime.fromtimestamp(now, dt.UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _context(document: Mapping[str, Any]) -> str:
    context = document.get("@context")
    entries = context if isinstance(context, list) else [context]
    if not entries or entries[0] not in (V1, V2):
        raise VcdmError("@context must begin with the data model's own")
    if any(not isinstance(entry, dict) and not is_url(entry) for entry in entries):
        raise VcdmError("@context may hold URLs and objects")
    if any(entry in (V1, V2) for entry in entries[1:]):
        raise VcdmError("@context names the data model twice")
    return str(entries[0])


def _types(document: Mapping[str, Any], needed: str) -> None:
    types = _many(document.get("type", document.get("@type")))
    if needed not in types or any(not isinstance(each, str) or not each for each in types):
        raise VcdmError(f"type must include {needed}")


def _subjects(credential: Mapping[str, Any]) -> None:
    subjects = _many(credential.get("credentialSubject"))
    if not subjects:
        raise VcdmError("credentialSubject is missing")
    for subject in subjects:
        if not isinstance(subject, dict) or not subject:
            raise VcdmError("credentialSubject must be an object with something in it")
        _optional_url(subject, "id")


def _period(credential: Mapping[str, Any], version: str) -> None:
    begins, ends = ("issuanceDate", "expirationDate") if version == V1 else ("validFrom", "validUntil")
    if version == V1 and begins not in credential:
        raise VcdmError("issuanceDate is missing")
    moments = [_moment(credential[name], name) for name in (begins, ends) if name in credential]
    if len(moments) > 1 and moments[0] > moments[1]:
        raise VcdmError(f"{ends} lies before {begins}")


def _moment(value: Any, name: str) -> float:
    try:
        return seconds(value)
    except DataIntegrityError as error:
        raise VcdmError(f"{name} is not a dateTimeStamp") from error


def _typed(credential: Mapping[str, Any], name: str, *, needs_id: bool) -> None:
    if name not in credential:
        return
    entries = _many(credential[name])
    if not entries:
        raise VcdmError(f"{name} is empty")
    for entry in entries:
        if not isinstance(entry, dict) or not _many(entry.get("type")):
            raise VcdmError(f"{name} must be an object with a type")
        if needs_id and "id" not in entry:
            raise VcdmError(f"{name} needs an id")
        _optional_url(entry, "id")


def _related(credential: Mapping[str, Any]) -> None:
    """Each resource once, with a digest (what lies behind it is not fetched here)."""
    seen: set[str] = set()
    for entry in _many(credential.get("relatedResource", [])):
        if not isinstance(entry, dict) or not is_url(entry.get("id")) or entry["id"] in seen:
            raise VcdmError("relatedResource needs ids, each once")
        seen.add(entry["id"])
        digests = [entry[name] for name in ("digestSRI", "digestMultibase") if name in entry]
        if not digests or any(not isinstance(digest, str) or not digest for digest in digests):
            raise VcdmError("relatedResource needs a digest")


def _language_text(holder: Mapping[str, Any], name: str) -> None:
    if name not in holder:
        return
    for value in _many(holder[name]):
        plain = isinstance(value, str)
        tagged = isinstance(value, dict) and isinstance(value.get("@value"), str) and value.keys() <= _LANGUAGE_VALUE
        if not plain and not tagged:
            raise VcdmError(f"{name} must be text, or text with a language")


def _optional_url(holder: Mapping[str, Any], name: str) -> None:
    if name in holder:
        _url(holder[name], name)


def _url(value: Any, name: str) -> None:
    if not is_url(value):
        raise VcdmError(f"{name} must be a URL")


def is_url(value: Any) -> bool:
    """An absolute URL, of any scheme (`did:`, `urn:` …)."""
    if not isinstance(value, str) or len(value) > 4096 or any(character.isspace() for character in value):
        return False
    try:
        parts = urlsplit(value)
    except ValueError:
        return False
    return bool(_SCHEME.fullmatch(parts.scheme)) and bool(parts.netloc or parts.path)


def _many(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [] if value is None else [value]
