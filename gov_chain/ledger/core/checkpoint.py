"""C2SP checkpoints (c2sp.org/tlog-checkpoint): a signed note that states the log's size and root.

The text is origin, size, root in base64, then extension lines. The key's name is the origin.
"""

from __future__ import annotations

import re
from base64 import b64encode
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

from gov_chain.ledger.core import note
from gov_chain.ledger.core.errors import LedgerError

STATE = "state "
VALIDATORS = "validators "
_NODE = re.compile(r"/[1-9][0-9]{0,4}$", re.ASCII)
_DECIMAL = re.compile(r"0|[1-9][0-9]{0,18}", re.ASCII)


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """`extensions` are lines that other software ignores.

    `state <base64>` is the root of the state map; `validators <base64>` the digest of the validator set (`validators`),
    when the ledger has one.
    """

    origin: str
    size: int
    root: bytes
    extensions: tuple[str, ...] = ()

    @property
    def state_root(self) -> bytes | None:
        """The state map's root, if the checkpoint carries one; raises `LedgerError("checkpoint-malformed")`."""
        return self._digest(STATE)

    @property
    def validators(self) -> bytes | None:
        """The validator set's digest, if the ledger has one; raises `LedgerError("checkpoint-malformed")`."""
        return self._digest(VALIDATORS)

    def _digest(self, label: str) -> bytes | None:
        lines = [line.removeprefix(label) for line in self.extensions if line.startswith(label)]
        if not lines:
            return None
        try:
            digest = note.unb64(lines[0])
        except ValueError as error:
            raise LedgerError("checkpoint-malformed", log=str(error)) from error
        if len(lines) > 1 or len(digest) != 32:
            raise LedgerError("checkpoint-malformed", log=label)
        return digest

    @property
    def text(self) -> str:
        lines = (self.origin, str(self.size), b64encode(self.root).decode(), *self.extensions)
        return "".join(f"{line}\n" for line in lines)


def sign(
    *,
    verifier: note.Verifier,
    size: int,
    root: bytes,
    signer: Callable[[bytes], bytes],
    state_root: bytes | None = None,
    validators: bytes | None = None,
    extensions: Sequence[str] = (),
) -> str:
    """A signed checkpoint; its origin is the key's name."""
    lines = (*commitments(state_root, validators), *extensions)
    return note.sign(Checkpoint(verifier.name, size, root, lines).text, verifier, signer)


def commitments(state_root: bytes | None, validators: bytes | None) -> tuple[str, ...]:
    """The extension lines of what there is, in their order."""
    given = ((STATE, state_root), (VALIDATORS, validators))
    return tuple(label + b64encode(digest).decode() for label, digest in given if digest is not None)


class Quorum(Protocol):
    """Validator sets that a verifier follows (`quorum.Followed`)."""

    def certify(self, text: str) -> Checkpoint | None:
        """The checkpoint if a known set certifies it; None if none does; raises `LedgerError` for a false one."""


def verify(text: str, verifier: note.Verifier) -> Checkpoint:
    """The checkpoint if `verifier` signed it and it is of that origin; raises `LedgerError`.

    A consortium's node signs as `<origin>/<agency>`.
    """
    checkpoint = parse(note.open_note(text, verifier))
    if checkpoint.origin not in (verifier.name, _NODE.sub("", verifier.name)):
        raise LedgerError("checkpoint-malformed", log="origin")
    return checkpoint


def is_quorum(vkey: str) -> bool:
    """Whether a verifier key is that of validators (`quorum.vkey`), by its name."""
    return vkey.strip().partition("+")[0].endswith("/quorum")


def opened(text: str, vkey: str, quorum: Quorum | None) -> tuple[Checkpoint, bool]:
    """The checkpoint, and whether a quorum certifies it; else `vkey`, if there is one, has to have signed it.

    Raises `LedgerError`.
    """
    certified = quorum.certify(text) if quorum is not None else None
    if certified is not None:
        return certified, True
    if not vkey:
        raise LedgerError("quorum-missing")
    return verify(text, note.parse_vkey(vkey)), False


def parse(body: str) -> Checkpoint:
    """The checkpoint in a note's text, nothing verified; raises `LedgerError("checkpoint-malformed")`."""
    lines = body.split("\n")
    if len(lines) < 4 or lines[-1] or not all(lines[:-1]):
        raise LedgerError("checkpoint-malformed", log="lines")
    origin, size, root, *extensions = lines[:-1]
    try:
        digest = note.unb64(root)
    except ValueError as error:
        raise LedgerError("checkpoint-malformed", log=str(error)) from error
    if not _DECIMAL.fullmatch(size) or len(digest) != 32:
        raise LedgerError("checkpoint-malformed", log="size or root")
    return Checkpoint(origin, int(size), digest, tuple(extensions))
