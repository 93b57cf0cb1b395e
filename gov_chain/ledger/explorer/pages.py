"""The explorer's screens. Open to everyone: what they show is what the ledger publishes."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_safe
from pydantic import Field, field_validator

from gov_chain.core.codec import b64url_decode
from gov_chain.ledger import node
from gov_chain.ledger.core import entries, note, receipt, records, transaction, tree
from gov_chain.ledger.core.errors import REFUSAL_CODES, LedgerError
from gov_chain.ledger.explorer import charter, climbing, facts, growth
from gov_chain.ledger.explorer.names import Names, Pair
from gov_chain.ledger.explorer.sentences import sentence
from gov_chain.ledger.reader import Reader
from gov_chain.ledger.standing import LogRow
from gov_chain.web.inputs import Input, read_query

LATEST = 12
MOST_OF_A_BATCH = 200
ABOUT = 1000
"""Entries about one grant that its page lists; a grant has at most a thousand uses and two more."""

KINDS: dict[int, Pair] = {number: {"zh": kind.zh, "en": kind.en} for number, kind in records.KINDS.items()} | {
    records.GENESIS: {"zh": "账本创立", "en": "ledger founded"},
    records.TRANSACTION: {"zh": "提交一批记录", "en": "batch submitted"},
}


@dataclass(frozen=True, slots=True)
class Line:
    """An entry in a list."""

    index: int
    time: int
    kind: str
    sentence: Pair


@dataclass(frozen=True, slots=True)
class Refused:
    position: int
    digest: bytes
    code: str
    why: Pair


@dataclass(frozen=True, slots=True)
class Share:
    """How many entries are of a kind; `width` in hundredths of the most frequent one's."""

    kind: Pair
    count: int
    width: float


@require_safe
def overview(request: HttpRequest) -> HttpResponse:
    reader = node.ledger()
    return render(request, "explorer/overview.html", {"vkey": reader.vkey, **_now(reader)})


class LatestQuery(Input):
    size: int = Field(0, ge=0, lt=2**53)


@require_safe
def latest(request: HttpRequest) -> HttpResponse:
    """What changes with the log; 204 to whoever has seen this size."""
    reader = node.ledger()
    if read_query(request, LatestQuery).size == reader.size:
        return HttpResponse(status=204, headers={"Cache-Control": "no-store"})
    response = render(request, "explorer/_now.html", _now(reader))
    response["Cache-Control"] = "no-store"
    return response


def _now(reader: Reader) -> dict[str, Any]:
    signed, head = reader.head()
    names = Names(reader)
    counts = reader.counts()
    most = max(counts.values())
    shares = [Share(KINDS[kind], count, round(100 * count / most, 1)) for kind, count in counts.items()]
    cosigned = reader.cosigned()
    return {
        "size": head.size,
        "root": head.root,
        "signers": _signers(signed),
        "state_root": head.state_root,
        "checkpoint": signed,
        "witnesses": _witnesses(signed),
        "cosigned": int(cosigned.split("\n", 2)[1]) if cosigned else None,
        "growth": growth.curve(reader, head.size),
        "shares": sorted(shares, key=lambda share: -share.count),
        "rows": [_line(row, names) for row in _latest(reader)],
    }


def _latest(reader: Reader) -> list[LogRow]:
    """The newest entries; batch headers say nothing by themselves and are left out."""
    rows = reader.latest(4 * LATEST)
    return [row for row in rows if row.entry.kind != records.TRANSACTION][:LATEST]


def _witnesses(signed: str) -> list[tuple[str, int]]:
    """(name, time) of the cosignatures on a checkpoint; the log has verified them before it kept them.

    Lines under the log's own names, a node's and the quorum's, carry no time: they are the log's, not a witness's.
    """
    text, lines = note.split(signed)
    origin = text.partition("\n")[0]
    return [(name, int.from_bytes(line[4:12])) for name, line in lines if not _own(name, origin)]


def _signers(signed: str) -> list[str]:
    """The log's own names on a checkpoint: its origin, or the node and the validators' quorum."""
    text, lines = note.split(signed)
    origin = text.partition("\n")[0]
    return [name for name, _ in lines if _own(name, origin)]


def _own(name: str, origin: str) -> bool:
    return name == origin or name.startswith(f"{origin}/")


def _line(row: LogRow, names: Names) -> Line:
    return Line(row.index, row.entry.time, row.entry.name, sentence(row.entry, names))


