"""The serving process's rounds: it starts them after the relay, and ends them before it."""

from __future__ import annotations

from gov_chain.ledger import node
from gov_chain.ledger.witness.kept import Kept
from gov_chain.ledger.witness.rounds import Rounds

_rounds: Rounds | None = None


def start() -> None:
    """Show checkpoints to the configured witnesses, and keep the high-water mark, until `stop`."""
    global _rounds  # noqa: PLW0603 - one a process
    if _rounds is None:
        asked = node.witnesses()
        kept = Kept(node.directory()) if asked else None
        _rounds = Rounds(node.ledger(), kept, asked, mark=node.mark)
        _rounds.start()


def stop() -> None:
    global _rounds  # noqa: PLW0603 - one a process
    if _rounds is not None:
        _rounds.stop()
        _rounds = None
