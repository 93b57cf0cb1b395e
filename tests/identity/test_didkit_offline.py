"""didkit sees nothing that would make it ask the network; and what it knows offline is what we know."""

import asyncio
import json

import didkit
import pytest

from identity import didkit_offline
from identity.core.dids import documents, key
from identity.core.dids import jwk as did_jwk
from identity.errors import IdentityError
from tests.identity.test_dids import ED25519, JWK_P256, NIST

VC = {
    "@context": ["https://www.w3.org/2018/credentials/v1"],
    "type": ["VerifiableCredential"],
    "issuanceDate": "2026-01-01T00:00:00Z",
    "credentialSubject": {"id": "did:key:z6MkiTBz1ymuepAQ4HEHYSF1H8quG5GLVVQR3djdX3mDooWp"},
}


@pytest.fixture(scope="module")
def issued() -> dict[str, str]:
    """A VC 1.1 credential by didkit's own key, in both forms."""

    async def issue() -> dict[str, str]:
        secret = didkit.generate_ed25519_key()
        issuer = didkit.key_to_did("key", secret)
        method = await didkit.key_to_verification_method("key", secret)
        credential = json.dumps(VC | {"issuer": issuer})
        made = {}
        for form in ("ldp", "jwt"):
            options = {"proofPurpose": "assertionMethod", "verificationMethod": method, "proofFormat": form}
            made[form] = await didkit.issue_credential(credential, json.dumps(options), secret)
        return made

    return asyncio.run(issue())


@pytest.mark.parametrize("form", ["ldp", "jwt"])
def test_a_credential_of_another_maker_verifies_and_an_altered_one_does_not(issued: dict[str, str], form: str) -> None:
    good = issued[form]
    assert didkit_offline.verify_credential(good) == []
    at = good.rindex("did:key") if form == "ldp" else len(good) // 2
    altered = good.replace("2026-01-01", "2026-01-02") if form == "ldp" else good[:-20] + "A" * 20
    assert didkit_offline.verify_credential(altered) != []
    assert at


def changed(issued: dict[str, str], **members: object) -> str:
    return json.dumps(json.loads(issued["ldp"]) | members)


@pytest.mark.parametrize(
    "members",
    [
        {"issuer": "did:web:169.254.169.254"},
        {"issuer": {"id": "did:web:evil.example"}},
        {"issuer": "DID:web:evil.example"},
        {"credentialSubject": {"id": "did:ion:x"}},
        {"credentialSubject": {"note": " did:web:evil.example"}},
        {"credentialSubject": {"did:web:evil.example": 1}},
        {"credentialStatus": {"id": "https://evil.example/1", "type": "RevocationList2020Status"}},
        {"credentialSubject": {"credentialStatus": {}}},
        {"credentialSchema": {"id": "https://evil.example/s", "type": "JsonSchemaValidator2018"}},
        {"@context": ["https://www.w3.org/2018/credentials/v1", "https://evil.example/c"]},
        {"@context": ["https://www.w3.org/2018/credentials/v1", {"x": "https://evil.example/c"}]},
        {"proof": {"type": "Ed25519Signature2018", "verificationMethod": "did:web:evil.example#1"}},
    ],
)
def test_what_would_ask_the_network_never_reaches_didkit(issued: dict[str, str], members: dict[str, object]) -> None:
    with pytest.raises(IdentityError, match="credential-online"):
        didkit_offline.verify_credential(changed(issued, **members))


@pytest.mark.parametrize("text", ["", "{", "a.b.c", "x" * 70_000, '{"a": 1, "a": 2}', "\ud800"])
def test_nonsense_is_malformed(text: str) -> None:
    with pytest.raises(IdentityError, match="credential-malformed"):
        didkit_offline.verify_credential(text)


@pytest.mark.parametrize("did", [*ED25519, *[did for did, (kind, *_) in NIST.items() if kind == "P-256"]])
def test_our_did_key_documents_hold_the_key_didkit_finds(did: str) -> None:
    (method,) = didkit_offline.document(did)["verificationMethod"]
    (ours,) = key.document(did)["verificationMethod"]
    assert {name: method["publicKeyJwk"][name] for name in ("kty", "crv", "x")} == {
        name: ours["publicKeyJwk"][name] for name in ("kty", "crv", "x")
    }
    assert method["id"] == ours["id"]


def test_our_did_jwk_document_holds_the_key_didkit_finds() -> None:
    theirs = didkit_offline.document(JWK_P256)
    (found,) = documents.keys(did_jwk.document(JWK_P256), JWK_P256, "assertionMethod").values()
    assert theirs["verificationMethod"][0]["publicKeyJwk"]["x"] == "acbIQiuMs3i8_uszEjJ2tpTtRM4EU3yz91PH6CdH2V0"
    assert found == did_jwk.read(JWK_P256)


def test_didkit_is_never_asked_for_a_did_web() -> None:
    with pytest.raises(IdentityError, match="credential-online"):
        didkit_offline.document("did:web:localhost%3A1")
