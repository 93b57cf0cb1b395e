"""The main job by hand on four nodes: the phone's page is one node's, what it calls are others'."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from demo.node import Consortium, Node
from tests.consortium.network import cometbft_binary
from tests.journeys.conftest import Stage, stage  # noqa: F401 - a fixture
from tests.journeys.test_main_job import (
    test_a_certificate_is_issued_claimed_presented_seen_and_withdrawn as the_main_job,
)

pytestmark = pytest.mark.browser


@pytest.fixture(scope="session")
def node(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Node]:
    cometbft_binary()
    with Consortium(tmp_path_factory.mktemp("consortium")) as running:
        yield running


def test_the_main_job_across_origins(stage: Stage) -> None:  # noqa: F811
    the_main_job(stage)
