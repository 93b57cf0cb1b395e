"""C2SP checkpoints (c2sp.org/tlog-checkpoint): a signed note that states the log's size and root.

The text is origin, size, root in base64, then extension lines. The key's name is the origin.
"""

from __future__ import annotations

import re
from base64 import b64encode
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from gov_chain.ledger.core import note
from gov_chain.ledger.core.errors import LedgerError

STATE = "state "
_DECIMAL = re.compile(r"0|[1-9][0-9]{0,18}", re.ASCII)


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """`extensions` are lines; `state <base64>` is the root of the state map, a line other software ignores."""

    origin: str
    size: int
    root: bytes
    extensions: tuple[str, ...] = ()

    @property
    def state_root(self) -> bytes | None:
        """The state map's root, if the checkpoint carries one; raises `LedgerError("checkpoint-malformed")`."""
        lines = [line.removeprefix(STATE) for line in self.extensions if line.startswith(STATE)]
        if not lines:
            return None
        try:
            root = note.unb64(lines[0])
        except ValueError as error:
            raise LedgerError("checkpoint-malformed", log=str(error)) from error
        if len(lines) > 1 or len(root) != 32:
            raise LedgerError("checkpoint-malformed", log="state root")
        return root

    @property
    def text(self) -> str:
        lines = (self.origin, str(self.size), b64encode(self.root).decode(), *self.extensions)
        return "".join(f"{line}\n" for line in lines)


def state_line(root: bytes) -> str:
    """The extension line that carries the state map's root."""
    return STATE + b64encode(root).decode()


def sign(
    *,
    verifier: note.Verifier,
    size: int,
    root: bytes,
    signer: Callable[[bytes], bytes],
    state_root: bytes | None = None,
    extensions: Sequence[str] = (),
) -> str:
    """A signed checkpoint; its origin is the key's name."""
    if state_root is not None:
        extensions = [state_line(state_root), *extensions]
    return note.sign(Checkpoint(verifier.name, size, root, tuple(extensions)).text, verifier, signer)


def verify(text: str, verifier: note.Verifier) -> Checkpoint:
    """The checkpoint if `verifier` signed it and it is of that origin; raises `LedgerError`."""
    checkpoint = parse(note.open_note(text, verifier))
    if checkpoint.origin != verifier.name:
        raise LedgerError("checkpoint-malformed", log="origin")
    return checkpoint


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
