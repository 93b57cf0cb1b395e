"""The citizen's wallet as a script: the protocol of `wallet/` (the PWA), over HTTP only.

Beyond the standard flows it does what makes uses provable:

1. it knows the ledger by one pinned verifier key, and who an agency is now by proofs of the ledger's state
2. it recomputes the matter's document digest and its approvals from ledger receipts, and refuses a
   request for more than the matter allows
3. it makes the grant's handle from a secret of its own, signs terms and choices in the key binding,
   and has its home agency record the grant before anything is sent
4. it sends the presentation under two locks, and gives the second key, and the secret that withdraws, to the home
   agency alone
5. it builds its history from handle prefixes, verifying every receipt and that none is missing; it withdraws by
   the secret
"""

from __future__ import annotations

import hashlib
import json
import secrets
import time
from dataclasses import dataclass, field
from typing import Any

import httpx

from demo.holder import (
    Held,
    HolderKey,
    Json,
    Request,
    UnacceptableError,
    encrypt_to,
    encrypt_under,
    key_binding,
    random_text,
    read_request,
    wanted,
)
from demo.standard_wallet import StandardWallet, accepted, parameters
from gov_chain.core.codec import b64url, b64url_decode, canonical_json
from gov_chain.ledger.core import receipt as receipts
from gov_chain.ledger.core import state, state_proof
from gov_chain.ledger.core.errors import LedgerError

CONSENT = "urn:govchain:consent:1"
REQUEST_KEY, SUSPENSION = 3, 6
"""Where an agency's state has its request key, and the entry that suspended it (0: none)."""


@dataclass(slots=True)
class GrantKept:
    """What the phone remembers of a consent; without the secret nobody withdraws it."""

    secret: bytes
    matter: int
    version: int
    masks: list[int]
    fields: list[str]
    response: dict[str, str] = field(default_factory=dict)
    response_uri: str = ""

    @property
    def handle(self) -> bytes:
        return hashlib.sha256(self.secret).digest()


@dataclass(frozen=True, slots=True)
class Terms:
    """What a person is shown before agreeing; every text from the document the ledger pins."""

    matter: Json
    agency: int
    required: list[str]
    optional: list[str]
    expires: int


def anchor(held: Held) -> bytes:
    """The commitment on the ledger that a certificate is known by."""
    salt = b64url_decode(held.claims["anchor_salt"])
    return hashlib.sha256(b"govchain/anchor/v1\n" + salt + held.issuer_jwt.encode()).digest()


