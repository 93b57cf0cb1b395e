"""What a principal signs on their phone to let somebody act for them: a JWS (ES256) under the phone's device key.

typ      govchain-mandate+jwt
iss      RFC 7638 thumbprint of the device key       aud   the home agency's DID
iat      within five minutes of now                  jti   8–128 characters, counts once
agent    {name, number}: an identity number with a right check digit, not the principal's own
matters  1–20 numbers of matters
until    the last day, YYYY-MM-DD: today to a year from now
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from certificates.core import identity_numbers
from certificates.core.errors import CertificateError
from identity.core import jose

TYP = "govchain-mandate+jwt"
WINDOW = 300
LONGEST_DAYS = 366
MOST_MATTERS = 20
MOST_NAME = 40


@dataclass(frozen=True, slots=True)
class Statement:
    agent_name: str
    agent_number: str
    matters: tuple[int, ...]
    until: dt.date
    jti: str
    issued: int


def read(
    token: str,
    *,
    device_jwk: Mapping[str, Any],
    thumbprint: str,
    audience: str,
    principal: str,
    now: int,
    today: dt.date,
) -> Statement:
    """The checked statement; raises `CertificateError` mandate-statement-invalid, `where` naming the part."""
    try:
        claims = jose.verify(token, device_jwk, typ=TYP).claims
    except jose.JoseError as error:
        raise _invalid("signature", str(error)) from error
    if claims.get("iss") != thumbprint or claims.get("aud") != audience:
        raise _invalid("iss/aud")
    issued, jti = claims.get("iat"), claims.get("jti")
    if type(issued) is not int or abs(now - issued) > WINDOW:
        raise _invalid("iat")
    if not isinstance(jti, str) or not 8 <= len(jti) <= 128:
        raise _invalid("jti")
    name, number = _agent(claims.get("agent"), today)
    if number == principal:
        raise _invalid("agent")
    return Statement(name, number, _matters(claims.get("matters")), _until(claims.get("until"), today), jti, issued)


def last_day(text: object, today: dt.date) -> dt.date:
    """A last day from a form or a statement; raises `CertificateError`."""
    return _until(text, today)


def person(name: object, number: object, today: dt.date) -> tuple[str, str]:
    """A name and a checked identity number, trimmed; raises `CertificateError`."""
    if not isinstance(name, str) or not isinstance(number, str) or not 1 <= len(name.strip()) <= MOST_NAME:
        raise _invalid("name")
    try:
        return name.strip(), identity_numbers.resident(number.strip(), today=today).number
    except identity_numbers.NumberError as error:
        raise _invalid("number", error.code) from error


def _agent(value: object, today: dt.date) -> tuple[str, str]:
    if not isinstance(value, dict):
        raise _invalid("agent")
    return person(value.get("name"), value.get("number"), today)


def _matters(value: object) -> tuple[int, ...]:
    if not isinstance(value, list) or not 1 <= len(value) <= MOST_MATTERS:
        raise _invalid("matters")
    if any(type(number) is not int or not 1 <= number <= 65535 for number in value) or len(set(value)) != len(value):
        raise _invalid("matters")
    return tuple(value)


def _until(value: object, today: dt.date) -> dt.date:
    try:
        day = dt.date.fromisoformat(value) if isinstance(value, str) else None
    except ValueError:
        day = None
    if day is None or not today <= day <= today + dt.timedelta(days=LONGEST_DAYS - 1):
        raise _invalid("until")
    return day


def _invalid(where: str, log: str = "") -> CertificateError:
    return CertificateError("mandate-statement-invalid", where=where, log=log)
