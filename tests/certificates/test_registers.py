"""Registers as agencies have them: encodings, headers, dirt; and that nothing is half-imported."""

from __future__ import annotations

import contextlib
import csv
import io
import json
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from certificates import demo_data, queries
from certificates.actions.import_register import Report, import_register
from certificates.core.definitions import RESIDENT_ID
from certificates.core.register_rules import Problem, Row, spreadsheet_safe
from certificates.models import CertificateType, RegisterRow
from certificates.register_file import Layout, UnreadableFileError, inspect, rows
from gov_chain import cli
from tests.certificates.conftest import Desk

TODAY = date(2026, 11, 21)
GOOD = dict(next(demo_data.people(count=1, seed=1)))


def text_of(*changed: dict[str, str], headers: tuple[str, ...] = demo_data.HEADERS) -> str:
    out = io.StringIO()
    writer = csv.writer(out)
    writer.writerow(headers)
    for change in changed:
        writer.writerow([{**GOOD, **change}[field] for field in demo_data.FIELDS])
    return out.getvalue()


def read(path: Path) -> list[Layout | Row | list[Problem]]:
    return list(rows(inspect(path), RESIDENT_ID, today=TODAY))


def file(tmp_path: Path, content: str | bytes, encoding: str = "utf-8") -> Path:
    path = tmp_path / "register.csv"
    path.write_bytes(content if isinstance(content, bytes) else content.encode(encoding))
    return path


def problems(tmp_path: Path, content: str | bytes) -> list[tuple[int, str, str]]:
    found = []
    try:
        for item in read(file(tmp_path, content)):
            bad = item if isinstance(item, list) else item.problems if isinstance(item, Layout) else []
            found += [(one.line, one.field, one.code) for one in bad]
    except UnreadableFileError as error:
        found.append((error.problem.line, error.problem.field, error.problem.code))
    return found


@pytest.mark.parametrize(
    ("encoding", "named"), [("utf-8", "utf-8-sig"), ("utf-8-sig", "utf-8-sig"), ("gb18030", "gb18030")]
)
def test_encodings(tmp_path: Path, encoding: str, named: str) -> None:
    path = file(tmp_path, text_of({"name": "云𠀀"}), encoding)
    assert inspect(path).encoding == named
    assert [item.name for item in read(path) if isinstance(item, Row)] == ["云𠀀"]


def test_headers_in_english_or_by_id_in_any_order(tmp_path: Path) -> None:
    english = (*(field["en"] for field in RESIDENT_ID["fields"]), "note")
    assert problems(tmp_path, text_of({}, headers=english)) == []
    upper = tuple(name.upper().replace("_", " ") for name in demo_data.FIELDS)
    assert problems(tmp_path, text_of({}, headers=upper)) == []


def test_cells_are_normalized(tmp_path: Path) -> None:
    number = GOOD["id_number"]
    year, month, day = (int(part) for part in GOOD["birth_date"].split("-"))
    change = {
        "id_number": f"{number}\t",
        "birth_date": f"{year}/{month}/{day}",
        "valid_until": "2040年1月5日",
        "name": "\u3000云若川 ",
    }
    (row,) = [item for item in read(file(tmp_path, text_of(change))) if isinstance(item, Row)]
    assert row.subject == number
    assert row.data["birth_date"] == GOOD["birth_date"]
    assert row.data["valid_until"] == "2040-01-05"
    assert row.name == "云若川"
    assert row.note == demo_data.NOTE
    assert "note" not in row.data


