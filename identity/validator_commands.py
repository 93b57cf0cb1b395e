"""`govchain validator join|leave|list`: an agency's node begins or ceases to vote on blocks, by the agencies' decision.

The keys are this node's own. What is put to the vote is an ordinary proposal; CometBFT and the cosigners follow the
ledger's validator set by themselves once it is in force.
"""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from identity import commands

if TYPE_CHECKING:
    from identity.models import Agency

DAYS = 7


def add_arguments(subparsers: Any) -> None:
    group = subparsers.add_parser("validator", help="验证节点：加入、退出 joining and leaving the validators")
    commands = group.add_subparsers(title="命令 commands", metavar="COMMAND", required=True)

    join = commands.add_parser("join", help="提案：本机关节点成为验证节点 propose that this node votes on blocks")
    join.add_argument("--power", type=int, default=1, metavar="N", help="权重 voting power (default 1)")
    join.set_defaults(handler=_join)

    rotate = commands.add_parser("rotate", help="提案：更换本机关验证节点的密钥 propose this node's new validator keys")
    rotate.set_defaults(handler=_rotate)

    leave = commands.add_parser("leave", help="提案：本机关不再是验证节点 propose that this agency votes no more")
    leave.set_defaults(handler=_leave)

    for each in (join, rotate, leave):
        each.add_argument("--days", type=int, default=DAYS, metavar="N", help="表决期限（天） days to vote (default 7)")

    found = commands.add_parser("found", help="提案并表决：首批验证节点 put the first validators to the vote")
    found.add_argument("file", type=Path, metavar="FILE", help="各节点的公钥 the nodes' public keys, JSON")
    found.set_defaults(handler=_found)

    list_ = commands.add_parser("list", help="验证节点及法定多数 the validators, and what a quorum is")
    list_.set_defaults(handler=_list)


def _join(args: argparse.Namespace) -> int:
    return _with_keys(args, "validator-in", power=str(args.power))


def _rotate(args: argparse.Namespace) -> int:
    """After a machine was lost: the new one has keys of its own."""
    return _with_keys(args, "validator-rotate")


def _with_keys(args: argparse.Namespace, kind: str, **more: str) -> int:
    from django.conf import settings

    from gov_chain.consortium import layout

    agency = commands.acting(None)
    card = layout.validator(Path(settings.GOVCHAIN.data), agency.number)
    keys = {
        "consensus_key": card.consensus_key.hex(),
        "bls_key": card.bls_key.hex(),
        "possession": card.possession.hex(),
    }
    return _put_to_the_vote(args, agency, kind, {"agency": str(agency.number), **keys, **more})


def _found(args: argparse.Namespace) -> int:
    """For an embedded ledger: proposed and voted for by every agency on this node."""
    from gov_chain.ledger.actions.cast_vote import cast_vote
    from gov_chain.ledger.actions.make_proposal import make_proposal
    from gov_chain.ledger.core import proposals
    from identity.models import Agency

    rows = [
        [bytes.fromhex(field) if isinstance(field, str) else field for field in row]
        for row in json.loads(args.file.read_text())
    ]
    first, *others = Agency.objects.filter(hosted=True).order_by("number")
    made = make_proposal(
        agency=first.number, action=[proposals.VALIDATORS_FOUND, sorted(rows)], life=DAYS * commands.DAY
    )
    recorded = made
    for agency in others:
        if recorded.proposal.effect_index:
            break
        recorded = cast_vote(agency=agency.number, proposal=made.proposal.number, yes=True)
    return commands.tell(args, recorded, None)


def _leave(args: argparse.Namespace) -> int:
    agency = commands.acting(None)
    return _put_to_the_vote(args, agency, "validator-out", {"agency": str(agency.number)})


def _put_to_the_vote(args: argparse.Namespace, agency: Agency, kind: str, fields: dict[str, str]) -> int:
    args.kind, args.file, args.agency = kind, None, agency.slug
    args.fields = [f"{name}={value}" for name, value in fields.items()]
    return commands.propose(args)


def _list(args: argparse.Namespace) -> int:
    from gov_chain.ledger import node
    from gov_chain.ledger.explorer.names import Names

    ledger = node.ledger()
    sets = ledger.validator_sets()
    validators = sets[-1][0].validators if sets else ()
    total = sum(each.power for each in validators)
    if args.json:
        told = {
            "validators": [{"agency": each.agency, "power": each.power} for each in validators],
            "power": total,
            "quorum_above": 2 * total // 3,
        }
        sys.stdout.write(json.dumps(told) + "\n")
        return 0
    names = Names(ledger)
    for each in validators:
        sys.stdout.write(f"{each.agency:>5}  {each.power:>5}  {names.agency(each.agency)['zh']}\n")
    sys.stdout.write(f"合计 total {total}；法定多数：大于 quorum: more than {2 * total / 3:g}\n")
    return 0
