"""did:web (W3C CCG): where the document of a DID is (§3.2), and the DID of an address.

Stricter than the method asks: a host is a name, never an address; a path holds plain segments. What could be read in
two ways is refused, since the answer decides which machine is asked.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from urllib.parse import urlsplit

from identity.core.dids import DidError

PREFIX = "did:web:"
LOCAL = "localhost"
_LABEL = "[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?"
_HOST = re.compile(rf"(?:{_LABEL}\.)*{_LABEL}")
_SEGMENT = re.compile(r"[A-Za-z0-9._~-]{1,100}")


@dataclass(frozen=True, slots=True)
class Place:
    host: str
    port: int | None
    path: str

    @property
    def local(self) -> bool:
        return self.host == LOCAL or self.host.endswith(f".{LOCAL}")

    def url(self, *, plain: bool = False) -> str:
        """https, or with `plain` http: for this machine in development."""
        port = f":{self.port}" if self.port is not None else ""
        return f"{'http' if plain else 'https'}://{self.host}{port}{self.path}"


def place(did: str) -> Place:
    """Raises `DidError("did-malformed")`."""
    if not did.startswith(PREFIX):
        raise DidError("did-malformed", "not a did:web")
    authority, *segments = did.removeprefix(PREFIX).split(":")
    host, colon, port = authority.partition("%3A")
    if len(host) > 253 or not _HOST.fullmatch(host) or host.rpartition(".")[2].isdigit():
        raise DidError("did-malformed", "its host must be a name in lower case")
    if colon and not re.fullmatch("[1-9][0-9]{0,4}", port):
        raise DidError("did-malformed", "its port is no port")
    if any(not _SEGMENT.fullmatch(each) or set(each) == {"."} for each in segments):
        raise DidError("did-malformed", "its path holds more than plain segments")
    number = int(port) if colon else None
    if number is not None and number > 65535:
        raise DidError("did-malformed", "its port is no port")
    path = "".join(f"/{each}" for each in segments) if segments else "/.well-known"
    return Place(host, number, f"{path}/did.json")


def of(base_url: str, *segments: str) -> str:
    """The DID of what lives under `base_url` (scheme and authority) at these path segments."""
    return ":".join([PREFIX + urlsplit(base_url).netloc.replace(":", "%3A"), *segments])