@pytest.mark.parametrize(
    ("change", "field", "code"),
    [
        ({"name": ""}, "name", "missing"),
        ({"name": "云" * 61}, "name", "too-long"),
        ({"name": "云\x07若"}, "name", "control-characters"),
        ({"name": "云\u202e若"}, "name", "control-characters"),
        ({"name": '=HYPERLINK("http://x")'}, "name", "formula-like"),
        ({"address": "@SUM(1)"}, "address", "formula-like"),
        ({"note": "+1"}, "note", "formula-like"),
        ({"sex": "雄"}, "sex", "sex-unknown"),
        ({"sex": "男" if GOOD["sex"] == "女" else "女"}, "sex", "sex-differs"),
        ({"birth_date": "1999-09-09"}, "birth_date", "birth-differs"),
        ({"birth_date": "昨天"}, "birth_date", "date-format"),
        ({"birth_date": "1999-02-30"}, "birth_date", "date-format"),
        ({"valid_from": "2999-01-01"}, "valid_from", "date-range"),
        ({"valid_from": "2020-01-02", "valid_until": "2020-01-01"}, "valid_until", "validity-reversed"),
        ({"id_number": "1.10000199003071E+17"}, "id_number", "id-scientific"),
        ({"id_number": "110000199003070010"}, "id_number", "id-check-digit"),
    ],
)
def test_each_bad_cell_is_reported_by_line_and_field(
    tmp_path: Path, change: dict[str, str], field: str, code: str
) -> None:
    other = list(demo_data.people(count=2, seed=2))[1]
    assert problems(tmp_path, text_of(other, change)) == [(3, field, code)]


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (b"", [(1, "", "file-empty")]),
        (b"\xff\xfea\x00", [(0, "", "file-utf16")]),
        (b"a,b\n\0,c\n", [(0, "", "file-nul")]),
        (b"a,b\n\xff\xff\xff\n", [(0, "", "file-encoding")]),
        (";".join(demo_data.HEADERS), [(1, "", "file-delimiter")]),
        ("\t".join(demo_data.HEADERS), [(1, "", "file-delimiter")]),
        (text_of({}) + "a,b\n", [(3, "", "row-ragged")]),
        (text_of({}) + '"open\n', [(3, "", "file-quotes")]),
        (text_of({}) + "x" * 20_000, [(3, "", "row-too-long")]),
        (text_of({}) + "\n,,,,,,,,,\n", []),
        (text_of({}, {}), [(3, "id_number", "subject-repeated")]),
        (
            "姓名,姓名\n",
            [(1, name, "column-missing") for name in demo_data.FIELDS[1:-1]] + [(1, "name", "column-repeated")],
        ),
    ],
)
def test_malformed_files(tmp_path: Path, content: str | bytes, expected: list[tuple[int, str, str]]) -> None:
    assert problems(tmp_path, content) == expected


def test_other_columns_are_named_and_not_kept(tmp_path: Path) -> None:
    text = "手机号," + text_of({}).replace("\r\n", "\r\n13800000000,", 1)
    layout, row = read(file(tmp_path, text))
    assert isinstance(layout, Layout)
    assert layout.ignored == ["手机号"]
    assert isinstance(row, Row)
    assert "13800000000" not in row.data.values()


@given(st.binary(max_size=300) | st.text(max_size=200).map(str.encode))
def test_no_bytes_break_the_reader(tmp_path_factory: pytest.TempPathFactory, content: bytes) -> None:
    path = tmp_path_factory.mktemp("fuzz") / "f.csv"
    path.write_bytes(content)
    with contextlib.suppress(UnreadableFileError):
        read(path)


@pytest.mark.parametrize("text", ["=1+1", "+1", "-1", "@x", "\t=1", "\n=cmd|' /C calc'!A0"])
def test_report_cells_are_no_formulas(text: str) -> None:
    assert spreadsheet_safe(text)[0] in "' "


# Importing


@pytest.fixture
def kind(db: None) -> CertificateType:
    from identity.models import Agency
    from identity.seed import create_keys

    police = Agency.objects.create(
        number=1, slug="psb", name_zh="云州市公安局", name_en="PSB", base_url="http://localhost:8000", hosted=True
    )
    create_keys("psb")
    return CertificateType.objects.create(
        slug="resident-id", number=1, version=1, agency=police, definition=RESIDENT_ID, digest=b"\0" * 32
    )


def load(kind: CertificateType, path: Path, mode: Any = "apply", **more: Any) -> Report:
    return import_register(type=kind, path=path, today=TODAY, mode=mode, **more)


def demo_file(tmp_path: Path, count: int, encoding: str = "utf-8") -> Path:
    path = tmp_path / f"demo-{encoding}.csv"
    with path.open("w", encoding=encoding, newline="") as out:
        demo_data.write(out, count=count, seed=7)
    return path


def test_import_again_changes_nothing_and_a_changed_row_is_updated(kind: CertificateType, tmp_path: Path) -> None:
    path = demo_file(tmp_path, 1200, "gb18030")
    first = load(kind, path)
    assert (first.insert, first.update, first.unchanged, first.encoding) == (1200, 0, 0, "GB18030")
    again = load(kind, path)
    assert (again.insert, again.update, again.unchanged) == (0, 0, 1200)
    path.write_bytes(path.read_bytes().replace("虚构路".encode("gb18030"), "虚构大道".encode("gb18030"), 1))
    changed = load(kind, path)
    assert (changed.insert, changed.update, changed.unchanged) == (0, 1, 1199)
    assert RegisterRow.objects.count() == 1200


