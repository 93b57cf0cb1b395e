"""The governance console: looked at before it is sent, approved by a second person, refused with its sum."""

from __future__ import annotations

import pytest

from demo.officer import Officer, Page
from gov_chain.ledger.models import OutboxRow
from identity.core import permissions
from tests.identity.test_governing import Shell
from tests.world import World


@pytest.fixture
def shell(world: World, capsys: pytest.CaptureFixture[str]) -> Shell:
    return Shell(capsys)


def propose(officer: Officer, kind: str, **fields: str) -> Page:
    """As far as the page that shows what it comes to."""
    form = officer.open(f"/governance/propose/{kind}").form(holding="days")
    return officer.submit(form, step="look", **fields)


def approve(world: World, who: str, pending: Page) -> Page:
    """The second person opens the same act and agrees."""
    path = "/" + pending.url.split("/", 3)[3]
    officer = world.officer(who)
    page = officer.submit(officer.open(path).form(action="approve"))
    world.settle()
    return page


def test_a_proposal_is_shown_sent_approved_voted_and_in_effect(world: World) -> None:
    home = world.officer("home")
    coming = propose(home, "accredit", agency="3", type="7")
    assert "3 票，共 4 个表决机构" in coming.text
    pending = home.submit(coming.form(holding="step"), step="send")
    assert "/approvals/" in pending.url
    assert "青石街道政务服务中心" in pending.text
    assert world.reader.proposals() == []
    approve(world, "reviewer", pending)
    assert [each.number for each in world.reader.proposals()] == [1]
    assert "本机构赞成" in home.open("/governance/").text

    chief = world.officer("chief")
    page = chief.open("/governance/proposals/1")
    assert "还差 2 票赞成" in page.text
    approve(world, "issuer", chief.submit(page.form(action="vote"), vote="yes"))
    assert dict(world.reader.proposal(1).votes) == {2: 1, 1: 1}
    assert "本机构赞成" in chief.open("/governance/").text
    shell_vote = world.officer("head").open("/governance/proposals/1")
    assert "再有一票赞成即告通过" in shell_vote.text
    assert not world.reader.accredited(3, 7)


def test_what_the_rules_would_refuse_is_told_with_the_sum_and_cannot_be_sent(world: World, shell: Shell) -> None:
    for slug in ("street", "audit"):
        shell.pass_("suspend", f"agency={slug}")
    home = world.officer("home")
    rows = OutboxRow.objects.count()
    form = home.open("/governance/propose/suspend").form(holding="days")
    answer = home.http.post(form.action, data=form.fields | {"agency": "1", "step": "look"}, headers=referer(home))
    assert answer.status_code == 409
    page = Page(str(answer.url), answer.text)
    assert "暂停后表决机关数过少" in page.text
    for words in ("现有表决机构 2", "此后 1", "至少须有 2"):
        assert words in page.text
    assert 'value="send"' not in answer.text
    sent = home.http.post(form.action, data=form.fields | {"agency": "1", "step": "send"}, headers=referer(home))
    assert sent.status_code == 409
    assert OutboxRow.objects.count() == rows


def referer(officer: Officer) -> dict[str, str]:
    return {"Referer": officer.base_url, "Origin": officer.base_url}


@pytest.mark.parametrize(
    ("kind", "fields", "words"),
    [
        ("suspend", {"agency": ""}, "请填写"),
        ("suspend", {"agency": "99"}, "请从列表中选择"),
        ("accredit", {"agency": "1", "type": "x"}, "请更正后重试"),
        ("accredit", {"agency": "1", "type": "7", "days": "0"}, "太小"),
        ("revoke-key", {"agency": "1", "key_no": "1", "since": "gestern"}, "请更正后重试"),
        ("enrol", {"application": "{}"}, "申请文件的内容不正确"),
    ],
)
def test_a_wrong_field_is_told_beside_it(world: World, kind: str, fields: dict[str, str], words: str) -> None:
    home = world.officer("home")
    form = home.open(f"/governance/propose/{kind}").form(holding="days")
    answer = home.http.post(form.action, data=form.fields | fields, headers=referer(home))
    assert answer.status_code == 400
    assert words in answer.text


def test_only_those_with_the_role_come_in_and_act(world: World) -> None:
    assert world.client().get("/governance/").url.path == "/login"
    clerk = world.officer("clerk")
    assert clerk.http.get("/governance/").status_code == 403
    home = world.officer("home")
    assert home.http.get("/governance/propose/parameter").status_code == 403, "the operator's"
    assert world.officer("operator").open("/governance/propose/parameter")
    assert home.http.get("/governance/propose/nonsense").status_code == 400
    assert home.http.get("/governance/proposals/9").status_code == 404
    assert permissions.governance_act("withdraw-accreditation") == "governance.withdraw-accreditation"


def test_a_vote_that_would_not_be_taken_is_refused_on_the_page(world: World, shell: Shell) -> None:
    shell.propose("accredit", "agency=street", "type=7")
    home = world.officer("home")
    form = {
        "vote": "yes",
        "csrfmiddlewaretoken": home.open("/governance/propose/suspend")
        .form(holding="days")
        .fields["csrfmiddlewaretoken"],
    }
    answer = home.http.post("/governance/proposals/1/vote", data=form, headers=referer(home))
    assert answer.status_code == 409
    assert "本机关已经表决过" in answer.text
    form["vote"] = "perhaps"
    assert home.http.post("/governance/proposals/1/vote", data=form, headers=referer(home)).status_code == 400


@pytest.mark.parametrize("language", ["zh-hans", "en"])
def test_every_kind_has_its_page_in_both_languages(world: World, language: str) -> None:
    from gov_chain.ledger.core import proposals

    operator = world.officer("operator")
    operator.open(f"/language?to={language}")
    for number, action in proposals.ACTIONS.items():
        if number != proposals.VALIDATORS_FOUND:
            assert operator.open(f"/governance/propose/{action.name}").form(holding="days")
