"""VC-API as the conformance suites use it."""

import copy
import json
import subprocess
import sys

import httpx
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from certificates.conformance.app import respond
from certificates.conformance.tenant import SUITES, EdKey, Tenant
from certificates.contexts import bundled
from certificates.formats.data_integrity import proofs, rdfc_suites

TENANT = Tenant("http://127.0.0.1:1/vc-api")
SELECTIVE = ("ecdsa-sd-2023", "bbs-2023")
CREDENTIAL = {
    "@context": ["https://www.w3.org/ns/credentials/v2", "https://www.w3.org/ns/credentials/examples/v2"],
    "type": ["VerifiableCredential"],
    "issuer": "https://issuer.example/1",
    "validFrom": "2020-01-01T00:00:00Z",
    "credentialSubject": {"id": "did:example:holder", "name": "云州", "degree": {"type": "Degree", "field": "法学"}},
}


def post(path, **body):
    return respond(TENANT, "POST", path, json.dumps(body).encode())


def issue(suite, credential=CREDENTIAL, **options):
    return post(f"/{suite}/credentials/issue", credential=credential, options=options)


def issued(suite, credential=CREDENTIAL, **options):
    status, answer = issue(suite, credential, **options)
    assert status == 201, answer
    return answer["verifiableCredential"]


def verified(credential):
    """What a suite asks: derived first where the suite is a selective one."""
    if credential["proof"]["cryptosuite"] in SELECTIVE:
        status, credential = post(
            "/credentials/derive",
            verifiableCredential=credential,
            options={"selectivePointers": ["/credentialSubject", "/validFrom"]},
        )
        assert status == 201, credential
    return post("/credentials/verify", verifiableCredential=credential)


every_suite = pytest.mark.parametrize("suite", SUITES)


def test_the_config_names_an_issuer_for_every_suite() -> None:
    status, answer = respond(TENANT, "GET", "/config", b"")
    assert (status, set(answer)) == (200, set(SUITES))
    assert all(did.startswith("did:key:z") for did in answer.values())


@every_suite
def test_what_is_issued_verifies(suite) -> None:
    options = {"mandatoryPointers": ["/issuer"]} if suite in SELECTIVE else {}
    assert verified(issued(suite, **options)) == (200, {"verified": True})


@every_suite
def test_the_issuer_is_overwritten_and_its_other_fields_are_kept(suite) -> None:
    issuer = {"id": "https://issuer.example/1", "name": "Example"}
    found = issued(suite, {**CREDENTIAL, "issuer": issuer})
    assert found["issuer"] == {"id": TENANT.config()[suite], "name": "Example"}


@every_suite
@pytest.mark.parametrize("issuer", [None, "no url", 7, [], {}, {"id": None}, {"id": "no url"}])
def test_an_issuer_that_is_no_url_is_refused(suite, issuer) -> None:
    assert issue(suite, {**CREDENTIAL, "issuer": issuer})[0] == 400


BROKEN = {
    "no context": {"@context": None},
    "another first context": {"@context": ["https://www.w3.org/ns/did/v1"]},
    "an unknown context": {"@context": [*CREDENTIAL["@context"], "https://unknown.example/c"]},
    "no type": {"type": []},
    "type without VerifiableCredential": {"type": ["Other"]},
    "an id that is no URL": {"id": "no url"},
    "ids": {"id": ["urn:a:1", "urn:a:2"]},
    "no subject": {"credentialSubject": None},
    "an empty subject": {"credentialSubject": {}},
    "subjects, one empty": {"credentialSubject": [{"name": "a"}, {}]},
    "validFrom that is no date": {"validFrom": "soon"},
    "validUntil before validFrom": {"validUntil": "2019-01-01T00:00:00Z"},
    "a status without type": {"credentialStatus": {"id": "urn:a:1"}},
    "a status whose id is no URL": {"credentialStatus": {"id": "x", "type": "T"}},
    "a schema without id": {"credentialSchema": {"type": "JsonSchema"}},
    "evidence without type": {"evidence": {"id": "urn:a:1"}},
    "terms of use without type": {"termsOfUse": {}},
    "a name that is an object": {"name": {"text": "a"}},
    "related resource without digest": {"relatedResource": {"id": "https://a.example/"}},
    "related resource twice": {
        "relatedResource": [{"id": "https://a.example/", "digestSRI": "sha256-a"}] * 2,
    },
}


