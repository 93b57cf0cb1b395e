"""`govchain governance …`, `agency …`, `officers …`: what agencies decide together, an agency's keys and its officers.

Acts go through the outbox like every other; what the rules would refuse is refused before it is sent, with the sums.
"""

from __future__ import annotations

import argparse
import json
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from gov_chain.ledger.core.forecast import Sums
    from gov_chain.ledger.governing import Recorded
    from gov_chain.ledger.standing import ProposalState
    from identity.models import Agency

DAY = 86400
_AS = "以哪个机构的名义，只有一个时可省 for which agency hosted here, by its short name"


def add_arguments(subparsers: Any) -> None:
    governance = subparsers.add_parser("governance", help="治理：提案与表决 proposals and votes of the consortium")
    group = governance.add_subparsers(title="命令 commands", metavar="COMMAND", required=True)

    propose_ = group.add_parser(
        "propose",
        help="提出提案 put something to the vote",
        description="种类与字段见 docs/guides/governance.md。 Kinds and fields: see docs/guides/governance.md.",
    )
    propose_.add_argument("kind", metavar="KIND", help="种类 e.g. enrol, suspend, accredit, revoke-key, parameter")
    propose_.add_argument("fields", metavar="FIELD=VALUE", nargs="*", help="e.g. agency=street type=1 since=2026-11-20")
    propose_.add_argument("--file", type=Path, metavar="FILE", help="申请文件（enrol、rotate） application to propose")
    propose_.add_argument("--days", type=int, default=7, metavar="N", help="有效天数 days it stays open (default 7)")
    propose_.add_argument("--as", dest="agency", metavar="SLUG", help=_AS)
    propose_.set_defaults(handler=propose)

    vote = group.add_parser("vote", help="对提案表决 vote on a proposal")
    vote.add_argument("proposal", metavar="N", type=int, help="提案号 number of the proposal")
    vote.add_argument("choice", metavar="yes|no", choices=["yes", "no"], help="赞成或反对")
    vote.add_argument("--as", dest="agency", metavar="SLUG", help=_AS)
    vote.set_defaults(handler=_vote)

    list_ = group.add_parser("list", help="全部提案 every proposal, newest first")
    list_.set_defaults(handler=_list)

    show = group.add_parser("show", help="一个提案：票数、投票、截止 one proposal: its votes and sums")
    show.add_argument("proposal", metavar="N", type=int, help="提案号 number of the proposal")
    show.set_defaults(handler=_show)

    agency = subparsers.add_parser("agency", help="机构：入盟申请、更换密钥 agencies: applying, keys")
    group = agency.add_subparsers(title="命令 commands", metavar="COMMAND", required=True)

    apply = group.add_parser("apply", help="生成密钥和入盟申请 make keys and the application to be enrolled")
    apply.add_argument("--slug", required=True, metavar="SLUG", help="简称，用于网址 short name, as in its address")
    apply.add_argument("--name-zh", required=True, metavar="NAME", help="中文名称 name in Chinese")
    apply.add_argument("--name-en", required=True, metavar="NAME", help="英文名称 name in English")
    apply.add_argument("--out", type=Path, metavar="FILE", help="写入文件 write here instead of standard output")
    apply.set_defaults(handler=_apply)

    admit = group.add_parser("admit", help="登记已入盟机构的名称与网址 learn an enrolled agency's name and address")
    admit.add_argument("file", type=Path, metavar="FILE", help="它的入盟申请 its application")
    admit.set_defaults(handler=_admit)

    rotate = group.add_parser("rotate-key", help="生成新密钥并提出更换 make new keys and put them to the vote")
    rotate.add_argument("--as", dest="agency", metavar="SLUG", help=_AS)
    rotate.add_argument("--days", type=int, default=7, metavar="N", help="有效天数 days it stays open (default 7)")
    rotate.add_argument(
        "--out",
        type=Path,
        metavar="FILE",
        help="只写文件，由别的机构提出 only write it, for another to propose",
    )
    rotate.set_defaults(handler=_rotate)

    _staff_arguments(subparsers)


def _staff_arguments(subparsers: Any) -> None:
    officers = subparsers.add_parser("officers", help="机构人员 an agency's officers")
    group = officers.add_subparsers(title="命令 commands", metavar="COMMAND", required=True)
    invite = group.add_parser(
        "invite", help="邀请人员（首位管理员由此而来） invite an officer; an agency's first administrator comes so"
    )
    invite.add_argument("username", metavar="NAME", help="账号名 account name")
    invite.add_argument("--name", required=True, metavar="NAME", help="姓名 the person's name")
    invite.add_argument("--email", default="", metavar="MAIL", help="单点登录的邮箱 e-mail at single sign-on")
    invite.add_argument(
        "--role", dest="roles", action="append", default=[], metavar="ROLE", help="角色 may be repeated"
    )
    invite.add_argument("--as", dest="agency", metavar="SLUG", help=_AS)
    invite.set_defaults(handler=_invite)

    log = subparsers.add_parser("officers-log", help="工作人员日志 the officers' log")
    group = log.add_subparsers(title="命令 commands", metavar="COMMAND", required=True)
    verify = group.add_parser("verify", help="核对整条链及其账本存证 the whole chain, and its anchors on the ledger")
    verify.add_argument("--as", dest="agency", metavar="SLUG", help="只核对此机构 this agency only")
    verify.set_defaults(handler=_verify_log)


