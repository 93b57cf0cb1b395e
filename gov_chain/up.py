"""`govchain up`: one machine's node from nothing to ready, the same steps at every start.

    take the port        before anything else, so that a taken one costs a line and not a half-made node
    start Vault          with --vault: the one under the data directory, and end it when the node ends
    take the ledger      one writer a data directory
    migrate              the database follows the code
    seed                 agencies, keys, the ledger's genesis, types, matters, the demo register
    serve                web, relay and embedded ledger in this process, until Ctrl-C

A node that hosts some of several agencies is ready once the others have done their part: a matter needs its type on
the ledger, and its issuer's approval.

Each step is safe to repeat: a crash anywhere is repaired by starting again. `node.json` under the
data directory tells commands in other processes at which address this node is reached.
"""

from __future__ import annotations

import contextlib
import datetime as dt
import errno
import io
import json
import logging
import os
import socket
import sys
import threading
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from gov_chain import tls as local_tls
from gov_chain import vault_server
from gov_chain.cli import DEFAULT_DATA, read_settings, write_settings
from gov_chain.core.errors import GovChainError, Message
from gov_chain.environment import UnsafeSettings, VaultAccess
from identity.core.demo_agencies import AGENCIES

log = logging.getLogger(__name__)

RETRY = 2.0
"""Seconds after which seeding looks again without having been told of a record."""


class NodeError(GovChainError):
    messages = {
        "port-taken": Message(
            409,
            "端口 {port} 已被占用。",
            "Port {port} is taken.",
            "请换一个端口：govchain up --port {other}。",
            "Choose another: govchain up --port {other}.",
        ),
        "address-unusable": Message(
            409,
            "无法监听 {host}。",
            "Cannot listen on {host}.",
            "请检查 --host。",
            "Check --host.",
        ),
        "keys-in-files": Message(
            409,
            "{folder} 中的节点使用密钥文件；已有密钥不能移入 Vault。",
            "The node in {folder} has its keys in files; they are not moved into Vault.",
            "请为使用 Vault 的节点另选目录：--data DIR。",
            "Give the node with Vault a directory of its own: --data DIR.",
        ),
    }


def up(*, host: str, port: int, data: str | None, tls: bool, vault: bool = False, as_json: bool) -> int:
    """Serve until Ctrl-C; answers the exit status."""
    folder = folder_of(data)
    with contextlib.ExitStack() as until_ended:
        # A phone has to reach it.
        listener = until_ended.enter_context(_listen("0.0.0.0" if tls else host, port))  # noqa: S104
        os.environ["GOVCHAIN_DATA"] = str(folder)
        if vault:
            started_here = vault_server.running(folder / "vault") is None
            start_vault(folder)
            if started_here:
                until_ended.callback(vault_server.stop, folder / "vault")
        read_settings(folder)
        os.environ.setdefault("DJANGO_SETTINGS_MODULE", "gov_chain.settings")
        port = listener.getsockname()[1]
        certificate: dict[str, str] = {}
        if tls:
            if os.environ.get("GOVCHAIN_ENV") == "production":
                raise UnsafeSettings("TLS=1 is for development; in production a proxy holds the certificate")
            address = local_tls.lan_address()
            os.environ["GOVCHAIN_BASE_URL"] = f"https://{address}:{port}"
            files = local_tls.ensure(folder / "tls", address, dt.datetime.now(dt.UTC))
            certificate = {"ssl_certfile": str(files.certificate), "ssl_keyfile": str(files.key)}
        else:
            os.environ.setdefault("GOVCHAIN_BASE_URL", f"http://localhost:{port}")
        import django

        django.setup()
        return _serve(listener, folder, certificate, as_json=as_json)


def folder_of(data: str | None) -> Path:
    return Path(data or os.environ.get("GOVCHAIN_DATA", DEFAULT_DATA)).absolute()


def start_vault(folder: Path) -> VaultAccess:
    """This node's own Vault, running and unsealed; noted in `node.env` for every process on this data.

    Raises `NodeError("keys-in-files")` if the node has keys already, and what `vault_server.start` raises.
    """
    if (folder / "keys").exists():
        raise NodeError("keys-in-files", folder=str(folder))
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    read_settings(folder)
    hosted = os.environ.get("GOVCHAIN_HOSTED", "").replace(",", " ").split()
    access = vault_server.start(folder / "vault", agencies=hosted or [slug for _, slug, *_ in AGENCIES])
    write_settings(folder, vault_server.settings(access))
    return access


