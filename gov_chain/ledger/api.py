"""The ledger's public HTTP door under /ledger/: proofs, records, documents, and withdrawal by the phone.

Anyone may read. Answers that can never change are cached for ever, those about "now" are not cached at all.
"""

from __future__ import annotations

import base64
from hashlib import sha256

from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_POST, require_safe
from pydantic import Field

from gov_chain.core.codec import b64url_decode
from gov_chain.ledger import documents, node, presentation
from gov_chain.ledger.actions.withdraw_grant import withdraw_grant
from gov_chain.ledger.core.errors import LedgerError
from gov_chain.ledger.core.records import LOG_KINDS
from gov_chain.web.inputs import Input, read_json, read_query

NOW = "no-cache"
FOR_EVER = "public, max-age=31536000, immutable"
TEXT = "text/plain; charset=utf-8"
MAX_HANDLE_ENTRIES = 2000


@require_safe
def checkpoint(request: HttpRequest) -> HttpResponse:
    return _text(node.ledger().checkpoint())


@require_safe
def cosigned(request: HttpRequest) -> HttpResponse:
    """The largest checkpoint under which a witness has put its name; the latest one may still wait for it."""
    found = node.ledger().cosigned()
    if found is None:
        raise Http404
    return _text(found)


@require_safe
def certified(request: HttpRequest) -> HttpResponse:
    """The largest checkpoint that a quorum of the validators certifies; the latest one may still wait for it."""
    found = node.ledger().certified()
    if found is None:
        raise Http404
    return _text(found[0])


class SetsQuery(Input):
    since: str | None = Field(None, pattern="^[0-9a-f]{64}$")


@require_safe
def validators(request: HttpRequest) -> JsonResponse:
    """The validator sets, each with the checkpoint that names it, certified by the set before: a chain from the first.

    `?since=DIGEST` leaves out that set and those before it. A ledger without validators has no sets.
    """
    since = read_query(request, SetsQuery).since
    reader = node.ledger()
    sets = reader.validator_sets(None if since is None else bytes.fromhex(since))
    told = [
        {
            "digest": each.digest.hex(),
            "set": base64.b64encode(each.encoding).decode(),
            "checkpoint": text or None,
        }
        for each, text in sets
    ]
    return _json({"vkey": reader.quorum_vkey, "sets": told})


@require_safe
def vkey(request: HttpRequest) -> HttpResponse:
    return _text(node.ledger().vkey + "\n")


@require_safe
def genesis(request: HttpRequest) -> HttpResponse:
    return _text(node.ledger().receipt(0))


@require_safe
def receipt(request: HttpRequest, index: int) -> HttpResponse:
    return _text(node.ledger().receipt(index))


class RecordsQuery(Input):
    after: int = Field(-1, ge=-1, lt=2**53)
    limit: int = Field(50, ge=1, le=200)
    kind: int | None = Field(None, ge=0, lt=2**16)
    agency: int | None = Field(None, ge=0, lt=2**16)


@require_safe
def records(request: HttpRequest) -> JsonResponse:
    """Log entries after an index, oldest first."""
    query = read_query(request, RecordsQuery)
    if query.kind is not None and query.kind not in LOG_KINDS:
        raise LedgerError("kind-unknown", log=str(query.kind))
    reader = node.ledger()
    signed, head = reader.head()
    rows = reader.entries(query.after, query.limit, kind=query.kind, agency=query.agency)
    return _json(
        {
            "size": head.size,
            "checkpoint": signed,
            "rows": [presentation.row(row.index, row.entry) for row in rows if row.index < head.size],
        }
    )


@require_safe
def handles(request: HttpRequest, prefix: str) -> JsonResponse:
    """Receipts of every entry about handles that share two bytes: who asks does not say which one is theirs.

    With a proof of each handle's state, by whose chain the phone sees that no entry is missing (`core.state_proof`).
    """
    found = node.ledger().about(bytes.fromhex(prefix), MAX_HANDLE_ENTRIES)
    return _json({"checkpoint": found.checkpoint, "receipts": found.receipts, "states": found.states})


