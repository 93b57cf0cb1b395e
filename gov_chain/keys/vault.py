"""`vault:` keys: the Transit engine of HashiCorp Vault, or of OpenBao (same API). Only this module knows hvac.

    vault:psb/issue        key `issue` in the Transit mount `govchain/psb`, version 1
    vault:psb/issue-2      the same key, version 2: what `keys.numbered` calls an agency's keys is a version here

Rules:

1. Keys are made non-exportable and without plaintext backup, and the node's policy allows nothing else
   (`deploy/vault/keys.hcl`): Vault signs, and no private key ever leaves it.
2. A signer is one version for ever, so a rotation in the middle of a batch changes nothing for it; the version stands
   in `key_id`. Older versions keep verifying and stay published, because Transit keeps them.
3. Ed25519 signs the bytes; P-256 signs their SHA-256 and answers raw r‖s (`marshaling_algorithm` = jws, RFC 7518 §3.4).
   Sealing is AES-256-GCM with the context as associated data; what is sealed names its version (`vault:v1:…`).
4. Many at once go as `batch_input`, in pieces of at most `BATCH` items and `BATCH_BYTES`.
5. Log-in is AppRole. A token is renewed before it ends; when Vault no longer knows it, the node logs in anew, once.
   What is refused after that is refused: `key-store-login`, `key-store-denied`.
6. While Vault is away (unreachable, slow), every call fails at once, and one thread looks whether it is back: nobody
   else waits for it. The same holds the other way: the first call after that works.
7. No error, log line or representation holds a token, a secret id, or what was signed or sealed.

API: https://developer.hashicorp.com/vault/api-docs/secret/transit and …/auth/approle.
"""

from __future__ import annotations

import base64
import binascii
import functools
import logging
import re
import threading
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import hvac.adapters
import requests
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat, load_pem_public_key
from django.conf import settings
from hvac import exceptions
from requests.adapters import HTTPAdapter

from gov_chain.core.codec import b64url, b64url_decode, sha256
from gov_chain.environment import VaultAccess
from gov_chain.keys import Algorithm, KeyStoreError

log = logging.getLogger(__name__)

MOUNTS = "govchain"
BATCH = 500
BATCH_BYTES = 4 * 2**20
"""Of base64; Vault takes requests up to 32 MiB."""
CONNECT_SECONDS, ANSWER_SECONDS = 2.0, 5.0
LOOK_SECONDS = 0.5
"""Between looks at a Vault that is away."""
RETRY_AFTER = 5
"""Seconds a person is told to wait."""
CONNECTIONS = 16

TYPES: dict[str, Algorithm] = {"ed25519": "EdDSA", "ecdsa-p256": "ES256", "aes256-gcm96": "A256GCM"}
_TYPE_OF = {algorithm: name for name, algorithm in TYPES.items()}

_NUMBERED = re.compile(r"(?P<group>[a-z0-9-]+)/(?P<key>[a-z0-9-]+?)(-(?P<number>[1-9][0-9]{0,4}))?")


@dataclass(frozen=True, slots=True)
class Place:
    """A key version by its name within the store."""

    mount: str
    key: str
    version: int

    def path(self, verb: str) -> str:
        return f"/v1/{self.mount}/{verb}/{self.key}"


def place(name: str) -> Place:
    """Where `psb/issue-2` is; raises `KeyStoreError("key-store-unknown")` for a name of another form."""
    found = _NUMBERED.fullmatch(name)
    if found is None:
        raise KeyStoreError("key-store-unknown", log=name)
    return Place(f"{MOUNTS}/{found['group']}", found["key"], int(found["number"] or 1))


class VaultSigner:
    """One version of a signing key."""

    def __init__(self, vault: Vault, at: Place, algorithm: Algorithm, public_key: bytes) -> None:
        self._vault, self._at = vault, at
        self.algorithm = algorithm
        self.public_key = public_key
        self.key_id = f"v{at.version}.{b64url(sha256(public_key)[:12])}"

    def sign(self, data: bytes) -> bytes:
        answer = self._vault.call("POST", self._at.path("sign"), {"input": _b64(data), **self._options})
        return self._signature(answer)

    def sign_many(self, items: Sequence[bytes]) -> list[bytes]:
        signatures: list[bytes] = []
        for batch in _batches([{"input": _b64(item)} for item in items]):
            answer = self._vault.call("POST", self._at.path("sign"), {"batch_input": batch, **self._options})
            signatures += [self._signature(each) for each in _results(answer, len(batch))]
        return signatures

    @property
    def _options(self) -> dict[str, Any]:
        options: dict[str, Any] = {"key_version": self._at.version}
        if self.algorithm == "ES256":
            options |= {"hash_algorithm": "sha2-256", "marshaling_algorithm": "jws"}
        return options

    def _signature(self, answer: dict[str, Any]) -> bytes:
        """The 64 bytes in `vault:v<version>:<encoded>`; of the version that was asked, and no other."""
        prefix, _, encoded = str(answer.get("signature", "")).rpartition(":")
        try:
            signature = (
                b64url_decode(encoded) if self.algorithm == "ES256" else base64.b64decode(encoded, validate=True)
            )
        except ValueError:
            signature = b""
        if prefix != f"vault:v{self._at.version}" or len(signature) != 64:
            raise KeyStoreError("key-store-failed", log=f"no signature by version {self._at.version}", **_LATER)
        return signature


