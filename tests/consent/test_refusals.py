"""What is refused at each door, and that nothing was written when it was."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from consent.models import Grant, PresentationResponse, Usage
from demo.holder import HolderKey
from tests.consent.hostile import ETHNICITY, NAMES, REQUIRED, VALID_FROM, code, consent
from tests.world import PIN, World


@contextmanager
def nothing_written(world: World) -> Iterator[None]:
    """The ledger and our tables are as they were."""

    def seen() -> tuple[int, ...]:
        world.settle()
        return (world.reader.size, *(model.objects.count() for model in (Grant, PresentationResponse, Usage)))

    before = seen()
    yield
    assert seen() == before


HOME = [
    ("audience", {"claims": {"aud": "x509_hash:another"}}, "consent-audience"),
    ("nonce", {"claims": {"nonce": "another"}}, "consent-nonce"),
    ("long ago", {"claims": {"iat": 1_600_000_000}}, "consent-stale"),
    ("other terms", {"claims": {"transaction_data_hashes": ["AA"]}}, "consent-terms"),
    ("no choices", {"claims": {"consent": None}}, "consent-malformed"),
    ("short handle", {"consent": {"handle": "AA"}}, "consent-malformed"),
    ("text masks", {"consent": {"masks": "47"}}, "consent-malformed"),
    ("boolean mask", {"consent": {"masks": [True]}}, "consent-malformed"),
    ("beyond the matter", {"consent": {"masks": [REQUIRED | VALID_FROM]}}, "fields-beyond-matter"),
    ("required left out", {"consent": {"masks": [ETHNICITY]}}, "fields-beyond-matter"),
    ("another recorder", {"consent": {"recorder": "psb"}}, "recorder-mismatch"),
    ("too long", {"consent": {"not_after": int(time.time()) + 31 * 86400}}, "period-beyond-matter"),
    ("in the past", {"consent": {"not_after": int(time.time()) - 5}}, "period-beyond-matter"),
    ("too often", {"consent": {"uses": 4}}, "uses-beyond-matter"),
    ("never", {"consent": {"uses": 0}}, "uses-beyond-matter"),
    ("stranger's signature", {"signer": HolderKey()}, "consent-signature"),
    ("short key", {"body": {"one_time_key": "AA"}}, "consent-malformed"),
    ("not a request", {"body": {"request": "a.b.c"}}, "request-forged"),
    ("not a certificate", {"body": {"issuer_jwt": "a.b.c"}}, "certificate-untrusted"),
]


def test_the_home_agency_refuses(world: World) -> None:
    ana = world.citizen()
    desk = world.ask()
    with nothing_written(world):
        for name, changes, expected in HOME:
            assert (name, code(consent(ana.wallet, desk, **changes).record())) == (name, expected)


def test_a_request_signed_by_a_stranger_is_refused_at_the_home(world: World) -> None:
    ana = world.citizen()
    phone = consent(ana.wallet, world.ask())
    header, payload, signature = phone.request.jws.split(".")
    forged = HolderKey().jws(_decoded(header), _decoded(payload))
    with nothing_written(world):
        assert code(phone.record(phone.signed() | {"request": forged})) == "request-forged"
        assert code(phone.record(phone.signed() | {"request": f"{header}.{payload}.{signature[:-4]}AAAA"})) == (
            "request-forged"
        )


def test_over_asking_is_refused_at_the_home_even_when_the_asker_signs_it(world: World) -> None:
    from identity import agencies
    from identity.core import jose

    ana = world.citizen()
    phone = consent(ana.wallet, world.ask())
    header, payload, _ = phone.request.jws.split(".")
    claims = _decoded(payload)
    claims["dcql_query"]["credentials"][0]["claims"].append({"id": "valid_from", "path": ["valid_from"]})
    street = agencies.signer(agencies.by_slug("street"), "request")
    with nothing_written(world):
        over = jose.sign(_decoded(header), claims, street)
        assert code(phone.record(phone.signed() | {"request": over})) == "fields-beyond-matter"


def test_another_citizens_wallet_cannot_use_the_certificate(world: World) -> None:
    ana, bai = world.citizen(0), world.citizen(1)
    phone = consent(ana.wallet, world.ask())
    body = phone.signed()
    with nothing_written(world):
        headers = {"Authorization": f"Bearer {bai.wallet.unlock(PIN)}"}
        answer = bai.wallet.http.post(f"{bai.wallet.home}/grants", json=body, headers=headers)
        assert code(answer) == "holder-mismatch"


def test_a_closed_wallet_records_nothing(world: World) -> None:
    ana = world.citizen()
    phone = consent(ana.wallet, world.ask())
    with nothing_written(world):
        answer = world.http.post("/agencies/data/grants", json=phone.signed())
        assert code(answer) == "session-missing"
        for _ in range(2):
            with pytest.raises(Exception, match="pin-wrong"):
                phone.record(pin="918273")


def test_the_same_consent_twice_gives_the_same_receipt(world: World) -> None:
    ana = world.citizen()
    phone = consent(ana.wallet, world.ask())
    body = phone.signed()
    first = phone.record(body)
    with nothing_written(world):
        again = phone.record(body)
    assert (first.status_code, first.json()) == (again.status_code, again.json())


def test_another_consent_with_the_same_handle_is_refused(world: World) -> None:
    ana = world.citizen()
    desk = world.ask()
    phone = consent(ana.wallet, desk)
    phone.record()
    with nothing_written(world):
        other = consent(ana.wallet, desk, secret=phone.secret, consent={"uses": 2})
        assert code(other.record()) == "handle-taken"


def test_an_answer_counts_once(world: World) -> None:
    ana = world.citizen()
    phone = consent(ana.wallet, world.ask())
    phone.record()
    assert phone.send().status_code == 200
    world.settle()
    with nothing_written(world):
        assert code(phone.send()) == "request-answered"


def test_a_presentation_does_not_answer_another_request(world: World) -> None:
    ana = world.citizen()
    phone, other = consent(ana.wallet, world.ask()), consent(ana.wallet, world.ask())
    phone.record()
    form = phone.answer()
    with nothing_written(world):
        assert code(other.send(form)) == "state-mismatch"
        # Even with the right state: the home agency knows which request the grant was given for.
        assert code(other.send(form | {"state": other.request.claims["state"]})) == "grant-elsewhere"


def test_answers_without_a_grant_or_without_sense_are_refused(world: World) -> None:
    ana = world.citizen()
    phone = consent(ana.wallet, world.ask())
    phone.signed()
    state = phone.request.claims["state"]
    with nothing_written(world):
        assert code(phone.send()) == "grant-unknown"
        for text in ("x", "a.b.c.d.e", "eyJhbGciOiJkaXIifQ....", "eyJhbGciOiJFQ0RILUVTIiwiemlwIjoiREVGIn0..."):
            assert code(phone.send({"response": text, "state": state})) == "response-malformed"
        assert code(phone.send({"state": state})) == "response-malformed"
        assert code(phone.send({"error": "access_denied", "state": "another"})) == "state-mismatch"
    assert world.http.post(phone.request.claims["response_uri"].replace("street", "psb")).status_code == 404


def test_a_standard_wallets_answer_for_another_verifier_or_request_is_refused(world: World) -> None:
    import json

    from demo.holder import encrypt_to, key_binding

    wallet = world.standard_wallet()
    request = wallet.fetch_request(world.ask().standard_uri)
    shown = wallet.certificates[-1].shown(NAMES)
    jwk = request.claims["client_metadata"]["jwks"]["keys"][0]

    def answered(**claims: Any) -> str:
        vp_token = {"resident-id": [shown + key_binding(wallet.key, shown, request, claims)]}
        payload = {"vp_token": vp_token, "state": request.claims["state"]}
        form = {"response": encrypt_to(jwk, json.dumps(payload).encode())}
        return code(world.http.post(request.claims["response_uri"], data=form))

    with nothing_written(world):
        assert answered(aud="x509_hash:another") == "consent-audience"
        assert answered(nonce="another") == "consent-nonce"
        assert answered(iat=1_600_000_000) == "consent-stale"
        assert answered(sd_hash="AA") == "consent-signature"


def test_a_ten_megabyte_body_is_refused(world: World) -> None:
    ana = world.citizen()
    phone = consent(ana.wallet, world.ask())
    with nothing_written(world):
        big = {"response": "x" * 10_000_000, "state": "y"}
        assert world.http.post(phone.request.claims["response_uri"], data=big).status_code in (400, 413)
        assert world.http.post("/agencies/data/grants", json={"x": "y" * 10_000_000}).status_code in (401, 413)


def test_malformed_wallet_metadata_is_refused(world: World) -> None:
    uri = consent(world.citizen().wallet, world.ask()).request.claims["response_uri"].replace("responses", "requests")
    for text in ("{", "[]", "1", '{"a":NaN}', "[" * 5000):
        assert code(world.http.post(uri, data={"wallet_metadata": text})) == "wallet-metadata-invalid"


def _decoded(part: str) -> dict[str, Any]:
    import json

    from gov_chain.core.codec import b64url_decode

    value: dict[str, Any] = json.loads(b64url_decode(part))
    return value


def test_of_two_answers_at_once_one_is_taken(world: World) -> None:
    from concurrent.futures import ThreadPoolExecutor

    from django.db import connection

    ana = world.citizen()
    phone = consent(ana.wallet, world.ask())
    phone.record()
    form = phone.answer()

    def send(_: int) -> int:
        try:
            return world.client().post(phone.request.claims["response_uri"], data=form).status_code
        finally:
            connection.close()

    with ThreadPoolExecutor(4) as pool:
        statuses = sorted(pool.map(send, range(4)))
    assert statuses == [200, 409, 409, 409]
    assert (PresentationResponse.objects.count(), Usage.objects.count()) == (1, 1)
