"""An officer at a desk: the real pages, their forms and their CSRF tokens, nothing behind them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from html.parser import HTMLParser
from urllib.parse import urljoin, urlsplit

import httpx
from websockets.sync.client import ClientConnection, connect

from demo.standard_wallet import RefusedError


@dataclass(slots=True)
class Form:
    action: str
    method: str
    fields: dict[str, str] = field(default_factory=dict)
    labels: str = ""


class Page(HTMLParser):
    """A page as far as an officer reads it: its words, links, forms and data attributes."""

    def __init__(self, url: str, html: str) -> None:
        super().__init__(convert_charrefs=True)
        self.url = url
        self.forms: list[Form] = []
        self.links: list[str] = []
        self.data: dict[str, list[str]] = {}
        self._words: list[str] = []
        self._form: Form | None = None
        self._select = ""
        self._textarea = ""
        self.feed(html)

    @property
    def text(self) -> str:
        return " ".join(" ".join(self._words).split())

    def form(self, *, action: str = "", holding: str = "") -> Form:
        """The first form whose action contains `action` and which has a field `holding`."""
        for form in self.forms:
            if action in form.action and (not holding or holding in form.fields):
                return form
        raise LookupError(f"no form {action or holding!r} on {self.url}: {[item.action for item in self.forms]}")

    def uri(self, part: str) -> str:
        """The first link or copyable text that contains `part`."""
        for text in [*self.links, *self.data.get("data-copy", [])]:
            if part in text:
                return text
        raise LookupError(f"no {part} on {self.url}")

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        for name, value in given.items():
            if name.startswith("data-"):
                self.data.setdefault(name, []).append(value)
        if tag == "a" and "href" in given:
            self.links.append(urljoin(self.url, given["href"]))
        elif tag == "form":
            action = given.get("action") or given.get("hx-post") or self.url
            method = "post" if "hx-post" in given else given.get("method", "get").lower()
            self._form = Form(urljoin(self.url, action), method)
            self.forms.append(self._form)
        elif self._form is not None:
            self._field(tag, given, self._form)

    def _field(self, tag: str, given: dict[str, str], form: Form) -> None:
        name = given.get("name", "")
        if tag == "select" and name:
            self._select = name
        elif tag == "option" and self._select and ("selected" in given or self._select not in form.fields):
            form.fields[self._select] = given.get("value", "")
        elif tag == "button" and name:
            form.fields.setdefault(name, given.get("value", ""))
        elif tag == "textarea" and name:
            form.fields[name] = ""
        elif tag == "input" and name:
            if given.get("type") in ("checkbox", "radio"):
                if "checked" in given:
                    form.fields[name] = given.get("value", "on")
            else:
                form.fields[name] = given.get("value", "")

    def handle_endtag(self, tag: str) -> None:
        if tag == "form":
            self._form = None
        elif tag == "select":
            self._select = ""

    def handle_data(self, data: str) -> None:
        if data.strip():
            self._words.append(data)


class Officer:
    """One logged-in officer; raises `RefusedError` for an error page."""

    def __init__(self, base_url: str, username: str, password: str, *, http: httpx.Client | None = None) -> None:
        self.base_url = base_url
        self.http = http or httpx.Client(base_url=base_url, follow_redirects=True, timeout=30)
        self.http.headers["Accept"] = "text/html"
        page = self.open("/login")
        self.submit(page.form(holding="password"), username=username, password=password)
        if urlsplit(str(self._last.url)).path == "/login":
            raise LookupError(f"{username} could not log in")

    def open(self, path: str) -> Page:
        return self._read(self.http.get(path))

    def submit(self, form: Form, **values: str) -> Page:
        unknown = values.keys() - form.fields.keys()
        if unknown:
            raise LookupError(f"{form.action} has no field {sorted(unknown)}, only {sorted(form.fields)}")
        sent = form.fields | values
        headers = {"Referer": self.base_url, "Origin": self.base_url}
        if form.method == "post":
            return self._read(self.http.post(form.action, data=sent, headers=headers))
        return self._read(self.http.get(form.action, params=sent))

    def watch(self, topic: str) -> ClientConnection:
        """The live channel this officer's page listens on."""
        cookies = "; ".join(f"{name}={value}" for name, value in self.http.cookies.items())
        url = self.base_url.replace("http", "ws", 1) + f"/live/{topic}"
        return connect(url, additional_headers={"Cookie": cookies}, origin=self.base_url)  # type: ignore[arg-type]

    def until(self, live: ClientConnection, path: str, wanted: str, limit: float = 15.0) -> Page:
        """Open `path` again at each event until it says `wanted`."""
        for page in self._pages(live, path, limit):
            if wanted in page.text:
                return page
        raise TimeoutError(f"{path} never said {wanted!r}")

    def _pages(self, live: ClientConnection, path: str, limit: float) -> Iterator[Page]:
        page = self.open(path)
        yield page
        while True:
            try:
                live.recv(timeout=limit)
            except TimeoutError:
                raise TimeoutError(f"no event on {path}; it says: {page.text[-400:]}") from None
            page = self.open(path)
            yield page

    def _read(self, response: httpx.Response) -> Page:
        self._last = response
        if response.status_code >= 400:
            raise RefusedError(response)
        return Page(str(response.url), response.text)

    def close(self) -> None:
        self.http.close()