class VaultSealer:
    """Seals under the newest version of a key, opens under any."""

    def __init__(self, vault: Vault, at: Place) -> None:
        self._vault, self._at = vault, at

    def seal(self, plaintext: bytes, context: bytes) -> bytes:
        return self.seal_many([(plaintext, context)])[0]

    def open(self, sealed: bytes, context: bytes) -> bytes:
        return self.open_many([(sealed, context)])[0]

    def seal_many(self, items: Sequence[tuple[bytes, bytes]]) -> list[bytes]:
        asked = [{"plaintext": _b64(plaintext), "associated_data": _b64(context)} for plaintext, context in items]
        return [str(answer["ciphertext"]).encode("ascii") for answer in self._many("encrypt", asked)]

    def open_many(self, items: Sequence[tuple[bytes, bytes]]) -> list[bytes]:
        asked = []
        for sealed, context in items:
            if not _SEALED.fullmatch(sealed):
                raise KeyStoreError("seal-broken")
            asked.append({"ciphertext": sealed.decode("ascii"), "associated_data": _b64(context)})
        return [base64.b64decode(answer["plaintext"]) for answer in self._many("decrypt", asked)]

    def _many(self, verb: str, asked: list[dict[str, str]]) -> Iterator[dict[str, Any]]:
        for batch in _batches(asked):
            yield from _results(self._vault.call("POST", self._at.path(verb), {"batch_input": batch}), len(batch))


_SEALED = re.compile(rb"vault:v[1-9][0-9]*:[A-Za-z0-9+/]+=*")


@dataclass(frozen=True, slots=True)
class _LogIn:
    token: str = ""
    renew_at: float = 0.0
    """On the monotonic clock: two thirds of its life."""
    full: float = 0.0
    """Seconds a fresh token lives; a renewal that gives much less comes up against its longest life."""

    def __repr__(self) -> str:
        return "<log-in>"


@dataclass(frozen=True, slots=True)
class Condition:
    """What Vault says of itself and of this node's log-in."""

    version: str
    seconds_left: int
    policies: tuple[str, ...]