@require_safe
def entry(request: HttpRequest, index: int) -> HttpResponse:
    reader = node.ledger()
    text = reader.receipt(index)
    proven = receipt.verify(text, reader.vkey)
    parts = receipt.parse(text)
    leaf = tree.leaf_hash(parts.entry)
    steps = climbing.climb(leaf, index=index, size=proven.size, proof=parts.proof)
    names = Names(reader)
    handle = records.handle_of(entries.unwrap(parts.entry)[2])
    return render(
        request,
        "explorer/entry.html",
        {
            "index": index,
            "size": proven.size,
            "entry": proven.entry,
            "kind": KINDS[proven.entry.kind],
            "sentence": sentence(proven.entry, names),
            "agency": names.agency(proven.entry.agency),
            "facts": facts.facts(proven.entry, names),
            "handle": handle,
            "receipt": text,
            "vkey": reader.vkey,
            "leaf": leaf,
            "root": steps[-1].parent.hash if steps else leaf,
            "steps": steps,
            "drawing": climbing.draw(leaf, index=index, steps=steps),
            "batch": _batch(reader, index, names),
            "previous": index - 1 if index else None,
            "next": index + 1 if index + 1 < proven.size else None,
        },
    )


def _batch(reader: Reader, index: int, names: Names) -> dict[str, Any] | None:
    """The transaction an entry came in: what its agency signed, the accepted and the refused records."""
    first = reader.transaction_of(index)
    if first is None:
        return None
    leaf = entries.parse(reader.entry(first))
    header = transaction.parse_header(leaf.values["header"])
    refused = [
        Refused(position, digest, REFUSAL_CODES[number], _why(REFUSAL_CODES[number]))
        for position, digest, number in leaf.values["refused"]
    ]
    accepted = min(header.count - len(refused), MOST_OF_A_BATCH)
    return {
        "leaf": first,
        "agency": names.agency(header.agency),
        "facts": facts.header_facts(header, names),
        "accepted": [_line(row, names) for row in reader.entries(first, accepted)] if accepted else [],
        "left_out": header.count - len(refused) - accepted,
        "refused": refused,
    }


def _why(code: str) -> Pair:
    message = LedgerError.messages[code]
    return {"zh": message.zh, "en": message.en}


class FindQuery(Input):
    q: str = Field("", max_length=200)


@require_safe
def find(request: HttpRequest) -> HttpResponse:
    """By an entry's number, a grant's handle or a certificate's commitment, in hex or base64url.

    What is none of these is not said back: somebody may have typed an identity number.
    """
    wanted = "".join(read_query(request, FindQuery).q.split())
    reader = node.ledger()
    number = re.fullmatch("[0-9]{1,16}", wanted, re.ASCII) is not None
    if number and int(wanted) < reader.size:
        return redirect(f"/explorer/entries/{int(wanted)}")
    digest = _digest(wanted)
    if digest is not None:
        issued = reader.issue(digest)
        if issued is not None:
            return redirect(f"/explorer/entries/{issued.index}")
        if reader.grant(digest) is not None:
            return redirect(f"/explorer/handles/{digest.hex()}")
    context = {"wanted": wanted, "understood": digest is not None or number, "size": reader.size}
    return render(request, "explorer/find.html", context, status=404 if wanted else 200)


def _digest(text: str) -> bytes | None:
    if re.fullmatch("[0-9a-fA-F]{64}", text):
        return bytes.fromhex(text)
    try:
        found = b64url_decode(text)
    except ValueError:
        return None
    return found if len(found) == 32 else None


@require_safe
def handle(request: HttpRequest, handle: str) -> HttpResponse:
    """Everything on the ledger about one grant."""
    reader = node.ledger()
    digest = bytes.fromhex(handle)
    state = reader.grant(digest)
    if state is None:
        raise LedgerError("grant-unknown", log=handle)
    names = Names(reader)
    rows = []
    for index in reader.handle_entries(digest)[:ABOUT]:
        body = reader.entry(index)
        if records.handle_of(entries.unwrap(body)[2]) == digest:
            rows.append(_line(LogRow(index, entries.parse(body)), names))
    (last,) = reader.latest(1)
    ended = "withdrawn" if state.withdrawn else "expired" if last.entry.time > state.not_after else ""
    return render(
        request,
        "explorer/handle.html",
        {
            "handle": handle,
            "state": state,
            "condition": ended or ("live" if state.uses_left else "spent"),
            "recorder": names.agency(state.recorder),
            "matter": names.matter(state.matter, state.version),
            "fields": names.fields(state.matter, state.version, list(state.masks)),
            "rows": rows,
        },
    )


class CharterQuery(Input):
    at: int | None = Field(None, ge=0, lt=2**53)

    @field_validator("at", mode="before")
    @classmethod
    def _empty_is_now(cls, value: object) -> object:
        return None if value == "" else value


@require_safe
def powers(request: HttpRequest) -> HttpResponse:
    """Who may do what, now or `?at=SIZE`."""
    at = read_query(request, CharterQuery).at
    reader = node.ledger()
    found = charter.charter(reader, at)
    return render(request, "explorer/powers.html", {"charter": found, "at": at, "size": reader.size})
