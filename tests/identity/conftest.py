"""A node with the demo agencies, officers and two citizens, in a directory of its own."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from django.test import Client
from pytest_django.fixtures import Settings

from gov_chain.ledger import node
from identity import seed
from tests.identity.actors import BASE, Phone

PEOPLE = (("安若素", "110101199003074477"), ("白知秋", "110101198511232856"))


def _seeded(settings: Settings, tmp_path: Path) -> Iterator[seed.SeededIdentity]:
    settings.GOVCHAIN = replace(settings.GOVCHAIN, data=tmp_path, base_url=BASE)
    # Argon2 is slow on purpose; test_login.py checks that it is what a node uses.
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
    yield seed.seed(base_url=BASE, people=PEOPLE)
    node.close()


@pytest.fixture
def seeded(db: None, settings: Settings, tmp_path: Path) -> Iterator[seed.SeededIdentity]:
    yield from _seeded(settings, tmp_path)


@pytest.fixture
def committed(transactional_db: None, settings: Settings, tmp_path: Path) -> Iterator[seed.SeededIdentity]:
    """The same, really committed: for tests in which threads race."""
    yield from _seeded(settings, tmp_path)


@pytest.fixture
def phone(seeded: seed.SeededIdentity) -> Phone:
    """The first citizen's activated phone."""
    phone = Phone()
    assert phone.activate(seeded.citizens[0].code).status_code == 201
    return phone


@pytest.fixture
def home_officer(seeded: seed.SeededIdentity) -> Client:
    client = Client()
    assert client.login(username="home", password=seed.PASSWORD)
    return client
