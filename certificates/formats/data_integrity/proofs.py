"""Add and verify Data Integrity proofs (Verifiable Credential Data Integrity 1.0, §4), whatever the cryptosuite.

What `verify` checks of each proof, in this order:

1. it is a DataIntegrityProof of a known cryptosuite, whose fields are of their kinds
2. its `proofPurpose` is the expected one, `created` is not in the future, `expires` has not passed
3. `domain` and `challenge` are the expected ones, where any are expected
4. `verificationMethod` resolves to a key of a kind the suite uses, meant for that purpose
5. the key's controller is the one expected: the issuer, or the holder
6. every proof that `previousProof` names is there
7. the value is a signature over the document, the proof, and for a chain the previous proofs

A document holds if it has a proof and every proof of it holds.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

from certificates.formats.data_integrity import bbs_2023, ecdsa_sd, rdfc_suites
from certificates.formats.data_integrity.errors import DataIntegrityError
from certificates.formats.jsonld import Contexts
from certificates.formats.multikey import Multikey
from identity.core.dids.multikey import base58

MAX_PROOFS = 16
LEEWAY = 60
"""Seconds the signer's clock may be ahead."""
_TYPE = "DataIntegrityProof"
_DATETIME = re.compile(r"-?\d{4,}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)?", re.ASCII)


@dataclass(frozen=True, slots=True)
class VerificationMethod:
    """A key as its controller's document gives it."""

    id: str
    controller: str
    key: Multikey
    purposes: frozenset[str]


