"""did:key, did:jwk and did:web by their published vectors, and everything that is none of them.

Vectors: did:key from w3c-ccg/did-method-key test-vectors/ (ed25519-x25519.json, nist-curves.json, bls12381.json at
commits 801b0a9 and 1d34028); did:jwk from quartzjer/did-jwk spec.md, "Examples, P-256"; did:web from the method's §3.2.
"""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gov_chain.core.codec import b64url_decode
from identity.core import dids
from identity.core import jwk as jwks
from identity.core.dids import DidError, documents, jwk, key, multikey, web

ED25519 = {
    "did:key:z6MkiTBz1ymuepAQ4HEHYSF1H8quG5GLVVQR3djdX3mDooWp": "4zvwRjXUKGfvwnParsHAS3HuSVzV5cA4McphgmoCtajS",
    "did:key:z6MkjchhfUsD6mmvni8mCdXHw216Xrm9bQe2mBH1P5RDjVJG": "6ASf5EcmmEHTgDJ4X4ZT5vT6iHVJBXPg5AN5YoTCpGWt",
    "did:key:z6MknGc3ocHs3zdPiJbnaaqDi58NGb4pk1Sp9WxWufuXSdxf": "8pM1DN3RiT8vbom5u1sNryaNT1nyL8CTTW3b5PwWXRBH",
}
NIST = {
    "did:key:zDnaerx9CtbPJ1q36T5Ln5wYt3MQYeGRG5ehnPAmxcf5mDZpv": (
        "P-256",
        "igrFmi0whuihKnj9R3Om1SoMph72wUGeFaBbzG2vzns",
        "efsX5b10x8yjyrj4ny3pGfLcY7Xby1KzgqOdqnsrJIM",
    ),
    "did:key:zDnaerDaTF5BXEavCrfRZEk316dpbLsfPDZ3WJ5hRTPFU2169": (
        "P-256",
        "fyNYMN0976ci7xqiSdag3buk-ZCwgXU4kz9XNkBlNUI",
        "hW2ojTNfH7Jbi8--CJUo3OCbH3y5n91g-IMA9MLMbTU",
    ),
    "did:key:z82Lm1MpAkeJcix9K8TMiLd5NMAhnwkjjCBeWHXyu3U4oT2MVJJKXkcVBgjGhnLBn2Kaau9": (
        "P-384",
        "lInTxl8fjLKp_UCrxI0WDklahi-7-_6JbtiHjiRvMvhedhKVdHBfi2HCY8t_QJyc",
        "y6N1IC-2mXxHreETBW7K3mBcw0qGr3CWHCs-yl09yCQRLcyfGv7XhqAngHOu51Zv",
    ),
    "did:key:z82LkvCwHNreneWpsgPEbV3gu1C6NFJEBg4srfJ5gdxEsMGRJUz2sG9FE42shbn2xkZJh54": (
        "P-384",
        "CA-iNoHDg1lL8pvX3d1uvExzVfCz7Rn6tW781Ub8K5MrDf2IMPyL0RTDiaLHC1JT",
        "Kpnrn8DkXUD3ge4mFxi-DKr0DYO2KuJdwNBrhzLRtfMa3WFMZBiPKUPfJj8dYNl_",
    ),
}
BLS = {
    "did:key:"
    "zUC7K4ndUaGZgV7Cp2yJy6JtMoUHY6u7tkcSYUvPrEidqBmLCTLmi6d5WvwnUqejscAkERJ3bfjEiSYtdPkRSE8kSa11hFBr4sTgnbZ95SJj"
    "19PN2jdvJjyzpSZgxkyyxNnBNnY": (
        "25EEkQtcLKsEzQ6JTo9cg4W7NHpaurn4Wg6LaNPFq6JQXnrP91SDviUz7KrJVMJd76CtAZFsRLYzvgX2JGxo2"
        "ccUHtuHk7ELCWwrkBDfrXCFVfqJKDootee9iVaF6NpdJtBE"
    ),
    "did:key:"
    "zUC77uxiMKceQoxciSy1xgk3nvP8c8NZXDnaY1xsXZaU5UmsZdnwStUke8Ca8zAdPX3MQTHEMhDTCgfdGU7UrY4RRdVhqZp8FaAaoaXFEVp2"
    "ZAM7oj3P45BuTCfc3t9FEGBAEQY": (
        "t5QqHdxR4C6QJWJAnk3qVd2DMr4MVFEefdP43i7fLbR5A2qJkE5bqgEtyzpNsDViGEsMKHMdpo7fKbPMhGihb"
        "fxz3Dv2Hw36XvprLHBA5DDFSphmy91oHQFdahQMei2HjoE"
    ),
}
JWK_P256 = (
    "did:jwk:eyJjcnYiOiJQLTI1NiIsImt0eSI6IkVDIiwieCI6ImFjYklRaXVNczNpOF91c3pFakoydHBUdFJNNEVVM3l6OTFQSDZDZEgyVjAiLCJ5Ijoi"
    "X0tjeUxqOXZXTXB0bm1LdG00NkdxRHo4d2Y3NEk1TEtncmwyR3pIM25TRSJ9"
)
SIGNING = {"authentication", "assertionMethod", "capabilityInvocation", "capabilityDelegation"}


