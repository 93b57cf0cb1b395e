"""OpenID4VCI 1.0 as wallets meet it: the flow, and each refusal with nothing written."""

from __future__ import annotations

import json
import threading
from typing import Any

import pytest
import time_machine
from django import db
from django.test import Client

from certificates.actions.redeem_code import redeem_code
from certificates.core.anchors import commitment_of
from certificates.core.errors import CertificateError
from certificates.formats import sd_jwt
from certificates.models import Certificate, Offer, RegisterRow
from gov_chain.ledger import node
from identity import agencies, personal
from identity.models import UsedToken
from tests.certificates.conftest import BASE, ISSUER, Desk, Phone

WELL_KNOWN = "/.well-known"


def refused(answer: Any, status: int, error: str) -> None:
    assert answer.status_code == status, answer.content
    assert answer.json()["error"] == error
    assert answer["Content-Type"].startswith("application/json")
    assert "no-store" in answer["Cache-Control"]


# The flow


def test_a_wallet_claims_by_the_metadata_it_reads(desk: Desk, phone: Phone) -> None:
    made = desk.offer()
    offer = desk.client.get(f"{BASE}/offers/{made.offer.pk}").json()
    assert offer["credential_issuer"] == ISSUER
    assert offer["grants"]["urn:ietf:params:oauth:grant-type:pre-authorized_code"]["tx_code"]["length"] == 6
    about = desk.client.get(f"{WELL_KNOWN}/openid-credential-issuer/agencies/psb").json()
    assert about["credential_issuer"] == ISSUER
    assert about["credential_configurations_supported"]["resident-id"]["format"] == "dc+sd-jwt"
    server = desk.client.get(f"{WELL_KNOWN}/oauth-authorization-server/agencies/psb").json()
    assert server["issuer"] == ISSUER
    assert server["token_endpoint"] == ISSUER + "/oid4vci/token"
    keys = desk.client.get(f"{WELL_KNOWN}/jwt-vc-issuer/agencies/psb").json()["jwks"]["keys"]
    signed = sd_jwt.parse(phone.claim(made))
    header, payload = sd_jwt.peek(signed.issuer_jwt)
    assert header["kid"] == keys[0]["kid"]
    assert header["typ"] == "dc+sd-jwt"
    assert len(header["x5c"]) == 1
    assert payload["cnf"]["jwk"] == phone.jwk
    verified = sd_jwt.verify(signed, issuer_key=agencies.signer(made.offer.type.agency, "issue").public_key)
    assert {name: verified.claims[name] for name in verified.disclosed} == made.offer.row.data
    assert verified.disclosed == set(made.offer.type.field_ids)


def test_the_certificate_is_anchored_before_it_is_handed_out(desk: Desk, phone: Phone) -> None:
    signed = sd_jwt.parse(phone.claim())
    _, payload = sd_jwt.peek(signed.issuer_jwt)
    issued = node.ledger().issue(commitment_of(payload, signed.issuer_jwt) or b"")
    assert issued is not None
    assert (issued.agency, issued.type, issued.version) == (1, 1, 1)


def test_nothing_of_the_person_is_in_what_the_issuer_signs_in_the_open(desk: Desk, phone: Phone) -> None:
    made = desk.offer()
    issuer_jwt = sd_jwt.parse(phone.claim(made)).issuer_jwt
    _, payload = sd_jwt.peek(issuer_jwt)
    assert set(payload) == {"iss", "iat", "nbf", "exp", "vct", "cnf", "anchor_salt", "status", "_sd", "_sd_alg"}
    assert len(payload["_sd"]) > len(made.offer.row.data)


def test_notification_ends_the_keeping_of_the_signed_bytes(desk: Desk, phone: Phone) -> None:
    token = desk.token()
    answer = phone.ask(token).json()
    assert Certificate.objects.get().sealed is not None
    told = {"notification_id": answer["notification_id"], "event": "credential_accepted"}
    assert desk.post("/notification", told, token).status_code == 204
    assert Certificate.objects.get().sealed is None
    assert desk.post("/notification", told, token).status_code == 204
    refused(desk.post("/notification", {**told, "notification_id": "x"}, token), 400, "invalid_notification_id")
    refused(desk.post("/notification", {**told, "event": "lost"}, token), 400, "invalid_notification_request")


