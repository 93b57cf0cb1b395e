"""Agencies, and the keys they sign and seal with."""

from __future__ import annotations

from gov_chain import keys
from gov_chain.ledger import node
from gov_chain.ledger.core.errors import LedgerError
from identity.core.purposes import ALGORITHMS, Purpose
from identity.errors import IdentityError
from identity.key_names import uri as key_uri
from identity.models import Agency

__all__ = ["ALGORITHMS", "Purpose", "key_uri"]


def by_slug(slug: str, *, hosted: bool = False) -> Agency:
    """The agency called `slug`; with `hosted`, only one whose endpoints are on this node."""
    agency = Agency.objects.filter(slug=slug).first()
    if agency is None or (hosted and not agency.hosted):
        raise IdentityError("agency-unknown")
    return agency


def home_by_slug(slug: str) -> Agency:
    """The home agency called `slug`, with its endpoints on this node."""
    agency = by_slug(slug, hosted=True)
    if not agency.home:
        raise IdentityError("agency-unknown")
    return agency


def by_number(number: int) -> Agency:
    agency = Agency.objects.filter(number=number).first()
    if agency is None:
        raise IdentityError("agency-unknown")
    return agency


def home() -> Agency:
    """The agency that looks after citizens: the one on this node, or where none is, the consortium's first."""
    agency = Agency.objects.filter(home=True).order_by("-hosted", "number").first()
    if agency is None:
        raise IdentityError("agency-unknown")
    return agency


def elsewhere() -> list[str]:
    """Base URLs of the agencies on other nodes."""
    return list(Agency.objects.filter(hosted=False).order_by("number").values_list("base_url", flat=True))


def wallet_url(fragment: str) -> str:
    """A link into the citizens' wallet, which their home agency's node serves: an ordinary web address."""
    return f"{home().base_url}/wallet/#{fragment}"


def key_no(agency: Agency) -> int:
    """The number of the agency's keys in force: the ledger's, or 1 before it is enrolled there."""
    if not node.founded():
        return 1
    try:
        return node.ledger().agency(agency.number).key_no
    except LedgerError as error:
        if error.code != "agency-unknown":
            raise
        return 1


def signer(agency: Agency, purpose: Purpose) -> keys.Signer:
    """The agency's key in force, as the ledger has it."""
    return keys.signer(key_uri(agency.slug, purpose, key_no(agency)))


def sealer(agency: Agency) -> keys.Sealer:
    return keys.sealer(key_uri(agency.slug, "seal"))
