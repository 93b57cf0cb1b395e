"""What every test shares: honest skips, a data directory of its own, and the small world.

With `CI=true` a skipped test fails: on the machine that judges, a missing part is an error.
The world (`tests/world.py`) is offered as the fixture `world`: a node with four agencies, a register and a
matter in force, a fresh copy for each test.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.core.management import call_command
from django.db.backends.base.operations import BaseDatabaseOperations
from pytest_django.plugin import DjangoDbBlocker

from identity import append_only
from tests import world as worlds

CHROMIUM = Path("/usr/bin/chromium")

_flush = BaseDatabaseOperations.execute_sql_flush


def _flush_append_only(self: BaseDatabaseOperations, sql_list: list[str]) -> None:
    """Emptying the tables between tests is the one thing the officers' log's triggers must not stop; the signal that
    follows puts them back."""
    append_only.remove(self.connection)
    _flush(self, sql_list)


BaseDatabaseOperations.execute_sql_flush = _flush_append_only  # type: ignore[method-assign]


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item, call: pytest.CallInfo[None]) -> Iterator[None]:
    report = yield
    if report.skipped and not hasattr(report, "wasxfail") and os.environ.get("CI") == "true":
        report.outcome = "failed"
        report.longrepr = f"{item.nodeid} skipped, which CI=true does not allow: {report.longrepr}"
    return report


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    if CHROMIUM.exists():
        return
    for item in items:
        if "browser" in item.keywords:
            item.add_marker(pytest.mark.skip(reason="needs /usr/bin/chromium"))


@pytest.fixture(scope="session")
def world_template(
    django_db_setup: None, django_db_blocker: DjangoDbBlocker, tmp_path_factory: pytest.TempPathFactory
) -> worlds.Template:
    with django_db_blocker.unblock():
        template = worlds.build(tmp_path_factory.mktemp("world"))
        call_command("flush", interactive=False, verbosity=0)
        return template


@pytest.fixture
def world(world_template: worlds.Template, transactional_db: None, tmp_path: Path) -> Iterator[worlds.World]:
    """A living copy of the small world; see `tests/world.py`."""
    with worlds.living(world_template, tmp_path) as living:
        yield living
