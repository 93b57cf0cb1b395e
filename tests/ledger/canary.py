"""Invented personal data nobody else has, and every way it could be written down by mistake."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator
from hashlib import sha256
from urllib.parse import quote

from gov_chain.core.codec import encode


def check_digit(body: str) -> str:
    """GB 11643-1999, the last character of an identity number."""
    weights = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
    return "10X98765432"[sum(int(digit) * weight for digit, weight in zip(body, weights, strict=True)) % 11]


def forms(value: str) -> dict[str, bytes]:
    """Name of the form → the bytes to look for."""
    found = {"escaped in JSON": json.dumps(value)[1:-1].encode(), "unsalted digest": sha256(value.encode()).digest()}
    for name, data in (("UTF-8", value.encode()), ("GB18030", value.encode("gb18030")), ("UTF-16", _utf16(value))):
        found |= {name: data, f"{name}, percent": quote(data).encode(), f"{name}, hex": data.hex().encode()}
        found |= {f"{name}, base64 at {at}": text for at, text in enumerate(_base64(data))}
    found["unsalted digest, hex"] = found["unsalted digest"].hex().encode()
    found |= {f"unsalted digest, base64 at {at}": text for at, text in enumerate(_base64(found["unsalted digest"]))}
    if value[:17].isdigit():
        found["an integer"] = encode(int(value[:17]))[1:]
        found["its first 17 digits"] = value[:17].encode()
    return found


def _utf16(value: str) -> bytes:
    return value.encode("utf-16-le")


def _base64(data: bytes) -> Iterator[bytes]:
    """The characters of base64 that depend on `data` alone, wherever in a longer text it begins."""
    for at in range(3):
        text = base64.b64encode(bytes(at) + data)
        yield text[(at * 8 + 5) // 6 : (at + len(data)) * 8 // 6]


class Canaries:
    """Values that must stay where they belong."""

    def __init__(self, *values: str) -> None:
        self.values = values
        self._forms = {(value, name): form for value in values for name, form in forms(value).items()}

    def __iter__(self) -> Iterator[str]:
        return iter(self.values)

    def found_in(self, data: bytes) -> list[str]:
        """ "<value>: <form>" for each found. Letter case is not looked at, and the two alphabets of base64 are one."""
        alike = data.lower().replace(b"-", b"+").replace(b"_", b"/")
        return [
            f"{value}: {name}"
            for (value, name), form in self._forms.items()
            if form in data or form.lower().replace(b"-", b"+").replace(b"_", b"/") in alike
        ]
