"""A wallet that knows the published specifications and nothing of this platform.

OpenID4VCI 1.0 pre-authorized code flow (§4.1, §6, §7, §8) and OpenID4VP 1.0 with DCQL and
`direct_post.jwt` (§5, §6, §8). It never announces itself as ours, so it must never be sent
transaction data it would have to refuse.
"""

from __future__ import annotations

import json
import threading
import time
from urllib.parse import parse_qs, urlsplit

import httpx

from demo.holder import (
    Held,
    HolderKey,
    Json,
    Request,
    UnacceptableError,
    encrypt_to,
    key_binding,
    read_request,
    wanted,
)

PRE_AUTHORIZED = "urn:ietf:params:oauth:grant-type:pre-authorized_code"
DEFERRED_LIMIT = 30.0


class RefusedError(Exception):
    """The other side refused; `code` is its OAuth error or problem code."""

    def __init__(self, response: httpx.Response) -> None:
        try:
            body = response.json()
        except json.JSONDecodeError:
            body = {}
        self.status = response.status_code
        self.body: Json = body if isinstance(body, dict) else {}
        self.code = str(self.body.get("code") or self.body.get("error") or response.status_code)
        told = self.body.get("detail_en") or self.body.get("title_en") or self.body.get("error_description") or ""
        super().__init__(f"{response.status_code} {self.code} {told} ({response.request.url.path})")


def accepted(response: httpx.Response) -> httpx.Response:
    if response.status_code >= 400:
        raise RefusedError(response)
    return response


def parameters(uri: str) -> dict[str, str]:
    """Query parameters of a URI, or of its fragment where a page carries them."""
    parts = urlsplit(uri)
    query = parts.query or parts.fragment.partition("?")[2]
    return {name: values[0] for name, values in parse_qs(query).items()}


class StandardWallet:
    def __init__(self, http: httpx.Client) -> None:
        self.http = http
        self.key = HolderKey()
        self.certificates: list[Held] = []
        self.keys: dict[str, HolderKey] = {}

    # Issuing -------------------------------------------------------------------------------

    def claim(self, offer_uri: str, tx_code: str | None) -> Held:
        """Follow a credential offer to the certificate."""
        offer = self._json("GET", parameters(offer_uri)["credential_offer_uri"])
        issuer = offer["credential_issuer"]
        metadata = self._json("GET", _well_known(issuer, "openid-credential-issuer"))
        if metadata["credential_issuer"] != issuer:
            raise UnacceptableError("metadata of another issuer")
        server = self._json(
            "GET", _well_known(metadata.get("authorization_servers", [issuer])[0], "oauth-authorization-server")
        )
        grant = offer["grants"][PRE_AUTHORIZED]
        form = {"grant_type": PRE_AUTHORIZED, "pre-authorized_code": grant["pre-authorized_code"]}
        if "tx_code" in grant:
            form["tx_code"] = tx_code or ""
        token = accepted(self.http.post(server["token_endpoint"], data=form)).json()
        bearer = {"Authorization": f"Bearer {token['access_token']}"}
        nonce = accepted(self.http.post(metadata["nonce_endpoint"])).json()["c_nonce"]
        key, said = self._holder_key()
        proof = key.jws(
            {"typ": "openid4vci-proof+jwt", "jwk": key.jwk},
            {"aud": issuer, "iat": int(time.time()), "nonce": nonce, **said},
        )
        body = {
            "credential_configuration_id": offer["credential_configuration_ids"][0],
            "proofs": {"jwt": [proof]},
        }
        answer = accepted(self.http.post(metadata["credential_endpoint"], json=body, headers=bearer))
        issued = self._deferred(answer, metadata, bearer)
        held = Held.parse(issued["credentials"][0]["credential"])
        if held.claims["cnf"]["jwk"] != key.jwk:
            raise UnacceptableError("the certificate is bound to another key")
        if "notification_id" in issued and "notification_endpoint" in metadata:
            told = {"notification_id": issued["notification_id"], "event": "credential_accepted"}
            accepted(self.http.post(metadata["notification_endpoint"], json=told, headers=bearer))
        self.certificates.append(held)
        self.keys[held.issuer_jwt] = key
        return held

    def _holder_key(self) -> tuple[HolderKey, Json]:
        """The key for the next certificate, and what the proof of it says besides."""
        return self.key, {}

    def key_of(self, held: Held) -> HolderKey:
        return self.keys[held.issuer_jwt]

    def _deferred(self, answer: httpx.Response, metadata: Json, bearer: dict[str, str]) -> Json:
        """OpenID4VCI §9: ask again after the interval the issuer names, until it has signed."""
        until = time.monotonic() + DEFERRED_LIMIT
        while answer.status_code == 202:
            if time.monotonic() > until:
                raise UnacceptableError("the issuer did not sign in time")
            pending = answer.json()
            threading.Event().wait(float(pending.get("interval", 1)))
            answer = accepted(
                self.http.post(
                    metadata["deferred_credential_endpoint"],
                    json={"transaction_id": pending["transaction_id"]},
                    headers=bearer,
                )
            )
        issued: Json = answer.json()
        return issued

    # Presenting ----------------------------------------------------------------------------

    def fetch_request(self, uri: str) -> Request:
        """Get and check the request object behind an `openid4vp://` URI."""
        asked = parameters(uri)
        answer = accepted(self.http.get(asked["request_uri"], headers={"Accept": "application/oauth-authz-req+jwt"}))
        request = read_request(answer.text, client_id=asked["client_id"], wallet_nonce=None)
        if "transaction_data" in request.claims:
            raise UnacceptableError("transaction data of a type this wallet does not know")
        return request

    def present(self, uri: str) -> Json:
        """Answer a request with everything the first satisfiable claim set asks for."""
        request = self.fetch_request(uri)
        held = self.certificates[-1]
        query, claim_sets = wanted(request, held)
        names = next(chosen for chosen in claim_sets if set(chosen) <= set(held.fields()))
        shown = held.shown(names)
        presentation = shown + key_binding(self.key_of(held), shown, request)
        return self.answer(request, {"vp_token": {query: [presentation]}, "state": request.claims.get("state")})

    def answer(self, request: Request, payload: Json) -> Json:
        """`direct_post.jwt`: the payload encrypted to the request's key."""
        jwk = request.claims["client_metadata"]["jwks"]["keys"][0]
        response = encrypt_to(jwk, json.dumps(payload).encode())
        form = {"response": response}
        return dict(accepted(self.http.post(request.claims["response_uri"], data=form)).json())

    def _json(self, method: str, url: str) -> Json:
        answer: Json = accepted(self.http.request(method, url)).json()
        return answer


def _well_known(issuer: str, name: str) -> str:
    """RFC 8414 §3: the well-known part stands between host and path."""
    parts = urlsplit(issuer)
    return f"{parts.scheme}://{parts.netloc}/.well-known/{name}{parts.path.rstrip('/')}"