def _invite(args: argparse.Namespace) -> int:
    from django.conf import settings

    from identity.actions.invite_officer import invite_officer
    from identity.core.permissions import ROLES
    from identity.errors import IdentityError

    if not set(args.roles) <= ROLES:
        raise IdentityError("role-unknown", roles=", ".join(sorted(ROLES)))
    invited = invite_officer(
        agency=acting(args.agency),
        by=None,
        username=args.username,
        display_name=args.name,
        email=args.email,
        roles=args.roles,
    )
    url = f"{settings.GOVCHAIN.base_url}/join#{invited.code}"
    if args.json:
        _print_json({"ok": True, "username": args.username, "code": invited.code, "join_url": url})
    else:
        sys.stdout.write(f"{url}\n")
    return 0


def _verify_log(args: argparse.Namespace) -> int:
    from identity import agencies, officers_log
    from identity.actions.record_act import record_act
    from identity.models import Agency

    chosen = [agencies.by_slug(args.agency, hosted=True)] if args.agency else Agency.objects.filter(hosted=True)
    told = []
    for agency in chosen:
        found = officers_log.check(agency)
        record_act(
            agency=agency, officer=None, act="officers-log.verify", outcome="done" if found.holds else "log-broken"
        )
        broken = None if found.broken is None else {"seq": found.broken.seq, "reason": found.broken.reason}
        told.append(
            {
                "agency": agency.slug,
                "holds": found.holds,
                "entries": found.entries,
                "anchors": found.anchors,
                "broken": broken,
                "anchor_broken": found.anchor_broken,
            }
        )
    holds = all(each["holds"] for each in told)
    if args.json:
        _print_json({"ok": holds, "logs": told})
        return 0 if holds else 1
    for each in told:
        line = f"{each['agency']}: {each['entries']} 条 entries, {each['anchors']} 个存证 anchors: "
        if each["holds"]:
            line += "完整 whole"
        elif each["broken"]:
            line += f"第 {each['broken']['seq']} 条不成立 entry does not hold ({each['broken']['reason']})"
        else:
            line += f"与第 {each['anchor_broken']} 条的账本存证矛盾 contradicts its anchor on the ledger"
        sys.stdout.write(f"{line}\n")
    return 0 if holds else 1


def acting(slug: str | None) -> Agency:
    from identity import agencies
    from identity.errors import IdentityError
    from identity.models import Agency

    if slug is not None:
        return agencies.by_slug(slug, hosted=True)
    hosted = list(Agency.objects.filter(hosted=True))
    if len(hosted) != 1:
        raise IdentityError("acting-agency-unclear", agencies=", ".join(each.slug for each in hosted))
    return hosted[0]


def propose(args: argparse.Namespace) -> int:
    from gov_chain.ledger import node
    from gov_chain.ledger.actions.make_proposal import make_proposal
    from gov_chain.ledger.core import forecast, proposals
    from gov_chain.ledger.core.errors import LedgerError
    from identity import applications, governance
    from identity.actions.admit_agency import admit_agency

    kind = governance.number_of(args.kind)
    given = dict(field.partition("=")[::2] for field in args.fields)
    if args.file is not None:
        given["application"] = _text(args.file)
    action = governance.action_of(kind, given)
    sums = forecast.sums(node.ledger().state_at, action)
    if kind == proposals.ENROL:
        admit_agency(applications.read(given["application"]))
    try:
        recorded = make_proposal(agency=acting(args.agency).number, action=action, life=args.days * DAY)
    except LedgerError:
        if args.json or sums.voters == sums.voters_after:
            raise
        sys.stderr.write(f"{' '.join(_sums(sums))}\n")
        raise
    return tell(args, recorded, sums)


def _vote(args: argparse.Namespace) -> int:
    from gov_chain.ledger.actions.cast_vote import cast_vote

    recorded = cast_vote(agency=acting(args.agency).number, proposal=args.proposal, yes=args.choice == "yes")
    return tell(args, recorded, None)


def _list(args: argparse.Namespace) -> int:
    from gov_chain.ledger import node

    found = [_described(each) for each in node.ledger().proposals(limit=1000)]
    if args.json:
        _print_json({"ok": True, "proposals": found})
    else:
        sys.stdout.write("".join(f"{_line(each)}\n" for each in found) or "还没有提案 no proposals yet\n")
    return 0


def _show(args: argparse.Namespace) -> int:
    from gov_chain.ledger import node
    from gov_chain.ledger.core.errors import LedgerError

    proposal = node.ledger().proposal(args.proposal)
    if proposal is None:
        raise LedgerError("proposal-unknown")
    told = _described(proposal)
    if args.json:
        _print_json({"ok": True, **told})
        return 0
    lines = [_line(told)]
    lines += [f"  {vote['agency']:>5}  {'赞成 yes' if vote['yes'] else '反对 no'}" for vote in told["votes"]]
    lines += [f"  {number:>5}  –" for number in told["undecided"]]
    sys.stdout.write("\n".join(lines) + "\n")
    return 0