class Vault:
    """A node's Vault: one session, one log-in, and the keys it was asked for. Thread-safe."""

    def __init__(self, access: VaultAccess) -> None:
        self._access = access
        session = requests.Session()
        session.verify = access.ca or True
        session.trust_env = False  # No proxy, and no CA, that only an environment variable knows of.
        session.mount("https://", HTTPAdapter(pool_connections=1, pool_maxsize=CONNECTIONS))
        self._http = hvac.adapters.JSONAdapter(
            base_uri=access.url, session=session, timeout=(CONNECT_SECONDS, ANSWER_SECONDS)
        )
        self._log_in = _LogIn()
        self._lock = threading.Lock()
        self._away: KeyStoreError | None = None
        self._looking: threading.Thread | None = None
        self._signers: dict[str, VaultSigner] = {}
        self._sealers: dict[str, VaultSealer] = {}

    def signer(self, name: str) -> VaultSigner:
        """Asked once; what a version's public half is never changes."""
        if name not in self._signers:
            at = place(name)
            algorithm, versions = self._key(at)
            if at.version not in versions or algorithm == "A256GCM":
                raise KeyStoreError("key-missing", log=name, **_LATER)
            self._signers[name] = VaultSigner(self, at, algorithm, _public_key(algorithm, versions[at.version]))
        return self._signers[name]

    def sealer(self, name: str) -> VaultSealer:
        if name not in self._sealers:
            at = place(name)
            if self._key(at)[0] != "A256GCM":
                raise KeyStoreError("key-missing", log=name, **_LATER)
            self._sealers[name] = VaultSealer(self, at)
        return self._sealers[name]

    def create(self, name: str, algorithm: Algorithm) -> None:
        """The key, and as many versions as the name's number says. Of two that race both find it; a version too many
        stays unused until its number comes."""
        at = place(name)
        try:
            found, versions = self._key(at)
        except KeyStoreError as error:
            if error.code != "key-missing":
                raise
            self.call("POST", at.path("keys"), {"type": _TYPE_OF[algorithm]})
            found, versions = self._key(at)
        if found != algorithm:
            raise KeyStoreError("key-missing", log=f"{name} is a key for {found}", **_LATER)
        for _ in range(at.version - max(versions)):
            self.call("POST", f"{at.path('keys')}/rotate", {})

    def condition(self) -> Condition:
        """Raises `KeyStoreError` for what keeps this node from signing."""
        said = self.call("GET", "/v1/auth/token/lookup-self")
        health = self._ask("GET", "/v1/sys/health", None, "")
        return Condition(str(health.get("version", "")), int(said.get("ttl", 0)), tuple(said.get("policies", ())))

    def _key(self, at: Place) -> tuple[Algorithm, dict[int, dict[str, str]]]:
        """Its algorithm, and what Transit tells of each version."""
        answer = self.call("GET", at.path("keys"))
        algorithm = TYPES.get(str(answer.get("type")))
        if algorithm is None:
            raise KeyStoreError("key-missing", log=f"{at.key}: type {answer.get('type')}", **_LATER)
        return algorithm, {int(number): told for number, told in answer["keys"].items()}

    def call(self, method: str, path: str, body: dict[str, Any] | None = None) -> dict[str, Any]:
        """What Vault answers under `data`. Raises `KeyStoreError`."""
        log_in = self._logged_in()
        try:
            return self._ask(method, path, body, log_in.token)
        except KeyStoreError as error:
            if error.code != "key-store-denied" or self._known(log_in):
                raise
        return self._ask(method, path, body, self._logged_in(instead_of=log_in).token)

    # Log-in.

    def _logged_in(self, instead_of: _LogIn | None = None) -> _LogIn:
        self._refuse_while_away()
        with self._lock:
            self._refuse_while_away()  # Whoever held the lock may have found out.
            held = self._log_in
            if held.token and held is not instead_of:
                if time.monotonic() < held.renew_at:
                    return held
                if (renewed := self._renewed(held)) is not None:
                    self._log_in = renewed
                    return renewed
            self._log_in = self._fresh()
            return self._log_in

    def _renewed(self, held: _LogIn) -> _LogIn | None:
        """None when a fresh log-in is due: Vault has forgotten the token, or it nears its longest life."""
        try:
            answer = self._ask("POST", "/v1/auth/token/renew-self", {}, held.token)
        except KeyStoreError as error:
            if error.code != "key-store-denied":
                raise
            return None
        seconds = float(answer["lease_duration"])
        return None if seconds < held.full / 2 else _LogIn(held.token, time.monotonic() + seconds * 2 / 3, held.full)

    def _fresh(self) -> _LogIn:
        try:
            secret_id = self._access.secret_id_file.read_text().strip()
        except (OSError, UnicodeDecodeError):
            raise KeyStoreError("key-store-login", log="the secret id's file cannot be read", **_LATER) from None
        try:
            body = {"role_id": self._access.role_id, "secret_id": secret_id}
            answer = self._ask("POST", "/v1/auth/approle/login", body, "")
        except KeyStoreError as error:
            if error.code in ("key-store-denied", "key-store-failed", "key-missing"):
                raise KeyStoreError("key-store-login", log="AppRole log-in refused", **_LATER) from None
            raise
        seconds = float(answer["lease_duration"])
        return _LogIn(str(answer["client_token"]), time.monotonic() + seconds * 2 / 3, seconds)

    def _known(self, log_in: _LogIn) -> bool:
        """Whether Vault still knows the token: then what it refused, it refuses this node."""
        try:
            self._ask("GET", "/v1/auth/token/lookup-self", None, log_in.token)
        except KeyStoreError as error:
            if error.code != "key-store-denied":
                raise
            return False
        return True

    # One request.

    def _ask(self, method: str, path: str, body: dict[str, Any] | None, token: str) -> dict[str, Any]:
        try:
            answer = self._send(method, path, body, token)
        except requests.Timeout:
            raise self._gone("key-store-slow", path) from None
        except requests.RequestException as error:
            raise self._gone("key-store-unreachable", f"{type(error).__name__} at {path}") from None
        except exceptions.VaultError as error:
            # Not chained: what hvac's error holds came from outside and is nobody's to print.
            raise _refusal(error, path) from None
        if not isinstance(answer, dict):
            return {}  # 204: done, nothing to tell.
        told = answer.get("data") or answer.get("auth") or answer
        if not isinstance(told, dict):
            raise KeyStoreError("key-store-failed", log=path, **_LATER)
        return told

    def _send(self, method: str, path: str, body: dict[str, Any] | None, token: str) -> Any:
        headers = {"X-Vault-Token": token} if token else {}
        try:
            return self._http.request(method, path, json=body, headers=headers)
        except requests.ConnectTimeout:
            raise
        except requests.ConnectionError:
            # A kept connection may have ended with a Vault that was restarted since: once more, on a new one.
            return self._http.request(method, path, json=body, headers=headers)

    # Away and back.

    def _refuse_while_away(self) -> None:
        if (away := self._away) is not None:
            raise KeyStoreError(away.code, log=away.log, **_LATER)

    def _gone(self, code: str, what: str) -> KeyStoreError:
        """Note that Vault is away, and have one thread look for it."""
        error = KeyStoreError(code, log=what, **_LATER)
        with _looking:
            if self._away is None:
                log.error("key store: %s", error)
                self._away = error
                self._looking = threading.Thread(target=self._look, name="key-store-look", daemon=True)
                self._looking.start()
        return error

    def _look(self) -> None:
        pause = threading.Event()  # Never set: Vault tells nobody when it is back.
        while not self._answers():
            pause.wait(LOOK_SECONDS)
        log.warning("key store: answers again")
        self._away = None

    def _answers(self) -> bool:
        try:
            self._http.request("GET", "/v1/sys/health", raise_exception=False)
        except requests.RequestException:
            return False
        return True  # Sealed or not: whoever calls next is told.


