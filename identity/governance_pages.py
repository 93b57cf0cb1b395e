"""The governance console: what agencies put to the vote, how it stands, and an officer's part in it for their agency.

Every proposal and vote is shown first as it would be: the sentence, the sums, and whether the rules would take it. Only
then can it be asked for; a second person of the agency approves it (`governance_acts`), and it goes out through the
outbox like every act.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django import forms
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.html import format_html
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from gov_chain.ledger import condition, governing, node, timeline
from gov_chain.ledger.core import forecast, proposals, records, state
from gov_chain.ledger.core import governance as rules
from gov_chain.ledger.core.errors import LedgerError
from gov_chain.ledger.explorer import facts
from gov_chain.ledger.explorer.names import Names, Pair
from gov_chain.ledger.standing import ProposalState
from gov_chain.web.language import pick
from identity import applications, governance, governance_acts, officers
from identity.actions.request_act import request_act
from identity.core import permissions
from identity.errors import IdentityError
from identity.models import Officer
from identity.officers import officer_may, officer_of

SHOWN = 200
MOST_DAYS = 365


@dataclass(frozen=True, slots=True)
class Vote:
    agency: Pair
    yes: bool | None
    """None: not cast yet."""


@dataclass(frozen=True, slots=True)
class Row:
    """A proposal as the officer's agency sees it."""

    state: ProposalState
    what: Pair
    proposer: Pair
    tally: forecast.Tally
    votes: tuple[Vote, ...]
    may_vote: bool
    own: str
    """yes, no, open (still to vote) or none (no voter)."""


@require_safe
@officer_may("governance.read")
def console(request: HttpRequest) -> HttpResponse:
    """`/governance/`: open proposals first, then who decides, then what was decided."""
    officer = officer_of(request)
    reader = node.ledger()
    names = Names(reader)
    rows = [_row(each, officer, names) for each in reader.proposals(SHOWN)]
    members = reader.agencies()
    head = condition.head()
    return render(
        request,
        "identity/governance.html",
        {
            "open": [row for row in rows if row.tally.outcome == "open"],
            "decided": [row for row in rows if row.tally.outcome != "open"],
            "members": [(each, names.agency(each.number)) for each in members],
            "voters": sum(not each.suspended for each in members),
            "needed": rules.needed(sum(not each.suspended for each in members)),
            "kinds": _kinds(officer),
            "validators": _validators(names),
            "head": head,
            "clock_wrong": head.ahead > condition.CLOCK_SKEW,
        },
    )


@require_safe
@officer_may("governance.read")
def proposal(request: HttpRequest, number: int) -> HttpResponse:
    return _proposal(request, number)


@require_POST
@officer_may("governance.read")
def vote(request: HttpRequest, number: int) -> HttpResponse:
    officer = officer_of(request)
    kind = int(_known(number).action[0])
    yes = {"yes": True, "no": False}.get(request.POST.get("vote", ""))
    if yes is None:
        raise IdentityError("proposal-field-wrong", field="vote")
    code = governing.trial(officer.agency_id, records.vote(proposal=number, yes=yes))
    if code is not None:
        refused = LedgerError(code)
        return _proposal(request, number, refused=refused, status=refused.status)
    pending = request_act(officer=officer, act=_act(kind), content=governance_acts.voting(number, yes=yes))
    return redirect(f"/approvals/{pending.pk}")


@require_http_methods(["GET", "HEAD", "POST"])
@officer_may("governance.read")
def propose(request: HttpRequest, kind: str) -> HttpResponse:
    """Three steps on one page: fill in, look at what it comes to, send."""
    officer = officer_of(request)
    number = governance.number_of(kind)
    governance.authorise(officer, number)
    form = ProposalForm(number, request.POST or None)
    context: dict[str, Any] = {"form": form, "kind": kind, "title": _title(number)}
    if request.method != "POST" or not form.is_valid():
        return render(request, "identity/governance_propose.html", context, status=400 if request.POST else 200)
    try:
        action = governance.action_of(number, form.fields_given())
    except governance.FieldWrongError as error:
        form.add_error(error.field if error.field in form.fields else None, pick(error.fix_zh, error.fix_en))
        return render(request, "identity/governance_propose.html", context, status=error.status)
    except IdentityError as error:
        form.add_error("application", format_html("{} {}", pick(error.zh, error.en), pick(error.fix_zh, error.fix_en)))
        return render(request, "identity/governance_propose.html", context, status=error.status)
    coming = _coming(officer, action, form.cleaned_data["days"] * governance.DAY)
    if coming["refused"] is None and request.POST.get("step") == "send":
        given = form.fields_given().get("application", "")
        content = governance_acts.proposing(action, days=form.cleaned_data["days"], application=given)
        pending = request_act(officer=officer, act=_act(number), content=content)
        return redirect(f"/approvals/{pending.pk}")
    status = coming["refused"].status if coming["refused"] else 200
    return render(request, "identity/governance_propose.html", context | coming, status=status)


