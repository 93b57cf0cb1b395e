"""Each of the eight checks, made to fail alone; and the ledger out of reach."""

from __future__ import annotations

import secrets
import time
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from django.db import transaction

from certificates import queries, status_lists
from certificates.actions.change_status import change_status
from certificates.actions.publish_status import publish_status
from certificates.core import anchors
from certificates.formats import sd_jwt
from certificates.formats.sd_jwt import SdJwt
from certificates.models import Certificate
from certificates.verification import Report, verify_certificate, verify_presentation
from gov_chain.core.codec import b64url
from gov_chain.keys.local import LocalSigner
from gov_chain.ledger import node, outbox, relay
from gov_chain.ledger.actions.cast_vote import cast_vote
from gov_chain.ledger.actions.make_proposal import make_proposal
from gov_chain.ledger.core import note, proposals, records
from gov_chain.ledger.models import Document
from gov_chain.ledger.reader import Reader
from identity import agencies, applications
from identity.actions.rotate_keys import rotate_keys
from tests.certificates.conftest import ISSUER, Desk, Phone

AUDIENCE, NONCE = "x509_hash:abc", "nonce-1"
SHOWN = ["name", "sex", "birth_date"]


def results(report: Report) -> dict[str, str]:
    return {check.id: check.result for check in report.checks if check.result != "pass"}


def code(report: Report, check: str) -> str:
    return next(item.code for item in report.checks if item.id == check)


def checked(item: SdJwt | str, *, now: int = 0, reader: Reader | None = None, **changes: Any) -> Report:
    values: dict[str, Any] = {
        "expected_audience": AUDIENCE,
        "expected_nonce": NONCE,
        "allowed": SHOWN,
        "required": SHOWN[:2],
        **changes,
    }
    return verify_presentation(presentation=item, now=now or int(time.time()), reader=reader or node.ledger(), **values)


def shown(phone: Phone, certificate: str, names: list[str] | None = None, **changes: Any) -> SdJwt:
    values: dict[str, Any] = {
        "audience": AUDIENCE,
        "nonce": NONCE,
        "issued_at": int(time.time()),
        "signer": phone.key,
        **changes,
    }
    return sd_jwt.bind(sd_jwt.present(sd_jwt.parse(certificate), names or SHOWN), **values)


def with_a_status_list() -> None:
    """Psb's first list, as its first certificate would have brought it."""
    with transaction.atomic():
        row, _ = status_lists.take_entry(queries.type_in_force("resident-id"))
        sent = publish_status(row)
    if sent is not None:
        relay.settle([sent])


def forged(phone: Phone, desk: Desk, *, anchor: bool = False, signer: Any = None, **claims: Any) -> str:
    """What psb's own key could sign if someone had hold of it; anchored only when asked."""
    with_a_status_list()
    salt = secrets.token_bytes(16)
    now = int(time.time())
    content = {
        "iss": ISSUER,
        "iat": now,
        "nbf": now,
        "exp": now + 1000,
        "vct": "urn:govchain:type:resident-id",
        "cnf": {"jwk": phone.jwk},
        "anchor_salt": b64url(salt),
        "status": {"status_list": {"idx": 5, "uri": f"{ISSUER}/status/1/1"}},
        **dict.fromkeys(SHOWN, "x"),
        **claims,
    }
    signed = sd_jwt.issue(
        claims={name: value for name, value in content.items() if value is not None},
        disclosable=SHOWN,
        header={},
        signer=signer or agencies.signer(agencies.by_slug("psb"), "issue"),
        random=secrets.token_bytes,
    )
    if anchor:
        record = records.issue(type=1, type_version=1, commitment=anchors.commitment(salt, signed.issuer_jwt))
        with transaction.atomic():
            row = outbox.enqueue(agency=1, record=record, subject="test.nobody:1")
        relay.settle([row])
    return signed.text


