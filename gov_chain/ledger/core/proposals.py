"""What agencies may propose to each other, and the parameters they may set: two tables.

An action is [action number, *fields]. `governance.EFFECTS` says what each does once the proposal passes. Numbers
are never reused; a parameter's range is what the rules were reviewed for.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from gov_chain.ledger.core.shapes import (
    DIGEST,
    HEIGHT,
    ID,
    U16,
    Choice,
    Fixed,
    Many,
    Point,
    Row,
    Shape,
    Signatures,
    Uint,
)
from gov_chain.ledger.core.validators import BLS_KEY, CONSENSUS_KEY, LEAST, POSSESSION, POWER

HOME = 0
"""Instead of a certificate type in an accreditation: the agency is citizens' home and records their grants."""

ENROL, SUSPEND, REINSTATE, ROTATE = 1, 2, 3, 4
ACCREDIT, DISACCREDIT = 5, 6
EMPOWER, DISEMPOWER = 7, 8
SET_PARAMETER, SET_RULES = 9, 10
REVOKE_KEY = 13
VALIDATOR_IN, VALIDATOR_OUT, VALIDATOR_ROTATE, VALIDATORS_FOUND = 11, 12, 14, 15

MAX_CONCEALMENT = 730 * 86400
CONCEALMENT = Uint(MAX_CONCEALMENT + 1)
"""Seconds a power may keep a use from the person concerned; 0: the power is only used openly."""


@dataclass(frozen=True, slots=True)
class Parameter:
    name: str
    least: int
    most: int
    default: int
    zh: str
    en: str


PROPOSAL_LIFE, LEAST_VOTERS, OUTSTANDING = 1, 2, 3

PARAMETERS: dict[int, Parameter] = {
    PROPOSAL_LIFE: Parameter(
        "proposal-life", 86400, 365 * 86400, 30 * 86400, "提案最长有效期（秒）", "longest life of a proposal, seconds"
    ),
    LEAST_VOTERS: Parameter(
        "least-voters", 2, 1024, 2, "暂停机关后至少保留的表决机关数", "voters a suspension must leave"
    ),
    OUTSTANDING: Parameter(
        "concealed-outstanding",
        1,
        256,
        16,
        "一个机关一项职权未公开的保密查询上限",
        "concealed uses not yet revealed, per agency and power",
    ),
}


@dataclass(frozen=True, slots=True)
class Action:
    """`zh` and `en` are sentences with the fields' names as places."""

    name: str
    fields: tuple[tuple[str, Shape], ...]
    zh: str
    en: str


_KEYS: tuple[tuple[str, Shape], ...] = (("ledger_key", Fixed(32)), ("issue_key", Point()), ("request_key", Point()))
_PROOF: tuple[str, Shape] = ("possession", Signatures(3))
"""By each of the keys: see `possession`."""

MOST_FOUNDED = 10
"""Validators a record has room for."""
_VALIDATOR: tuple[tuple[str, Shape], ...] = (
    ("agency", ID),
    ("consensus_key", CONSENSUS_KEY),
    ("bls_key", BLS_KEY),
    ("possession", POSSESSION),
)

