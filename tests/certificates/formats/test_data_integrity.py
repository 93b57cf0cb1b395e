"""Data Integrity proofs: the working group's vectors, and what must not pass."""

import copy
import os

import pytest
from cryptography.hazmat.primitives.asymmetric import ed25519

from certificates.contexts import bundled
from certificates.formats import multikey
from certificates.formats.data_integrity import bbs_2023, ecdsa_sd, proofs, rdfc_suites
from certificates.formats.data_integrity.errors import DataIntegrityError
from certificates.formats.data_integrity.proofs import Expected, VerificationMethod
from certificates.formats.multikey import Multikey
from tests.certificates.formats.vectors import published

CONTEXTS = bundled()
NOW = 1_800_000_000
EXPECTED = Expected(now=NOW)
PLAIN = [*published("eddsa-rdfc-2022")["cases"], *published("ecdsa-rdfc-2019")["cases"]]
SETS = published("eddsa-rdfc-2022")["sets"]
SELECTIVE = [(name, case) for name in ("ecdsa-sd-2023", "bbs-2023") for case in published(name)["cases"]]


def resolve(url: str) -> VerificationMethod:
    did = url.partition("#")[0]
    return VerificationMethod(url, did, multikey.from_did_key(did), frozenset({"assertionMethod"}))


def verify(secured, expected=EXPECTED):
    return proofs.verify(secured, resolve=resolve, expected=expected, contexts=CONTEXTS)


def refused(secured, expected=EXPECTED) -> str:
    with pytest.raises(DataIntegrityError) as raised:
        verify(secured, expected)
    return raised.value.code


class Signer:
    def __init__(self) -> None:
        self._key = ed25519.Ed25519PrivateKey.generate()
        self.multikey = Multikey("Ed25519", self._key.public_key().public_bytes_raw())

    def sign(self, data: bytes) -> bytes:
        return self._key.sign(data)

    def add(self, document, **options):
        method = f"{self.multikey.did}#{self.multikey.text}"
        proof = {"cryptosuite": "eddsa-rdfc-2022", "proofPurpose": "assertionMethod", "verificationMethod": method}
        return proofs.add(document, {**proof, **options}, signer=self, contexts=CONTEXTS)


CREDENTIAL = {
    "@context": ["https://www.w3.org/ns/credentials/v2", "https://www.w3.org/ns/credentials/examples/v2"],
    "type": ["VerifiableCredential"],
    "issuer": "did:example:issuer",
    "credentialSubject": {"id": "did:example:holder", "district": "云州", "floor": 3},
}


@pytest.mark.parametrize("case", PLAIN, ids=lambda case: case["signed"]["proof"]["verificationMethod"][-8:])
def test_a_published_proof_holds(case) -> None:
    verify(case["signed"])


@pytest.mark.parametrize("case", PLAIN, ids=lambda case: case["signed"]["proof"]["verificationMethod"][-8:])
def test_what_is_signed_is_what_is_published(case) -> None:
    document, (proof,) = proofs.separate(case["signed"])
    key = resolve(proof["verificationMethod"]).key
    assert rdfc_suites.hash_data(document, proof, key, CONTEXTS).hex() == case["hashData"]


@pytest.mark.parametrize("secured", SETS, ids=lambda each: str(len(each["proof"])))
def test_published_sets_and_chains_hold(secured) -> None:
    assert len(verify(secured).methods) == len(secured["proof"])


@pytest.mark.parametrize("others", [[], ["https://w3id.org/citizenship/v4rc1"], [{"@vocab": "urn:v:"}, {"a": "urn:a"}]])
def test_a_proof_reads_the_same_under_the_small_context(others) -> None:
    proof = dict(PLAIN[0]["signed"]["proof"], domain="d", challenge="c", nonce="n", expires="2060-01-01T00:00:00Z")
    configuration = {name: value for name, value in proof.items() if name != "proofValue"}
    whole = {**configuration, "@context": ["https://www.w3.org/ns/credentials/v2", *others]}
    assert rdfc_suites.proof_hash(whole, "sha256", CONTEXTS) == rdfc_suites.digest(whole, "sha256", CONTEXTS)


