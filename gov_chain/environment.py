"""Everything the platform takes from the environment: read once, typed, checked.

A wrong or unsafe combination raises `UnsafeSettings` with one line that says what to set.
"""

from __future__ import annotations

import base64
import binascii
import re
import stat
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from urllib.parse import SplitResult, urlsplit

from gov_chain import single_sign_on

LOOPBACK = ("localhost", "127.0.0.1", "::1")

ORIGIN = re.compile(r"[^\s+]{1,100}")
"""A key name of a signed note (C2SP signed-note): no white space, no plus sign."""


class UnsafeSettings(SystemExit):
    """Stops the process at start with one line."""


@dataclass(frozen=True, slots=True, kw_only=True)
class VaultAccess:
    """Where a node's Vault (or OpenBao) is, and how the node logs in (AppRole)."""

    url: str
    ca: str = ""
    """File of the CA its certificate is under; empty: the machine's."""
    role_id: str
    secret_id_file: Path
    """Read at each log-in, so that a new one counts without a restart."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Environment:
    name: str
    """`development`, `test` or `production`."""
    data: Path
    """Where keys, ledger and database files live."""
    base_url: str
    """How browsers and other agencies reach this node; no trailing slash."""
    secret_key: str
    database_url: str
    """`sqlite` (a file under `data`) or `postgresql://…`."""
    redis_url: str
    """Empty: in-process channel layer, one web process only."""
    workers: int
    keys: str
    """Store for the keys this node makes: `local` or `vault`."""
    ledger_origin: str
    """The ledger's name in its checkpoints."""
    vault: VaultAccess | None = None
    """With `keys` = vault."""
    ledger: str = "embedded"
    """Who orders the transactions: `embedded`, or `comet:<RPC of this node's own CometBFT>`."""
    witnesses: tuple[tuple[str, str], ...] = ()
    """(verifier key, url) of each witness that is asked to cosign checkpoints."""
    wallet_providers: tuple[str, ...] = ()
    """did:key of each wallet provider whose key attestations are believed; none by default."""
    second_factor: bool = False
    """Whether an officer gets in only with a second factor; always in production."""
    sso: tuple[single_sign_on.Provider, ...] = ()
    """Agencies' identity providers."""
    agency: int = 0
    """Whose node this is, in a consortium: it signs checkpoints as `<origin>/<number>`. 0: as the ledger itself."""
    metrics_token: str = ""
    """What a monitor shows to read /metrics."""
    hosted: tuple[str, ...] = ()
    """Agencies (slugs) whose keys and data this node holds; empty: every one there is."""
    did_loopback: bool = False
    """Whether a did:web on this machine (`localhost`) is resolved, over plain http: for development."""
    peers: tuple[tuple[str, str], ...] = ()
    """(slug, base url) of each agency on another node."""

    @property
    def production(self) -> bool:
        return self.name == "production"

    def hosts(self, slug: str) -> bool:
        """Whether an agency is on this node."""
        return not self.hosted or slug in self.hosted


DEVELOPMENT_SECRET = "development-only-secret-key-refused-in-production"


def read(environ: Mapping[str, str]) -> Environment:
    """The checked environment; raises `UnsafeSettings`."""

    def get(name: str, default: str = "") -> str:
        return environ.get(f"GOVCHAIN_{name}", default).strip()

    try:
        workers = int(get("WORKERS", "1"))
    except ValueError:
        raise UnsafeSettings("GOVCHAIN_WORKERS must be a whole number") from None
    env = Environment(
        name=get("ENV", "development"),
        data=Path(get("DATA", "var")).absolute(),
        base_url=get("BASE_URL", "http://localhost:8000").rstrip("/"),
        secret_key=get("SECRET_KEY", DEVELOPMENT_SECRET),
        database_url=get("DATABASE_URL", "sqlite"),
        redis_url=get("REDIS_URL"),
        workers=workers,
        keys=get("KEYS", "local"),
        vault=_vault(get) if get("KEYS") == "vault" else None,
        ledger_origin=get("LEDGER_ORIGIN", "ledger.yunzhou.example"),
        ledger=get("LEDGER", "embedded"),
        witnesses=tuple(_witnesses(get("WITNESSES"))),
        wallet_providers=tuple(_wallet_providers(get("WALLET_PROVIDERS"))),
        second_factor=get("SECOND_FACTOR", "required" if get("ENV") == "production" else "optional") == "required",
        sso=_sso(get("SSO")),
        agency=int(number) if (number := get("AGENCY", "0")).isdecimal() else -1,
        metrics_token=get("METRICS_TOKEN"),
        hosted=tuple(filter(None, re.split(r"[\s,]+", get("HOSTED")))),
        peers=tuple(_peers(get("PEERS"))),
        did_loopback=get("DID_LOOPBACK") == "1",
    )
    _check(env)
    return env