def _act(kind: int) -> str:
    return permissions.governance_act(proposals.ACTIONS[kind].name)


class ProposalForm(forms.Form):
    """A field for each of the action's, with the words and choices people know."""

    days = forms.IntegerField(min_value=1, max_value=MOST_DAYS, initial=7)

    def __init__(self, kind: int, data: Any = None) -> None:
        super().__init__(data)
        self.kind = kind
        self.fields["days"].label = pick("有效天数", "Days it stays open")
        names = [name for name, _ in proposals.ACTIONS[kind].fields]
        if kind in governance.APPLICATIONS:
            names = ["application"]
        given = {name: _field(name) for name in names}
        self.fields = {**given, "days": self.fields["days"]}
        for field in self.fields.values():
            field.error_messages |= {
                "required": pick("请填写。", "Fill this in."),
                "invalid": pick("应为整数。", "It has to be a whole number."),
                "invalid_choice": pick("请从列表中选择。", "Choose from the list."),
                "min_value": pick("太小。", "Too small."),
                "max_value": pick("太大。", "Too large."),
            }

    def fields_given(self) -> dict[str, str]:
        return {name: str(value) for name, value in self.cleaned_data.items() if name != "days"}


def _field(name: str) -> forms.Field:
    names = Names(node.ledger())
    if name == "agency":
        members = [(str(each.number), pick_pair(names.agency(each.number))) for each in node.ledger().agencies()]
        return forms.ChoiceField(label=pick("机构", "Agency"), choices=[("", "—"), *members])
    if name == "parameter":
        rows = [(str(number), pick(row.zh, row.en)) for number, row in proposals.PARAMETERS.items()]
        return forms.ChoiceField(label=pick("参数", "Parameter"), choices=rows)
    if name == "application":
        label = pick("申请文件的全部内容", "The whole of the application file")
        return forms.CharField(label=label, max_length=applications.MAX_FILE, widget=forms.Textarea(attrs={"rows": 10}))
    label, hint = _WORDS.get(name, ((name, name), ("", "")))
    return forms.CharField(label=pick(*label), help_text=pick(*hint), max_length=400)


_WORDS: dict[str, tuple[tuple[str, str], tuple[str, str]]] = {
    "type": (
        ("证照类型", "Certificate type"),
        ("编号；home 为登记市民授权。", "Its number; home for recording citizens' consents."),
    ),
    "power": (("法定职权", "Statutory power"), ("编号。", "Its number.")),
    "max_concealment": (
        ("最长保密", "Concealed for at most"),
        ("如 30d；0 为只能公开使用。", "Such as 30d; 0 for open uses only."),
    ),
    "value": (("新值", "New value"), ("整数。", "A whole number.")),
    "version": (("规则版本", "Version of the rules"), ("下一个编号。", "The next number.")),
    "height": (("从第几条记录起", "From entry"), ("必须还没有写到。", "One the ledger has not reached.")),
    "key_no": (("密钥编号", "Number of the keys"), ("已更换的密钥。", "Keys that were replaced already.")),
    "since": (
        ("从何时起作废", "Void from"),
        (
            "日期时间，如 2026-11-20T08:00；或记录序号。",
            "A date and time, such as 2026-11-20T08:00; or an entry's number.",
        ),
    ),
    "consensus_key": (("共识公钥", "Consensus key"), ("十六进制，32 字节。", "Hex, 32 bytes.")),
    "bls_key": (("BLS 公钥", "BLS key"), ("十六进制，48 字节。", "Hex, 48 bytes.")),
    "possession": (("持有证明", "Proof of possession"), ("十六进制。", "Hex.")),
}


def pick_pair(pair: Pair) -> str:
    return pick(pair["zh"], pair["en"])