def test_an_answer_lost_on_the_way_is_the_same_certificate_again(desk: Desk, phone: Phone) -> None:
    token = desk.token()
    first = phone.ask(token).json()["credentials"]
    before = desk.counts()
    assert phone.ask(token).json()["credentials"] == first
    assert desk.counts() == before


def test_a_credential_identifier_where_the_wallet_asked_for_details(desk: Desk, phone: Phone) -> None:
    made = desk.offer()
    details = [{"type": "openid_credential", "credential_configuration_id": "resident-id"}]
    answer = desk.redeem(made.offer.code, made.tx_code, authorization_details=json.dumps(details)).json()
    (identifier,) = answer["authorization_details"][0]["credential_identifiers"]
    token = answer["access_token"]
    refused(phone.ask(token), 400, "invalid_credential_request")
    wrong = phone.ask(token, credential_configuration_id=None, credential_identifier="other")
    refused(wrong, 400, "unknown_credential_identifier")
    good = phone.ask(token, credential_configuration_id=None, credential_identifier=identifier)
    assert good.status_code == 200


def test_authorization_details_of_later_specifications_are_understood(desk: Desk) -> None:
    made = desk.offer()
    details = [{"type": "openid_credential", "credential_configuration_id": "resident-id", "claims": [], "new": 1}]
    answer = desk.redeem(made.offer.code, made.tx_code, authorization_details=json.dumps(details))
    assert answer.status_code == 200


@pytest.mark.parametrize(
    "details",
    [
        [],
        [{"type": "openid_credential"}],
        [{"type": "payment", "credential_configuration_id": "resident-id"}],
        [{"type": "openid_credential", "credential_configuration_id": "passport"}],
    ],
)
def test_authorization_details_of_another_thing_cost_no_try(desk: Desk, details: list[dict[str, str]]) -> None:
    made = desk.offer()
    answer = desk.redeem(made.offer.code, made.tx_code, authorization_details=json.dumps(details))
    refused(answer, 400, "invalid_authorization_details")
    assert Offer.objects.get().tries_left == 5


def test_pending_is_answered_202_and_collected_later(desk: Desk, phone: Phone, monkeypatch: pytest.MonkeyPatch) -> None:
    from certificates import api
    from gov_chain.ledger import relay

    token = desk.token()
    monkeypatch.setattr(api, "SETTLE_SECONDS", 0.0)
    engine = node.engine()
    node.close()  # nobody writes the ledger for now
    other = node.open_at(node.directory())
    answer = phone.ask(token)
    assert answer.status_code == 202, answer.content
    told = answer.json()
    assert set(told) == {"transaction_id", "interval"}
    waiting = desk.post("/deferred", {"transaction_id": told["transaction_id"]}, token)
    assert waiting.status_code == 202
    assert waiting.json()["transaction_id"] == told["transaction_id"]
    refused(desk.post("/deferred", {"transaction_id": "other"}, token), 400, "invalid_transaction_id")
    other.close()
    del engine
    while Certificate.objects.get().state == "pending":
        relay.drain()
    done = desk.post("/deferred", {"transaction_id": told["transaction_id"]}, token)
    assert done.status_code == 200
    assert len(done.json()["credentials"]) == 1
    refused(desk.post("/deferred", {"transaction_id": told["transaction_id"]}, token), 400, "invalid_transaction_id")


def test_a_refusal_by_the_ledger_leaves_the_offer_to_be_tried_again(desk: Desk, phone: Phone) -> None:
    made = desk.offer()
    token = desk.token(made)
    kind = made.offer.type
    type(kind).objects.filter(pk=kind.pk).update(number=99)  # a type nobody may issue
    answer = phone.ask(token)
    refused(answer, 400, "credential_request_denied")
    certificate = Certificate.objects.get()
    assert certificate.state == "refused"
    assert certificate.sealed is None
    type(kind).objects.filter(pk=kind.pk).update(number=1)
    assert phone.ask(token).status_code == 200


# The transaction code


