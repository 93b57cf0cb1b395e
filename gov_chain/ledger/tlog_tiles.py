"""The log as C2SP tlog-tiles (c2sp.org/tlog-tiles): hash tiles and entry bundles, full and partial.

`tile/<L>/<N>[.p/<W>]` and `tile/entries/<N>[.p/<W>]`, N in groups of three digits, all but the last marked with
an x. A tile of a given width never changes, so every answer may be cached for ever; what does not
exist yet is 404 and not cached. A partial tile stays there when the tile has grown past it.
"""

from __future__ import annotations

import re

from django.http import Http404, HttpRequest, HttpResponse
from django.views.decorators.gzip import gzip_page
from django.views.decorators.http import require_safe

from gov_chain.core import hot
from gov_chain.ledger import node
from gov_chain.ledger.core.tiles import WIDTH

PLACE = r"(?:x[0-9]{3}/){0,5}[0-9]{3}(?:\.p/[0-9]{1,3})?"
FOR_EVER = "public, max-age=31536000, immutable"
_PLACE = re.compile(r"((?:x[0-9]{3}/)*[0-9]{3})(?:\.p/([1-9][0-9]{0,2}))?", re.ASCII)


@require_safe
def tile(request: HttpRequest, level: int, place: str) -> HttpResponse:
    index, width = _parse(place)
    found = node.ledger().tile(level, index) if level < 8 else b""
    if len(found) < width * 32:
        raise Http404
    return _bytes(found[: width * 32])


@require_safe
@gzip_page
def entry_bundle(request: HttpRequest, place: str) -> HttpResponse:
    """Entries, each after its length as a big-endian 16-bit number."""
    index, width = _parse(place)
    rows = node.ledger().bodies(index * WIDTH, width)
    if len(rows) < width:
        raise Http404
    return _bytes(hot.bundle(rows))


def _parse(place: str) -> tuple[int, int]:
    """(index, width) of a tile's path; refuses what is not its one spelling."""
    match = _PLACE.fullmatch(place)
    if match is None:
        raise Http404
    groups = match[1].replace("x", "").split("/")
    width = int(match[2]) if match[2] else WIDTH
    if (len(groups) > 1 and groups[0] == "000") or width > WIDTH or (match[2] and width == WIDTH):
        raise Http404
    return int("".join(groups)), width


def _bytes(data: bytes) -> HttpResponse:
    return HttpResponse(data, content_type="application/octet-stream", headers={"Cache-Control": FOR_EVER})
