"""Resolving DIDs. Never on the ledger's path: there keys come from the ledger's own state.

did:key and did:jwk are read where they stand. A did:web is fetched, from a machine somebody else named, so:

1. its address is a name, https and (unless it says a port) 443; this machine itself only if settings say so
2. every address the name has is a public one; the connection goes to an address that was looked at, so that a second
   answer of the name server changes nothing
3. the whole of it, from the name to the last byte, takes `SECONDS` at most, however slowly the other side drips
4. it answers 200 itself: no redirects, on-host or off
5. at most `MAX_DOCUMENT` bytes, not compressed; JSON within the limits of `web.inputs`; a document of this very DID
6. what was resolved is kept for `KEPT` seconds, what failed for `FAILED`, at most `MOST` of both

No cookies, no proxies from the environment, no credentials. didkit is not asked: it fetches did:web by itself.
"""

from __future__ import annotations

import functools
import ipaddress
import socket
import ssl
import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

import httpcore
from django.conf import settings

from gov_chain.web.errors import InputError
from gov_chain.web.inputs import parse_json
from identity.core import dids
from identity.core.dids import DidError, documents, key, web
from identity.core.dids import jwk as did_jwk
from identity.core.dids.multikey import Key
from identity.core.dids.web import Place
from identity.errors import IdentityError

SECONDS = 5.0
MAX_DOCUMENT = 64 * 1024
KEPT = 300.0
FAILED = 30.0
MOST = 1024

LookUp = Callable[[str, int], Iterable[str]]
"""A host's addresses, as text."""


@dataclass(frozen=True, slots=True)
class _Known:
    until: float
    document: dict[str, Any] | None
    code: str


class Resolver:
    """Thread-safe. `look_up` and `tls` are a test's way to have names and certificates of its own."""

    def __init__(
        self,
        *,
        loopback: bool = False,
        look_up: LookUp | None = None,
        tls: ssl.SSLContext | None = None,
        steady: Callable[[], float] = time.monotonic,
        seconds: float = SECONDS,
    ) -> None:
        self._loopback = loopback
        self._look_up = look_up or _addresses
        self._tls = tls
        self._steady = steady
        self._seconds = seconds
        self._known: OrderedDict[str, _Known] = OrderedDict()
        self._lock = threading.Lock()

    def resolve(self, did: str) -> dict[str, Any]:
        """The DID's document; raises `IdentityError` did-… with what is wrong."""
        try:
            method = dids.method_of(did)
            if method == "key":
                return key.document(did)
            if method == "jwk":
                return did_jwk.document(did)
            return self._kept(did, web.place(did))
        except DidError as error:
            raise IdentityError(error.code, log=str(error)) from error

    def keys(self, did: str, relationship: str) -> dict[str, Key]:
        """Keys of the DID for a purpose (`assertionMethod` …) by id; raises `IdentityError` did-…."""
        document = self.resolve(did)
        try:
            return documents.keys(document, did, relationship)
        except DidError as error:
            raise IdentityError(error.code, log=str(error)) from error

    def _kept(self, did: str, place: Place) -> dict[str, Any]:
        now = self._steady()
        with self._lock:
            known = self._known.get(did)
            if known is not None and known.until > now:
                self._known.move_to_end(did)
                if known.document is None:
                    raise IdentityError(known.code, log=f"{did}: as a moment ago")
                return known.document
        try:
            document = self._fetch(did, place)
        except IdentityError as error:
            self._keep(did, _Known(self._steady() + FAILED, None, error.code))
            raise
        self._keep(did, _Known(self._steady() + KEPT, document, ""))
        return document

    def _keep(self, did: str, known: _Known) -> None:
        with self._lock:
            self._known[did] = known
            self._known.move_to_end(did)
            while len(self._known) > MOST:
                self._known.popitem(last=False)

    def _fetch(self, did: str, place: Place) -> dict[str, Any]:
        if place.local and not self._loopback:
            raise IdentityError("did-address-refused", log=place.host)
        backend = _Guarded(self._look_up, place.local, _Deadline(self._steady, self._seconds))
        try:
            with httpcore.ConnectionPool(ssl_context=self._tls, network_backend=backend, retries=0) as pool:
                body = _read(pool, place)
        except (httpcore.NetworkError, httpcore.ProtocolError, httpcore.TimeoutException, OSError) as error:
            raise IdentityError("did-unreachable", log=type(error).__name__) from error
        return _checked(did, body)


