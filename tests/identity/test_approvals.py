"""Acts that take two persons: frozen, approved by another, executed once; or nothing happens."""

from __future__ import annotations

import threading
from collections.abc import Iterator

import pytest
import time_machine
from django import db
from django.db import IntegrityError, transaction
from django.utils import timezone

from identity import acts, approvals
from identity.actions.approve_act import approve_act
from identity.actions.request_act import LIFE, request_act
from identity.acts import Content, Executed
from identity.errors import IdentityError
from identity.models import Officer, OfficerRole, PendingAct
from identity.seed import SeededIdentity
from tests.identity.desk import Browser, logged, officer, words
from tests.world import World

ACT = "issuing.revoke-many"
CONTENT = {"certificates": [3, 5, 8], "reason": 4}


class Recorder:
    """An executor that remembers what it was given."""

    def __init__(self) -> None:
        self.given: list[Content] = []
        self.refuse = False

    def __call__(self, pending: PendingAct, content: Content) -> Executed:
        self.given.append(content)
        if self.refuse:
            OfficerRole.objects.all().delete()
            raise IdentityError("citizen-unknown")
        return Executed({"revoked": len(content["certificates"])})


@pytest.fixture
def executor() -> Iterator[Recorder]:
    recorder, before = Recorder(), acts.registered(ACT)
    acts.register(ACT, execute=recorder, describe=lambda content: (f"吊销 {content['certificates']}", "Revoke"))
    yield recorder
    if before is None:
        acts._registered.pop(ACT)
    else:
        acts._registered[ACT] = before


@pytest.fixture
def pending(seeded: SeededIdentity, executor: Recorder) -> PendingAct:
    return request_act(officer=officer("issuer"), act=ACT, content=CONTENT)


def approve(browser: Browser, pending: PendingAct, digest: str | None = None) -> int:
    shown = bytes(pending.digest).hex() if digest is None else digest
    return int(browser.post(f"/approvals/{pending.pk}/approve", {"digest": shown}).status_code)


def state(pending: PendingAct) -> str:
    return PendingAct.objects.get(pk=pending.pk).state


def test_nothing_is_done_before_somebody_else_approves(pending: PendingAct, executor: Recorder) -> None:
    assert executor.given == []
    chief = Browser("chief")
    assert "吊销 [3, 5, 8]" in words(chief.get("/approvals/"))
    assert approve(chief, pending) == 302
    assert executor.given == [CONTENT]
    assert state(pending) == "done"
    page = words(Browser("issuer").get(f"/approvals/{pending.pk}"))
    assert "已批准并办成" in page
    assert "revoked 3" in page
    assert logged("issuer", ACT) == ["requested", "done"]
    assert logged("chief", "approvals.decide") == ["approved"]


def test_nobody_approves_their_own_request(pending: PendingAct, executor: Recorder) -> None:
    # The issuer is an approver too.
    assert approve(Browser("issuer"), pending) == 403
    assert (state(pending), executor.given) == ("waiting", [])
    assert logged("issuer", "approvals.decide") == ["pending-own"]


def test_the_database_holds_two_persons_apart(pending: PendingAct) -> None:
    with pytest.raises(IntegrityError), transaction.atomic():
        PendingAct.objects.filter(pk=pending.pk).update(decided_by=pending.requested_by)


def test_an_approval_counts_once(pending: PendingAct, executor: Recorder) -> None:
    chief = Browser("chief")
    assert [approve(chief, pending) for _ in range(3)] == [302, 409, 409]
    assert len(executor.given) == 1


def test_of_two_who_approve_at_once_one_executes(committed: SeededIdentity, executor: Recorder) -> None:
    second = Officer.objects.create_user("second", agency=officer("issuer").agency, display_name="二审")
    OfficerRole.objects.create(officer=second, role="approver")
    asked = request_act(officer=officer("issuer"), act=ACT, content=CONTENT)
    outcomes: list[str] = []

    def decide(username: str) -> None:
        try:
            found = approvals.one_of(officer("issuer").agency, asked.pk)
            approve_act(officer=officer(username), pending=found, digest=bytes(asked.digest))
            outcomes.append("done")
        except IdentityError as error:
            outcomes.append(error.code)
        finally:
            db.connection.close()

    threads = [threading.Thread(target=decide, args=(name,)) for name in ("chief", "second")]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(outcomes) == ["done", "pending-decided"]
    assert len(executor.given) == 1


def test_a_request_expires(pending: PendingAct, executor: Recorder) -> None:
    chief, issuer = Browser("chief"), Browser("issuer")
    with time_machine.travel(timezone.now().timestamp() + LIFE + 1):
        for browser in (chief, issuer):
            assert browser.log_in("chief" if browser is chief else "issuer").status_code == 302
        assert approve(chief, pending) == 409
        assert "已过期" in words(issuer.get(f"/approvals/{pending.pk}"))
    assert (state(pending), executor.given) == ("expired", [])


def test_another_agencys_approver_finds_nothing(pending: PendingAct, executor: Recorder) -> None:
    reviewer = Browser("reviewer")
    assert reviewer.get(f"/approvals/{pending.pk}").status_code == 404
    assert approve(reviewer, pending) == 404
    assert reviewer.post(f"/approvals/{pending.pk}/refuse").status_code == 404
    assert reviewer.post(f"/approvals/{pending.pk}/cancel").status_code == 404
    assert "吊销" not in words(reviewer.get("/approvals/"))
    assert (state(pending), executor.given) == ("waiting", [])