def _listen(host: str, port: int) -> socket.socket:
    listener = socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((host, port))
    except OSError as error:
        listener.close()
        if error.errno in (errno.EADDRINUSE, errno.EACCES):
            raise NodeError("port-taken", port=port, other=port + 1 if port > 1024 else 8000) from error
        raise NodeError("address-unusable", host=host) from error
    return listener


def _serve(listener: socket.socket, folder: Path, certificate: dict[str, str], *, as_json: bool) -> int:
    import uvicorn
    from django.conf import settings

    base_url = settings.GOVCHAIN.base_url

    class Server(uvicorn.Server):
        async def startup(self, sockets: list[socket.socket] | None = None) -> None:
            await super().startup(sockets)
            if self.started:
                _write_note(folder, base_url)
                seeding.when_complete(lambda: _say(greeting, base_url, as_json=as_json))

        async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
            seeding.stop()
            await super().shutdown(sockets)

    greeting = prepare()
    seeding = _Seeding()
    config = uvicorn.Config(
        "gov_chain.asgi:application",
        lifespan="on",
        log_config=None,
        access_log=False,
        ws_max_size=1024,  # the feed is one-way: nothing a listener sends is read
        ws_max_queue=4,
        server_header=False,
        # Nobody stands in front of this server: an X-Forwarded-For is a client's own words, and would count as
        # another address for each guess at a password or an activation code.
        proxy_headers=False,
        timeout_graceful_shutdown=5,
        **certificate,  # type: ignore[arg-type]
    )
    server = Server(config)
    # Ctrl-C is how a node is ended: by then uvicorn has closed connections and stopped the relay.
    with contextlib.suppress(KeyboardInterrupt):
        server.run(sockets=[listener])
    return 0 if server.started else 1


