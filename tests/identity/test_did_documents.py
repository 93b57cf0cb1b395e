"""Our agencies' DID documents: from the ledger, with what was replaced and what was revoked, at any past moment."""

from __future__ import annotations

import datetime as dt

import pytest

from gov_chain.ledger import timeline
from identity import agencies
from identity.core import jwk as jwks
from identity.core.dids import documents, web
from tests.identity.test_governing import Shell
from tests.world import World


@pytest.fixture
def shell(world: World, capsys: pytest.CaptureFixture[str]) -> Shell:
    return Shell(capsys)


def rotate(shell: Shell, slug: str) -> None:
    told = shell("agency", "rotate-key", "--as", slug)
    for number in told["undecided"]:
        if told["outcome"] == "open":
            told = shell.vote(told["proposal"], "yes", agencies.by_number(number).slug)
    assert told["outcome"] == "passed"


def issuing(document: dict) -> list[bytes]:
    return [key.public_key for key in documents.keys(document, document["id"], "assertionMethod").values()]


def test_it_is_where_its_did_says(world: World) -> None:
    agency = agencies.by_slug("psb")
    found = world.http.get(web.place(agency.did).path)
    assert found.headers["Content-Type"] == "application/did+json"
    assert found.json()["id"] == agency.did
    assert world.reader.agency(1).issue_key in issuing(found.json())


def test_replaced_keys_expire_and_still_verify_what_they_signed(world: World, shell: Shell) -> None:
    old = world.reader.agency(1).issue_key
    rotate(shell, "psb")
    new = world.reader.agency(1).issue_key
    document = world.http.get("/agencies/psb/did.json").json()
    assert {old, new} <= set(issuing(document))
    expires = {
        jwks.to_public_key(method["publicKeyJwk"]): method.get("expires") for method in document["verificationMethod"]
    }
    retired = world.reader.key(1, 1).until
    moment = dt.datetime.fromtimestamp(timeline.time_of(world.reader, retired), dt.UTC)
    assert expires[old] == moment.strftime("%Y-%m-%dT%H:%M:%SZ")
    assert expires[new] is None


def test_revoked_keys_are_named_and_good_for_nothing(world: World, shell: Shell) -> None:
    old = world.reader.agency(1).issue_key
    rotate(shell, "psb")
    shell.pass_("revoke-key", "agency=psb", "key_no=1", "since=1")
    document = world.http.get("/agencies/psb/did.json").json()
    assert old not in issuing(document)
    assert sum("revoked" in method for method in document["verificationMethod"]) == 3


def test_a_suspended_agencys_keys_are_good_for_nothing_meanwhile(world: World, shell: Shell) -> None:
    shell.pass_("suspend", "agency=street")
    assert issuing(world.http.get("/agencies/street/did.json").json()) == []


def test_every_version_can_be_had_by_its_place_and_by_its_time(world: World, shell: Shell) -> None:
    before = world.http.get("/agencies/psb/did.json").json()
    rotate(shell, "psb")
    shell.pass_("revoke-key", "agency=psb", "key_no=1", "since=1")
    now = world.http.get("/agencies/psb/did.json").json()
    versions = world.http.get("/agencies/psb/did-history.json").json()["versions"]
    assert [version["index"] for version in versions] == sorted({version["index"] for version in versions})
    found = [world.http.get(f"/agencies/psb/did.json?at={version['at']}").json() for version in versions]
    assert found[0] == before
    assert found[-1] == now
    assert len({str(each) for each in found}) == len(found) >= 3
    founded = dt.datetime.fromtimestamp(versions[0]["time"], dt.UTC)
    at = founded.strftime("%Y-%m-%dT%H:%M:%SZ")
    assert world.http.get(f"/agencies/psb/did.json?versionTime={at}").json()["id"] == before["id"]
    assert world.http.get("/agencies/psb/did.json?versionTime=2020-01-01T00:00:00Z").status_code == 404
    for wrong in ("versionTime=now", "versionTime=2020-13-01T00:00:00Z", "at=-1", "x=1"):
        assert world.http.get(f"/agencies/psb/did.json?{wrong}").status_code == 400
    assert world.http.get("/agencies/psb/did.json?at=99999999").status_code == 404
