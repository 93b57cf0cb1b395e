"""An agency's administrator: invites, disables, gives and takes roles, resets; never for another agency, never for
oneself."""

from __future__ import annotations

import threading

import pytest
from allauth.mfa.models import Authenticator
from django import db
from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction

from identity.actions.accept_invitation import accept_invitation
from identity.actions.invite_officer import invite_officer
from identity.actions.set_active import set_active
from identity.actions.take_role import take_role
from identity.errors import IdentityError
from identity.models import Officer, OfficerInvitation, OfficerLogEntry, OfficerRole, PendingAct
from identity.seed import SeededIdentity
from tests.identity.desk import Browser, logged, officer, words

NEW = {"username": "newcomer", "display_name": "乔新", "roles": ["counter"]}
PASSWORD = "青石-correct-horse-battery"


@pytest.fixture
def head(seeded: SeededIdentity) -> Browser:
    """The administrator of the street office."""
    return Browser("head")


def invited(head: Browser) -> str:
    return str(head.post("/staff/invite", NEW).context["invited"].code)


def roles(username: str) -> set[str]:
    return set(OfficerRole.objects.filter(officer__username=username).values_list("role", flat=True))


def test_an_invited_officer_chooses_a_password_and_works(head: Browser) -> None:
    code = invited(head)
    assert Browser().log_in("newcomer", "").status_code == 200
    answer = Browser().post("/join", {"code": code, "password": PASSWORD, "again": PASSWORD})
    assert answer["Location"] == "/login"
    browser = Browser()
    assert browser.log_in("newcomer", PASSWORD)["Location"] == "/counter/"
    assert officer("newcomer").agency.slug == "street"
    assert logged("head", "staff.invite") == ["done"]
    assert logged("newcomer", "account.join") == ["done"]


def test_an_invitation_counts_once_and_only_the_newest(head: Browser) -> None:
    old = invited(head)
    new = str(head.post(f"/staff/{officer('newcomer').pk}/renew").context["invited"].code)
    for code, status in ((old, 400), ("guess", 400), (new, 302), (new, 400)):
        answer = Browser().post("/join", {"code": code, "password": PASSWORD, "again": PASSWORD})
        assert answer.status_code == status
    assert OfficerInvitation.objects.filter(closed_at__isnull=True).count() == 0


def test_a_code_is_kept_nowhere(head: Browser) -> None:
    code = invited(head)
    stored = b"".join(bytes(each.code_digest) for each in OfficerInvitation.objects.all())
    assert code.encode() not in stored
    assert code not in repr(list(OfficerLogEntry.objects.values()))


def test_an_expired_invitation_opens_nothing(head: Browser) -> None:
    code = invited(head)
    OfficerInvitation.objects.update(expires_at=1)
    with pytest.raises(IdentityError, match="invitation-wrong"):
        accept_invitation(code=code, password=PASSWORD)


def test_a_weak_first_password_leaves_the_invitation_open(head: Browser) -> None:
    code = invited(head)
    with pytest.raises(ValidationError):
        accept_invitation(code=code, password="newcomer")
    assert accept_invitation(code=code, password=PASSWORD).username == "newcomer"


def test_guessing_invitations_ends_at_twenty(seeded: SeededIdentity) -> None:
    data = {"code": "guess", "password": PASSWORD, "again": PASSWORD}
    assert [Browser().post("/join", data).status_code for _ in range(21)] == [400] * 20 + [429]


def test_a_taken_account_name_is_said_beside_the_field(head: Browser) -> None:
    answer = head.post("/staff/invite", NEW | {"username": "issuer"})
    assert answer.status_code == 409
    assert "已被使用" in words(answer)


@pytest.mark.parametrize("name", ["", "A", "has space", "x" * 31, "名字", "../etc", "a'b"])
def test_an_odd_account_name_is_refused(head: Browser, name: str) -> None:
    assert head.post("/staff/invite", NEW | {"username": name}).status_code == 400


@pytest.mark.parametrize("role", ["approver", "agency-admin", "operator"])
def test_nobody_invites_somebody_with_a_power(head: Browser, role: str) -> None:
    assert head.post("/staff/invite", NEW | {"roles": [role]}).status_code == 400
    with pytest.raises(IdentityError, match="second-person-needed"):
        invite_officer(agency=officer("head").agency, by=officer("head"), username="x1", display_name="x", roles=[role])
    assert not Officer.objects.filter(username__in=["newcomer", "x1"]).exists()


def test_roles_are_given_and_taken(head: Browser) -> None:
    clerk = officer("clerk")
    head.post(f"/staff/{clerk.pk}/give-role", {"role": "issuer"})
    assert roles("clerk") == {"counter", "issuer"}
    head.post(f"/staff/{clerk.pk}/take-role", {"role": "counter"})
    assert roles("clerk") == {"issuer"}
    assert logged("head", "staff.give-role") == logged("head", "staff.take-role") == ["done"]