def _apply(args: argparse.Namespace) -> int:
    from identity.actions.apply_for_enrolment import apply_for_enrolment

    applied = apply_for_enrolment(slug=args.slug, name_zh=args.name_zh, name_en=args.name_en)
    return _written(args, applied.application, agency=applied.agency.number)


def _admit(args: argparse.Namespace) -> int:
    from gov_chain.ledger import node
    from gov_chain.ledger.core.errors import LedgerError
    from identity import applications
    from identity.actions.admit_agency import admit_agency
    from identity.errors import IdentityError

    application = applications.read(_text(args.file))
    if application.profile is not None:
        try:
            known = node.ledger().agency(application.profile.number)
        except LedgerError as error:
            raise IdentityError("not-enrolled") from error
        if known.ledger_key != application.ledger_key:
            raise IdentityError("agency-taken")
    agency = admit_agency(application)
    if args.json:
        _print_json({"ok": True, "agency": agency.number, "hosted": agency.hosted, "did": agency.did})
    else:
        sys.stdout.write(f"{agency.name_zh} {agency.name_en} ({agency.number}): {agency.url}\n")
    return 0


def _rotate(args: argparse.Namespace) -> int:
    from identity.actions.rotate_keys import rotate_keys

    rotation = rotate_keys(agency=acting(args.agency), life=args.days * DAY, propose=args.out is None)
    if rotation.recorded is None:
        return _written(args, rotation.application, agency=rotation.agency.number, key_no=rotation.key_no)
    return tell(args, rotation.recorded, None)


def _written(args: argparse.Namespace, text: str, **told: int) -> int:
    if args.out is not None:
        args.out.write_text(text, encoding="utf-8")
    if args.json:
        _print_json({"ok": True, **told, "application": json.loads(text)})
    elif args.out is None:
        sys.stdout.write(text)
    else:
        sys.stdout.write(f"{args.out}\n")
    return 0


def _text(file: Path) -> str:
    from identity.errors import IdentityError

    try:
        return file.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise IdentityError("application-malformed", log=type(error).__name__) from error


def tell(args: argparse.Namespace, recorded: Recorded, sums: Sums | None) -> int:
    told = _described(recorded.proposal)
    if args.json:
        extra = {} if sums is None else {"voters_now": sums.voters, "voters_after": sums.voters_after}
        _print_json({"ok": True, "index": recorded.index, "receipt": recorded.receipt, **told, **extra})
        return 0
    sys.stdout.write(f"{_line(told)}\n")
    if sums is not None and sums.voters != sums.voters_after:
        sys.stdout.write(f"{' '.join(_sums(sums))}\n")
    return 0


def _described(proposal: ProposalState) -> dict[str, Any]:
    from gov_chain.ledger import governing, presentation
    from gov_chain.ledger.core import proposals
    from identity import governance

    tally = governing.tally(proposal)
    zh, en = governance.sentence(proposal.action)
    return {
        "proposal": proposal.number,
        "kind": proposals.ACTIONS[int(proposal.action[0])].name,
        "fields": presentation.plain(proposals.named(proposal.action)),
        "zh": zh,
        "en": en,
        "outcome": tally.outcome,
        "yes": tally.yes,
        "no": tally.no,
        "needed": tally.needed,
        "voters": tally.voters,
        "votes": [{"agency": agency, "yes": bool(yes)} for agency, yes in proposal.votes],
        "undecided": [each for each in proposal.voters if each not in dict(proposal.votes)],
        "expires": proposal.expires,
        "proposed_at": proposal.index,
        "effect_at": proposal.effect_index or None,
    }


_OUTCOMES = {"passed": "已通过 passed", "open": "表决中 open", "lost": "未获通过 lost", "expired": "已过期 expired"}


def _line(told: dict[str, Any]) -> str:
    until = datetime.fromtimestamp(told["expires"], UTC).strftime("%Y-%m-%d %H:%MZ")
    return (
        f"{told['proposal']:>4}  {_OUTCOMES[told['outcome']]}  {told['zh']} {told['en']}  "
        f"赞成 yes {told['yes']}/{told['needed']}, 反对 no {told['no']}, 表决机关 voters {told['voters']}, "
        f"截止 until {until}"
    )


def _sums(sums: Sums) -> tuple[str, str]:
    return (
        f"表决机关现有 {sums.voters} 个（{sums.needed} 票通过），"
        f"此后 {sums.voters_after} 个（{sums.needed_after} 票通过），至少须有 {sums.least} 个。",
        f"Voters now: {sums.voters} ({sums.needed} votes pass); afterwards {sums.voters_after} "
        f"({sums.needed_after} pass); at least {sums.least} have to remain.",
    )


def _print_json(value: Any) -> None:
    sys.stdout.write(json.dumps(value, ensure_ascii=False) + "\n")
