"""Agency to agency over HTTP: the same door whether the other agency lives on this node or far away.

A request is a POST of JSON with `Authorization: GovChain-Peer <JWS>`, ES256 under the sender's
request key, `typ` `govchain-peer+jwt`, claims iss and aud (slugs), iat, jti, htu (the path) and
body_sha256 (base64url). The receiver checks, in this order:

1. the header has this shape, and `iss` is an agency of the consortium
2. the signature verifies under the request key that the ledger holds for that agency
3. `aud` is the receiver, `htu` the path, `body_sha256` the digest of the body's bytes
4. `iat` is within 60 s of now, and the `jti` was not seen before

Never called inside a database transaction: the other side may wait for the ledger.
"""

from __future__ import annotations

import functools
import json
import secrets
from collections.abc import Callable
from typing import Any

import httpx
from django.core.handlers.base import BaseHandler
from django.core.handlers.wsgi import WSGIRequest
from django.db import transaction
from django.http import HttpRequest
from django.utils import translation

from gov_chain import clock
from gov_chain.core.codec import b64url, sha256
from gov_chain.ledger import node
from gov_chain.ledger.core.errors import LedgerError
from identity import agencies, tokens
from identity.core import jose
from identity.core import jwk as jwks
from identity.errors import IdentityError
from identity.models import Agency

TYP = "govchain-peer+jwt"
SCHEME = "GovChain-Peer"
WINDOW = 60
"""Seconds two agencies' clocks may differ."""
TIMEOUT = httpx.Timeout(15.0, connect=5.0)
MAX_ANSWER = 1024 * 1024


class PeerRefusedError(IdentityError):
    """The other agency answered with an error; `remote_code` and `remote_status` say which."""

    def __init__(self, remote_code: str, remote_status: int) -> None:
        super().__init__("peer-refused", reason=remote_code)
        self.remote_code = remote_code
        self.remote_status = remote_status


def call(*, sender: Agency, to: Agency, path: str, body: dict[str, Any]) -> dict[str, Any]:
    """POST `body` to `path` at agency `to`, signed by `sender`; the JSON object it answers.

    Raises `PeerRefusedError` for an error answer, `IdentityError("peer-unreachable")` when there was none.
    """
    with transaction.atomic(durable=True):
        pass  # refuses to run inside a transaction
    content = json.dumps(body, ensure_ascii=False, separators=(",", ":")).encode()
    headers = {
        "Authorization": f"{SCHEME} {_sign(sender, to, path, content)}",
        "Content-Type": "application/json",
        "Accept": "application/json",
    }
    # A view of this very process would otherwise leave its own language behind on this thread.
    with translation.override(translation.get_language()), _client(to) as client:
        try:
            status, answer = _post(client, to.base_url + path, content, headers)
        except httpx.HTTPError as error:
            raise IdentityError("peer-unreachable", name=to.name_zh, log=type(error).__name__) from error
    return _read(to, status, answer)


def authenticate(request: HttpRequest, *, to: Agency) -> Agency:
    """The agency that signed `request` to agency `to`; raises `IdentityError("peer-unauthenticated")`."""
    scheme, _, token = request.headers.get("Authorization", "").partition(" ")
    if scheme != SCHEME:
        raise IdentityError("peer-unauthenticated", log="no peer signature")
    try:
        sender = _sender(jose.peek(token).claims.get("iss"))
        claims = jose.verify(token, _request_key(sender), typ=TYP).claims
        _check(claims, request, to)
    except jose.JoseError as error:
        raise IdentityError("peer-unauthenticated", log=str(error)) from error
    if not tokens.take_once(f"peer:{sender.slug}", claims["jti"], expires=claims["iat"] + WINDOW + 1):
        raise IdentityError("peer-unauthenticated", log="used before")
    return sender


def _sign(sender: Agency, to: Agency, path: str, content: bytes) -> str:
    signer = agencies.signer(sender, "request")
    claims = {
        "iss": sender.slug,
        "aud": to.slug,
        "iat": clock.now(),
        "jti": b64url(secrets.token_bytes(16)),
        "htu": path,
        "body_sha256": b64url(sha256(content)),
    }
    return jose.sign({"typ": TYP, "kid": signer.key_id}, claims, signer)


def _sender(slug: object) -> Agency:
    agency = Agency.objects.filter(slug=slug).first() if isinstance(slug, str) else None
    if agency is None:
        raise jose.JoseError("iss is no agency of the consortium")
    return agency


def _request_key(agency: Agency) -> jwks.Jwk:
    """What the ledger says, whatever the agency's row or web page may say."""
    try:
        known = node.ledger().agency(agency.number)
    except LedgerError as error:
        raise jose.JoseError("iss is not enrolled on the ledger") from error
    if known.suspended:
        raise jose.JoseError("iss is suspended")
    return jwks.from_public_key(known.request_key)


def _check(claims: dict[str, Any], request: HttpRequest, to: Agency) -> None:
    issued, jti = claims.get("iat"), claims.get("jti")
    expected = {"aud": to.slug, "htu": request.path, "body_sha256": b64url(sha256(request.body))}
    if any(claims.get(name) != value for name, value in expected.items()):
        raise jose.JoseError("signed for another request")
    if type(issued) is not int or abs(clock.now() - issued) > WINDOW:
        raise jose.JoseError("signed too long ago, or in the future")
    if not isinstance(jti, str) or not 8 <= len(jti) <= 128:
        raise jose.JoseError("jti must be 8 to 128 characters")


def _client(to: Agency) -> httpx.Client:
    transport = httpx.WSGITransport(app=_application()) if to.hosted else None
    return httpx.Client(transport=transport, timeout=TIMEOUT, follow_redirects=False, trust_env=False)


class _InProcess(BaseHandler):
    """This node's own views as a WSGI application inside another request.

    Unlike Django's WSGIHandler it sends no request_started and request_finished: these close the
    thread's database connections, which here are the caller's too.
    """

    def __init__(self) -> None:
        super().__init__()
        self.load_middleware()

    def __call__(self, environ: dict[str, Any], start_response: Callable[..., Any]) -> list[bytes]:
        request = WSGIRequest(environ)
        try:
            response = self.get_response(request)
            start_response(f"{response.status_code} {response.reason_phrase}", list(response.items()))
            return [b"".join(response)]
        finally:
            request.close()


@functools.cache
def _application() -> _InProcess:
    """Built when first needed: by then all apps are ready."""
    return _InProcess()


def _post(client: httpx.Client, url: str, content: bytes, headers: dict[str, str]) -> tuple[int, bytes]:
    with client.stream("POST", url, content=content, headers=headers) as response:
        answer = bytearray()
        for chunk in response.iter_bytes():
            answer += chunk
            if len(answer) > MAX_ANSWER:
                raise httpx.DecodingError("answer too large", request=response.request)
        return response.status_code, bytes(answer)


def _read(to: Agency, status: int, answer: bytes) -> dict[str, Any]:
    try:
        value = json.loads(answer)
    except (ValueError, RecursionError):
        value = None
    if 200 <= status < 300 and isinstance(value, dict):
        return value
    code = value.get("code") if isinstance(value, dict) else None
    if isinstance(code, str) and status >= 400:
        raise PeerRefusedError(code[:60], status)
    raise IdentityError("peer-unreachable", name=to.name_zh, log=f"status {status}, not an answer of ours")
