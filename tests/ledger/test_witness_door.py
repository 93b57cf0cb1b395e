"""The witness's HTTP door, in process and as the command an auditor starts."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest

from gov_chain.ledger.core import cosignature, note, witnessing
from tests.ledger.strangers import Stranger
from tests.ledger.strangers import witnessing as serving
from tests.ledger.test_witness import LOG, Log
from tests.ledger.town import ORIGIN, VERIFIER


@pytest.fixture
def door(tmp_path: Path) -> Iterator[Stranger]:
    with serving(tmp_path) as found:
        yield found


def post(url: str, body: str | bytes) -> httpx.Response:
    return httpx.post(f"{url}/add-checkpoint", content=body, timeout=10)


def test_a_submission_is_answered_by_a_cosignature_line(door: Stranger) -> None:
    answer = post(door.url, LOG.submission(0, 5).text)
    assert answer.status_code == 200
    text, lines = note.split(LOG.signed(5) + answer.text)
    assert cosignature.find(text, lines, door.witness.cosigner) is not None


def test_the_same_again_is_cosigned_again(door: Stranger) -> None:
    assert [post(door.url, LOG.submission(old, 5).text).status_code for old in (0, 5, 5)] == [200, 200, 200]


def test_statuses_are_those_of_the_specification(door: Stranger) -> None:
    post(door.url, LOG.submission(0, 10).text)
    stale = post(door.url, LOG.submission(3, 20).text)
    assert (stale.status_code, stale.headers["content-type"], stale.text) == (409, "text/x.tlog.size", "10\n")
    fork = post(door.url, witnessing.Submission(10, (), Log("x").signed(10)).text)
    assert (fork.status_code, fork.headers["content-type"]) == (409, "text/plain; charset=utf-8")
    unknown = LOG.submission(10, 20).text.replace(ORIGIN, "elsewhere.example")
    unsigned = witnessing.Submission(10, LOG.proof(10, 20), LOG.signed(20, number=4)).text
    unproven = witnessing.Submission(10, (), LOG.signed(20)).text
    beyond = witnessing.Submission(30, (), LOG.signed(20)).text
    bodies = (unknown, unsigned, unproven, beyond, "", b"\xff\xfe", "x" * 300_000)
    assert [post(door.url, body).status_code for body in bodies] == [404, 403, 422, 400, 400, 400, 400]


def test_what_it_cosigned_last_is_shown(door: Stranger) -> None:
    assert httpx.get(f"{door.url}/vkey").text.strip() == door.witness.cosigner.vkey
    assert httpx.get(f"{door.url}/logs").json() == {}
    post(door.url, LOG.submission(0, 10).text)
    shown = httpx.get(f"{door.url}/logs").json()[ORIGIN]["checkpoint"]
    assert note.open_note(shown, VERIFIER).split("\n")[1] == "10"


def test_other_addresses_and_methods_are_refused(door: Stranger) -> None:
    assert httpx.get(door.url).status_code == 404
    assert httpx.get(f"{door.url}/add-checkpoint").status_code == 405
    assert httpx.post(f"{door.url}/vkey").status_code == 405


@contextmanager
def command(data: Path) -> Iterator[tuple[subprocess.Popen[str], str]]:
    arguments = ["witness", "--data", str(data), "--log", VERIFIER.vkey, "--port", "0", "--json"]
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("GOVCHAIN_", "DJANGO_"))}
    with subprocess.Popen(
        [sys.executable, "-m", "gov_chain.cli", *arguments],
        stdout=subprocess.PIPE, text=True, env=environment, cwd=Path(__file__).parents[2],
    ) as process:  # fmt: skip
        try:
            assert process.stdout is not None
            process.stdout.readline()
            yield process, json.loads(process.stdout.readline())["url"].rstrip("/")
        finally:
            process.kill()


def test_a_witness_killed_after_its_answer_remembers_it(tmp_path: Path) -> None:
    size = 0
    for _ in range(2):
        with command(tmp_path) as (process, url):
            for _ in range(5):
                assert post(url, LOG.submission(size, size + 7).text).status_code == 200
                size += 7
            os.kill(process.pid, signal.SIGKILL)
            process.wait()
    with command(tmp_path) as (_, url):
        assert post(url, LOG.submission(0, size + 1).text).text == f"{size}\n"
        assert post(url, witnessing.Submission(size, (), Log("fork").signed(size)).text).status_code == 409
