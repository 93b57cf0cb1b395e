"""The ledger's rules as a page of documentation, made from the tables the code runs on.

`govchain ledger rules` prints it; `docs/ledger.md` is its output, and a test compares the two.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable, Sequence
from typing import Any

from gov_chain.ledger.core import governance, proposals, records, rules
from gov_chain.ledger.core.errors import REFUSALS, LedgerError
from gov_chain.ledger.core.shapes import Choice, Fixed, Many, Point, Row, Shape, Signatures, Uint

ANY_RECORD = ("record-malformed", "kind-unknown", "agency-suspended")

_MATTER_GRANT = ("matter-unknown", "matter-superseded", "matter-not-in-force")

REFUSED_WITH: dict[int, tuple[str, ...]] = {
    records.TYPE: ("not-accredited", "type-of-another-agency", "version-not-next"),
    records.MATTER: (
        "matter-of-another-agency",
        "version-not-next",
        "type-repeated",
        "type-unknown",
        "fields-beyond-type",
        "fields-overlap",
    ),
    records.MATTER_APPROVE: ("matter-unknown", "type-not-in-matter", "not-the-issuer", "approved-already"),
    records.ISSUE: ("not-accredited", "type-unknown", "type-of-another-agency", "commitment-taken"),
    records.STATUS: ("type-unknown", "type-of-another-agency", "version-not-next"),
    records.GRANT: (
        *_MATTER_GRANT,
        "recorder-is-asker",
        "fields-count-wrong",
        "fields-missing",
        "fields-beyond-matter",
        "recorder-not-entitled",
        "life-beyond-matter",
        "uses-beyond-matter",
        "handle-taken",
    ),
    records.WITHDRAW: ("grant-unknown", "grant-withdrawn", "grant-expired"),
    records.USAGE: (
        "grant-unknown",
        "grant-of-another-matter",
        "not-the-asker",
        "grant-withdrawn",
        "grant-expired",
        "recorder-suspended",
        "fields-count-wrong",
        "fields-beyond-grant",
        "uses-spent",
    ),
    records.PROPOSE: (
        "proposal-number-not-next",
        "proposal-life-wrong",
        "too-many-proposals",
        "possession-unproven",
        "too-many-pairings",
    ),
    records.VOTE: ("proposal-unknown", "proposal-passed", "proposal-expired", "not-a-voter", "voted-already"),
    records.STATUTORY: (
        "power-not-held",
        "reveal-overdue",
        "type-unknown",
        "fields-beyond-type",
        "tag-taken",
        "concealment-beyond-power",
        "too-many-concealed",
    ),
    records.REVEAL: ("concealed-unknown", "concealed-by-another", "revealed-already", "reveal-wrong"),
    records.EVIDENCE: (),
    records.EQUIVOCATION: (
        "validator-key-unknown",
        "equivocation-known",
        "statements-agree",
        "statement-unsigned",
        "too-many-pairings",
    ),
}
"""In the order in which a rule asks."""

_VALIDATORS = (
    "validator-key-taken",
    "validators-too-many",
    "validators-too-few",
    "validator-too-strong",
    "quorum-endangered",
    "validators-changed-just-now",
)

ACTION_REFUSED_WITH: dict[int, tuple[str, ...]] = {
    proposals.ENROL: ("agency-number-not-next",),
    proposals.SUSPEND: ("agency-unknown", "suspended-already", "too-few-voters"),
    proposals.REINSTATE: ("agency-unknown", "not-suspended"),
    proposals.ROTATE: ("agency-unknown", "key-number-not-next", "key-used-before"),
    proposals.ACCREDIT: ("agency-unknown", "accredited-already", "too-many-accreditations"),
    proposals.DISACCREDIT: ("agency-unknown", "accreditation-unknown"),
    proposals.EMPOWER: ("agency-unknown", "too-many-powers"),
    proposals.DISEMPOWER: ("agency-unknown", "power-not-held"),
    proposals.SET_PARAMETER: ("parameter-out-of-range",),
    proposals.SET_RULES: ("version-not-next", "height-passed"),
    proposals.REVOKE_KEY: (
        "agency-unknown",
        "key-number-unknown",
        "key-in-use",
        "since-in-future",
        "key-revoked-already",
    ),
    proposals.VALIDATOR_IN: (
        "validators-not-founded",
        "validator-already",
        "agency-unknown",
        "suspended-already",
        *_VALIDATORS,
        "possession-wrong",
    ),
    proposals.VALIDATOR_OUT: ("validator-unknown", *_VALIDATORS),
    proposals.VALIDATOR_ROTATE: ("validator-unknown", *_VALIDATORS, "possession-wrong"),
    proposals.VALIDATORS_FOUND: (
        "validators-founded-already",
        "validator-already",
        "agency-unknown",
        "suspended-already",
        *_VALIDATORS,
        "possession-wrong",
    ),
}
"""By propose, and by the vote that would make it pass."""

_INTRODUCTION = """\
# The ledger's records and rules

