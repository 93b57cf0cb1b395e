"""The public trust registry: pages and JSON, now and at any moment, and what they answer to nonsense."""

from typing import Any

import pytest

from gov_chain.ledger import timeline
from tests.identity.test_governing import Shell
from tests.world import World


@pytest.fixture
def shell(world: World, capsys: pytest.CaptureFixture[str]) -> Shell:
    return Shell(capsys)


def json(world: World, path: str) -> Any:
    answer = world.http.get(path)
    assert answer.status_code == 200, answer.text
    return answer.json()


def test_every_agency_is_there_by_its_name(world: World) -> None:
    page = world.http.get("/registry/", headers={"Accept": "text/html"}).text
    assert "云州市公安局" in page
    assert 'href="/registry/agencies/1"' in page
    told = json(world, "/registry.json")
    assert [each["number"] for each in told["agencies"]] == [1, 2, 3, 4]
    assert 1 in told["agencies"][0]["types"]
    assert told["at"] == world.reader.size


def test_an_agency_with_its_keys_and_their_times(world: World, shell: Shell) -> None:
    before = world.reader.size
    rotation = shell("agency", "rotate-key", "--as", "psb")["proposal"]
    for voter in ("data", "street"):
        shell.vote(rotation, "yes", voter)
    since = world.reader.key(1, 1).until
    shell.pass_("revoke-key", "agency=psb", "key_no=1", f"since={since}")
    told = json(world, "/registry/agencies/1.json")
    first, second = told["keys"]
    assert (first["key"]["key_no"], first["until"]["index"], first["revoked_from"]["index"]) == (1, since, since)
    assert (second["since"]["index"], second["until"]) == (since, None)
    founded = {"index": 0, "time": timeline.time_of(world.reader, 0)}
    assert {"what": 1, "since": founded, "until": None} in told["accreditations"]
    page = world.http.get("/registry/agencies/1", headers={"Accept": "text/html"}).text
    assert "已作废（泄露）" in page
    past = world.http.get(f"/registry/agencies/1?at={before}", headers={"Accept": "text/html"}).text
    assert "已作废（泄露）" not in past
    assert "使用中" in past
    assert [row["key"]["key_no"] for row in json(world, f"/registry/agencies/1.json?at={before}")["keys"]] == [1]


def test_a_key_is_judged_at_a_time(world: World, shell: Shell) -> None:
    key = world.reader.agency(1).issue_key.hex()
    founded = timeline.time_of(world.reader, 0)
    asked = f"/registry/keys.json?agency=1&key={key}&use=issue&type=1"
    assert json(world, asked)["good"]
    assert json(world, f"{asked}&time={founded}")["good"]
    assert json(world, f"{asked}&time={founded - 1}")["code"] == "agency-unknown"
    assert json(world, f"{asked}&time=2030-01-01T00:00:00%2B08:00")["good"]
    assert json(world, asked.replace("type=1", "type=9"))["code"] == "not-accredited"
    assert json(world, asked.replace("agency=1", "agency=3"))["code"] == "key-unknown"
    shell.pass_("suspend", "agency=psb")
    assert json(world, asked)["code"] == "agency-suspended"
    assert json(world, asked)["zh"] == "当时机构已暂停"


def test_every_past_moment_can_be_looked_at(world: World) -> None:
    for size in range(world.reader.size + 1):
        for path in ("/registry/", "/registry.json"):
            assert world.http.get(f"{path}?at={size}").status_code == 200
        expected = 200 if size else 404
        assert world.http.get(f"/registry/agencies/1?at={size}").status_code == expected
        assert world.http.get(f"/registry/agencies/1.json?at={size}").status_code == expected
    assert world.http.get("/registry/?at=&time=").status_code == 200


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/registry/?at=-1", 400),
        ("/registry/?at=99999999", 404),
        ("/registry/?at=1&time=1", 400),
        ("/registry/?time=yesterday", 400),
        ("/registry/?time=9999-12-31T23:59:59-23:59", 200),
        ("/registry/?time=999999999999", 200),
        ("/registry/?more=1", 400),
        ("/registry.json?time=0001-01-01T00:00:00", 200),
        ("/registry/agencies/9", 404),
        ("/registry/agencies/99999999999", 404),
        ("/registry/agencies/9.json", 404),
        ("/registry/keys.json", 400),
        ("/registry/keys.json?agency=1&key=xx", 400),
        ("/registry/keys.json?agency=0&key=" + "00" * 32, 400),
        ("/registry/keys.json?agency=1&use=seal&key=" + "00" * 32, 400),
        ("/registry/keys.json?agency=1&known_at=99999999&key=" + "00" * 32, 404),
    ],
)
def test_nonsense_is_refused_in_words(world: World, path: str, status: int) -> None:
    assert world.http.get(path).status_code == status