@pytest.mark.parametrize("change", BROKEN.values(), ids=BROKEN.keys())
def test_what_is_no_credential_is_not_issued(change) -> None:
    credential = {name: value for name, value in {**CREDENTIAL, **change}.items() if value is not None}
    assert issue("eddsa-rdfc-2022", credential)[0] == 400


@every_suite
@pytest.mark.parametrize("change", BROKEN.values(), ids=BROKEN.keys())
def test_what_is_no_credential_does_not_verify(suite, change) -> None:
    assert post("/credentials/verify", verifiableCredential={**issued(suite), **change})[0] == 400


@every_suite
def test_a_changed_credential_does_not_verify(suite) -> None:
    signed = issued(suite)
    signed["credentialSubject"]["name"] = "another"
    status, answer = post("/credentials/verify", verifiableCredential=signed)
    assert (status, answer["verified"]) == (400, False)


@pytest.mark.parametrize("suite", SELECTIVE)
def test_a_base_proof_is_refused(suite) -> None:
    status, answer = post("/credentials/verify", verifiableCredential=issued(suite))
    assert (status, answer["code"]) == (400, "proof-underived")


@pytest.mark.parametrize("suite", SELECTIVE)
def test_a_derived_credential_shows_the_mandatory_and_the_selected(suite) -> None:
    base = issued(suite, mandatoryPointers=["/issuer", "/validFrom"])
    status, shown = post(
        "/credentials/derive",
        verifiableCredential=base,
        options={"selectivePointers": ["/credentialSubject/degree/field"]},
    )
    assert status == 201
    assert shown["credentialSubject"] == {
        "id": "did:example:holder",
        "degree": {"type": "Degree", "field": "法学"},
    }
    assert {"issuer", "validFrom"} <= shown.keys()
    assert post("/credentials/verify", verifiableCredential=shown)[0] == 200


@pytest.mark.parametrize("change", [{"type": "X"}, {"cryptosuite": "X"}, {"proofPurpose": "X"}, {"proofValue": "zX"}])
def test_a_proof_of_another_kind_does_not_verify(change) -> None:
    signed = issued("eddsa-rdfc-2022")
    signed["proof"].update(change)
    assert post("/credentials/verify", verifiableCredential=signed)[0] == 400


def test_an_expired_credential_does_not_verify() -> None:
    signed = issued("eddsa-rdfc-2022", {**CREDENTIAL, "validUntil": "2021-01-01T00:00:00Z"})
    assert post("/credentials/verify", verifiableCredential=signed)[0] == 400


def test_another_issuer_than_the_keys_owner_does_not_verify() -> None:
    stranger = EdKey()
    proof = {
        "cryptosuite": "eddsa-rdfc-2022",
        "proofPurpose": "assertionMethod",
        "verificationMethod": f"{stranger.multikey.did}#{stranger.multikey.text}",
    }
    signed = proofs.add(CREDENTIAL, proof, signer=stranger, contexts=bundled())
    assert post("/credentials/verify", verifiableCredential=signed)[1]["code"] == "proof-controller"


def presentation(holder, credentials, **options):
    document = {
        "@context": ["https://www.w3.org/ns/credentials/v2"],
        "type": ["VerifiablePresentation"],
        "holder": holder.multikey.did,
        "verifiableCredential": credentials,
    }
    proof = {
        "cryptosuite": "eddsa-rdfc-2022",
        "proofPurpose": "authentication",
        "verificationMethod": f"{holder.multikey.did}#{holder.multikey.text}",
        **options,
    }
    return proofs.add(document, proof, signer=holder, contexts=bundled())