def test_a_chain_without_its_beginning_is_refused() -> None:
    chain = copy.deepcopy(SETS[-1])
    del chain["proof"][0]
    assert refused(chain) == "proof-chain"


def test_a_signed_document_verifies_and_a_second_signature_joins_it() -> None:
    twice = Signer().add(Signer().add(CREDENTIAL))
    assert verify(twice).document == CREDENTIAL
    assert len(twice["proof"]) == 2


@pytest.mark.parametrize(
    "change",
    [
        {"issuer": "did:example:another"},
        {"credentialSubject": {"id": "did:example:holder", "district": "云州", "floor": 4}},
        {"validFrom": "2020-01-01T00:00:00Z"},
    ],
)
def test_a_changed_document_is_refused(change) -> None:
    assert refused({**Signer().add(CREDENTIAL), **change}) == "proof-signature"


@pytest.mark.parametrize("name", ["created", "domain", "challenge", "expires", "nonce"])
def test_a_proof_claim_added_later_is_refused(name) -> None:
    signed = Signer().add(CREDENTIAL)
    signed["proof"][name] = "2020-01-01T00:00:00Z" if name == "created" else "2060-01-01T00:00:00Z"
    assert refused(signed) == "proof-signature"


def test_a_term_no_context_defines_is_never_signed() -> None:
    document = {**CREDENTIAL, "@context": CREDENTIAL["@context"][:1]}
    with pytest.raises(DataIntegrityError, match="document-unreadable"):
        Signer().add(document)


@pytest.mark.parametrize(
    "context",
    [
        {"@vocab": None},
        {"@base": "https://elsewhere.example/"},
        {"@import": "https://www.w3.org/ns/credentials/v2"},
        {"Thing": {"@id": "urn:x", "@context": {"@vocab": None}}},
        "https://elsewhere.example/context",
        {"VerifiableCredential": "https://elsewhere.example/Other"},
        {"type": "https://elsewhere.example/kind"},
    ],
)
def test_a_context_that_would_change_what_is_signed_is_refused(context) -> None:
    signed = Signer().add(CREDENTIAL)
    signed["@context"] = [*signed["@context"], context]
    assert refused(signed) == "document-unreadable"


def test_a_relative_identifier_is_refused() -> None:
    with pytest.raises(DataIntegrityError, match="document-unreadable"):
        Signer().add({**CREDENTIAL, "id": "relative"})


def test_the_purpose_has_to_be_the_expected_one() -> None:
    signed = Signer().add(CREDENTIAL)
    assert refused(signed, Expected(now=NOW, purpose="authentication")) == "proof-purpose"


def test_a_key_may_be_used_for_its_purposes_only() -> None:
    signed = Signer().add(CREDENTIAL, proofPurpose="authentication")
    assert refused(signed, Expected(now=NOW, purpose="authentication")) == "proof-purpose"


def test_the_key_has_to_be_the_controllers() -> None:
    signed = Signer().add(CREDENTIAL)
    assert refused(signed, Expected(now=NOW, controllers={"did:example:issuer"})) == "proof-controller"


def test_domain_and_challenge_are_held_against_what_was_asked() -> None:
    signed = Signer().add(CREDENTIAL, domain="a.example", challenge="1")
    verify(signed, Expected(now=NOW, domain="a.example", challenge="1"))
    assert refused(signed, Expected(now=NOW, domain="b.example")) == "proof-domain"
    assert refused(signed, Expected(now=NOW, challenge="2")) == "proof-challenge"


