"""The trust registry's screens and their JSON, open to everyone: `/registry/`.

A moment is asked for by `?at=SIZE` or by `?time=`, in seconds or as a date and time (in the node's zone unless it says
another); without either it is now. What answers is `gov_chain.ledger.registry`: committed state and nothing else.
"""

from __future__ import annotations

import datetime as dt
import re
from dataclasses import asdict
from typing import Any, Literal

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_safe
from pydantic import Field, field_validator

from gov_chain.ledger import node, presentation, registry, timeline
from gov_chain.ledger.core import proposals
from gov_chain.ledger.core.errors import LedgerError
from gov_chain.ledger.explorer import charter, facts
from gov_chain.ledger.explorer.names import Names, Pair
from gov_chain.ledger.reader import Reader
from gov_chain.web.inputs import Input, read_query

HOME_WORDS: Pair = {"zh": "登记市民授权", "en": "recording citizens' consents"}


class MomentQuery(Input):
    """`?at=` or `?time=`; an empty one is as if it were not there."""

    at: int | None = Field(None, ge=0, lt=2**53)
    time: str | None = Field(None, max_length=40)

    @field_validator("at", "time", mode="before")
    @classmethod
    def _empty_is_none(cls, value: object) -> object:
        return None if value == "" else value

    def size(self, reader: Reader) -> int:
        """The moment as a size of the log; raises `LedgerError`: query-invalid, entry-unknown."""
        if self.at is not None and self.time is not None:
            raise LedgerError("query-invalid", log="at and time")
        if self.at is not None:
            if self.at > reader.size:
                raise LedgerError("entry-unknown", log=f"size {self.at}")
            return self.at
        return reader.size if self.time is None else timeline.size_at(reader, seconds(self.time))


def seconds(text: str) -> int:
    """Seconds since the epoch of a time as people or programs write it; raises `LedgerError("query-invalid")`."""
    if re.fullmatch("[0-9]{1,12}", text, re.ASCII):
        return int(text)
    try:
        moment = dt.datetime.fromisoformat(text)
        return int((moment if moment.tzinfo else timezone.make_aware(moment)).timestamp())
    except (ValueError, OverflowError) as error:
        raise LedgerError("query-invalid", log="time") from error


class KeyQuery(MomentQuery):
    agency: int = Field(ge=1, le=65535)
    key: str = Field(pattern=r"^([0-9a-f]{64}|[0-9a-f]{66})$")
    use: Literal["ledger", "issue", "request"] = "issue"
    type: int | None = Field(None, ge=0, le=65535)
    known_at: int | None = Field(None, ge=0, lt=2**53)


@require_safe
def overview(request: HttpRequest) -> HttpResponse:
    reader = node.ledger()
    query = read_query(request, MomentQuery)
    size = query.size(reader)
    names = Names(reader, size)
    rows = [(each, names.agency(each.number)) for each in reader.agencies(size)]
    return render(request, "registry/overview.html", _moment(reader, query, size) | {"rows": rows})


@require_safe
def agency(request: HttpRequest, number: int) -> HttpResponse:
    reader = node.ledger()
    query = read_query(request, MomentQuery)
    size = query.size(reader)
    found = registry.record(reader, number, size)
    names = Names(reader, size)
    context = {
        "record": found,
        "name": names.agency(number),
        "accreditations": [(each, _type(names, each.what)) for each in found.accreditations],
        "powers": [(each, _concealment(found, each.what)) for each in found.powers],
        "matters": _matters(reader, number, size),
        "keys": list(reversed(found.keys)),
    }
    return render(request, "registry/agency.html", _moment(reader, query, size) | context)


@require_safe
def overview_json(request: HttpRequest) -> JsonResponse:
    """Every agency as it was: keys in force, types, powers, whether suspended."""
    reader = node.ledger()
    size = read_query(request, MomentQuery).size(reader)
    return _json(reader, size, {"agencies": [presentation.state(each) for each in reader.agencies(size)]})


@require_safe
def agency_json(request: HttpRequest, number: int) -> JsonResponse:
    """One agency with every key, accreditation, power and suspension it had until then: entries and times of each."""
    reader = node.ledger()
    size = read_query(request, MomentQuery).size(reader)
    found = registry.record(reader, number, size)
    matters = [presentation.state(row.state) for row in _matters(reader, number, size)]
    return _json(reader, size, presentation.plain(asdict(found)) | {"matters": matters})


@require_safe
def key_json(request: HttpRequest) -> JsonResponse:
    """Whether a key (hex) was an agency's and good for a use at a moment: `?agency=1&key=…&use=issue&type=1&time=…`."""
    reader = node.ledger()
    query = read_query(request, KeyQuery)
    size = query.size(reader)
    found = registry.judge(
        reader,
        agency=query.agency,
        public_key=bytes.fromhex(query.key),
        use=query.use,
        at=size,
        type=query.type,
        known_at=query.known_at,
    )
    zh, en = registry.SENTENCES[found.code]
    key = None if found.key is None else presentation.state(found.key)
    return _json(reader, size, {"good": found.good, "code": found.code, "zh": zh, "en": en, "key": key})


def _moment(reader: Reader, query: MomentQuery, size: int) -> dict[str, Any]:
    return {
        "size": size,
        "past": query.at is not None or query.time is not None,
        "query": request_of(query),
        "newest": reader.size,
        "time": timeline.time_of(reader, size - 1) if size else None,
    }


def request_of(query: MomentQuery) -> str:
    """The moment as a query string, for links that keep it."""
    if query.at is not None:
        return f"?at={query.at}"
    return f"?time={query.time}" if query.time is not None else ""


def _type(names: Names, number: int) -> Pair:
    return HOME_WORDS if number == proposals.HOME else names.type(number)


def _concealment(found: registry.Record, power: int) -> Pair | None:
    limit = dict(found.state.powers).get(power)
    return None if limit is None else facts.duration(limit)


def _matters(reader: Reader, number: int, size: int) -> list[charter.MatterRow]:
    return [row for row in charter.charter(reader, size).matters if row.state.agency == number]


def _json(reader: Reader, size: int, value: dict[str, Any]) -> JsonResponse:
    time = timeline.time_of(reader, size - 1) if size else None
    told = {"at": size, "time": time, **value, "checkpoint": reader.checkpoint()}
    return JsonResponse(
        told,
        headers={"Cache-Control": "no-cache", "Access-Control-Allow-Origin": "*"},
        json_dumps_params={"ensure_ascii": False},
    )
