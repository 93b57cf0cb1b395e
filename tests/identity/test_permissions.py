"""The table of acts: every officer's route is in it, and the pages do what it says."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver

from gov_chain.ledger.core import proposals
from identity.core import permissions
from identity.core.permissions import ACTS
from identity.models import OfficerRole
from identity.seed import SeededIdentity

PUBLIC = (
    ".well-known/",
    "agencies/",
    "consortium-ca.crt",
    "directory.json",
    "explorer/",
    "healthz",
    "install-ca",
    "join",
    "language",
    "ledger/",
    "login",
    "logout",
    "matters/",
    "metrics",
    "registry",
    "styleguide",
    "wallet/",
)
"""Addresses that need no officer; each asks otherwise who is there (password, device, peer, code)."""
AT_THE_DOOR = {""}


def routes(resolver: Any = None, prefix: str = "") -> Iterator[tuple[str, Any]]:
    for entry in (resolver or get_resolver()).url_patterns:
        route = (prefix + str(entry.pattern)).lstrip("^")
        if isinstance(entry, URLResolver):
            yield from routes(entry, route)
        elif isinstance(entry, URLPattern):
            yield route, entry.callback


GUARDED = [(route, view) for route, view in routes() if not route.startswith(PUBLIC) and route not in AT_THE_DOOR]


def test_every_officers_route_names_an_act_of_the_table() -> None:
    missing = [route for route, view in GUARDED if getattr(view, "act", None) not in ACTS]
    assert not missing, f"guard these with identity.officers.officer_may, or list them as public: {missing}"


def test_no_public_route_hides_an_officers_page() -> None:
    assert not [route for route, view in routes() if route.startswith(PUBLIC) and hasattr(view, "act")]


def test_the_roles_of_the_table_are_those_of_the_database() -> None:
    assert set(OfficerRole.Role.values) == permissions.ROLES


def test_every_kind_of_proposal_has_a_row() -> None:
    acts = {permissions.governance_act(action.name) for action in proposals.ACTIONS.values()}
    assert acts <= ACTS.keys()
    assert {ACTS[act].second for act in acts} == {True}


def test_what_the_issue_demands_of_two_persons_takes_two() -> None:
    wanted = {"governance.rotate", "issuing.revoke-many", "governance.accredit", "audit.export"}
    assert wanted <= {act.name for act in ACTS.values() if act.second}


@pytest.mark.parametrize("role", sorted(permissions.ROLES))
def test_a_page_opens_to_the_roles_of_its_row_and_to_no_other(seeded: SeededIdentity, role: str) -> None:
    officer = next(each for each in seeded.officers if each.username == "home")
    officer.roles.all().delete()
    OfficerRole.objects.create(officer=officer, role=role)
    client = Client(headers={"accept": "text/html"})
    client.force_login(officer)
    for route, view in GUARDED:
        row = ACTS[view.act]
        if "<" in route or row.roles is None:
            continue
        status = client.get(f"/{route}").status_code
        if role in row.roles:
            assert status != 403, route
        else:
            assert status in (403, 405), route


def test_an_agency_that_is_elsewhere_has_no_officers_here(seeded: SeededIdentity) -> None:
    officer = next(each for each in seeded.officers if each.username == "clerk")
    client = Client(headers={"accept": "text/html"})
    client.force_login(officer)
    assert client.get("/counter/").status_code == 200
    officer.agency.hosted = False
    officer.agency.save()
    assert client.get("/counter/").status_code in (302, 404)