Made by `govchain ledger rules` from the tables the code runs on; a test compares. Do not edit by hand.

A record is the canonical CBOR array [kind, fields…]. It holds bounded integers, fixed-size digests and keys, and
numbers the ledger knows; nothing else fits. A record that breaks a rule is refused alone, with its position and code;
its transaction's other records stand.

## What was decided, and why

- **Suspended agencies** read, and do nothing else: their transactions are refused whole (`agency-suspended`), and what
  is left of a batch in which an agency's own suspension passes is refused record by record. What they recorded before
  stands: certificates they issued stay valid, matters they approved stay in force. Citizens withdraw grants through any
  other node. A grant recorded by a suspended agency cannot be *used* until it is reinstated (`recorder-suspended`): its
  word is all that vouches for the consent. The paper channel stays.
- **Who records a grant**: an agency accredited as citizens' home (type 0 in an accreditation), or the issuer of every
  type it opens fields of; never the agency that asks. Any other agency could be the asker's friend.
- **A type's issuer** is the agency that registered it. Only it issues (while accredited), approves matters, and updates
  status lists (always: revoking must go on working when the accreditation is withdrawn).
- **Voters** are the agencies not suspended when a proposal is made. Proposing is the proposer's yes. It passes at
  3 · yes ≥ 2 · voters, in the record that makes it so. An action that cannot take effect refuses the deciding vote with
  its own code; the vote may be cast again until the proposal expires.
- **A suspension leaves at least `least-voters` voters**, never fewer than two: however suspensions follow each other,
  no agency comes to decide alone.
- **Rotated keys** sign nothing more from the next record on (`key-retired`), and stay known, with the entries between
  which they signed. What a node had signed and not yet sent it signs anew.
- **Possession**: who is to get keys, at enrolment or by rotation, signs the whole action with each of them
  (`gov_chain/ledger/core/possession.py`); a proposal without that is refused.
- **Compromised keys** are rotated, then revoked from an entry on: what they vouched for before it stays good, what they
  vouched for from it on is void (`docs/decisions/0031-compromised-keys.md`). Suspend the agency to stop a thief at
  once.
- **Statutory uses** are found by the person concerned through tags: `gov_chain/ledger/core/watch.py` says how the phone
  walks them. Open and concealed uses have separate series, so that a use not revealed yet never hides an open one.
- **Rules versions** take effect at a voted height. A transaction is judged by the version at its own leaf's index,
  which a replay sees; a node that does not know the version writes nothing from there on (`rules-unknown`).
- **Validators** are in the state: one an agency, with an Ed25519 key for consensus and a BLS key (possession proven)
  for quorum certificates. Keys never come back. Let T be the total power: a quorum is more than 2T/3. A change needs
  3 · stays > 2 · max(T before, T after), `stays` being the power of those in both sets with the same keys and power:
  of 4 equal ones one may rotate (3 of 4) and a fifth may join (4 of 5); two at once may not. Then at least 4 are left
  (n ≥ 3f + 1 for f = 1), each with less than T/3. One change at most in a second of block time. The first set of a
  ledger that has none is voted as a whole. A checkpoint names the set's digest.