def test_a_presentation_verifies_for_its_challenge_and_domain_only() -> None:
    shown = presentation(EdKey(), [issued("eddsa-rdfc-2022")], challenge="c", domain="d")
    asked = {"challenge": "c", "domain": "d"}
    assert post("/presentations/verify", verifiablePresentation=shown, options=asked)[0] == 200
    for other in ({"challenge": "x"}, {"domain": "x"}):
        assert post("/presentations/verify", verifiablePresentation=shown, options={**asked, **other})[0] == 400


def test_a_presentation_with_a_changed_credential_does_not_verify() -> None:
    credential = copy.deepcopy(issued("eddsa-rdfc-2022"))
    credential["credentialSubject"]["name"] = "another"
    shown = presentation(EdKey(), [credential])
    assert post("/presentations/verify", verifiablePresentation=shown)[0] == 400


def test_a_status_entry_points_at_an_https_list_that_verifies() -> None:
    entry = issued("bitstring")["credentialStatus"]
    assert entry["type"] == "BitstringStatusListEntry"
    assert entry["statusListCredential"].startswith("https://")
    status, found = respond(TENANT, "GET", "/status-lists/1", b"")
    assert status == 200
    assert post("/credentials/verify", verifiableCredential=found)[0] == 200


@pytest.mark.parametrize(
    "body", [b"", b"[]", b"{", b'"x"', b'{"credential":1}', b'{"options":[]}', b"\xff", b"[" * 9999]
)
@pytest.mark.parametrize(
    "path",
    ["/eddsa-rdfc-2022/credentials/issue", "/credentials/verify", "/credentials/derive", "/presentations/verify"],
)
def test_a_malformed_body_is_refused(path, body) -> None:
    assert respond(TENANT, "POST", path, body)[0] == 400


@pytest.mark.parametrize("path", ["", "/", "/nothing", "/none/credentials/issue", "/config/more"])
def test_another_address_is_not_found(path) -> None:
    assert respond(TENANT, "GET", path, b"")[0] == 404
    assert respond(TENANT, "POST", path, b"{}")[0] == 404


JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-9, 9) | st.text(max_size=6) | st.sampled_from(["did:key:z6Mk", "u2V0A"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=6), inner, max_size=3),
    max_leaves=6,
)
SIGNED = {suite: issued(suite) for suite in SUITES}


@settings(suppress_health_check=[HealthCheck.too_slow], max_examples=500, deadline=None)
@given(st.sampled_from(list(SUITES)), st.data())
def test_whatever_is_put_into_a_credential_is_refused_and_never_an_error(suite, data) -> None:
    signed = copy.deepcopy(SIGNED[suite])
    place = data.draw(st.sampled_from([signed, signed["proof"], signed["credentialSubject"]]))
    name = data.draw(st.sampled_from([*place, "@context", "extra"]))
    before = copy.deepcopy(signed)
    place[name] = data.draw(JSON)
    status, _ = post("/credentials/verify", verifiableCredential=signed)
    assert status == 400 or meaning(signed) == meaning(before)
    assert post("/credentials/derive", verifiableCredential=signed)[0] in (201, 400)


def meaning(signed):
    """What was signed: a value and an array of it alone are the same to JSON-LD."""
    document, _ = proofs.separate(signed)
    return rdfc_suites.canonical(document, bundled()).text


def test_the_command_serves_it() -> None:
    command = [sys.executable, "-m", "gov_chain.cli", "conformance", "serve"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        try:
            address = process.stdout.readline().strip()
            assert set(httpx.get(address, trust_env=False).json()) == set(SUITES)
            issue_at = address.replace("/config", "/eddsa-rdfc-2022/credentials/issue")
            assert httpx.post(issue_at, json={"credential": CREDENTIAL}, trust_env=False).status_code == 201
        finally:
            process.terminate()