def _read(pool: httpcore.ConnectionPool, place: Place) -> bytes:
    headers = {
        "Host": place.host if place.port is None else f"{place.host}:{place.port}",
        "Accept": "application/did+json, application/did+ld+json;q=0.9, application/json;q=0.8",
        "Accept-Encoding": "identity",
        "User-Agent": "gov-chain-did-resolver",
    }
    with pool.stream("GET", place.url(plain=place.local), headers=headers) as answer:
        if 300 <= answer.status < 400:
            raise IdentityError("did-redirected", log=str(answer.status))
        if answer.status != 200:
            raise IdentityError("did-unreachable", log=f"status {answer.status}")
        told = {name.lower(): value for name, value in answer.headers}
        if told.get(b"content-encoding", b"identity") != b"identity":
            raise IdentityError("did-document-wrong", log="compressed")
        if int(told.get(b"content-length", b"0").decode("ascii", "replace") or 0) > MAX_DOCUMENT:
            raise IdentityError("did-too-large")
        body = bytearray()
        for part in answer.iter_stream():
            body += part
            if len(body) > MAX_DOCUMENT:
                raise IdentityError("did-too-large")
    return bytes(body)


def _checked(did: str, body: bytes) -> dict[str, Any]:
    try:
        value = parse_json(body)
        if not isinstance(value, dict):
            raise DidError("did-document-wrong", "not an object")
        documents.keys(value, did, "assertionMethod")
    except InputError as error:
        raise IdentityError("did-document-wrong", log=error.code) from error
    except DidError as error:
        raise IdentityError("did-document-wrong", log=str(error)) from error
    return value


class _Deadline:
    """One end for everything, from the first look-up on."""

    def __init__(self, steady: Callable[[], float], seconds: float) -> None:
        self._steady = steady
        self._end = steady() + seconds

    def left(self) -> float:
        """Seconds; raises `httpcore.ReadTimeout` when there are none."""
        left = self._end - self._steady()
        if left <= 0:
            raise httpcore.ReadTimeout("the time is up")
        return left


class _Guarded(httpcore.SyncBackend):
    """Connects to public addresses only (with `local` to this machine only), and never beyond the deadline."""

    def __init__(self, look_up: LookUp, local: bool, deadline: _Deadline) -> None:
        self._look_up, self._local, self._deadline = look_up, local, deadline

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore.NetworkStream:
        addresses = list(self._look_up(host, port))
        if not addresses:
            raise httpcore.ConnectError(f"{host} has no address")
        for each in addresses:
            if not _allowed(each, local=self._local):
                raise IdentityError("did-address-refused", log=f"{host} is at {each}")
        last: httpcore.ConnectError | httpcore.ConnectTimeout | None = None
        for each in addresses[:4]:
            try:
                stream = super().connect_tcp(each, port, timeout=self._deadline.left(), socket_options=socket_options)
                return _Timed(stream, self._deadline)
            except (httpcore.ConnectError, httpcore.ConnectTimeout) as error:
                last = error
        raise last or httpcore.ConnectError(host)

    def connect_unix_socket(
        self, path: str, timeout: float | None = None, socket_options: Iterable[Any] | None = None
    ) -> httpcore.NetworkStream:
        raise IdentityError("did-address-refused", log="a socket of this machine")


class _Timed(httpcore.NetworkStream):
    """A stream whose every step ends with the deadline."""

    def __init__(self, stream: httpcore.NetworkStream, deadline: _Deadline) -> None:
        self._stream, self._deadline = stream, deadline

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        return self._stream.read(max_bytes, timeout=self._deadline.left())

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        self._stream.write(buffer, timeout=self._deadline.left())

    def close(self) -> None:
        self._stream.close()

    def start_tls(
        self, ssl_context: ssl.SSLContext, server_hostname: str | None = None, timeout: float | None = None
    ) -> httpcore.NetworkStream:
        left = self._deadline.left()
        return _Timed(self._stream.start_tls(ssl_context, server_hostname, timeout=left), self._deadline)

    def get_extra_info(self, info: str) -> Any:
        return self._stream.get_extra_info(info)


def _allowed(address: str, *, local: bool) -> bool:
    try:
        found = ipaddress.ip_address(address.partition("%")[0])
    except ValueError:
        return False
    inside = getattr(found, "ipv4_mapped", None) or getattr(found, "sixtofour", None) or found
    if local:
        return bool(inside.is_loopback)
    # Only what IANA gives out: not site-local, nor 64:ff9b::/96 and the like, which lead to IPv4 unseen here.
    given_out = found.version == 4 or found in _GIVEN_OUT
    return inside.is_global and found.is_global and not inside.is_multicast and given_out


_GIVEN_OUT = ipaddress.ip_network("2000::/3")
"""IANA IPv6 global unicast; everything else is reserved, local or multicast."""


def _addresses(host: str, port: int) -> list[str]:
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except (socket.gaierror, UnicodeError) as error:
        raise httpcore.ConnectError(type(error).__name__) from error
    return list(dict.fromkeys(str(row[4][0]) for row in found))


@functools.cache
def resolver() -> Resolver:
    """This process's resolver."""
    return Resolver(loopback=settings.GOVCHAIN.did_loopback)