- **Equivocation**: one BLS key under two different checkpoints of one size. Any agency records it; the rules verify
  both signatures, so the entry is proof by itself and holds nothing but digests and signatures. The agencies vote on
  what follows: a validator that left by itself could take the quorum with it.
- **The past**: every value of the registry is kept under the entry that wrote it; `GET /ledger/agencies/N?at=SIZE`
  answers for the log of SIZE entries. Grants are folded from the entries about their handle.
"""


def markdown() -> str:
    """The page."""
    kinds = [
        (
            number,
            f"`{kind.name}`<br>{kind.zh}<br>{kind.en}",
            "<br>".join(f"{name}: {shape_text(shape)}" for name, shape in kind.fields),
            _first_paragraph(rules.RULES[number]),
            _codes(REFUSED_WITH[number]),
        )
        for number, kind in sorted(records.KINDS.items())
    ]
    actions = [
        (
            number,
            f"`{action.name}`",
            "<br>".join(f"{name}: {shape_text(shape)}" for name, shape in action.fields),
            _codes(ACTION_REFUSED_WITH[number]),
        )
        for number, action in sorted(proposals.ACTIONS.items())
    ]
    parameters = [
        (number, f"`{row.name}`", f"{row.zh}<br>{row.en}", f"{row.least:,}…{row.most:,}", f"{row.default:,}")
        for number, row in sorted(proposals.PARAMETERS.items())
    ]
    evidence = [(number, zh, en) for number, (zh, en) in sorted(records.EVIDENCE_KINDS.items())]
    refusals = [
        (number, f"`{code}`", LedgerError.messages[code].zh, LedgerError.messages[code].en)
        for code, number in sorted(REFUSALS.items(), key=lambda pair: pair[1])
    ]
    return "\n".join(
        [
            _INTRODUCTION,
            "## Kinds of records\n",
            f"Any record may be refused with {_codes(ANY_RECORD)}.\n",
            _table(("number", "kind", "fields", "accepted", "else refused with"), kinds),
            "## Actions a proposal may hold\n",
            f"A proposer has at most {governance.MAX_OPEN} open, each for {governance.LEAST_LIFE:,} s at least.\n",
            _table(("number", "action", "fields", "else refused with"), actions),
            "## Parameters\n",
            _table(("number", "parameter", "meaning", "range", "unless voted"), parameters),
            "## Kinds of evidence\n",
            _table(("number", "中文", "English"), evidence),
            "## Refusals\n",
            "The numbers stand in the log (in a transaction's leaf) and are never reused.\n",
            _table(("number", "code", "中文", "English"), refusals),
        ]
    )


def shape_text(shape: Shape) -> str:
    """A field's range in words."""
    match shape:
        case Uint(limit, least):
            return f"{least:,}…{limit - 1:,}"
        case Fixed(size):
            return f"{size} bytes"
        case Signatures(count):
            return f"{count} signatures, {64 * count} bytes"
        case Point():
            return "P-256 point, 33 bytes"
        case Many(item, most, least):
            return f"{least}…{most} of {shape_text(item)}"
        case Row(items):
            return f"[{', '.join(map(shape_text, items))}]"
        case Choice():
            return "[action, fields…]"
    raise TypeError(shape)


def _first_paragraph(rule: Callable[..., Any]) -> str:
    return " ".join((inspect.getdoc(rule) or "").partition("\n\n")[0].split())


def _codes(codes: Iterable[str]) -> str:
    return ", ".join(f"`{code}`" for code in codes) or "–"


def _table(head: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "".join(f"| {' | '.join(str(cell).replace('|', chr(92) + '|') for cell in line)} |\n" for line in lines)
