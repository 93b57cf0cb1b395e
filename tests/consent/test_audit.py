"""The auditor's feed and the commands beside it."""

from __future__ import annotations

import datetime as dt
import json

import pytest

from consent import audit
from consent.core import lifecycle
from consent.core.matter import DAY
from demo.standard_wallet import RefusedError
from gov_chain import cli
from gov_chain.ledger.core import entries, proposals, records
from gov_chain.ledger.explorer.names import Names
from gov_chain.ledger.explorer.sentences import SENTENCES
from tests.ledger.test_records import GOOD
from tests.world import World


def test_every_record_is_a_sentence_that_names_no_citizen(world: World) -> None:
    ana = world.citizen()
    kept = world.present(ana, world.ask(), uses=2)
    ana.wallet.withdraw(kept)

    text = world.officer("auditor").open("/audit/").text
    for words in (
        "签发了一张居民身份证",
        "记录了一位市民的同意",
        "为“居住证办理”使用了证照",
        "撤回了同意",
        "登记了事项",
    ):
        assert words in text
    assert ana.id_number not in text
    assert ana.name not in text


def test_governance_and_statutory_uses_are_said_by_name(world: World) -> None:
    names = Names(world.reader)

    def said(record: bytes) -> tuple[str, str]:
        entry = entries.parse(entries.wrap(1, 3, record))
        return SENTENCES[entry.name](entry, names)

    street = "云州市青石街道政务服务中心"
    digest = bytes(32)
    use = records.statutory(power=7, type=1, mask=0b101, tag=digest, context_digest=digest, concealed_until=5)
    suspend = records.propose(proposal=4, action=[proposals.SUSPEND, 1], expires=5)
    home = records.propose(proposal=4, action=[proposals.ACCREDIT, 1, proposals.HOME], expires=5)
    assert said(suspend)[0] == f"{street}提出第 4 号提案：暂停云州市公安局。"
    assert said(home)[0] == f"{street}提出第 4 号提案：准许云州市公安局：登记市民授权。"
    assert said(use)[0] == f"{street}依第 7 项法定职权查询了一张居民身份证的 2 个字段，限期保密。"
    for record in GOOD.values():
        zh, en = said(record)
        assert zh.endswith("。")
        assert en.endswith(".")


def test_filters_and_paging_agree_with_the_log(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    for _ in range(2):
        world.present(world.citizen(_), world.ask())
    monkeypatch.setattr(audit, "PAGE", 2)
    monkeypatch.setattr(audit, "WINDOW", 3)

    def walk(wanted: audit.Filter) -> list[int]:
        found: list[int] = []
        before: int | None = None
        while True:
            page = audit.page(wanted, before=before)
            found += [row.index for row in page.rows]
            if page.older is None:
                return found
            before = page.older

    rows = world.reader.entries(limit=1000)
    assert walk(audit.Filter()) == [r.index for r in reversed(rows) if r.entry.name != "transaction"]
    assert walk(audit.Filter(kind=records.USAGE)) == [r.index for r in reversed(rows) if r.entry.name == "usage"]
    assert walk(audit.Filter(agency=3)) == [
        r.index for r in reversed(rows) if r.entry.agency == 3 and r.entry.name != "transaction"
    ]
    today = dt.date.today()  # noqa: DTZ011 - the page's own reading of "today" follows the same zone
    assert len(walk(audit.Filter(since=today - dt.timedelta(days=1), until=today + dt.timedelta(days=1)))) == len(
        walk(audit.Filter())
    )
    assert walk(audit.Filter(until=today - dt.timedelta(days=3))) == []


def test_the_feed_is_the_auditors_alone_and_takes_no_nonsense(world: World) -> None:
    with pytest.raises(RefusedError):
        world.officer("clerk").open("/audit/")
    for query in ("kind=x", "agency=-1", "agency=zzz", "since=2026-99-99", "before=1e9", "since=0001-01-01"):
        assert world.officer("auditor").http.get(f"/audit/?{query}").status_code == 400
    assert world.officer("auditor").http.get("/audit/rows?kind=usage&agency=3&matter=1&before=3").status_code == 200


def test_commands(world: World, capsys: pytest.CaptureFixture[str]) -> None:
    assert _run(["presentation", "request", "--matter", "residence-permit", "--json"]) == 0
    made = json.loads(capsys.readouterr().out)
    assert made["uri"].startswith("openid4vp://?client_id=x509_hash")
    world.standard_wallet().present(made["uri"])

    assert _run(["presentation", "request", "--matter", "nothing"]) == 1
    capsys.readouterr()
    assert _run(["audit", "tail", "-n", "3", "--json"]) == 0
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert len(lines) == 3
    assert lines[0]["index"] < lines[-1]["index"]


def test_lifecycle_leads_to_claims_only_through_a_final_use() -> None:
    before = {
        step.after: {other.before for other in lifecycle.TABLE if other.after == step.after} for step in lifecycle.TABLE
    }
    assert before[lifecycle.OPENED] == {lifecycle.RELEASED}
    assert before[lifecycle.RELEASED] == {lifecycle.USED}
    assert {step.event for step in lifecycle.TABLE if step.after == lifecycle.USED} == {"use"}
    assert DAY == 86400


def _run(argv: list[str]) -> int:
    """The command's handler in this process, on the world's node."""
    args = cli.parser().parse_args(argv)
    try:
        return args.handler(args) or 0
    except cli.GovChainError:
        return 1