class _Seeding:
    """What a node seeds together with others, tried again at each record it may have waited for."""

    def __init__(self) -> None:
        from django.conf import settings

        import consent.seed

        self._complete = bool(settings.GOVCHAIN.production) or consent.seed.seed()
        self._look = threading.Event()
        self._stopping = False
        self._thread: threading.Thread | None = None

    def when_complete(self, then: Callable[[], None]) -> None:
        """Call `then` when everything is in force: at once, or from a thread."""
        from gov_chain.ledger import following

        if self._complete:
            then()
            return
        following.on_entries(("type", "matter", "matter-approve"), lambda _: self._look.set())
        self._thread = threading.Thread(target=self._run, args=(then,), name="seeding", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        self._stopping = True
        self._look.set()
        if self._thread is not None:
            self._thread.join()

    def _run(self, then: Callable[[], None]) -> None:
        from django import db

        import consent.seed

        while not self._stopping:
            self._look.wait(RETRY)
            self._look.clear()
            try:
                if not self._stopping and consent.seed.seed():
                    then()
                    break
            except (GovChainError, db.Error) as error:
                log.warning("seeding: %s; trying again", error)
        db.connection.close()


@dataclass(frozen=True, slots=True)
class Greeting:
    """What a person needs to try the node: who to log in as, and two citizens' activation codes."""

    password: str
    officers: list[dict[str, Any]]
    citizens: list[dict[str, Any]]
    vkey: str
    quorum: str
    """The ledger's first validators as a verifier key; empty where it has none."""


def prepare() -> Greeting:
    """Migrate and, but for production, seed; every step leaves what is already there."""
    from django.conf import settings
    from django.core.management import call_command

    from gov_chain.ledger import node

    if node.founded():
        # Another node on this data keeps running undisturbed: this one ends here, before it changes anything.
        node.engine()
    call_command("migrate", interactive=False, verbosity=0)
    if settings.GOVCHAIN.production:
        # Agencies, officers and registers are real, and are brought in by commands: nobody is invented here.
        return Greeting(
            password="", officers=[], citizens=[], vkey=node.ledger().vkey, quorum=node.ledger().quorum_vkey
        )

    import certificates.seed
    import identity.seed
    from identity import agencies, rooms

    base_url = settings.GOVCHAIN.base_url
    people = certificates.seed.people()
    seeded = identity.seed.seed(base_url=base_url, people=people)
    certificates.seed.seed()
    return Greeting(
        password=identity.seed.PASSWORD,
        officers=[
            {
                "username": row.username,
                "name": row.display_name,
                "agency": row.agency.slug,
                "agency_zh": row.agency.name_zh,
                "page": next(rooms.entries(row)).path,
            }
            for row in seeded.officers
        ],
        citizens=[
            {
                "name": row.citizen.name,
                "id_number": row.citizen.id_number,
                "activation_code": row.code,
                "activation_url": agencies.wallet_url(f"activate?code={row.code}"),
            }
            for row in seeded.citizens
        ],
        vkey=node.ledger().vkey,
        quorum=node.ledger().quorum_vkey,
    )


def _write_note(folder: Path, base_url: str) -> None:
    """Replaced whole: a reader sees the old address or the new one, never half."""
    draft = folder / "node.json.new"
    draft.write_text(json.dumps({"base_url": base_url}) + "\n")
    draft.replace(folder / "node.json")


def _say(greeting: Greeting, base_url: str, *, as_json: bool) -> None:
    if as_json:
        told = {
            "ready": True,
            "base_url": base_url,
            "vkey": greeting.vkey,
            "quorum": greeting.quorum,
            "password": greeting.password,
            "officers": greeting.officers,
            "citizens": greeting.citizens,
        }
        sys.stdout.write(json.dumps(told, ensure_ascii=False) + "\n")
    elif not greeting.password:
        sys.stdout.write(f"节点已就绪 The node is ready: {base_url}/\n账本公钥 verifier key: {greeting.vkey}\n")
    else:
        sys.stdout.write(_text(greeting, base_url))
    sys.stdout.flush()


def _text(greeting: Greeting, base: str) -> str:
    officers = "\n".join(
        f"    {row['username']:<11}{base}{row['page']:<17}{row['name']}  {row['agency_zh']}"
        for row in greeting.officers
    )
    citizens = "\n".join(f"    {row['name']}  {row['activation_url']}" for row in greeting.citizens)
    wallet = f"{base}/wallet/"
    install = ""
    if base.startswith("https://"):
        page = f"{base}/install-ca"
        install = f"  手机先安装测试证书 On the phone, first install the test CA: {page}\n{_qr(page)}\n"
    return f"""
  节点已就绪 The node is ready: {base}/

  工作人员登录 Officers log in at {base}/login  (密码 password: {greeting.password})
  !! 仅供演示：密码公开，且没有第二因素。生产环境会拒绝这些账号，并强制第二因素。
  !! Demonstration only: the password is public and there is no second factor. Production refuses both.
{officers}

  市民激活链接 Citizens' activation links （自选六位 PIN; choose a six-digit PIN）
{citizens}

  试一试 What to try
    1. 以 issuer 登录，在发证台为市民出一张居民身份证的领取二维码。
       As issuer, make an offer of a resident ID at {base}/issuing/
    2. 用手机大小的窗口打开市民激活链接，设 PIN，激活钱包。
       Open a citizen's activation link in a phone-sized window and set a PIN.
    3. 在钱包里扫码（或打开链接）并输入交付码，领取证照。
       Claim in the wallet: scan or open the link, type the transaction code.
    4. 以 clerk 登录窗口，为“居住证办理”出示二维码；市民扫码，看清要什么，同意并输入 PIN。
       As clerk at {base}/counter/ show a request; the citizen scans, reads, agrees with the PIN.
    5. 窗口页面即时出现所需信息；钱包“使用记录”出现本机验证过的凭证，可一键撤回。
       The counter sees the claims at once; the wallet's history shows a receipt it checked, and can withdraw.
    6. 以 auditor 登录，在 {base}/audit/ 看到同一次使用，并逐行验证。
       As auditor, see the same use at {base}/audit/ and verify any row.

{install}  手机钱包 The wallet on a phone: {wallet}
{_qr(wallet)}
  演示数据均为虚构。按 Ctrl-C 停止。 All people here are invented. Ctrl-C stops the node.
"""


def _qr(text: str) -> str:
    import segno

    out = io.StringIO()
    segno.make(text, error="m").terminal(out, compact=True, border=2)
    return out.getvalue()