def relationships(document: dict) -> set[str]:
    return set(documents.RELATIONSHIPS) & document.keys()


@pytest.mark.parametrize("did", ED25519)
def test_ed25519_keys_are_those_of_the_vectors_both_ways(did: str) -> None:
    expected = multikey.key("Ed25519", multikey.unbase58(ED25519[did]))
    assert key.read(did) == expected
    assert key.of(expected) == did
    assert relationships(key.document(did)) == SIGNING


@pytest.mark.parametrize("did", NIST)
def test_nist_keys_are_those_of_the_vectors_both_ways(did: str) -> None:
    kind, x, y = NIST[did]
    compressed = bytes([2 + b64url_decode(y)[-1] % 2]) + b64url_decode(x)
    expected = multikey.key(kind, compressed)
    assert key.read(did) == expected
    assert key.of(expected) == did
    assert relationships(key.document(did)) == {*SIGNING, "keyAgreement"}


@pytest.mark.parametrize("did", BLS)
def test_bls12381_g2_keys_are_those_of_the_vectors_both_ways(did: str) -> None:
    expected = multikey.key("BLS12381G2", multikey.unbase58(BLS[did]))
    assert key.read(did) == expected
    assert key.of(expected) == did
    assert relationships(key.document(did)) == SIGNING


@pytest.mark.parametrize("did", [*ED25519, *NIST, *BLS])
def test_a_did_keys_document_gives_its_key_back(did: str) -> None:
    document = key.document(did)
    found = documents.keys(document, did, "assertionMethod")
    assert list(found) == [f"{did}#{did.removeprefix('did:key:')}"]
    assert list(found.values()) == [key.read(did)]


def test_did_jwk_is_that_of_the_specification_both_ways() -> None:
    found = jwk.read(JWK_P256)
    assert found.kind == "P-256"
    public = jwks.from_public_key(found.public_key)
    assert public["x"] == "acbIQiuMs3i8_uszEjJ2tpTtRM4EU3yz91PH6CdH2V0"
    assert jwk.of(public) == JWK_P256
    document = jwk.document(JWK_P256)
    assert document["assertionMethod"] == [f"{JWK_P256}#0"]
    assert relationships(document) == {*SIGNING, "keyAgreement"}


@pytest.mark.parametrize(
    ("did", "url"),
    [
        ("did:web:w3c-ccg.github.io", "https://w3c-ccg.github.io/.well-known/did.json"),
        ("did:web:w3c-ccg.github.io:user:alice", "https://w3c-ccg.github.io/user/alice/did.json"),
        ("did:web:example.com%3A3000:user:alice", "https://example.com:3000/user/alice/did.json"),
    ],
)
def test_did_web_is_where_the_method_says(did: str, url: str) -> None:
    assert web.place(did).url() == url


def test_our_own_dids_are_places_of_our_own_documents() -> None:
    did = web.of("http://localhost:8000", "agencies", "psb")
    assert did == "did:web:localhost%3A8000:agencies:psb"
    assert web.place(did).url(plain=True) == "http://localhost:8000/agencies/psb/did.json"