def _check(env: Environment) -> None:
    url = _url(env.base_url)
    rules = [
        (env.name in ("development", "test", "production"), "GOVCHAIN_ENV must be development, test or production"),
        (env.workers >= 1, "GOVCHAIN_WORKERS must be at least 1"),
        (env.workers == 1 or env.redis_url, "GOVCHAIN_WORKERS above 1 needs GOVCHAIN_REDIS_URL"),
        (
            url is not None,
            "GOVCHAIN_BASE_URL must be http(s)://host[:port] without a path",
        ),
        (
            url is not None and (url.scheme == "https" or url.hostname in LOOPBACK),
            "GOVCHAIN_BASE_URL must be https:// except on loopback: browsers give keys and camera to https only",
        ),
        (env.keys in ("local", "vault"), "GOVCHAIN_KEYS must be local or vault"),
        (
            env.database_url == "sqlite" or env.database_url.startswith("postgresql://"),
            "GOVCHAIN_DATABASE_URL must be sqlite or postgresql://user@host/name",
        ),
        (
            not env.production or not env.did_loopback,
            "GOVCHAIN_ENV=production refuses GOVCHAIN_DID_LOOPBACK: it asks services of this very machine",
        ),
        (
            not env.production or env.keys != "local",
            "GOVCHAIN_ENV=production refuses local: keys; set GOVCHAIN_KEYS=vault",
        ),
        (
            not env.production or (env.secret_key != DEVELOPMENT_SECRET and len(env.secret_key) >= 50),
            "GOVCHAIN_ENV=production needs GOVCHAIN_SECRET_KEY (50 or more random characters)",
        ),
        (
            not env.production or (url is not None and url.scheme == "https"),
            "GOVCHAIN_ENV=production needs an https:// GOVCHAIN_BASE_URL",
        ),
        (
            not env.production or env.second_factor,
            "GOVCHAIN_ENV=production needs GOVCHAIN_SECOND_FACTOR=required (its default)",
        ),
        (
            env.ledger == "embedded" or _COMET.fullmatch(env.ledger) is not None,
            "GOVCHAIN_LEDGER must be embedded, or comet:http://127.0.0.1:PORT (this node's own CometBFT)",
        ),
        (
            ORIGIN.fullmatch(env.ledger_origin) is not None,
            "GOVCHAIN_LEDGER_ORIGIN must be a name without spaces and plus signs, such as ledger.example",
        ),
        (
            not env.metrics_token or len(env.metrics_token) >= 20,
            "GOVCHAIN_METRICS_TOKEN must be 20 or more random characters",
        ),
        (
            0 <= env.agency < 2**16,
            "GOVCHAIN_AGENCY must be the number of the agency whose node this is",
        ),
        (
            all(_SLUG.fullmatch(slug) for slug in env.hosted),
            "GOVCHAIN_HOSTED must be agencies' short names, separated by commas, such as psb,data",
        ),
        (
            env.hosted or not env.peers,
            "GOVCHAIN_PEERS needs GOVCHAIN_HOSTED: which agencies are on this node, when others are elsewhere",
        ),
        (
            not {slug for slug, _ in env.peers} & set(env.hosted),
            "GOVCHAIN_PEERS names an agency that GOVCHAIN_HOSTED says is on this node",
        ),
    ]
    for holds, line in rules:
        if not holds:
            raise UnsafeSettings(line)


def _url(text: str) -> SplitResult | None:
    """`text` taken apart if it is scheme, host and perhaps port, and nothing else."""
    try:
        url = urlsplit(text)
        port = url.port
    except ValueError:
        return None
    host = f"[{url.hostname}]" if url.hostname and ":" in url.hostname else url.hostname
    plain = f"{url.scheme}://{host}" + (f":{port}" if port is not None else "")
    return url if url.scheme in ("http", "https") and host and plain == text.lower() else None


def _vault(get: Callable[..., str]) -> VaultAccess:
    access = VaultAccess(
        url=get("VAULT_URL").rstrip("/"),
        ca=get("VAULT_CA"),
        role_id=get("VAULT_ROLE_ID"),
        secret_id_file=Path(get("VAULT_SECRET_ID_FILE")),
    )
    url = _url(access.url)
    if url is None or url.scheme != "https":
        raise UnsafeSettings("GOVCHAIN_KEYS=vault needs GOVCHAIN_VAULT_URL, https://host[:port]; also on loopback")
    if access.ca and not Path(access.ca).is_file():
        raise UnsafeSettings(f"GOVCHAIN_VAULT_CA names no file: {access.ca}")
    if not access.role_id:
        raise UnsafeSettings("GOVCHAIN_KEYS=vault needs GOVCHAIN_VAULT_ROLE_ID: the node's AppRole")
    try:
        mode = access.secret_id_file.stat().st_mode
    except OSError:
        mode = 0
    if not stat.S_ISREG(mode):
        raise UnsafeSettings("GOVCHAIN_KEYS=vault needs GOVCHAIN_VAULT_SECRET_ID_FILE: the file with the secret id")
    if mode & 0o077:
        raise UnsafeSettings(
            "GOVCHAIN_VAULT_SECRET_ID_FILE is readable by others: chmod 600, and replace the secret id"
        )
    return access