def test_an_expired_or_future_proof_is_refused() -> None:
    assert refused(Signer().add(CREDENTIAL, expires="2020-01-01T00:00:00Z")) == "proof-expired"
    assert refused(Signer().add(CREDENTIAL, created="2060-01-01T00:00:00Z")) == "proof-early"


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"type": "Ed25519Signature2020"}, "cryptosuite-unknown"),
        ({"cryptosuite": "none"}, "cryptosuite-unknown"),
        ({"cryptosuite": "ecdsa-rdfc-2019"}, "key-kind"),
        ({"cryptosuite": ["eddsa-rdfc-2022"]}, "cryptosuite-unknown"),
        ({"proofValue": None}, "proof-malformed"),
        ({"proofValue": "u" + "A" * 86}, "proof-malformed"),
        ({"proofValue": "z0OIl"}, "proof-malformed"),
        ({"proofValue": "z1"}, "proof-signature"),
        ({"verificationMethod": None}, "proof-malformed"),
        ({"created": "yesterday"}, "proof-malformed"),
        ({"id": "no url"}, "proof-malformed"),
    ],
)
def test_a_malformed_proof_has_its_own_code(change, code) -> None:
    signed = Signer().add(CREDENTIAL)
    signed["proof"].update(change)
    assert refused(signed) == code


@pytest.mark.parametrize("proof", [None, [], "proof", [[]], [{}] * 17])
def test_no_proof_or_too_many_are_refused(proof) -> None:
    assert refused({**CREDENTIAL, "proof": proof}) in {"proof-missing", "proof-malformed"}


# Selective disclosure

SUITES = {"ecdsa-sd-2023": ecdsa_sd, "bbs-2023": bbs_2023}


def derive(name, base, pointers):
    document, (proof,) = proofs.separate(base)
    more = {"presentation_header": b"ph", "random": os.urandom} if name == "bbs-2023" else {}
    reveal, value = SUITES[name].derive(document, proof, pointers, CONTEXTS, **more)
    return {**reveal, "proof": {**proof, "proofValue": value}}


selective = pytest.mark.parametrize(("name", "case"), SELECTIVE, ids=lambda each: each if isinstance(each, str) else "")


@selective
def test_a_published_derived_proof_holds(name, case) -> None:
    verify(case["derived"])


@selective
def test_deriving_gives_the_published_document(name, case) -> None:
    derived = derive(name, case["base"], case["selectivePointers"])
    assert proofs.separate(derived)[0] == proofs.separate(case["derived"])[0]
    verify(derived)


def test_ecdsa_sd_derives_the_published_value() -> None:
    for case in published("ecdsa-sd-2023")["cases"]:
        assert derive("ecdsa-sd-2023", case["base"], case["selectivePointers"]) == case["derived"]


@selective
def test_a_base_proof_is_not_presented(name, case) -> None:
    assert refused(case["base"]) == "proof-underived"


@selective
def test_a_derived_proof_is_not_derived_from(name, case) -> None:
    with pytest.raises(DataIntegrityError, match="proof-not-base"):
        derive(name, case["derived"], case["selectivePointers"])


@selective
def test_a_pointer_to_nothing_is_refused(name, case) -> None:
    with pytest.raises(DataIntegrityError, match="pointer-invalid"):
        derive(name, case["base"], ["/credentialSubject/nothing"])


@selective
def test_a_field_changed_added_or_taken_from_a_derived_document_is_noticed(name, case) -> None:
    subject = case["derived"]["credentialSubject"]
    for field in subject:
        changed = copy.deepcopy(case["derived"])
        del changed["credentialSubject"][field]
        if changed["credentialSubject"] or field not in {"id", "type"}:
            assert refused(changed) in {"proof-signature", "proof-malformed", "document-unreadable"}
    changed = {**copy.deepcopy(case["derived"]), "validFrom": "2001-01-01T00:00:00Z"}
    assert refused(changed) in {"proof-signature", "proof-malformed"}


@selective
def test_signed_quads_cannot_be_swapped_in_from_another_selection(name, case) -> None:
    other = derive(name, case["base"], [])
    other["proof"]["proofValue"] = case["derived"]["proof"]["proofValue"]
    assert refused(other) in {"proof-signature", "proof-malformed"}


def test_two_bbs_presentations_share_no_proof_bytes() -> None:
    case = published("bbs-2023")["cases"][0]
    values = [
        derive("bbs-2023", case["base"], case["selectivePointers"])["proof"]["proofValue"][40:400] for _ in range(2)
    ]
    chunks = [{value[at : at + 24] for at in range(0, 360, 24)} for value in values]
    assert not chunks[0] & chunks[1]
