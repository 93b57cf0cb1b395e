"""The other cosigners: each is asked, one question after the other, what it has signed beyond what it told before.

The question waits at the other end until there is something (`door`), so an answer comes when a block is committed
there, not when a timer here runs out. Who does not answer is asked again with a growing pause.
"""

from __future__ import annotations

import json
import logging
import threading
from typing import Any

import httpx

from gov_chain.ledger.cosigner.cosigner import Cosigner, Told
from gov_chain.ledger.cosigner.shares import MOST, Share, from_json

log = logging.getLogger(__name__)

WAIT = 20
"""Seconds a question may wait for news."""
SHORTEST, LONGEST = 0.2, 5.0
"""Seconds between questions to who does not answer."""
MAX_ANSWER = 1 << 20


class Peer(threading.Thread):
    """One other cosigner, at `url`."""

    def __init__(self, url: str, cosigner: Cosigner, *, http: httpx.Client | None = None) -> None:
        super().__init__(name=f"cosigner-peer {url}", daemon=True)
        self.url = url.rstrip("/")
        self._cosigner = cosigner
        self._http = http or httpx.Client(timeout=httpx.Timeout(5.0, read=WAIT + 10.0))
        self._closing = threading.Event()
        self._after = cosigner.start

    def run(self) -> None:
        pause = SHORTEST
        first = True
        while not self._closing.is_set():
            try:
                self.ask(wait=0 if first else WAIT)
                first = False
                pause = SHORTEST
            except (httpx.HTTPError, httpx.InvalidURL, ValueError) as error:
                log.info("cosigner: %s: %s", self.url, type(error).__name__)
                first = True
                self._closing.wait(pause)
                pause = min(2 * pause, LONGEST)

    def ask(self, *, wait: int) -> None:
        """One question; raises `httpx.HTTPError` or ValueError."""
        key = self._cosigner.bls_key
        query = {"after": str(self._after), "wait": str(wait), "key": "" if key is None else key.hex()}
        told = _told(self.url, self._get(query))
        self._cosigner.tell(told)
        self._after = max([self._after, *(each.size for each in told.shares)])

    def _get(self, query: dict[str, str]) -> Any:
        with self._http.stream("GET", f"{self.url}/ledger/shares", params=query) as answer:
            answer.raise_for_status()
            data = b""
            for part in answer.iter_bytes():
                data += part
                if len(data) > MAX_ANSWER:
                    raise ValueError("answer too long")
            try:
                return json.loads(data)
            except RecursionError as error:
                raise ValueError("nested too deeply") from error

    def stop(self) -> None:
        self._closing.set()


def _told(source: str, value: Any) -> Told:
    if not isinstance(value, dict):
        raise ValueError("not an answer")
    key = value.get("bls_key")
    return Told(
        source,
        bytes.fromhex(key) if isinstance(key, str) and key else None,
        _shares(value, "shares"),
        _shares(value, "seen"),
        _shares(value, "strange"),
    )


def _shares(value: dict[str, Any], name: str) -> list[Share]:
    rows = value.get(name, [])
    if not isinstance(rows, list) or len(rows) > MOST:
        raise ValueError(name)
    return [from_json(row) for row in rows]