def test_a_role_taken_away_counts_at_the_next_request(head: Browser) -> None:
    clerk = Browser("clerk")
    head.post(f"/staff/{officer('clerk').pk}/take-role", {"role": "counter"})
    assert clerk.get("/counter/").status_code == 403


@pytest.mark.parametrize("role", ["issuer", "operator", "counter"])
def test_nobody_gives_themselves_a_role(head: Browser, role: str) -> None:
    answer = head.post(f"/staff/{officer('head').pk}/give-role", {"role": role})
    assert answer.status_code == 409
    assert "不能给自己授予角色" in words(answer)
    assert role not in roles("head")
    assert not PendingAct.objects.exists()


def test_the_last_administrator_stays(seeded: SeededIdentity) -> None:
    chief = Browser("chief")
    answer = chief.post(f"/staff/{officer('chief').pk}/take-role", {"role": "agency-admin"})
    assert answer.status_code == 409
    assert "agency-admin" in roles("chief")
    for path in ("disable", "reset", "renew"):
        assert chief.post(f"/staff/{officer('chief').pk}/{path}").status_code == 409


def test_of_two_administrators_who_put_each_other_out_one_stays(committed: SeededIdentity) -> None:
    one, two = officer("head"), officer("clerk")
    OfficerRole.objects.create(officer=two, role="agency-admin")
    outcomes: list[str] = []

    def out(who: Officer, by: Officer) -> None:
        try:
            set_active(officer=who, active=False, by=by)
            outcomes.append("done")
        except IdentityError as error:
            outcomes.append(error.code)
        finally:
            db.connection.close()

    pairs = [threading.Thread(target=out, args=pair) for pair in ((one, two), (two, one))]
    for thread in pairs:
        thread.start()
    for thread in pairs:
        thread.join()
    assert sorted(outcomes) == ["done", "last-admin"]


def test_an_administrator_reaches_nobody_of_another_agency(head: Browser) -> None:
    theirs = officer("issuer")
    before = (theirs.password, roles("issuer"))
    assert head.get(f"/staff/{theirs.pk}").status_code == 404
    for path in ("disable", "enable", "reset", "renew", "give-role", "take-role"):
        assert head.post(f"/staff/{theirs.pk}/{path}", {"role": "issuer"}).status_code == 404
    theirs.refresh_from_db()
    assert (theirs.password, roles("issuer"), theirs.is_active) == (*before, True)
    with pytest.raises(IdentityError, match="officer-unknown"):
        take_role(officer=theirs, role="issuer", by=officer("head"))
    assert "chief" not in words(head.get("/staff/"))


def test_disabling_ends_sessions_at_once(head: Browser) -> None:
    clerk = Browser("clerk")
    head.post(f"/staff/{officer('clerk').pk}/disable")
    assert clerk.officer == ""
    assert Browser().log_in("clerk").status_code == 200
    head.post(f"/staff/{officer('clerk').pk}/enable")
    assert Browser().log_in("clerk").status_code == 302


def test_a_reset_removes_the_second_factor_and_ends_sessions(head: Browser) -> None:
    clerk = Browser("clerk")
    clerk.set_up_app()
    head.post(f"/staff/{officer('clerk').pk}/reset")
    assert clerk.officer == ""
    assert not Authenticator.objects.exists()
    assert logged("head", "staff.reset") == ["done"]


def test_the_database_knows_no_second_open_invitation(head: Browser) -> None:
    invited(head)
    row = OfficerInvitation.objects.get()
    with pytest.raises(IntegrityError), transaction.atomic():
        OfficerInvitation.objects.create(officer=row.officer, code_digest=b"x" * 32, expires_at=row.expires_at)


@pytest.mark.parametrize("path", ["renew", "reset"])
def test_one_administrator_gets_into_no_approvers_account(head: Browser, path: str) -> None:
    """Who could would ask as one person and approve as the other."""
    approver = officer("clerk")
    OfficerRole.objects.create(officer=approver, role="approver")
    answer = head.post(f"/staff/{approver.pk}/{path}")
    assert answer.status_code == 409
    assert "不能由一人重置" in words(answer)
    assert not OfficerInvitation.objects.exists()


def test_no_power_for_an_account_that_an_open_invitation_still_opens(head: Browser) -> None:
    approver = Browser("clerk")
    OfficerRole.objects.get_or_create(officer=officer("clerk"), role="approver")
    invited(head)
    newcomer = officer("newcomer")
    head.post(f"/staff/{newcomer.pk}/give-role", {"role": "approver"})
    pending = PendingAct.objects.get()
    approver.post(f"/approvals/{pending.pk}/approve", {"digest": bytes(pending.digest).hex()})
    pending.refresh_from_db()
    assert (pending.state, pending.failure) == ("failed", "invitation-open")
    assert roles("newcomer") == {"counter"}
