"""What a witness is sent and how it judges it (c2sp.org/tlog-witness, `add-checkpoint`). Pure.

    old <size the witness cosigned last, 0 at first>
    <consistency proof, one base64 hash a line, at most 63>

    <signed checkpoint>

`judge` checks, in this order, and the code names the step that failed:
 1. submission-malformed     the text has this form
 2. origin-unknown           the witness knows the log
 3. checkpoint-unsigned      a key it pins for that log signed the checkpoint
 4. old-size-beyond          `old` is not above the checkpoint's size
 5. old-size-stale           `old` is what the witness cosigned last (the answer says what that was)
 6. checkpoint-differs       at the size cosigned last, the checkpoint is the very same
 7. extension-unproven       otherwise the proof shows that the tree only grew

Step 6 is stricter than the specification, which compares the roots: extension lines must be the same too, so
that a log cannot have two state roots cosigned for one size.
"""

from __future__ import annotations

import re
from base64 import b64encode
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar

from gov_chain.core.errors import GovChainError, Message
from gov_chain.ledger.core import checkpoint, note, tree
from gov_chain.ledger.core.checkpoint import Checkpoint
from gov_chain.ledger.core.errors import LedgerError

MAX_PROOF = 63
MAX_SUBMISSION = note.MAX_NOTE + MAX_PROOF * 45 + 64
SIZE_TYPE = "text/x.tlog.size"
_OLD = re.compile(r"old (0|[1-9][0-9]{0,18})", re.ASCII)


class WitnessError(GovChainError):
    """A witness refuses, or what witnesses know contradicts this log."""

    messages: ClassVar[Mapping[str, Message]] = {
        "submission-malformed": Message(400, "提交的检查点格式不正确。", "The submission is malformed."),
        "origin-unknown": Message(404, "见证者不认识这个账本。", "This witness does not know that log."),
        "checkpoint-unsigned": Message(403, "检查点没有受信任的签名。", "No pinned key signed the checkpoint."),
        "old-size-beyond": Message(400, "旧大小超过检查点。", "The old size is above the checkpoint's."),
        "old-size-stale": Message(
            409, "见证者上次见证的大小是 {size}。", "The size this witness cosigned last is {size}."
        ),
        "checkpoint-differs": Message(
            409,
            "同一大小出现了两个不同的检查点：账本分叉。",
            "Another checkpoint of this size was cosigned before: the log is forked.",
            "请保存两份检查点，它们合起来就是证据。",
            "Keep both checkpoints: together they are the proof.",
        ),
        "extension-unproven": Message(422, "一致性证明不成立。", "The consistency proof does not hold."),
        "ledger-forked": Message(
            503,
            "账本与已公布的检查点不一致，拒绝写入。",
            "The ledger contradicts a checkpoint that was published; writing is refused.",
            "请保存账本文件和检查点，并通知审计人员。",
            "Keep the ledger's file and the checkpoints, and tell the auditors.",
        ),
        "mark-unreadable": Message(
            503,
            "高水位标记无法读取，拒绝写入。",
            "The high-water mark cannot be read; writing is refused.",
            "请恢复 ledger-high-water；若已丢失，先用回执或见证者核对账本，再删除它。",
            "Restore ledger-high-water; if it is lost, hold the ledger against a receipt or a witness, then remove it.",
        ),
        "witness-log-missing": Message(
            400,
            "请用 --log 指定要见证的账本公钥。",
            "Name the log to witness with --log.",
        ),
        "log-unreachable": Message(502, "无法读取账本。", "The log cannot be read."),
    }


@dataclass(frozen=True, slots=True)
class Submission:
    old: int
    proof: tuple[bytes, ...]
    checkpoint: str
    """The signed note."""

    @property
    def text(self) -> str:
        lines = (f"old {self.old}", *(b64encode(each).decode() for each in self.proof))
        return "\n".join(lines) + "\n\n" + self.checkpoint


def parse(text: str) -> Submission:
    """Raises `WitnessError("submission-malformed")`."""
    head, blank, signed = text.partition("\n\n")
    old, *hashes = head.split("\n")
    size = _OLD.fullmatch(old)
    if not blank or size is None or len(hashes) > MAX_PROOF or len(text) > MAX_SUBMISSION:
        raise WitnessError("submission-malformed", log="lines")
    try:
        proof = tuple(note.unb64(line) for line in hashes)
    except ValueError as error:
        raise WitnessError("submission-malformed", log=str(error)) from error
    if any(len(each) != 32 for each in proof):
        raise WitnessError("submission-malformed", log="hash length")
    return Submission(int(size[1]), proof, signed)


def origin(submission: Submission) -> str:
    """The log a submission is about, unverified; raises `WitnessError("submission-malformed")`."""
    try:
        return checkpoint.parse(note.split(submission.checkpoint)[0]).origin
    except LedgerError as error:
        raise WitnessError("submission-malformed", log=str(error)) from error


def judge(
    submission: Submission, *, logs: Mapping[str, Sequence[note.Verifier]], latest: Checkpoint | None
) -> Checkpoint:
    """The checkpoint a witness may cosign, given the one it cosigned last for this origin; raises `WitnessError`."""
    keys = logs.get(origin(submission))
    if not keys:
        raise WitnessError("origin-unknown", log=origin(submission))
    head = _signed(submission.checkpoint, keys)
    size, root = (latest.size, latest.root) if latest else (0, tree.EMPTY_ROOT)
    if submission.old > head.size:
        raise WitnessError("old-size-beyond")
    if submission.old != size:
        raise WitnessError("old-size-stale", size=size)
    if latest is not None and head.size == size and head != latest:
        raise WitnessError("checkpoint-differs", log=f"{head.origin} at {size}")
    try:
        tree.verify_consistency(
            first=size, second=head.size, first_root=root, second_root=head.root, proof=submission.proof
        )
    except LedgerError as error:
        raise WitnessError("extension-unproven", log=str(error)) from error
    return head


def _signed(text: str, keys: Sequence[note.Verifier]) -> Checkpoint:
    """The checkpoint if one of the keys signed it. A key's name may differ from the origin (key rotation)."""
    for key in keys:
        try:
            return checkpoint.parse(note.open_note(text, key))
        except LedgerError as error:
            if error.code != "note-unsigned":
                raise WitnessError("checkpoint-unsigned", log=str(error)) from error
    raise WitnessError("checkpoint-unsigned", log="no known key")