Resolve = Callable[[str], VerificationMethod]
"""From a verification method's URL; raises `DataIntegrityError("verification-method-unknown")`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Expected:
    """What the verifier asked for."""

    now: int
    """Unix seconds."""
    purpose: str = "assertionMethod"
    controllers: Collection[str] | None = None
    """Whose key it has to be; None leaves that to the caller."""
    domain: str | None = None
    challenge: str | None = None


@dataclass(frozen=True, slots=True)
class Verified:
    document: Mapping[str, Any]
    """Without its proofs."""
    methods: tuple[VerificationMethod, ...] = field(default=())


class ProofSigner(Protocol):
    """A private key for one of the plain suites; `sign` answers Ed25519, or ECDSA as r‖s."""

    @property
    def multikey(self) -> Multikey: ...

    def sign(self, data: bytes) -> bytes: ...


def add(
    document: Mapping[str, Any], options: Mapping[str, Any], *, signer: ProofSigner, contexts: Contexts
) -> dict[str, Any]:
    """`document` with one more proof, by eddsa-rdfc-2022 or ecdsa-rdfc-2019. Raises `DataIntegrityError`.

    `options` are the proof without its value: cryptosuite, verificationMethod, proofPurpose, created …
    """
    proof = {"type": _TYPE, **options}
    suite = _suite(proof)
    key = signer.multikey
    if suite not in rdfc_suites.KINDS or key.kind not in rdfc_suites.KINDS[suite]:
        raise DataIntegrityError("key-kind", log=f"{suite} with {key.kind}")
    bare, present = separate(document, required=False)
    previous = _previous(proof, present)
    data = rdfc_suites.hash_data(_with(bare, previous), proof, key, contexts)
    proof["proofValue"] = _multibase(signer.sign(data))
    return _with(bare, [*present, proof])


def verify(secured: Mapping[str, Any], *, resolve: Resolve, expected: Expected, contexts: Contexts) -> Verified:
    """The document, if every proof holds; raises `DataIntegrityError` for the first that does not."""
    document, proofs = separate(secured)
    methods = []
    for proof in proofs:
        suite = _suite(proof)
        _check_claims(proof, expected)
        method = resolve(proof["verificationMethod"])
        check, kinds = _VERIFIERS[suite]
        _check_method(method, suite, kinds, expected)
        if not check(_with(document, _previous(proof, proofs)), proof, method.key, contexts):
            raise DataIntegrityError("proof-signature")
        methods.append(method)
    return Verified(document, tuple(methods))


def separate(secured: Mapping[str, Any], *, required: bool = True) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    """The bare document and its proofs; raises `DataIntegrityError` proof-missing or -malformed."""
    document = {name: value for name, value in secured.items() if name != "proof"}
    found = secured.get("proof", [])
    proofs = found if isinstance(found, list) else [found]
    if not proofs and required:
        raise DataIntegrityError("proof-missing")
    if len(proofs) > MAX_PROOFS or any(not isinstance(proof, dict) for proof in proofs):
        raise DataIntegrityError("proof-malformed", log="proof")
    return document, proofs


def _suite(proof: Mapping[str, Any]) -> str:
    if proof.get("type") != _TYPE:
        raise DataIntegrityError("cryptosuite-unknown", log=f"type {str(proof.get('type'))[:60]}")
    suite = proof.get("cryptosuite")
    if not isinstance(suite, str) or suite not in _VERIFIERS:
        raise DataIntegrityError("cryptosuite-unknown", log=str(suite)[:60])
    method = proof.get("verificationMethod")
    if not isinstance(method, str) or ":" not in method or len(method) > 2048:
        raise DataIntegrityError("proof-malformed", log="verificationMethod")
    if "id" in proof and not (isinstance(proof["id"], str) and ":" in proof["id"]):
        raise DataIntegrityError("proof-malformed", log="id is not a URL")
    return suite


def _check_claims(proof: Mapping[str, Any], expected: Expected) -> None:
    if proof.get("proofPurpose") != expected.purpose:
        raise DataIntegrityError("proof-purpose", log=str(proof.get("proofPurpose"))[:60])
    if "created" in proof and seconds(proof["created"]) > expected.now + LEEWAY:
        raise DataIntegrityError("proof-early")
    if "expires" in proof and seconds(proof["expires"]) <= expected.now:
        raise DataIntegrityError("proof-expired")
    domains = proof.get("domain")
    offered = domains if isinstance(domains, list) else [domains]
    if expected.domain is not None and expected.domain not in offered:
        raise DataIntegrityError("proof-domain")
    if expected.challenge is not None and proof.get("challenge") != expected.challenge:
        raise DataIntegrityError("proof-challenge")


def _check_method(method: VerificationMethod, suite: str, kinds: Collection[str], expected: Expected) -> None:
    if method.key.kind not in kinds:
        raise DataIntegrityError("key-kind", log=f"{suite} with {method.key.kind}")
    if expected.purpose not in method.purposes:
        raise DataIntegrityError("proof-purpose", log=f"the key is not for {expected.purpose}")
    if expected.controllers is not None and method.controller not in expected.controllers:
        raise DataIntegrityError("proof-controller", log=method.controller)


def seconds(value: Any) -> float:
    """A dateTimeStamp of XSD as Unix seconds, UTC where it names no zone; raises `DataIntegrityError`."""
    if not isinstance(value, str) or not _DATETIME.fullmatch(value):
        raise DataIntegrityError("proof-malformed", log="not a dateTimeStamp")
    try:
        moment = dt.datetime.fromisoformat(value)
    except ValueError as error:
        raise DataIntegrityError("proof-malformed", log=str(error)) from error
    return (moment if moment.tzinfo else moment.replace(tzinfo=dt.UTC)).timestamp()


def _previous(proof: Mapping[str, Any], proofs: list[dict[str, Any]]) -> list[dict[str, Any]]:
    named = proof.get("previousProof", [])
    wanted = named if isinstance(named, list) else [named]
    found = [each for each in proofs if each is not proof and "id" in each and each["id"] in wanted]
    if any(not isinstance(name, str) for name in wanted) or len(found) != len(set(wanted)):
        raise DataIntegrityError("proof-chain")
    return found


def _with(document: Mapping[str, Any], proofs: list[dict[str, Any]]) -> dict[str, Any]:
    if not proofs:
        return dict(document)
    return {**document, "proof": proofs if len(proofs) > 1 else proofs[0]}


def _multibase(data: bytes) -> str:
    return "z" + base58(data)


_Check = Callable[[Mapping[str, Any], Mapping[str, Any], Multikey, Contexts], bool]
_VERIFIERS: Mapping[str, tuple[_Check, tuple[str, ...]]] = {
    **{name: (rdfc_suites.verify, kinds) for name, kinds in rdfc_suites.KINDS.items()},
    ecdsa_sd.NAME: (ecdsa_sd.verify, ecdsa_sd.KINDS),
    bbs_2023.NAME: (bbs_2023.verify, bbs_2023.KINDS),
}