def _kinds(officer: Officer) -> list[tuple[str, str]]:
    """(name, words) of what this officer may propose. A first set of validators is founded from a terminal."""
    found = []
    for number, action in proposals.ACTIONS.items():
        if number != proposals.VALIDATORS_FOUND and officers.may(officer, _act(number)) and officer.agency.hosted:
            found.append((action.name, _title(number)))
    return found


def _title(kind: int) -> str:
    return pick(*TITLES[kind])


TITLES: dict[int, tuple[str, str]] = {
    proposals.ENROL: ("新增机构", "Enrol an agency"),
    proposals.SUSPEND: ("暂停机构", "Suspend an agency"),
    proposals.REINSTATE: ("恢复机构", "Reinstate an agency"),
    proposals.ROTATE: ("更换密钥", "Rotate keys"),
    proposals.REVOKE_KEY: ("作废泄露的密钥", "Revoke compromised keys"),
    proposals.ACCREDIT: ("准许签发", "Accredit for a type"),
    proposals.DISACCREDIT: ("撤销准许", "Withdraw an accreditation"),
    proposals.EMPOWER: ("授予法定职权", "Give a statutory power"),
    proposals.DISEMPOWER: ("收回法定职权", "Take a statutory power"),
    proposals.SET_PARAMETER: ("修改参数", "Set a parameter"),
    proposals.SET_RULES: ("采用新版规则", "Adopt a version of the rules"),
    proposals.VALIDATOR_IN: ("加入验证节点", "Add a validator"),
    proposals.VALIDATOR_OUT: ("移出验证节点", "Remove a validator"),
    proposals.VALIDATOR_ROTATE: ("更换验证节点密钥", "Rotate a validator's keys"),
    proposals.VALIDATORS_FOUND: ("设立首批验证节点", "Found the first validators"),
}


def _row(made: ProposalState, officer: Officer, names: Names) -> Row:
    cast = dict(made.votes)
    tally = governing.tally(made)
    own = "none"
    if officer.agency_id in made.voters:
        own = {1: "yes", 0: "no", None: "open"}[cast.get(officer.agency_id)]
    votes = tuple(
        Vote(names.agency(number), None if number not in cast else bool(cast[number])) for number in made.voters
    )
    may_vote = own == "open" and tally.outcome in ("open", "lost") and officers.may(officer, _act(int(made.action[0])))
    what, proposer = facts.action({"action": made.action}, names), names.agency(made.proposer)
    return Row(made, what, proposer, tally, votes, may_vote, own)


def _known(number: int) -> ProposalState:
    found = node.ledger().proposal(number)
    if found is None:
        raise LedgerError("proposal-unknown")
    return found


def _proposal(
    request: HttpRequest, number: int, *, refused: LedgerError | None = None, status: int = 200
) -> HttpResponse:
    officer = officer_of(request)
    reader = node.ledger()
    found = _known(number)
    row = _row(found, officer, Names(reader))
    if refused is None and row.may_vote:
        code = governing.trial(officer.agency_id, records.vote(proposal=number, yes=True))
        refused = LedgerError(code) if code is not None else None
    context = {
        "row": row,
        "made": timeline.time_of(reader, found.index),
        "effect": timeline.time_of(reader, found.effect_index) if found.effect_index else None,
        "sums": forecast.sums(reader.state_at, list(found.action)) if row.tally.outcome == "open" else None,
        "refused": refused,
    }
    return render(request, "identity/governance_proposal.html", context, status=status)


def _coming(officer: Officer, action: list[Any], life: int) -> dict[str, Any]:
    """What the proposal would come to, by the rule itself."""
    reader = node.ledger()
    number = next((each.number for each in reader.proposals(1)), 0) + 1
    expires = governing.block_time(reader) + life
    code = governing.trial(officer.agency_id, records.propose(proposal=number, action=action, expires=expires))
    return {
        "coming": facts.action({"action": action}, Names(reader)),
        "sums": forecast.sums(reader.state_at, action),
        "expires": expires,
        "refused": LedgerError(code) if code is not None else None,
    }


@dataclass(frozen=True, slots=True)
class ValidatorRow:
    name: Pair
    number: int
    power: int
    share: float
    """Of the power, in hundredths."""


def _validators(names: Names) -> list[ValidatorRow]:
    rows = node.ledger().state_at(state.VALIDATORS) or []
    total = sum(row[3] for row in rows)
    return [ValidatorRow(names.agency(row[0]), row[0], row[3], round(100 * row[3] / total, 1)) for row in rows]