def test_a_good_presentation_passes_every_check_and_gives_the_fields_shown(desk: Desk, phone: Phone) -> None:
    report = checked(shown(phone, phone.claim()).text)
    assert report.result == "pass", report.checks
    assert [check.number for check in report.checks] == [1, 2, 3, 4, 5, 6, 7, 8]
    assert set(report.claims) == set(SHOWN)
    assert node.ledger().issue(report.commitment or b"") is not None


def test_a_certificate_by_itself(desk: Desk, phone: Phone) -> None:
    report = verify_certificate(certificate=phone.claim(), now=int(time.time()), reader=node.ledger())
    assert report.result == "pass"
    assert results(report) == {"holder": "not-applicable", "fields": "not-applicable"}
    assert len(report.claims) == 9


def voted(*action: Any) -> None:
    """Proposed by one agency, and carried by two more of the four."""
    made = make_proposal(agency=2, action=action, life=86400)
    for voter in (3, 4):
        made = cast_vote(agency=voter, proposal=made.proposal.number, yes=True)
    assert made.tally.outcome == "passed"


def rotate() -> None:
    police = agencies.by_slug("psb")
    voted(*applications.read(rotate_keys(agency=police, life=86400, propose=False).application).action)


def test_what_its_issuer_was_when_it_was_issued_decides(desk: Desk, phone: Phone) -> None:
    """Its issuer loses the accreditation, gets new keys and is suspended: the certificate stays good."""
    certificate = phone.claim()
    voted(proposals.DISACCREDIT, 1, 1)
    rotate()
    voted(proposals.SUSPEND, 1)
    assert node.ledger().agency(1).suspended
    assert not node.ledger().accredited(1, 1)
    assert checked(shown(phone, certificate)).result == "pass"


def test_signed_just_before_a_rotation_and_anchored_after_it_is_good(desk: Desk, phone: Phone) -> None:
    """What a batch in flight looks like: the anchor, by the new key, is the agency's word for those very bytes."""
    old = agencies.signer(agencies.by_slug("psb"), "issue")
    rotate()
    assert agencies.signer(agencies.by_slug("psb"), "issue").public_key != old.public_key
    assert checked(shown(phone, forged(phone, desk, anchor=True, signer=old))).result == "pass"
    unanchored = checked(shown(phone, forged(phone, desk, signer=old)))
    assert code(unanchored, "issuer") == "sd-jwt-signature"


def test_a_revocation_voids_what_was_anchored_from_its_entry_on_and_nothing_before(desk: Desk, phone: Phone) -> None:
    old = agencies.signer(agencies.by_slug("psb"), "issue")
    before = phone.claim()
    since = node.ledger().size
    after = forged(phone, desk, anchor=True)
    assert checked(shown(phone, after)).result == "pass"
    rotate()
    in_flight = forged(phone, desk, anchor=True, signer=old)
    assert checked(shown(phone, in_flight)).result == "pass"
    voted(proposals.REVOKE_KEY, 1, 1, since)
    assert checked(shown(phone, before)).result == "pass"
    for text in (after, in_flight):
        report = checked(shown(phone, text))
        assert results(report)["issuer"] == "fail"
        assert code(report, "issuer") == "issuer-key-revoked"
        assert report.claims == {}
    assert checked(shown(phone, forged(phone, desk, anchor=True))).result == "pass"


@pytest.mark.parametrize("text", ["", "~", "a.b.c~", "x" * 100_000, "é~", "eyJ.eyJ.x~y~z"])
def test_malformed(desk: Desk, text: str) -> None:
    report = checked(text)
    assert report.result == "fail"
    assert report.checks[0].result == "fail"
    assert {check.result for check in report.checks[1:]} == {"undetermined"}
    assert report.claims == {}


def test_expired_fails_only_its_validity(desk: Desk, phone: Phone) -> None:
    certificate = phone.claim()
    later = int(time.time()) + 30 * 365 * 86400
    report = checked(shown(phone, certificate, issued_at=later), now=later)
    assert results(report) == {"validity": "fail"}
    assert code(report, "validity") == "expired"
    assert report.claims == {}


def test_not_yet_valid(desk: Desk, phone: Phone) -> None:
    certificate = phone.claim()
    earlier = int(time.time()) - 5000
    report = checked(shown(phone, certificate, issued_at=earlier), now=earlier)
    assert code(report, "validity") == "not-yet-valid"


