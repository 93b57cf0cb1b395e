"""Watching a log without being asked: fetch its checkpoint, prove from its own tiles that it only grew, remember.

    grown          it extends what this witness cosigned before (the new checkpoint is cosigned and remembered)
    unchanged      the very checkpoint remembered
    behind         a smaller log than remembered: a stale copy, or one that was set back
    inconsistent   another checkpoint of the same size, or a tree that does not extend the remembered one
    unreadable     no answer, or not a checkpoint under the pinned key

Reads nothing but C2SP tlog-tiles, so any such log can be watched.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import httpx

from gov_chain.ledger.core import checkpoint, note, tiles, tree
from gov_chain.ledger.core.errors import LedgerError
from gov_chain.ledger.core.witnessing import Submission, WitnessError
from gov_chain.ledger.witness.witness import Witness

Sight = Literal["grown", "unchanged", "behind", "inconsistent", "unreadable"]
ALARMS: frozenset[Sight] = frozenset({"behind", "inconsistent"})

TIMEOUT = httpx.Timeout(10.0)
MAX_BODY = tiles.FULL + note.MAX_NOTE


@dataclass(frozen=True, slots=True)
class Seen:
    sight: Sight
    size: int
    """What the log shows; 0 if nothing could be read."""
    remembered: int
    detail: str = ""


def look(http: httpx.Client, url: str, witness: Witness, verifier: note.Verifier) -> Seen:
    """One look at the log under the tlog-tiles prefix `url`."""
    url = url.rstrip("/")
    latest = witness.memory.logs().get(verifier.name)
    before = latest.checkpoint if latest else None
    size = before.size if before else 0
    try:
        text = _get(http, f"{url}/checkpoint").decode()
        head = checkpoint.verify(text, verifier)
        if head == before:
            return Seen("unchanged", head.size, size)
        if head.size < size:
            return Seen("behind", head.size, size, "smaller than the checkpoint cosigned before")
        node = tiles.nodes(lambda level, index: _tile(http, url, head.size, level, index))
        proof = tree.consistency_proof(size, head.size, node)
    except (httpx.HTTPError, httpx.InvalidURL, LedgerError, UnicodeDecodeError) as error:
        return Seen("unreadable", 0, size, str(error)[:200])
    try:
        witness.add_checkpoint(Submission(size, tuple(proof), text))
    except WitnessError as error:
        if error.code == "old-size-stale":
            return Seen("unchanged", head.size, int(error.values["size"]), "cosigned meanwhile")
        return Seen("inconsistent", head.size, size, error.code)
    return Seen("grown", head.size, size)


def _tile(http: httpx.Client, url: str, size: int, level: int, index: int) -> bytes:
    """A hash tile as wide as the log of `size` has it."""
    width = min(tiles.WIDTH, (size >> tiles.HEIGHT * level) - index * tiles.WIDTH)
    suffix = f".p/{width}" if width < tiles.WIDTH else ""
    data = _get(http, f"{url}/tile/{level}/{tiles.place(index)}{suffix}")
    if len(data) != width * 32:
        raise LedgerError("ledger-damaged", log=f"tile {level}/{index} is {len(data)} bytes")
    return data


def _get(http: httpx.Client, url: str) -> bytes:
    with http.stream("GET", url, timeout=TIMEOUT) as answer:
        answer.raise_for_status()
        data = b""
        for part in answer.iter_bytes():
            data += part
            if len(data) > MAX_BODY:
                raise httpx.DecodingError("answer too long", request=answer.request)
        return data