@pytest.mark.parametrize(("username", "shown"), [("auditor", True), ("registrar", True), ("clerk", False)])
def test_who_may_ask_finds_the_way_back(seeded: SeededIdentity, username: str, shown: bool) -> None:
    """A clerk asks for nothing that another approves: one room fewer."""
    assert ('href="/approvals/"' in Browser(username).get("/account/").text) is shown


def test_who_is_no_approver_does_not_decide(seeded: SeededIdentity, pending: PendingAct) -> None:
    OfficerRole.objects.filter(officer=officer("chief"), role="approver").delete()
    assert approve(Browser("chief"), pending) == 403
    assert Browser("chief").get(f"/approvals/{pending.pk}").status_code == 404


@pytest.mark.parametrize("digest", ["", "zz", "00" * 32])
def test_what_is_approved_is_what_was_shown(pending: PendingAct, executor: Recorder, digest: str) -> None:
    assert approve(Browser("chief"), pending, digest) == 409
    assert executor.given == []


def test_a_content_changed_behind_the_page_is_not_executed(pending: PendingAct, executor: Recorder) -> None:
    PendingAct.objects.filter(pk=pending.pk).update(content=b'{"certificates":[1],"reason":4}')
    assert approve(Browser("chief"), pending) == 409
    assert (state(pending), executor.given) == ("waiting", [])


def test_a_requester_who_lost_the_role_gets_nothing_done(pending: PendingAct, executor: Recorder) -> None:
    OfficerRole.objects.filter(officer=officer("issuer"), role="issuer").delete()
    assert approve(Browser("chief"), pending) == 409
    assert executor.given == []


def test_a_refusal_ends_it(pending: PendingAct, executor: Recorder) -> None:
    chief = Browser("chief")
    chief.post(f"/approvals/{pending.pk}/refuse")
    assert state(pending) == "refused"
    assert approve(chief, pending) == 409
    assert executor.given == []


def test_a_request_can_be_taken_back_by_its_author_alone(pending: PendingAct, executor: Recorder) -> None:
    assert Browser("chief").post(f"/approvals/{pending.pk}/cancel").status_code == 404
    Browser("issuer").post(f"/approvals/{pending.pk}/cancel")
    assert state(pending) == "cancelled"
    assert approve(Browser("chief"), pending) == 409


def test_an_executor_that_refuses_leaves_nothing_behind(pending: PendingAct, executor: Recorder) -> None:
    executor.refuse = True
    assert approve(Browser("chief"), pending) == 302
    assert OfficerRole.objects.exists()
    found = PendingAct.objects.get(pk=pending.pk)
    assert (found.state, found.failure) == ("failed", "citizen-unknown")
    assert logged("issuer", ACT) == ["requested", "citizen-unknown"]


def test_where_nobody_could_approve_nothing_is_asked(seeded: SeededIdentity, executor: Recorder) -> None:
    OfficerRole.objects.filter(officer__username="chief").delete()
    with pytest.raises(IdentityError, match="approver-missing"):
        request_act(officer=officer("issuer"), act=ACT, content=CONTENT)


def test_who_may_not_do_an_act_may_not_ask_for_it(seeded: SeededIdentity, executor: Recorder) -> None:
    with pytest.raises(IdentityError, match="role-missing"):
        request_act(officer=officer("clerk"), act=ACT, content=CONTENT)


def test_an_approval_form_from_another_site_does_nothing(pending: PendingAct, executor: Recorder) -> None:
    browser = Browser(enforce_csrf_checks=True)
    browser.force_login(officer("chief"))
    assert approve(browser, pending) == 403
    assert executor.given == []


# Giving a role with which one person could undo the rule of two.


def test_a_power_takes_three_different_people(seeded: SeededIdentity) -> None:
    head = Browser("head")
    answer = head.post(f"/staff/{officer('clerk').pk}/give-role", {"role": "agency-admin"})
    # Nobody but the head can approve at the street office.
    assert answer.status_code == 409
    clerk = officer("clerk")
    OfficerRole.objects.create(officer=clerk, role="approver")
    head.post(f"/staff/{clerk.pk}/give-role", {"role": "agency-admin"})
    asked = PendingAct.objects.get()
    # The clerk may not approve their own promotion.
    assert approve(Browser("clerk"), asked) == 302
    assert PendingAct.objects.get().failure == "role-own"
    third = Officer.objects.create_user("third", agency=clerk.agency, display_name="三")
    OfficerRole.objects.create(officer=third, role="approver")
    head.post(f"/staff/{clerk.pk}/give-role", {"role": "agency-admin"})
    asked = PendingAct.objects.get(state="waiting")
    approve_act(officer=third, pending=asked, digest=bytes(asked.digest))
    assert clerk.roles.filter(role="agency-admin").exists()


# Exports.


def test_an_export_of_uses_takes_two_and_is_for_who_asked(world: World) -> None:
    ana, desk = world.citizen(), world.ask()
    world.present(ana, desk)
    auditor, inspector = world.officer("auditor"), world.officer("inspector")
    page = auditor.submit(auditor.open("/audit/?kind=usage").form(action="/audit/export"))
    path = page.url.partition("8000")[2]
    assert "kind=usage" in page.text
    done = inspector.submit(inspector.open(path).form(action="approve"))
    assert "已批准并办成" in done.text
    body = auditor.http.get(f"{path}/file").content.decode("utf-8-sig")
    assert body.splitlines()[0].startswith("index,time,kind")
    assert len(body.splitlines()) == 2
    assert ana.name not in body
    assert inspector.http.get(f"{path}/file").status_code == 404
    assert logged("auditor", "approvals.file") == ["done"]