def test_unanchored_under_the_genuine_key_is_not_valid(desk: Desk, phone: Phone) -> None:
    report = checked(shown(phone, forged(phone, desk)))
    assert results(report) == {"anchored": "fail"}
    assert code(report, "anchored") == "not-anchored"
    assert report.claims == {}


def test_the_same_anchored_passes(desk: Desk, phone: Phone) -> None:
    assert checked(shown(phone, forged(phone, desk, anchor=True))).result == "pass"


def test_signed_by_someone_else(desk: Desk, phone: Phone) -> None:
    stranger = LocalSigner(ec.generate_private_key(ec.SECP256R1()))
    report = checked(shown(phone, forged(phone, desk, signer=stranger)))
    assert code(report, "issuer") == "sd-jwt-signature"
    assert report.claims == {}


@pytest.mark.parametrize(
    "issuer", ["http://elsewhere.example/agencies/psb", "http://localhost:8000/agencies/nobody", ""]
)
def test_issuer_unknown(desk: Desk, phone: Phone, issuer: str) -> None:
    assert code(checked(shown(phone, forged(phone, desk, iss=issuer))), "issuer") == "issuer-unknown"


def test_agency_that_is_not_accredited(desk: Desk, phone: Phone) -> None:
    street = agencies.by_slug("street")
    certificate = forged(phone, desk, signer=agencies.signer(street, "issue"), iss=street.url)
    report = checked(shown(phone, certificate))
    assert results(report) == {"accredited": "fail", "anchored": "fail", "status": "undetermined"}


def test_type_that_is_not_registered(desk: Desk, phone: Phone) -> None:
    report = checked(shown(phone, forged(phone, desk, vct="urn:govchain:type:passport", anchor=True)))
    assert results(report) == {"accredited": "fail", "status": "undetermined"}


@pytest.mark.parametrize("missing", ["vct", "anchor_salt", "cnf", "exp", "nbf"])
def test_claims_a_certificate_must_have(desk: Desk, phone: Phone, missing: str) -> None:
    report = checked(shown(phone, forged(phone, desk, **{missing: None})))
    assert code(report, "well-formed") == "claims-missing"


def test_presentation_for_someone_else_or_another_request_or_long_ago(desk: Desk, phone: Phone) -> None:
    certificate = phone.claim()
    cases = {
        "key-binding-audience": shown(phone, certificate, audience="x509_hash:other"),
        "key-binding-nonce": shown(phone, certificate, nonce="other"),
        "key-binding-stale": shown(phone, certificate, issued_at=int(time.time()) - 3600),
        "key-binding-signature": shown(Phone(desk), certificate),
        "key-binding-missing": sd_jwt.present(sd_jwt.parse(certificate), SHOWN),
    }
    for expected, item in cases.items():
        report = checked(item)
        assert results(report) == {"holder": "fail"}, expected
        assert code(report, "holder") == expected
        assert report.claims == {}


def test_stripped_disclosure_breaks_the_key_binding(desk: Desk, phone: Phone) -> None:
    item = shown(phone, phone.claim())
    stripped = SdJwt(item.issuer_jwt, item.disclosures[:-1], item.key_binding_jwt)
    assert code(checked(stripped), "holder") == "key-binding-hash"


def test_key_binding_of_another_certificate_of_the_same_holder(desk: Desk, phone: Phone) -> None:
    one, two = phone.claim(), phone.claim()
    foreign = shown(phone, two).key_binding_jwt
    item = shown(phone, one)
    assert code(checked(SdJwt(item.issuer_jwt, item.disclosures, foreign)), "holder") == "key-binding-hash"


def test_fields_beyond_and_below_the_request(desk: Desk, phone: Phone) -> None:
    certificate = phone.claim()
    assert code(checked(shown(phone, certificate, [*SHOWN, "address"])), "fields") == "fields-beyond-request"
    assert code(checked(shown(phone, certificate, ["name"])), "fields") == "fields-missing"
    assert checked(shown(phone, certificate, ["name", "sex"])).result == "pass"