def test_five_wrong_transaction_codes_lock_the_offer(desk: Desk) -> None:
    made = desk.offer()
    wrong = f"{(int(made.tx_code) + 1) % 10**6:06d}"
    before = desk.counts()
    for left in (4, 3, 2, 1):
        answer = desk.redeem(made.offer.code, wrong)
        refused(answer, 400, "invalid_grant")
        assert answer.json()["left"] == left
    refused(desk.redeem(made.offer.code, wrong), 400, "invalid_grant")
    refused(desk.redeem(made.offer.code, made.tx_code), 400, "invalid_grant")
    assert Offer.objects.get().state == "locked"
    assert desk.counts() == before


def test_twenty_guesses_at_once_get_five_looks(desk: Desk) -> None:
    made = desk.offer()
    agency = made.offer.type.agency
    wrong = f"{(int(made.tx_code) + 1) % 10**6:06d}"
    codes: list[str] = []

    def guess() -> None:
        try:
            redeem_code(agency=agency, code=made.offer.code, tx_code=wrong)
        except CertificateError as error:
            codes.append(error.code)
        finally:
            db.connections.close_all()

    threads = [threading.Thread(target=guess) for _ in range(20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(codes) == 20
    assert codes.count("tx-code-wrong") <= 4
    assert set(codes) <= {"tx-code-wrong", "offer-locked"}
    assert Offer.objects.get().state == "locked"
    assert Offer.objects.get().tries_left == 0
    refused(desk.redeem(made.offer.code, made.tx_code), 400, "invalid_grant")


def test_the_right_code_twenty_times_at_once_gives_one_token(desk: Desk) -> None:
    made = desk.offer()
    tokens: list[str] = []

    def redeem() -> None:
        try:
            tokens.append(redeem_code(agency=made.offer.type.agency, code=made.offer.code, tx_code=made.tx_code).token)
        except CertificateError:
            pass
        finally:
            db.connections.close_all()

    threads = [threading.Thread(target=redeem) for _ in range(20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(tokens) == 1


def test_transaction_code_missing_costs_no_try(desk: Desk) -> None:
    made = desk.offer()
    refused(desk.redeem(made.offer.code, None), 400, "invalid_request")
    assert Offer.objects.get().tries_left == 5


def test_replayed_code(desk: Desk) -> None:
    made = desk.offer()
    desk.token(made)
    before = desk.counts()
    refused(desk.redeem(made.offer.code, made.tx_code), 400, "invalid_grant")
    assert desk.client.get(f"{BASE}/offers/{made.offer.pk}").status_code == 400
    assert desk.counts() == before


def test_expired_offer(desk: Desk) -> None:
    made = desk.offer()
    before = desk.counts()
    with time_machine.travel(made.offer.expires_at, tick=False):
        refused(desk.redeem(made.offer.code, made.tx_code), 400, "invalid_grant")
        refused(desk.client.get(f"{BASE}/offers/{made.offer.pk}"), 400, "invalid_grant")
    assert desk.counts() == before


def test_offers_of_one_agency_are_not_another_agencys(desk: Desk) -> None:
    made = desk.offer()
    other = f"/agencies/street/oid4vci/offers/{made.offer.pk}"
    assert desk.client.get(other).status_code == 404


MALFORMED_TOKEN_REQUESTS: list[tuple[dict[str, str], str]] = [
    ({}, "invalid_request"),
    ({"grant_type": "authorization_code"}, "unsupported_grant_type"),
    ({"grant_type": "urn:ietf:params:oauth:grant-type:pre-authorized_code"}, "invalid_request"),
    (
        {
            "grant_type": "urn:ietf:params:oauth:grant-type:pre-authorized_code",
            "pre-authorized_code": "guessed",
            "tx_code": "000000",
        },
        "invalid_grant",
    ),
    (
        {
            "grant_type": "urn:ietf:params:oauth:grant-type:pre-authorized_code",
            "pre-authorized_code": "x",
            "authorization_details": "[[",
        },
        "invalid_request",
    ),
]


def test_malformed_token_requests(desk: Desk) -> None:
    before = desk.counts()
    for form, error in MALFORMED_TOKEN_REQUESTS:
        refused(desk.client.post(f"{BASE}/token", form), 400, error)
    assert desk.counts() == before


# The credential request


MALFORMED_CREDENTIAL_REQUESTS: list[tuple[dict[str, Any], str]] = [
    ({"credential_identifier": "x"}, "invalid_credential_request"),
    ({"credential_configuration_id": None}, "invalid_credential_request"),
    ({"credential_configuration_id": "passport"}, "unknown_credential_configuration"),
    ({"credential_configuration_id": None, "credential_identifier": "x"}, "unknown_credential_identifier"),
    ({"proofs": None}, "invalid_proof"),
    ({"proofs": {}}, "invalid_credential_request"),
    ({"proofs": {"jwt": []}}, "invalid_credential_request"),
    ({"proofs": {"jwt": ["a.b.c"]}}, "invalid_proof"),
    ({"proofs": {"jwt": ["a", "b"]}}, "invalid_credential_request"),
    ({"proofs": {"jwt": ["a.b.c"], "attestation": ["x"]}}, "invalid_credential_request"),
    ({"proofs": {"di_vp": [{}]}}, "invalid_credential_request"),
    ({"credential_response_encryption": {"alg": "x"}}, "invalid_encryption_parameters"),
]


def test_malformed_credential_requests(desk: Desk, phone: Phone) -> None:
    token = desk.token()
    before = desk.counts()
    for changes, error in MALFORMED_CREDENTIAL_REQUESTS:
        refused(phone.ask(token, **changes), 400, error)
    assert desk.counts() == before


def test_wrong_proofs(desk: Desk, phone: Phone) -> None:
    token = desk.token()
    stranger = Phone(desk)
    good = phone.proof()
    head, body, mark = good.split(".")
    cases = {
        "typ": phone.proof(header={"typ": "JWT"}),
        "no typ": phone.proof(header={"typ": None}),
        "no key": phone.proof(header={"jwk": None}),
        "another's key": phone.proof(header={"jwk": stranger.jwk}),
        "private key": phone.proof(header={"jwk": {**phone.jwk, "d": "AAAA"}}),
        "kid beside jwk": phone.proof(header={"kid": "did:key:x"}),
        "alg none": phone.proof(header={"alg": "none"}),
        "alg HS256": phone.proof(header={"alg": "HS256"}),
        "crit": phone.proof(header={"crit": ["exp"]}),
        "x5c": phone.proof(header={"x5c": ["AAAA"]}),
        "aud": phone.proof(aud="http://localhost:8000/agencies/street"),
        "aud list": phone.proof(aud=[ISSUER]),
        "iat old": phone.proof(iat=1),
        "iat ahead": phone.proof(iat=2**40),
        "iat text": phone.proof(iat="now"),
        "no nonce": phone.proof(nonce=None),
        "nonce no text": phone.proof(nonce=5),
        "body altered": f"{head}.{body[:-4]}AAAA.{mark}",
        "no signature": f"{head}.{body}.",
    }
    before, nonces = desk.counts(), UsedToken.objects.count()
    for name, proof in cases.items():
        answer = phone.ask(token, proofs={"jwt": [proof]})
        assert (answer.status_code, answer.json().get("error")) == (400, "invalid_proof"), name
    assert desk.counts() == before
    assert UsedToken.objects.count() == nonces


def test_wrong_nonces(desk: Desk, phone: Phone) -> None:
    token = desk.token()
    nonce = desk.nonce()
    phone.ask(token, proofs={"jwt": [phone.proof(nonce=nonce)]})
    late = desk.nonce()
    before = desk.counts()
    for wrong in (nonce, "", "AAAA", nonce[:-2] + "AA"):
        refused(phone.ask(token, proofs={"jwt": [phone.proof(nonce=wrong)]}), 400, "invalid_nonce")
    made = desk.offer()
    before = desk.counts()
    with time_machine.travel(int(made.offer.created_at) + 301, tick=True):
        refused(phone.ask(desk.token(made), proofs={"jwt": [phone.proof(nonce=late)]}), 400, "invalid_nonce")
    assert desk.counts()[0] == before[0]
    assert desk.counts()[-1] == before[-1]


def test_nonces_cost_no_storage_and_are_not_cached(desk: Desk) -> None:
    before = UsedToken.objects.count()
    answer = desk.client.post(f"{BASE}/nonce")
    assert "no-store" in answer["Cache-Control"]
    assert answer.json()["c_nonce"] != desk.nonce()
    assert UsedToken.objects.count() == before


def test_without_a_token(desk: Desk) -> None:
    before = desk.counts()
    for header in ("", "Bearer ", "Bearer guessed", "Basic eDp5", "DPoP x"):
        answer = desk.post("/credential", {}, Authorization=header)
        refused(answer, 401, "invalid_token")
        assert answer["WWW-Authenticate"].startswith("Bearer")
    assert desk.counts() == before


def test_expired_token(desk: Desk, phone: Phone) -> None:
    token = desk.token()
    before = desk.counts()
    with time_machine.travel(int(Offer.objects.get().created_at) + 601, tick=True):
        refused(phone.ask(token), 401, "invalid_token")
    assert desk.counts() == before


def test_another_key_gets_no_second_certificate_of_one_offer(desk: Desk, phone: Phone) -> None:
    token = desk.token()
    phone.ask(token)
    before = desk.counts()
    refused(Phone(desk).ask(token), 400, "credential_request_denied")
    assert desk.counts() == before


def test_two_keys_at_once_get_one_certificate(desk: Desk) -> None:
    token = desk.token()
    phones = [Phone(desk) for _ in range(4)]
    bodies = [
        json.dumps({"credential_configuration_id": "resident-id", "proofs": {"jwt": [phone.proof()]}})
        for phone in phones
    ]
    statuses: list[int] = []

    def ask(body: str) -> None:
        answer = Client().post(
            f"{BASE}/credential",
            body,
            content_type="application/json",
            headers={"Authorization": f"Bearer {token}"},
        )
        statuses.append(answer.status_code)
        db.connections.close_all()

    threads = [threading.Thread(target=ask, args=(body,)) for body in bodies]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(statuses) == [200, 400, 400, 400]
    assert Certificate.objects.filter(state="active").count() == 1


def valid_until(row: RegisterRow, day: str) -> None:
    personal.seal_rows([(row, {**row.opened, "data": row.data | {"valid_until": day}})])
    row.save()


def test_a_validity_that_has_ended_is_not_issued(desk: Desk, phone: Phone) -> None:
    made = desk.offer()
    valid_until(made.offer.row, "2019-01-01")
    token = desk.token(made)
    before = desk.counts()
    refused(phone.ask(token), 400, "credential_request_denied")
    assert desk.counts() == before


def test_a_certificate_ends_no_later_than_its_document(desk: Desk, phone: Phone) -> None:
    made = desk.offer()
    valid_until(made.offer.row, "2030-05-01")
    _, payload = sd_jwt.peek(sd_jwt.parse(phone.claim(made)).issuer_jwt)
    assert payload["exp"] == 1903881600  # the end of that day in Shanghai: 2030-05-01T16:00Z


# Whatever is sent


def test_ten_megabytes(desk: Desk) -> None:
    token = desk.token()
    before = desk.counts()
    for path in ("/token", "/credential", "/deferred", "/notification"):
        assert desk.post(path, b"x" * 10_000_000, token).status_code in (413, 415)
    form = {"grant_type": "x" * 10_000_000}
    assert desk.client.post(f"{BASE}/token", form).status_code == 413
    assert desk.counts() == before


MALFORMED = (
    b"",
    b"[]",
    b"null",
    b"{",
    b"\xff",
    b'{"a":1,"a":2}',
    b'"\\ud800"',
    b"[" * 100_000,
    b'{"proofs":{"jwt":[1]}}',
)


def test_malformed_bodies(desk: Desk) -> None:
    token = desk.token()
    before = desk.counts()
    for path in ("/token", "/credential", "/deferred", "/notification"):
        for body in MALFORMED:
            assert 400 <= desk.post(path, body, token).status_code < 500, (path, body[:20])
    assert desk.counts() == before


def test_get_where_post_belongs_and_unknown_issuers(desk: Desk) -> None:
    for path in ("token", "nonce", "credential", "deferred", "notification"):
        assert desk.client.get(f"{BASE}/{path}").status_code == 405
        assert desk.client.post(f"/agencies/nobody/oid4vci/{path}").status_code == 404
    for name in ("openid-credential-issuer", "oauth-authorization-server", "jwt-vc-issuer"):
        assert desk.client.get(f"{WELL_KNOWN}/{name}/agencies/nobody").status_code == 404
        assert desk.client.get(f"{WELL_KNOWN}/{name}/agencies/street").status_code == 404
