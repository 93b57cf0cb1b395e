"""Live feeds: who may listen, and that a word from any thread arrives."""

import asyncio
import json
import threading

import pytest
from asgiref.testing import ApplicationCommunicator
from channels.routing import URLRouter
from django.contrib.auth.models import AnonymousUser
from django.db import transaction
from django.urls import re_path

from gov_chain.web import live

SILENT = re_path(r"", live.LiveConsumer.as_asgi())
feeds = URLRouter(
    [re_path(rf"^live/(?P<topic>{live.TOPIC})/(?P<key>{live.KEY})$", live.LiveConsumer.as_asgi()), SILENT]
)


class Person:
    def __init__(self, agency):
        self.agency = agency


@pytest.fixture(autouse=True)
def topic(monkeypatch):
    monkeypatch.setattr(live, "_authorizers", {})
    live.register("desk", lambda user, key: getattr(user, "agency", None) == key)
    live.register("strict", lambda user, key: bool(int(key)))


def talk(scenario):
    async def run():
        live.capture(asyncio.get_running_loop())
        try:
            await scenario()
        finally:
            live.capture(None)

    asyncio.run(run())


class Listener(ApplicationCommunicator):
    """A browser's end of a feed (channels' own needs daphne, which this project does not)."""

    def __init__(self, path, user):
        super().__init__(feeds, {"type": "websocket", "path": path, "headers": [], "user": user})

    async def connect(self):
        """None when accepted, else the close code."""
        await self.send_input({"type": "websocket.connect"})
        answer = await self.receive_output()
        return None if answer["type"] == "websocket.accept" else answer["code"]

    async def heard(self):
        return json.loads((await self.receive_output())["text"])

    async def leave(self):
        await self.send_input({"type": "websocket.disconnect", "code": 1000})
        await self.wait()


def test_strangers_and_other_agencies_are_refused():
    async def scenario():
        assert await Listener("/live/desk/street", AnonymousUser()).connect() == live.REFUSED
        assert await Listener("/live/desk/street", Person("psb")).connect() == live.REFUSED

    talk(scenario)


def test_unknown_topics_keys_and_addresses_are_refused():
    async def scenario():
        for path in (
            "/live/nothing/1",
            "/live/strict/word",
            "/live/desk/a.b",
            "/live/",
            "/elsewhere",
            "/live/desk/" + "a" * 200,
        ):
            assert await Listener(path, Person("street")).connect() == live.REFUSED

    talk(scenario)


@pytest.mark.django_db
def test_a_word_from_another_thread_reaches_its_listeners_only():
    async def scenario():
        mine, other = Listener("/live/desk/street", Person("street")), Listener("/live/desk/psb", Person("psb"))
        assert await mine.connect() is None
        assert await other.connect() is None
        thread = threading.Thread(target=live._send, args=("live.desk.street", '{"n": 1}'))
        thread.start()
        assert await mine.heard() == {"n": 1}
        assert await other.receive_nothing()
        await mine.leave()
        await other.leave()

    talk(scenario)


@pytest.mark.django_db(transaction=True)
def test_a_word_said_in_a_transaction_goes_out_after_the_commit(monkeypatch):
    sent = []
    monkeypatch.setattr(live, "_send", lambda name, text: sent.append((name, text)))
    with transaction.atomic():
        live.announce("desk/street", {"n": 1})
        assert sent == []
    assert sent == [("live.desk.street", '{"n": 1}')]
    with transaction.atomic():
        live.announce("desk/street", {"n": 2})
        transaction.set_rollback(True)
    assert len(sent) == 1


@pytest.mark.django_db
def test_a_command_line_without_a_loop_says_nothing():
    live._send("live.desk.street", "{}")


def test_a_group_that_is_no_group_is_a_programming_error():
    with pytest.raises(ValueError, match="not a group"):
        live.announce("desk/张三", {})


def test_a_client_that_talks_is_closed():
    async def scenario():
        talker = Listener("/live/desk/street", Person("street"))
        assert await talker.connect() is None
        await talker.send_input({"type": "websocket.receive", "text": "x" * 100})
        assert (await talker.receive_output())["code"] == live.TALKING
        await talker.leave()

    talk(scenario)


def test_a_flood_ends_at_a_number_and_places_are_given_back(monkeypatch):
    monkeypatch.setattr(live, "MAX_LISTENERS", 2)

    async def scenario():
        crowd = [Listener("/live/desk/street", Person("street")) for _ in range(3)]
        assert [await one.connect() for one in crowd] == [None, None, live.FULL]
        await crowd[0].leave()
        late = Listener("/live/desk/street", Person("street"))
        assert await late.connect() is None
        await crowd[1].leave()
        await late.leave()
        assert live.LiveConsumer.listeners == 0

    talk(scenario)
