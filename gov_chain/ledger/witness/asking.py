"""The log asks one witness to cosign its checkpoint (client side of c2sp.org/tlog-witness).

    200   a cosignature, verified before anything is done with it          cosigned
    409   text/x.tlog.size: the witness stands elsewhere; asked again from there,
          or it stands beyond this log's own end                           ahead
    409   otherwise: it cosigned another checkpoint of this size           forked
    422   it does not see that this tree extends the one it cosigned       forked
    404   it does not know this log                                        unknown
    403   it pins another key for this log                                 unknown
    429, 5xx, no answer                                                    unreachable
    anything else, and what does not verify                                wrong

`ahead` and `forked` mean: do not append. A witness can only claim either; who doubts it takes that witness out of
the configuration, which leaves a trace, and goes on.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import httpx

from gov_chain.ledger.core import cosignature, note, witnessing
from gov_chain.ledger.core.checkpoint import Checkpoint
from gov_chain.ledger.core.cosignature import Cosignature, Cosigner
from gov_chain.ledger.core.errors import LedgerError
from gov_chain.ledger.core.witnessing import Submission

State = Literal["cosigned", "ahead", "forked", "unknown", "unreachable", "wrong"]
ALARMS: frozenset[State] = frozenset({"ahead", "forked"})

ATTEMPTS = 3
MAX_ANSWER = 64 * 1024
TIMEOUT = httpx.Timeout(3.0)
_SIZE = re.compile(r"(0|[1-9][0-9]{0,18})\n?", re.ASCII)


@dataclass(frozen=True, slots=True)
class WitnessAt:
    """A witness and where it is asked; `url` is its submission prefix."""

    cosigner: Cosigner
    url: str


@dataclass(frozen=True, slots=True)
class Answer:
    state: State
    size: int = 0
    """Where the witness stands, as far as it said."""
    cosignature: Cosignature | None = None
    detail: str = ""


def witnesses(configured: tuple[tuple[str, str], ...]) -> list[WitnessAt]:
    """Witnesses from (vkey, url) pairs of the environment."""
    return [WitnessAt(cosignature.parse_vkey(vkey), url.rstrip("/")) for vkey, url in configured]


def ask(
    http: httpx.Client,
    witness: WitnessAt,
    *,
    signed: str,
    head: Checkpoint,
    old: int,
    prove: Callable[[int, int], list[bytes]],
) -> Answer:
    """Submit the checkpoint `signed` (parsed: `head`), from size `old` on.

    `prove(first, second)` makes this log's own consistency proof.
    """
    for _ in range(ATTEMPTS):
        submission = Submission(old, tuple(prove(old, head.size)), signed)
        try:
            status, kind, text = _post(http, f"{witness.url}/add-checkpoint", submission.text)
        except (httpx.HTTPError, httpx.InvalidURL, UnicodeDecodeError) as error:
            return Answer("unreachable", detail=f"{type(error).__name__}: {error}"[:200])
        if status == 200:
            return _accepted(head, text, witness.cosigner)
        size = _SIZE.fullmatch(text) if status == 409 and kind == witnessing.SIZE_TYPE else None
        if size is None:
            return _refused(status, text)
        if int(size[1]) > head.size:
            return Answer("ahead", int(size[1]), detail=f"it cosigned {size[1]} entries, this log has {head.size}")
        if int(size[1]) == old:
            return Answer("wrong", old, detail="409 for the very size it names")
        old = int(size[1])
    return Answer("unreachable", old, detail="its size changes at every question")


def _accepted(head: Checkpoint, lines: str, cosigner: Cosigner) -> Answer:
    try:
        _, signatures = note.split(f"{head.text}\n{lines}")
        found = cosignature.find(head.text, signatures, cosigner)
    except LedgerError as error:
        return Answer("wrong", detail=str(error))
    if found is None:
        return Answer("wrong", detail="no cosignature by its key")
    return Answer("cosigned", head.size, found)


def _refused(status: int, text: str) -> Answer:
    states: dict[int, State] = {409: "forked", 422: "forked", 404: "unknown", 403: "unknown", 429: "unreachable"}
    state = states.get(status, "unreachable" if status >= 500 else "wrong")
    first = text.partition("\n")[0]
    return Answer(state, detail=f"{status} {''.join(c for c in first if c.isprintable())}"[:200])


def _post(http: httpx.Client, url: str, body: str) -> tuple[int, str, str]:
    """(status, content type, text) with a bound on what is read."""
    headers = {"Content-Type": "text/plain; charset=utf-8"}
    with http.stream("POST", url, content=body.encode(), headers=headers, timeout=TIMEOUT) as answer:
        data = b""
        for part in answer.iter_bytes():
            data += part
            if len(data) > MAX_ANSWER:
                raise httpx.DecodingError("answer too long", request=answer.request)
        kind = answer.headers.get("content-type", "").partition(";")[0].strip()
        return answer.status_code, kind, data.decode()