_looking = threading.Lock()
_LATER: dict[str, int] = {"retry_after": RETRY_AFTER}


def signer(name: str) -> VaultSigner:
    return vault().signer(name)


def sealer(name: str) -> VaultSealer:
    return vault().sealer(name)


def create(name: str, algorithm: Algorithm) -> None:
    vault().create(name, algorithm)


def vault() -> Vault:
    """The one the settings name; raises `KeyStoreError("key-store-unknown")` if they name none."""
    access = settings.GOVCHAIN.vault
    if access is None:
        raise KeyStoreError("key-store-unknown", log="GOVCHAIN_KEYS is not vault")
    with _opening:
        return _vault(access)


_opening = threading.Lock()


@functools.lru_cache(maxsize=4)
def _vault(access: VaultAccess) -> Vault:
    return Vault(access)


def _refusal(error: exceptions.VaultError, path: str) -> KeyStoreError:
    """Vault's status and words as a code of ours. The words are Vault's own, and stay out of the answer."""
    said = f"{error.errors or ''} {error.json or ''}".lower()  # A batch tells it item by item, in the body.
    match error:
        case exceptions.VaultDown() if "sealed" in said:
            code = "key-store-sealed"
        case exceptions.VaultNotInitialized():
            code = "key-store-sealed"
        case exceptions.VaultDown() | exceptions.BadGateway():
            code = "key-store-unreachable"
        case exceptions.RateLimitExceeded():
            code = "key-store-slow"
        case exceptions.Forbidden() | exceptions.Unauthorized():
            code = "key-store-denied"
        case exceptions.InvalidPath():
            code = "key-missing"
        case exceptions.InvalidRequest() | exceptions.InternalServerError():
            code = _of_words(said)
        case _:
            code = "key-store-failed"
    return KeyStoreError(code, log=f"{type(error).__name__} at {path}", **_LATER)


def _of_words(said: str) -> str:
    """What a refused item or request is about: Transit tells it in words alone."""
    if "key not found" in said or "no existing key" in said:
        return "key-missing"
    if "version" in said:  # Retired, or newer than a Vault that was restored from a backup knows.
        return "key-version-refused"
    if "authentication failed" in said or "ciphertext" in said or "decrypt" in said:
        return "seal-broken"
    return "key-store-failed"


def _results(answer: dict[str, Any], wanted: int) -> list[dict[str, Any]]:
    """A batch's items, all of them good; raises for the first that is not."""
    results = answer.get("batch_results")
    if not isinstance(results, list) or len(results) != wanted:
        raise KeyStoreError("key-store-failed", log=f"not {wanted} results", **_LATER)
    for each in results:
        if error := each.get("error"):
            raise KeyStoreError(_of_words(str(error).lower()), log="an item of a batch was refused", **_LATER)
    return results


def _batches(items: list[dict[str, str]]) -> Iterator[list[dict[str, str]]]:
    batch: list[dict[str, str]] = []
    size = 0
    for item in items:
        length = sum(map(len, item.values()))
        if batch and (len(batch) == BATCH or size + length > BATCH_BYTES):
            yield batch
            batch, size = [], 0
        batch.append(item)
        size += length
    if batch:
        yield batch


def _public_key(algorithm: Algorithm, told: dict[str, str]) -> bytes:
    try:
        if algorithm == "EdDSA":
            return base64.b64decode(told["public_key"], validate=True)
        key = load_pem_public_key(told["public_key"].encode("ascii"))
        assert isinstance(key, ec.EllipticCurvePublicKey)
        return key.public_bytes(Encoding.X962, PublicFormat.CompressedPoint)
    except (KeyError, ValueError, binascii.Error):
        raise KeyStoreError("key-store-failed", log="no public key in the answer", **_LATER) from None


def _b64(data: bytes) -> str:
    return base64.b64encode(data).decode("ascii")