class Wallet(StandardWallet):
    def __init__(self, http: httpx.Client, base_url: str, vkey: str) -> None:
        super().__init__(http)
        self.vkey = vkey
        self.base_url = base_url
        config = self._json("GET", f"{base_url}/wallet/config.json")
        self.home = config["home"]["base_url"] if isinstance(config["home"], dict) else config["home"]
        if not self.home.endswith("/agencies/data"):
            self.home = f"{self.home}/agencies/data"
        self.wallet_id = ""
        self.grants: list[GrantKept] = []
        self._salts: dict[str, str] = {}

    # The wallet itself ---------------------------------------------------------------------

    def activate(self, code: str, pin: str) -> Json:
        url = f"{self.home}/wallets"
        body = {"activation_code": code, "pin": pin, "device_proof": self._proof("POST", url)}
        wallet: Json = accepted(self.http.post(url, json=body)).json()
        self.wallet_id = wallet["wallet_id"]
        return wallet

    def unlock(self, pin: str) -> str:
        """A session token, for ten minutes."""
        url = f"{self.home}/wallets/{self.wallet_id}/unlock"
        answer = accepted(self.http.post(url, json={"pin": pin}, headers={"DPoP": self._proof("POST", url)}))
        return str(answer.json()["token"])

    def _proof(self, method: str, url: str) -> str:
        claims = {"htm": method, "htu": url, "iat": int(time.time()), "jti": random_text()}
        return self.key.jws({"typ": "dpop+jwt", "jwk": self.key.jwk}, claims)

    def _holder_key(self) -> tuple[HolderKey, Json]:
        """A key of its own for each certificate, committed to this phone's device key."""
        key, salt = HolderKey(), secrets.token_bytes(16)
        thumbprint = b64url(hashlib.sha256(canonical_json(self.key.jwk)).digest())
        digest = hashlib.sha256(b"govchain/holder-binding/v1\n" + salt + thumbprint.encode()).digest()
        self._salts[b64url(digest)] = b64url(salt)
        return key, {"holder_binding": b64url(digest)}

    def salt_of(self, held: Held) -> str:
        """What shows the home agency that the certificate is this phone's."""
        return self._salts[held.claims["holder_binding"]]

    # Presenting ----------------------------------------------------------------------------

    def fetch_our_request(self, url: str) -> Request:
        """POST the request_uri, say which transaction data this wallet knows, and check the asker's key."""
        asked = parameters(url)
        nonce = random_text()
        metadata = {"vp_formats_supported": {"dc+sd-jwt": {}}, "transaction_data_types_supported": [CONSENT]}
        form = {"wallet_metadata": json.dumps(metadata), "wallet_nonce": nonce}
        answer = accepted(self.http.post(asked["request_uri"], data=form))
        request = read_request(answer.text, client_id=asked["client_id"], wallet_nonce=nonce)
        (encoded,) = request.claims["transaction_data"]
        asker = self._agency(json.loads(b64url_decode(encoded))["agency"]["number"])
        if request.leaf_key != asker[REQUEST_KEY]:
            raise UnacceptableError("the asker's key is not on the ledger")
        if asker[SUSPENSION]:
            raise UnacceptableError("the asker is suspended")
        return request

    def _agency(self, number: int) -> list[Any]:
        """An agency's state as the ledger has it now, proven; raises `UnacceptableError`."""
        key = state.agency_key(number)
        proven = state_proof.verify(self._text(f"{self.base_url}/ledger/state/{key.hex()}"), self.vkey)
        if proven.key != key or proven.value is None:
            raise UnacceptableError("the asker is not on the ledger")
        return proven.value

    def terms(self, request: Request) -> Terms:
        """The consent asked for, checked against the ledger; raises `UnacceptableError` for over-asking."""
        (encoded,) = request.claims["transaction_data"]
        data = json.loads(b64url_decode(encoded))
        if data["type"] != CONSENT:
            raise UnacceptableError("unknown transaction data")
        matter = self._matter(data["matter"])
        asked = matter["types"][0]
        allowed = set(asked["required"]) | set(asked["optional"])
        for query in request.claims["dcql_query"]["credentials"]:
            if not {claim["path"][0] for claim in query["claims"]} <= allowed:
                raise UnacceptableError("the request asks for more than the matter allows")
        if matter["agency"] != data["agency"]["number"]:
            raise UnacceptableError("the asker is not the matter's agency")
        return Terms(matter, data["agency"]["number"], asked["required"], asked["optional"], data["expires"])

    def _matter(self, named: Json) -> Json:
        """The matter's document: digest on the ledger, every issuer's approval present."""
        state = self._json("GET", f"{self.base_url}/ledger/matters/{named['number']}")
        seen = [self._receipt(text) for text in state["receipts"]]
        rows = [item.entry for item in seen]
        version = named["version"]
        registered = [row.values for row in rows if row.name == "matter" and row.values["version"] == version]
        approved = {
            row.values["type"] for row in rows if row.name == "matter-approve" and row.values["version"] == version
        }
        if not registered or not {item[0] for item in registered[0]["types"]} <= approved:
            raise UnacceptableError("the matter is not in force")
        digest: bytes = registered[0]["digest"]
        document: Json = self._json("GET", f"{self.base_url}/ledger/documents/{digest.hex()}")
        if hashlib.sha256(canonical_json(document)).digest() != digest or named["digest"] != digest.hex():
            raise UnacceptableError("the terms are not those on the ledger")
        return document

    def consent(
        self,
        url: str,
        pin: str,
        *,
        leave_out: tuple[str, ...] = (),
        beyond: tuple[str, ...] = (),
        uses: int = 1,
        seconds: int = 86400,
        acting_by: Held | None = None,
    ) -> GrantKept:
        """Agree with the PIN: the grant is recorded, nothing is sent yet. Use `send` for that.

        `acting_by` is the mandate under which it is done for somebody else. `beyond` is what an honest wallet never
        does: it agrees to fields that the matter does not list.
        """
        request = self.fetch_our_request(url)
        terms = self.terms(request)
        held = self._for(request)
        query, claim_sets = wanted(request, held)
        names = [*(name for name in claim_sets[0] if name not in leave_out), *beyond]
        if not set(terms.required) <= set(names):
            raise UnacceptableError("a required field cannot be left out")
        kept = GrantKept(
            secret=secrets.token_bytes(32),
            matter=terms.matter["number"],
            version=terms.matter["version"],
            masks=[self._mask(terms.matter["types"][0], names)],
            fields=names,
        )
        shown = held.shown(names)
        (encoded,) = request.claims["transaction_data"]
        binding = key_binding(
            self.key_of(held),
            shown,
            request,
            {
                "transaction_data_hashes": [b64url(hashlib.sha256(encoded.encode()).digest())],
                "transaction_data_hashes_alg": "sha-256",
                "consent": {
                    "handle": b64url(kept.handle),
                    "masks": kept.masks,
                    "not_after": int(time.time()) + seconds,
                    "uses": uses,
                    "recorder": "data",
                    **({"on_behalf_of": b64url(anchor(acting_by))} if acting_by else {}),
                },
            },
        )
        one_time_key = secrets.token_bytes(32)
        body: Json = {
            "issuer_jwt": held.issuer_jwt,
            "kb_jwt": binding,
            "request": request.jws,
            "one_time_key": b64url(one_time_key),
            "secret": b64url(kept.secret),
            "holder_salt": self.salt_of(held),
        }
        beside = self._beside(acting_by, request)
        if acting_by:
            body["mandate"] = {
                "issuer_jwt": acting_by.issuer_jwt,
                "kb_jwt": beside.rpartition("~")[2],
                "holder_salt": self.salt_of(acting_by),
            }
        bearer = {"Authorization": f"Bearer {self.unlock(pin)}"}
        answer = accepted(self.http.post(f"{self.home}/grants", json=body, headers=bearer)).json()
        self._expect_grant(answer["receipt"], kept)
        payload: Json = {"vp_token": {query: [shown + binding]}, "state": request.claims["state"]}
        if acting_by:
            payload["mandate"] = beside
        inner = encrypt_to(request.claims["client_metadata"]["jwks"]["keys"][0], json.dumps(payload).encode())
        outer = encrypt_under(one_time_key, inner.encode(), header={"kid": b64url(kept.handle), "iss": "data"})
        kept.response = {"response": outer, "state": request.claims["state"]}
        kept.response_uri = request.claims["response_uri"]
        self.grants.append(kept)
        return kept

    def _for(self, request: Request) -> Held:
        """The newest certificate that answers the request."""
        asked = {vct for query in request.claims["dcql_query"]["credentials"] for vct in query["meta"]["vct_values"]}
        for held in reversed(self.certificates):
            if held.claims["vct"] in asked:
                return held
        raise UnacceptableError("no certificate here answers the request")

    def _beside(self, mandate: Held | None, request: Request) -> str:
        """The whole mandate, bound to this request."""
        if mandate is None:
            return ""
        shown = mandate.shown(list(mandate.fields()))
        return shown + key_binding(self.key_of(mandate), shown, request)

    # Acting for others ---------------------------------------------------------------------

    def give_mandate(self, pin: str, *, agent: Json, matters: list[int], until: str, **changes: Any) -> Json:
        """Let `agent` ({name, number}) act for me: what this phone signs, and the offer to hand to them."""
        thumbprint = b64url(hashlib.sha256(canonical_json(self.key.jwk)).digest())
        claims = {"iss": thumbprint, "aud": self._home_did(), "iat": int(time.time()), "jti": random_text()}
        said = claims | {"agent": agent, "matters": matters, "until": until} | changes
        statement = self.key.jws({"typ": "govchain-mandate+jwt"}, said)
        return self._mine("POST", pin, "/mandates", {"statement": statement})

    def mandates(self, pin: str) -> list[Json]:
        """Those I gave, with every use of them."""
        answer: list[Json] = self._mine("GET", pin, "/mandates")["mandates"]
        return answer

    def withdraw_mandate(self, pin: str, mandate_id: str) -> Json:
        return self._mine("POST", pin, f"/mandates/{mandate_id}/withdraw", {})

    def _mine(self, method: str, pin: str, tail: str, body: Json | None = None) -> Json:
        bearer = {"Authorization": f"Bearer {self.unlock(pin)}"}
        url = f"{self.home}/wallets/{self.wallet_id}{tail}"
        answer: Json = accepted(self.http.request(method, url, json=body, headers=bearer)).json()
        return answer

    def _home_did(self) -> str:
        directory = self._json("GET", f"{self.base_url}/directory.json")
        return str(next(row["did"] for row in directory["agencies"] if row["slug"] == directory["home"]))

    def send(self, kept: GrantKept) -> Json:
        answer: Json = accepted(self.http.post(kept.response_uri, data=kept.response)).json()
        return answer

    def _mask(self, asked: Json, names: list[str]) -> int:
        """Bits by the type's field order (its document is pinned by the ledger too)."""
        state = self._json("GET", f"{self.base_url}/ledger/types/{asked['type']}")
        rows = [self._receipt(text).entry for text in state["receipts"]]
        digest = next(
            row.values["digest"] for row in rows if row.name == "type" and row.values["version"] == asked["version"]
        )
        document = self._json("GET", f"{self.base_url}/ledger/documents/{digest.hex()}")
        if hashlib.sha256(canonical_json(document)).digest() != digest:
            raise UnacceptableError("the type is not the one on the ledger")
        return sum(1 << bit for bit, row in enumerate(document["fields"]) if row["id"] in names)

    def _expect_grant(self, text: str, kept: GrantKept) -> None:
        row = self._receipt(text).entry
        if row.name != "grant" or row.values["handle"] != kept.handle or list(row.values["masks"]) != kept.masks:
            raise UnacceptableError("the home agency recorded something else")

    # History -------------------------------------------------------------------------------

    def history(self, kept: GrantKept) -> list[tuple[str, receipts.VerifiedReceipt]]:
        """Everything that happened under one grant: each receipt verified here, and that none is missing.

        Raises `LedgerError("history-incomplete")` when the node holds one back.
        """
        prefix = kept.handle.hex()[:4]
        answer = self._json("GET", f"{self.base_url}/ledger/handles/{prefix}")
        rows = []
        entries = []
        for text in answer["receipts"]:
            verified = self._receipt(text)
            row = verified.entry
            handle = row.values.get("handle")
            if row.name == "withdraw":
                handle = hashlib.sha256(row.values["secret"]).digest()
            if handle == kept.handle:
                rows.append((row.name, verified))
                entries.append(receipts.parse(text).entry)
        self._complete(kept.handle, entries, answer["states"])
        return rows

    def _complete(self, handle: bytes, entries: list[bytes], states: list[str]) -> None:
        """Every record about the handle is among `entries`, says the state under the checkpoint; and it notices."""
        key = state.grant_key(handle)
        (text,) = [text for text in states if state_proof.parse(text).key == key]
        proven = state_proof.verify(text, self.vkey)
        state_proof.verify_history(handle=handle, entries=entries, proven=proven)
        try:
            state_proof.verify_history(handle=handle, entries=entries[:-1], proven=proven)
        except LedgerError:
            return
        raise UnacceptableError("a record held back was not noticed")

    def withdraw(self, kept: GrantKept) -> receipts.VerifiedReceipt:
        answer = accepted(self.http.post(f"{self.base_url}/ledger/withdrawals", json={"secret": b64url(kept.secret)}))
        return self._receipt(answer.json()["receipt"])

    def _receipt(self, text: str) -> receipts.VerifiedReceipt:
        return receipts.verify(text, self.vkey)

    def _text(self, url: str) -> str:
        return accepted(self.http.get(url)).text