ACTIONS: dict[int, Action] = {
    ENROL: Action(
        "enrol",
        (("agency", ID), *_KEYS, ("profile_digest", DIGEST), _PROOF),
        "新增机关：{agency}",
        "enrol {agency}",
    ),
    SUSPEND: Action("suspend", (("agency", ID),), "暂停{agency}", "suspend {agency}"),
    REINSTATE: Action("reinstate", (("agency", ID),), "恢复{agency}", "reinstate {agency}"),
    ROTATE: Action(
        "rotate",
        (("agency", ID), ("key_no", ID), *_KEYS, _PROOF),
        "更换{agency}的密钥（第 {key_no} 号）",
        "rotate the keys of {agency} (to number {key_no})",
    ),
    ACCREDIT: Action(
        "accredit",
        (("agency", ID), ("type", U16)),
        "准许{agency}：{type}",
        "accredit {agency} for: {type}",
    ),
    DISACCREDIT: Action(
        "withdraw-accreditation",
        (("agency", ID), ("type", U16)),
        "撤销{agency}的准许：{type}",
        "withdraw from {agency} the accreditation for: {type}",
    ),
    EMPOWER: Action(
        "grant-power",
        (("agency", ID), ("power", ID), ("max_concealment", CONCEALMENT)),
        "授予{agency}第 {power} 项法定职权，最长保密 {max_concealment} 秒",
        "give {agency} statutory power {power}, concealed for at most {max_concealment} s",
    ),
    DISEMPOWER: Action(
        "withdraw-power",
        (("agency", ID), ("power", ID)),
        "收回{agency}的第 {power} 项法定职权",
        "take statutory power {power} from {agency}",
    ),
    SET_PARAMETER: Action(
        "parameter",
        (("parameter", Uint(max(PARAMETERS) + 1, 1)), ("value", Uint(2**32))),
        "{parameter}改为 {value}",
        "set {parameter} to {value}",
    ),
    SET_RULES: Action(
        "rules",
        (("version", ID), ("height", HEIGHT)),
        "从第 {height} 条记录起采用第 {version} 版规则",
        "rules version {version} from entry {height} on",
    ),
    REVOKE_KEY: Action(
        "revoke-key",
        (("agency", ID), ("key_no", ID), ("since", Uint(2**40, 1))),
        "{agency}的第 {key_no} 号密钥从第 {since} 条记录起作废（泄露）",
        "keys {key_no} of {agency} are void from entry {since} on (compromised)",
    ),
    VALIDATOR_IN: Action(
        "validator-in",
        (*_VALIDATOR, ("power", POWER)),
        "{agency}加入验证节点，权重 {power}",
        "{agency} becomes a validator, with power {power}",
    ),
    VALIDATOR_OUT: Action(
        "validator-out", (("agency", ID),), "{agency}退出验证节点", "{agency} is a validator no more"
    ),
    VALIDATOR_ROTATE: Action(
        "validator-rotate", _VALIDATOR, "更换{agency}验证节点的密钥", "rotate the keys of the validator of {agency}"
    ),
    VALIDATORS_FOUND: Action(
        "validators-found",
        (("validators", Many(Row((*(shape for _, shape in _VALIDATOR), POWER)), MOST_FOUNDED, LEAST)),),
        "设立首批验证节点：{validators}",
        "found the first validators: {validators}",
    ),
}

PROVEN = frozenset({VALIDATOR_IN, VALIDATOR_ROTATE, VALIDATORS_FOUND})
"""Actions that carry proofs of possession."""

ACTION = Choice({number: Row(tuple(shape for _, shape in action.fields)) for number, action in ACTIONS.items()})


Names = Callable[[int], tuple[str, str]]
"""A number's name, in Chinese and English."""


def named(action: Sequence[Any]) -> dict[str, Any]:
    """An action's fields by name."""
    return {name: value for (name, _), value in zip(ACTIONS[action[0]].fields, action[1:], strict=True)}


def sentence(action: Sequence[Any], *, agency: Names, type_: Names) -> tuple[str, str]:
    """What an action does, in Chinese and English."""
    row, values = ACTIONS[action[0]], named(action)
    places = {name: (str(value), str(value)) for name, value in values.items()}
    if action[0] == ENROL:
        places["agency"] = (f"第 {values['agency']} 号", f"agency {values['agency']}")
    elif "agency" in values:
        places["agency"] = agency(values["agency"])
    if "type" in values:
        home = ("登记市民授权", "recording citizens' grants")
        places["type"] = home if values["type"] == HOME else type_(values["type"])
    if "validators" in values:
        zh_en = [agency(row[0]) for row in values["validators"]]
        places["validators"] = ("、".join(zh for zh, _ in zh_en), ", ".join(en for _, en in zh_en))
    if "parameter" in values:
        parameter = PARAMETERS[values["parameter"]]
        places["parameter"] = (parameter.zh, parameter.en)
    zh, en = ({name: pair[side] for name, pair in places.items()} for side in (0, 1))
    return row.zh.format_map(zh), row.en.format_map(en)