_SLUG = re.compile(r"[a-z0-9][a-z0-9-]{0,31}")
_COMET = re.compile(r"comet:http://(127\.0\.0\.1|localhost|\[::1\]):[1-9][0-9]{0,4}")
MAX_WITNESSES = 16
_WITNESS = re.compile(r"([^\s+]{1,200})\+([0-9a-f]{8})\+([A-Za-z0-9+/]{44}) (\S+)")


def _witnesses(text: str) -> Iterator[tuple[str, str]]:
    """`<vkey> <url>` for each."""
    rows = _rows("GOVCHAIN_WITNESSES", text)
    if len(rows) > MAX_WITNESSES:
        raise UnsafeSettings(f"GOVCHAIN_WITNESSES may name at most {MAX_WITNESSES} witnesses")
    seen = set()
    for row in rows:
        found = _WITNESS.fullmatch(row)
        if found is None or not _key_id_holds(found[1], found[2], found[3]):
            raise UnsafeSettings(f"GOVCHAIN_WITNESSES must hold `<verifier key> <url>` for each witness, not: {row}")
        try:
            url = urlsplit(found[4])
            url.port  # noqa: B018 - reading it checks it
        except ValueError:
            raise UnsafeSettings(f"GOVCHAIN_WITNESSES holds a malformed url: {found[4]}") from None
        if url.scheme != "https" and not (url.scheme == "http" and url.hostname in LOOPBACK):
            raise UnsafeSettings(f"GOVCHAIN_WITNESSES must be asked by https:// except on loopback, not: {found[4]}")
        if found[1] in seen:
            raise UnsafeSettings(f"GOVCHAIN_WITNESSES names {found[1]} twice")
        seen.add(found[1])
        yield row.partition(" ")[0], found[4]


def _peers(text: str) -> Iterator[tuple[str, str]]:
    """`<slug> <base url>` for each."""
    seen = set()
    for row in _rows("GOVCHAIN_PEERS", text):
        slug, _, base = row.partition(" ")
        url = _url(base.rstrip("/"))
        if not _SLUG.fullmatch(slug) or url is None or slug in seen:
            raise UnsafeSettings(f"GOVCHAIN_PEERS must hold `<agency> <base url>` once for each agency, not: {row}")
        if url.scheme != "https" and url.hostname not in LOOPBACK:
            raise UnsafeSettings(f"GOVCHAIN_PEERS must be reached by https:// except on loopback, not: {base}")
        seen.add(slug)
        yield slug, base.rstrip("/")


def _sso(file: str) -> tuple[single_sign_on.Provider, ...]:
    try:
        return single_sign_on.read(Path(file)) if file else ()
    except ValueError as error:
        raise UnsafeSettings(f"GOVCHAIN_SSO {error}") from None


def _wallet_providers(text: str) -> Iterator[str]:
    """did:key of Ed25519 (z6Mk…) or P-256 (zDn…) keys; what the multibase holds is checked where it is used."""
    for row in _rows("GOVCHAIN_WALLET_PROVIDERS", text):
        if not re.fullmatch(r"did:key:z(6Mk|Dn)[1-9A-HJ-NP-Za-km-z]{40,60}", row):
            raise UnsafeSettings(f"GOVCHAIN_WALLET_PROVIDERS must hold did:key of Ed25519 or P-256 keys, not: {row}")
        yield row


def _rows(name: str, text: str) -> list[str]:
    """Rows separated by commas; or `@FILE` with one a line, # for comments."""
    if text.startswith("@"):
        try:
            lines = [line.partition("#")[0] for line in Path(text[1:]).read_text().splitlines()]
        except (OSError, UnicodeDecodeError):
            raise UnsafeSettings(f"{name} names a file that cannot be read: {text[1:]}") from None
    else:
        lines = text.split(",")
    return [" ".join(line.split()) for line in lines if line.strip()]


def _key_id_holds(name: str, key_id: str, encoded: str) -> bool:
    """Whether a verifier key (C2SP signed-note) is of an Ed25519 cosigner (0x04, or 0x01) and names its key rightly."""
    try:
        key = base64.b64decode(encoded, validate=True)
    except binascii.Error:
        return False
    return key[:1] in (b"\x01", b"\x04") and sha256(name.encode() + b"\n" + key).hexdigest()[:8] == key_id
