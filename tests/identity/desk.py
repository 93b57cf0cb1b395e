"""An officer's browser in tests: the real pages, a clock that can be moved, an authenticator app."""

from __future__ import annotations

import base64
import hmac
import re
import struct
import time
from typing import Any

from django.test import Client

from identity.models import Officer, OfficerLogEntry
from identity.seed import PASSWORD

PAGE = {"accept": "text/html"}


class Browser(Client):
    """A browser that reads Chinese pages."""

    def __init__(self, username: str = "", *, address: str = "127.0.0.1", **options: Any) -> None:
        super().__init__(headers=PAGE, HTTP_HOST="localhost:8000", REMOTE_ADDR=address, **options)
        if username:
            assert self.log_in(username).status_code == 302

    def log_in(self, username: str, password: str = PASSWORD, **data: str) -> Any:
        return self.post("/login", {"username": username, "password": password, **data})

    @property
    def officer(self) -> str:
        """Who is logged in here, as the pages see it."""
        answer = self.get("/account/")
        return "" if answer.status_code != 200 else str(answer.context["user"].username)

    def confirm(self, path: str, password: str = PASSWORD) -> Any:
        """Open a page that first wants to know again who is there."""
        answer = self.get(path)
        if answer.status_code == 302 and answer["Location"].startswith("/account/again"):
            answer = self.post(answer["Location"].partition("?")[0], {"password": password, "next": path})
            return self.get(path)
        return answer

    def set_up_app(self) -> str:
        """Set up an authenticator app; its secret."""
        secret = str(self.confirm("/account/second-factor/totp").context["form"].secret)
        answer = self.post("/account/second-factor/totp", {"code": code(secret)})
        assert answer.status_code == 302, answer.content.decode()
        return secret


def code(secret: str, at: float | None = None) -> str:
    """The six digits an app shows (RFC 6238: HMAC-SHA-1, 30 seconds)."""
    counter = struct.pack(">Q", int(time.time() if at is None else at) // 30)
    digest = hmac.digest(base64.b32decode(secret), counter, "sha1")
    place = digest[-1] & 15
    return f"{int.from_bytes(digest[place : place + 4], 'big') % 2**31 % 10**6:06}"


def logged(username: str, act: str) -> list[str]:
    """The outcomes of an officer's acts of this name, oldest first."""
    rows = OfficerLogEntry.objects.filter(username=username, act=act).order_by("id")
    return list(rows.values_list("outcome", flat=True))


def officer(username: str) -> Officer:
    return Officer.objects.select_related("agency").get(username=username)


def words(answer: Any) -> str:
    return " ".join(re.sub(r"<[^>]+>", " ", answer.content.decode()).split())