class StateQuery(Input):
    size: int | None = Field(None, ge=0, lt=2**53)


@require_safe
def state(request: HttpRequest, key: str) -> HttpResponse:
    """A proof of one key's value, or of its absence; with `?size=` under that checkpoint, if it is still retained."""
    size = read_query(request, StateQuery).size
    return _text(node.ledger().state_proof(bytes.fromhex(key), size))


class ConsistencyQuery(Input):
    start: int = Field(alias="from", ge=0, lt=2**53)
    to: int = Field(ge=0, lt=2**53)


@require_safe
def consistency(request: HttpRequest) -> JsonResponse:
    query = read_query(request, ConsistencyQuery)
    proof = node.ledger().consistency(query.start, query.to)
    return _json({"proof": [base64.b64encode(each).decode() for each in proof]})


class VersionQuery(Input):
    version: int | None = Field(None, ge=1, lt=2**16)


class PastQuery(Input):
    at: int | None = Field(None, ge=0, lt=2**53)


@require_safe
def agencies(request: HttpRequest, number: int) -> JsonResponse:
    """An agency: keys, accreditations, powers; with `?at=SIZE` as it was when the log had that many entries."""
    reader = node.ledger()
    at = read_query(request, PastQuery).at
    signed, head = reader.head()
    state = presentation.state(reader.agency(number, at))
    return _json({"state": state, "at": head.size if at is None else at, "checkpoint": signed})


@require_safe
def types(request: HttpRequest, number: int) -> JsonResponse:
    """A certificate type as registered: `?version=` (default the latest), with the receipt of its record."""
    reader = node.ledger()
    state = reader.type(number, read_query(request, VersionQuery).version)
    if state is None:
        raise LedgerError("type-unknown", log=str(number))
    return _json({"state": presentation.state(state), "receipts": [reader.receipt(state.index)]})


@require_safe
def matters(request: HttpRequest, number: int) -> JsonResponse:
    """A matter: `?version=` (default the one in force), with receipts of its record and its approvals."""
    reader = node.ledger()
    state = reader.matter(number, read_query(request, VersionQuery).version)
    if state is None:
        raise LedgerError("matter-unknown", log=str(number))
    indexes = [state.index, *(index for _, index in state.approvals)]
    return _json(
        {"state": presentation.state(state), "receipts": [reader.receipt(index) for index in indexes]},
    )


@require_safe
def document(request: HttpRequest, digest: str) -> HttpResponse:
    """The canonical JSON whose SHA-256 is `digest`."""
    return HttpResponse(documents.body(digest), content_type="application/json", headers={"Cache-Control": FOR_EVER})


class Withdrawal(Input):
    secret: str = Field(min_length=43, max_length=43)


@csrf_exempt
@require_POST
def withdrawals(request: HttpRequest) -> JsonResponse:
    """Withdraw the grant whose secret is shown. Nobody is asked who they are; a repeat answers the same receipt."""
    shown = read_json(request, Withdrawal).secret
    try:
        secret = b64url_decode(shown)
    except ValueError as error:
        raise LedgerError("grant-unknown", log="secret is not base64url") from error
    grant = node.ledger().grant(sha256(secret).digest())
    if grant is not None and grant.withdrawn:
        return _json({"receipt": node.ledger().receipt(grant.withdrawn_index)})
    return _json({"receipt": withdraw_grant(secret=secret).receipt}, status=201)


def _text(text: str) -> HttpResponse:
    return HttpResponse(text, content_type=TEXT, headers={"Cache-Control": NOW})


def _json(value: dict[str, object], status: int = 200) -> JsonResponse:
    return JsonResponse(value, status=status, headers={"Cache-Control": NOW}, json_dumps_params={"ensure_ascii": False})