@pytest.mark.parametrize(
    "did",
    [
        "did:web:",
        "did:web:127.0.0.1",
        "did:web:10.0.0.8:user",
        "did:web:0x7f.1",
        "did:web:2130706433",
        "did:web:[::1]",
        "did:web:%5B::1%5D",
        "did:web:Example.com",
        "did:web:example.com.",
        "did:web:exa mple.com",
        "did:web:user@example.com",
        "did:web:example.com%40evil.example",
        "did:web:example.com%2Fa",
        "did:web:example.com%3A",
        "did:web:example.com%3A0",
        "did:web:example.com%3A99999",
        "did:web:example.com%3a80",
        "did:web:example.com:..:x",
        "did:web:example.com:.",
        "did:web:example.com:a/b",
        "did:web:example.com::b",
        "did:web:example.com:a%2Fb",
        "did:web:example.com#key",
        "did:web:example.com?x=1",
        "did:web:-example.com",
        "did:web:" + "a" * 64 + ".com",
        "did:web:" + "a." * 130 + "com",
    ],
)
def test_an_address_that_could_be_read_two_ways_is_none(did: str) -> None:
    with pytest.raises(DidError):
        web.place(did)


@pytest.mark.parametrize(
    "did",
    [
        "did:key:",
        "did:key:z",
        "did:key:m6MkiTBz1ymuepAQ4HEHYSF1H8quG5GLVVQR3djdX3mDooWp",
        "did:key:z6MkiTBz1ymuepAQ4HEHYSF1H8quG5GLVVQR3djdX3mDooW",
        "did:key:z6MkiTBz1ymuepAQ4HEHYSF1H8quG5GLVVQR3djdX3mDooWpp",
        "did:key:z6MkiTBz1ymuepAQ4HEHYSF1H8quG5GLVVQR3djdX3mDoo0p",
        "did:key:zQ3shokFTS3brHcDQrn82RUDfCZESWL1ZdCEJwekUDPQiYBme",
        "did:key:z" + "1" * 190,
        "did:key:z" + "z" * 900,
        "did:key:" + "z" + multikey.base58(b"\x80\x24\x02" + b"\xff" * 32),
        "did:key:" + "z" + multikey.base58(b"\xeb\x01" + multikey.G2_IDENTITY),
        "did:key:" + "z" + multikey.base58(b"\xeb\x01" + b"\x80" + bytes(94) + b"\x02"),
        "did:jwk:",
        "did:jwk:e30",
        "did:jwk:!!!",
        "did:jwk:bnVsbA",
        JWK_P256[:-4],
    ],
)
def test_what_is_no_key_is_refused(did: str) -> None:
    with pytest.raises(DidError):
        key.document(did) if did.startswith("did:key") else jwk.document(did)


@pytest.mark.parametrize("did", ["", "did", "did:key", "did:ion:x", "did:webs:x", "DID:key:z", "did:web:ü", "x" * 5000])
def test_other_methods_are_not_known(did: str) -> None:
    with pytest.raises(DidError):
        dids.method_of(did)


@given(st.binary(max_size=100))
def test_base58_both_ways(data: bytes) -> None:
    assert multikey.unbase58(multikey.base58(data)) == data


def test_base58_keeps_leading_zeros() -> None:
    assert multikey.base58(b"\0\0\x28\x7f\xb4\xcd") == "11233QC4"


@given(st.text(max_size=80))
def test_any_text_is_a_did_or_refused(text: str) -> None:
    for read in (key.document, jwk.document, web.place):
        with pytest.raises(DidError):
            read(text)


@pytest.mark.parametrize(
    "change",
    [
        {"id": "did:web:other.example"},
        {"verificationMethod": {}},
        {"verificationMethod": [{}] * 65},
        {"verificationMethod": [None]},
        {"assertionMethod": "x"},
        {"assertionMethod": ["did:web:other.example#1"]},
        {"assertionMethod": [{"id": "#1", "controller": "did:web:other.example"}]},
    ],
)
def test_a_document_of_another_did_or_of_nonsense_gives_no_key(change: dict) -> None:
    did = next(iter(ED25519))
    with pytest.raises(DidError, match=r".+"):
        documents.keys(key.document(did) | change, did, "assertionMethod")


def test_a_revoked_method_gives_no_key() -> None:
    did = next(iter(ED25519))
    document = key.document(did)
    document["verificationMethod"][0]["revoked"] = "2026-01-01T00:00:00Z"
    assert documents.keys(document, did, "assertionMethod") == {}