def test_ledger_out_of_reach_is_undetermined_never_valid_never_invalid(desk: Desk, phone: Phone, tmp_path: Any) -> None:
    item = shown(phone, phone.claim())
    nowhere = Reader(tmp_path / "nowhere", note.Verifier("x", b"\0" * 32))
    report = checked(item, reader=nowhere)
    assert report.result == "undetermined"
    assert code(report, "issuer") == "ledger-unreachable"
    assert {check.result for check in report.checks} == {"pass", "undetermined"}
    assert report.claims == {}


def test_every_check_that_does_not_pass_says_why_and_what_to_do(desk: Desk, phone: Phone) -> None:
    report = checked(shown(phone, forged(phone, desk)))
    for check in report.checks:
        if check.result == "fail":
            assert check.reason_zh
            assert check.reason_en
            assert check.next_zh
            assert check.next_en


# 6. status


def changed(act: str, reason: str = "lost") -> None:
    certificate = Certificate.objects.get()
    done = change_status(agency=certificate.agency, certificates=[certificate], act=act, reason=reason)
    relay.settle(done.outbox_ids)


@pytest.mark.parametrize(("act", "expected"), [("suspend", "suspended"), ("revoke", "revoked"), ("replace", "revoked")])
def test_suspended_revoked_or_replaced(desk: Desk, phone: Phone, act: str, expected: str) -> None:
    certificate = phone.claim()
    changed(act)
    report = checked(shown(phone, certificate))
    assert (results(report), code(report, "status")) == ({"status": "fail"}, expected)
    assert report.claims == {}


def test_reinstated_is_good_again(desk: Desk, phone: Phone) -> None:
    certificate = phone.claim()
    changed("suspend")
    changed("reinstate")
    assert checked(shown(phone, certificate)).result == "pass"


def test_a_list_nobody_has_is_undetermined_never_valid_nor_revoked(desk: Desk, phone: Phone) -> None:
    certificate = phone.claim()
    Document.objects.filter(digest=node.ledger().status(1, 1).digest.hex()).delete()
    report = checked(shown(phone, certificate))
    assert (results(report), code(report, "status")) == ({"status": "undetermined"}, "ledger-unreachable")


@pytest.mark.parametrize(
    "status",
    [
        None,
        {},
        {"status_list": {"idx": 5}},
        {"status_list": {"idx": "5", "uri": f"{ISSUER}/status/1/1"}},
        {"status_list": {"idx": True, "uri": f"{ISSUER}/status/1/1"}},
        {"status_list": {"idx": 5, "uri": "https://elsewhere.example/status/1/1"}},
        {"status_list": {"idx": 5, "uri": f"{ISSUER}/status/2/1"}},
        {"status_list": {"idx": 5, "uri": f"{ISSUER}/status/1/1?x"}},
    ],
)
def test_an_entry_that_is_not_of_the_issuers_list_for_this_type(desk: Desk, phone: Phone, status: Any) -> None:
    report = checked(shown(phone, forged(phone, desk, anchor=True, status=status)))
    assert (results(report), code(report, "status")) == ({"status": "fail"}, "status-malformed")


@pytest.mark.parametrize("index", [-1, 131_072, 2**52])
def test_an_entry_outside_the_list(desk: Desk, phone: Phone, index: int) -> None:
    status = {"status_list": {"idx": index, "uri": f"{ISSUER}/status/1/1"}}
    report = checked(shown(phone, forged(phone, desk, anchor=True, status=status)))
    assert (results(report), code(report, "status")) == ({"status": "fail"}, "status-out-of-range")


def test_an_unpublished_list_is_undetermined(desk: Desk, phone: Phone) -> None:
    status = {"status_list": {"idx": 5, "uri": f"{ISSUER}/status/1/9"}}
    report = checked(shown(phone, forged(phone, desk, anchor=True, status=status)))
    assert (results(report), code(report, "status")) == ({"status": "undetermined"}, "status-unpublished")
