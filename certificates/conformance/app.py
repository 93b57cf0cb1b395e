"""VC-API over HTTP, as one ASGI function: JSON in, JSON out, 400 for whatever does not hold."""

from __future__ import annotations

import json
import re
from collections.abc import Awaitable, Callable, Mapping
from http import HTTPStatus
from typing import Any

from certificates.conformance.tenant import SUITES, Tenant
from certificates.core import strict_json
from certificates.formats.data_integrity.errors import DataIntegrityError
from certificates.formats.vcdm import VcdmError

MAX_BODY = 1024 * 1024
Answer = tuple[int, Mapping[str, Any]]
Asgi = Callable[[dict[str, Any], Callable[[], Awaitable[dict[str, Any]]], Callable[[Any], Awaitable[None]]], Any]
_ISSUE = re.compile("/(" + "|".join(map(re.escape, SUITES)) + ")/credentials/issue")


class InputError(ValueError):
    """The body is not what this address takes."""


def application(tenant: Tenant, base: str) -> Asgi:
    """The ASGI application under the path `base`."""

    async def serve(
        scope: dict[str, Any],
        receive: Callable[[], Awaitable[dict[str, Any]]],
        send: Callable[[Any], Awaitable[None]],
    ) -> None:
        if scope["type"] != "http":
            return
        body = await _body(receive)
        path: str = scope["path"]
        inside = path.removeprefix(base) if path.startswith(f"{base}/") else ""
        status, answer = respond(tenant, scope["method"], inside, body)
        headers = [(b"content-type", b"application/json"), (b"cache-control", b"no-store")]
        await send({"type": "http.response.start", "status": status, "headers": headers})
        await send({"type": "http.response.body", "body": json.dumps(answer, ensure_ascii=False).encode()})

    return serve


def respond(tenant: Tenant, method: str, path: str, body: bytes | None) -> Answer:
    """What one request is answered; never raises for what a request holds."""
    try:
        if method == "GET":
            return _read(tenant, path)
        if method != "POST":
            return _refused(HTTPStatus.METHOD_NOT_ALLOWED, "method-not-allowed", method)
        if body is None:
            return _refused(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, "body-too-large", f"at most {MAX_BODY} bytes")
        return _act(tenant, path, _object(strict_json.loads(body), "body"))
    except DataIntegrityError as error:
        return _refused(HTTPStatus.BAD_REQUEST, error.code, error.en)
    except VcdmError as error:
        return _refused(HTTPStatus.BAD_REQUEST, "data-model", str(error))
    except ValueError as error:
        return _refused(HTTPStatus.BAD_REQUEST, "body-malformed", str(error))


def _read(tenant: Tenant, path: str) -> Answer:
    if path == "/config":
        return HTTPStatus.OK, tenant.config()
    if path == "/status-lists/1":
        return HTTPStatus.OK, tenant.status_list()
    return _refused(HTTPStatus.NOT_FOUND, "not-found", path)


def _act(tenant: Tenant, path: str, body: dict[str, Any]) -> Answer:
    options = _object(body.get("options", {}), "options")
    if found := _ISSUE.fullmatch(path):
        credential = _object(body.get("credential"), "credential")
        issued = tenant.issue(found[1], credential, _pointers(options, "mandatoryPointers"))
        return HTTPStatus.CREATED, {"verifiableCredential": issued}
    if path == "/credentials/verify":
        tenant.verify_credential(_object(body.get("verifiableCredential"), "verifiableCredential"))
        return HTTPStatus.OK, {"verified": True}
    if path == "/credentials/derive":
        credential = _object(body.get("verifiableCredential"), "verifiableCredential")
        return HTTPStatus.CREATED, tenant.derive(credential, _pointers(options, "selectivePointers"))
    if path == "/presentations/verify":
        tenant.verify_presentation(
            _object(body.get("verifiablePresentation"), "verifiablePresentation"),
            challenge=_text(options, "challenge"),
            domain=_text(options, "domain"),
        )
        return HTTPStatus.OK, {"verified": True}
    return _refused(HTTPStatus.NOT_FOUND, "not-found", path)


def _refused(status: HTTPStatus, code: str, detail: str) -> Answer:
    return status, {"verified": False, "code": code, "detail": detail}


def _object(value: Any, name: str) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise InputError(f"{name} must be an object")
    return value


def _pointers(options: Mapping[str, Any], name: str) -> list[str]:
    value = options.get(name, [])
    if not isinstance(value, list) or any(not isinstance(each, str) for each in value):
        raise InputError(f"{name} must be JSON pointers")
    return value


def _text(options: Mapping[str, Any], name: str) -> str | None:
    value = options.get(name)
    if value is not None and not isinstance(value, str):
        raise InputError(f"{name} must be text")
    return value


async def _body(receive: Callable[[], Awaitable[dict[str, Any]]]) -> bytes | None:
    """The whole body; None if it is too large."""
    body = b""
    more = True
    while more:
        event = await receive()
        body += event.get("body", b"")
        more = event.get("more_body", False)
        if len(body) > MAX_BODY:
            return None
    return body