def test_a_check_writes_nothing_and_counts(kind: CertificateType, tmp_path: Path) -> None:
    report = load(kind, demo_file(tmp_path, 10), "check")
    assert (report.clean, report.insert, report.applied) == (True, 10, False)
    assert RegisterRow.objects.count() == 0


def test_one_bad_row_at_the_end_and_nothing_is_imported(kind: CertificateType, tmp_path: Path) -> None:
    path = demo_file(tmp_path, 1200)
    with path.open("a", encoding="utf-8") as out:
        out.write("坏,行\r\n")
    report = load(kind, path)
    assert [(item.line, item.code) for item in report.problems] == [(1202, "row-ragged")]
    assert not report.applied
    assert RegisterRow.objects.count() == 0


def test_a_file_that_changes_while_it_is_imported_is_refused_whole(kind: CertificateType, tmp_path: Path) -> None:
    from certificates.core.errors import CertificateError

    path = demo_file(tmp_path, 600)
    seen: list[int] = []

    def meddle(size: int) -> None:
        seen.append(size)
        if len(seen) == 1100:  # within the second reading
            with path.open("a", encoding="utf-8") as out:
                out.write(text_of({"note": "x"}).splitlines()[1] + "\r\n")

    with pytest.raises(CertificateError, match="register-unreadable"):
        load(kind, path, progress=meddle)
    assert RegisterRow.objects.count() == 0


def test_progress_adds_up_to_the_file_twice(kind: CertificateType, tmp_path: Path) -> None:
    path = demo_file(tmp_path, 50, "gb18030")
    seen: list[int] = []
    load(kind, path, progress=seen.append)
    assert sum(seen) == 2 * path.stat().st_size


# The commands


def run(capsys: pytest.CaptureFixture[str], *words: str) -> tuple[int, str]:
    status = cli.main(list(words))
    return status, capsys.readouterr().out


def test_import_command_writes_a_clean_file_and_a_dry_run_writes_nothing(
    kind: CertificateType, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = str(demo_file(tmp_path, 20))
    status, out = run(capsys, "register", "import", "resident-id", path, "--dry-run")
    assert (status, RegisterRow.objects.count()) == (0, 0)
    assert "尚未写入" in out
    status, out = run(capsys, "register", "import", "resident-id", path, "--json")
    assert status == 0
    assert json.loads(out)["insert"] == 20
    assert RegisterRow.objects.count() == 20


def test_import_command_reports_and_exits_1(
    kind: CertificateType, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = file(tmp_path, text_of({"name": "=1"}))
    report = tmp_path / "errors.csv"
    words = ("register", "import", "resident-id", str(path), "--report", str(report))
    status, out = run(capsys, *words)
    assert status == 1
    assert "formula-like" in out
    assert "=1" not in out
    assert report.read_text("utf-8-sig").splitlines()[1].startswith("2,name,formula-like")
    assert RegisterRow.objects.count() == 0


def test_import_command_refuses_an_unknown_type_and_a_missing_file(
    kind: CertificateType, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(capsys, "register", "import", "passport", str(tmp_path / "x.csv"))[0] == 1
    assert run(capsys, "register", "import", "resident-id", str(tmp_path / "x.csv"))[0] == 1
    assert run(capsys, "register", "import", "resident-id", str(tmp_path))[0] == 1


def test_demo_data_command_is_reproducible(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    one, two = tmp_path / "1.csv", tmp_path / "2.csv"
    for path in (one, two):
        words = ("demo-data", "--people", "30", "--seed", "5", "--out", str(path), "--encoding", "gb18030")
        assert run(capsys, *words)[0] == 0
    assert one.read_bytes() == two.read_bytes()
    assert len(one.read_text("gb18030").splitlines()) == 31
    assert problems(tmp_path, one.read_bytes()) == []


def test_credential_offer_command(desk: Desk, capsys: pytest.CaptureFixture[str]) -> None:
    subject = queries.any_register_row(queries.known_type("resident-id")).subject
    words = ("credential", "offer", "--type", "resident-id", "--subject", subject, "--json")
    status, out = run(capsys, *words)
    told = json.loads(out)
    assert status == 0
    assert told["uri"].startswith("openid-credential-offer://?credential_offer_uri=http%3A%2F%2F")
    assert len(told["tx_code"]) == 6
    assert run(capsys, "credential", "offer", "--type", "resident-id", "--subject", "nobody")[0] == 1
    assert run(capsys, "credential", "offer", "--type", "passport")[0] == 1
