"""The root of every error a person can be shown.

Each domain derives one class from `GovChainError` and fills its `messages`: a stable
code, an HTTP status, what is wrong and what to do, in Chinese and English. One place
(`gov_chain.web.problems`) turns an error into an answer (RFC 9457); nothing else
formats errors. `log` is for operators and must hold no personal data.
"""

from __future__ import annotations

import traceback
from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar


@dataclass(frozen=True, slots=True)
class Message:
    """What a person is told. Texts may hold `{name}` places, filled from the error's values."""

    status: int
    zh: str
    en: str
    fix_zh: str = ""
    fix_en: str = ""
    oauth: str = ""
    """The OAuth `error` value, where the answering endpoint is an OAuth or OpenID one."""


class GovChainError(Exception):
    """An error with a stable `code`, texts for people, and a `log` text for operators."""

    messages: ClassVar[Mapping[str, Message]] = {}

    def __init__(self, code: str, /, *, log: str = "", **values: str | int) -> None:
        self.code = code
        self.message = self.messages[code]
        self.values = values
        self.log = log
        super().__init__(f"{code}: {log or self.en}")

    @property
    def status(self) -> int:
        return self.message.status

    @property
    def zh(self) -> str:
        return self.message.zh.format_map(self.values)

    @property
    def en(self) -> str:
        return self.message.en.format_map(self.values)

    @property
    def fix_zh(self) -> str:
        return self.message.fix_zh.format_map(self.values)

    @property
    def fix_en(self) -> str:
        return self.message.fix_en.format_map(self.values)


def trail(exception: BaseException) -> str:
    """An unforeseen exception's type and places, latest first. Its message stays out: it may hold personal data."""
    places = traceback.extract_tb(exception.__traceback__)
    steps = (f"{'/'.join(place.filename.rsplit('/', 3)[1:])}:{place.lineno} {place.name}" for place in places[:-9:-1])
    return f"{type(exception).__qualname__} at {' < '.join(steps)}"
