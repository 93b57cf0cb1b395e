"""The ledger's routes, the same on every node."""

from django.urls import URLPattern, URLResolver, path, re_path, register_converter
from django.urls.converters import IntConverter, StringConverter

from gov_chain.ledger import api, metrics, tlog_tiles


class SmallIntConverter(IntConverter):
    """A decimal without leading zeroes that fits every table's integer column."""

    regex = "0|[1-9][0-9]{0,15}"


class HexConverter(StringConverter):
    regex = "[0-9a-f]+"


class PrefixConverter(HexConverter):
    """Whole bytes: two, or more where many share them."""

    regex = "(?:[0-9a-f]{2}){2,8}"


class StateKeyConverter(HexConverter):
    regex = "(?:[0-9a-f]{2}){1,40}"


class DigestConverter(HexConverter):
    regex = "[0-9a-f]{64}"


register_converter(SmallIntConverter, "uint")
register_converter(PrefixConverter, "handle_prefix")
register_converter(StateKeyConverter, "state_key")
register_converter(DigestConverter, "sha256")

readable: list[URLPattern | URLResolver] = [
    path("ledger/checkpoint", api.checkpoint),
    path("ledger/cosigned", api.cosigned),
    path("ledger/certified", api.certified),
    path("ledger/validators", api.validators),
    path("ledger/vkey", api.vkey),
    path("ledger/genesis", api.genesis),
    path("ledger/receipts/<uint:index>", api.receipt),
    path("ledger/records", api.records),
    path("ledger/handles/<handle_prefix:prefix>", api.handles),
    path("ledger/state/<state_key:key>", api.state),
    path("ledger/consistency", api.consistency),
    path("ledger/agencies/<uint:number>", api.agencies),
    path("ledger/types/<uint:number>", api.types),
    path("ledger/matters/<uint:number>", api.matters),
    re_path(rf"^ledger/tile/entries/(?P<place>{tlog_tiles.PLACE})$", tlog_tiles.entry_bundle),
    path("ledger/tile/<uint:level>/<path:place>", tlog_tiles.tile),
]
"""What needs the ledger's own files only: a copy serves these too (`govchain ledger serve`)."""

urlpatterns: list[URLPattern | URLResolver] = [
    *readable,
    path("ledger/documents/<sha256:digest>", api.document),
    path("ledger/withdrawals", api.withdrawals),
    path("metrics", metrics.metrics),
]
