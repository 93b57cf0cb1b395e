"""What one row of a source register must be, and how it is normalized before it is kept.

A cell is trimmed, then checked by its field's kind. Dates come in as 2020-01-31, 2020/1/31, 20200131 or
2020年1月31日 and are kept as ISO 8601. Text that a spreadsheet would run as a formula is refused: no name
or address begins so, and what is never stored can never be exported.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from certificates.core import identity_numbers
from certificates.core.identity_numbers import NumberError

REASONS: dict[str, tuple[str, str]] = {
    **identity_numbers.REASONS,
    "missing": ("必填项为空", "a required cell is empty"),
    "too-long": ("内容过长", "the text is too long"),
    "control-characters": ("含有控制字符或不可显示字符", "the text has control or unprintable characters"),
    "formula-like": ("内容像表格公式，不能作为登记内容", "the text begins like a spreadsheet formula"),
    "date-format": ("日期应形如 2020-01-31", "a date looks like 2020-01-31"),
    "date-range": ("日期不合理", "the date is out of range"),
    "sex-unknown": ("性别应为“男”或“女”", "sex is 男 or 女"),
    "sex-differs": ("性别与身份号码不一致", "the sex differs from the identity number's"),
    "birth-differs": ("出生日期与身份号码不一致", "the birth date differs from the identity number's"),
    "validity-reversed": ("有效期止早于有效期起", "the validity ends before it begins"),
    "row-ragged": ("列数与表头不同", "the row has another number of columns than the header"),
    "row-too-long": ("一行内容过长", "the row is too long"),
    "subject-repeated": ("与第 {first} 行重复", "repeats the subject of line {first}"),
    "column-missing": ("缺少这一列", "this column is missing"),
    "column-repeated": ("这一列出现了不止一次", "this column occurs more than once"),
    "file-nul": ("文件含有空字节，可能不是 CSV 文件", "the file has NUL bytes; it may not be CSV"),
    "file-utf16": (
        "文件是 UTF-16 编码，请另存为“CSV UTF-8”",
        "the file is UTF-16; save it as “CSV UTF-8”",
    ),
    "file-encoding": ("文件既不是 UTF-8 也不是 GB18030 编码", "the file is neither UTF-8 nor GB18030"),
    "file-empty": ("文件没有表头", "the file has no header"),
    "file-delimiter": ("列应当用逗号分隔", "columns must be separated by commas"),
    "file-quotes": ("引号不配对", "quotes do not match"),
    "file-too-large": ("文件超过大小上限", "the file is larger than allowed"),
    "file-too-many-rows": ("行数超过上限", "the file has more rows than allowed"),
}

PERPETUAL = "长期"


class CellError(ValueError):
    """`code` is one of `REASONS`."""

    def __init__(self, code: str) -> None:
        self.code = code
        super().__init__(code)


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing wrong, by line (1 is the header) and field; never the cell's content."""

    line: int
    field: str
    code: str
    zh: str
    en: str


def problem(line: int, field: str, code: str, **values: int) -> Problem:
    zh, en = REASONS[code]
    return Problem(line, field, code, zh.format(**values), en.format(**values))


@dataclass(frozen=True, slots=True)
class Row:
    subject: str
    name: str
    data: dict[str, Any]
    note: str


@dataclass(frozen=True, slots=True)
class Rules:
    """How the rows of one type's register are read."""

    subject: str
    fields: Mapping[str, Callable[[str, date], str]]
    across: Callable[[Mapping[str, str], date], Mapping[str, str]]
    """Checks between cells: field → reason code."""


def read_row(rules: Rules, cells: Mapping[str, str], *, line: int, today: date) -> Row | list[Problem]:
    """The normalized row, or everything wrong with it."""
    data: dict[str, Any] = {}
    problems = []
    for field, check in rules.fields.items():
        try:
            data[field] = check(_trim(cells.get(field, "")), today)
        except (CellError, NumberError) as error:
            problems.append(problem(line, field, error.code))
    try:
        note = _text(200, required=False)(_trim(cells.get("note", "")), today)
    except CellError as error:
        problems.append(problem(line, "note", error.code))
    problems += [problem(line, field, code) for field, code in rules.across(data, today).items()]
    if problems:
        return problems
    return Row(data[rules.subject], data["name"], data, note)


def _trim(cell: str) -> str:
    # Exporters put a tab or an apostrophe before long numbers to keep spreadsheets from rounding them.
    cell = cell.strip().strip("\u3000\ufeff").strip()
    return cell[1:] if re.fullmatch(r"'\d{17}[\dXx]", cell, re.ASCII) else cell


def _text(longest: int, *, required: bool = True) -> Callable[[str, date], str]:
    def check(cell: str, today: date) -> str:
        if not cell and required:
            raise CellError("missing")
        if len(cell) > longest:
            raise CellError("too-long")
        if any(unicodedata.category(c) in ("Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp") for c in cell):
            raise CellError("control-characters")
        if cell[:1] in ("=", "+", "-", "@"):
            raise CellError("formula-like")
        return unicodedata.normalize("NFC", cell)

    return check


def _sex(cell: str, today: date) -> str:
    known = {"男": "男", "女": "女", "male": "男", "female": "女", "m": "男", "f": "女"}
    if not cell:
        raise CellError("missing")
    if cell.lower() not in known:
        raise CellError("sex-unknown")
    return known[cell.lower()]


_DATES = (
    re.compile(r"(\d{4})-(\d{1,2})-(\d{1,2})", re.ASCII),
    re.compile(r"(\d{4})/(\d{1,2})/(\d{1,2})", re.ASCII),
    re.compile(r"(\d{4})\.(\d{1,2})\.(\d{1,2})", re.ASCII),
    re.compile(r"(\d{4})(\d{2})(\d{2})", re.ASCII),
    re.compile(r"(\d{4})年(\d{1,2})月(\d{1,2})日", re.ASCII),
)


def _date(cell: str) -> date:
    if not cell:
        raise CellError("missing")
    for pattern in _DATES:
        if match := pattern.fullmatch(cell):
            try:
                return date(*map(int, match.groups()))
            except ValueError as error:
                raise CellError("date-format") from error
    raise CellError("date-format")


def _past(cell: str, today: date) -> str:
    found = _date(cell)
    if not identity_numbers.EARLIEST <= found <= today:
        raise CellError("date-range")
    return found.isoformat()


def _until(cell: str, today: date) -> str:
    if cell in (PERPETUAL, "永久", "perpetual"):
        return PERPETUAL
    found = _date(cell)
    if not identity_numbers.EARLIEST <= found <= today.replace(year=today.year + 100, day=1):
        raise CellError("date-range")
    return found.isoformat()


def _identity_number(cell: str, today: date) -> str:
    if not cell:
        raise CellError("missing")
    return identity_numbers.resident(cell, today=today).number


def _resident_across(data: Mapping[str, str], today: date) -> Mapping[str, str]:
    found: dict[str, str] = {}
    if "id_number" in data:
        holder = identity_numbers.resident(data["id_number"], today=today)
        if data.get("sex", holder.sex) != holder.sex:
            found["sex"] = "sex-differs"
        if data.get("birth_date", holder.birth_date.isoformat()) != holder.birth_date.isoformat():
            found["birth_date"] = "birth-differs"
    until = data.get("valid_until", PERPETUAL)
    if until != PERPETUAL and until < data.get("valid_from", until):
        found["valid_until"] = "validity-reversed"
    return found


RULES: Mapping[str, Rules] = {
    "resident-id": Rules(
        subject="id_number",
        fields={
            "name": _text(60),
            "sex": _sex,
            "ethnicity": _text(20),
            "birth_date": _past,
            "address": _text(200),
            "id_number": _identity_number,
            "issuing_authority": _text(60),
            "valid_from": _past,
            "valid_until": _until,
        },
        across=_resident_across,
    ),
}


def header(definition: Mapping[str, Any], cells: list[str]) -> tuple[list[str | None], list[str], list[Problem]]:
    """Column → field id (None: not of this register), names of ignored columns, and what is wrong.

    A column is known by the field's id, its Chinese or its English name; case and spaces do not matter.
    """
    known = {"note": "note", "备注": "note"}
    for field in definition["fields"]:
        known |= {_key(field[spelling]): field["id"] for spelling in ("id", "zh", "en")}
    columns = [known.get(_key(cell)) for cell in cells]
    present = [column for column in columns if column]
    problems = [
        problem(1, field["id"], "column-missing") for field in definition["fields"] if field["id"] not in present
    ]
    problems += [problem(1, name, "column-repeated") for name in sorted(set(present)) if present.count(name) > 1]
    ignored = [cell.strip()[:40] for cell, column in zip(cells, columns, strict=True) if column is None]
    return columns, ignored, problems


def _key(cell: str) -> str:
    return re.sub(r"[\s_\u3000\ufeff]+", "", cell).lower()


def spreadsheet_safe(text: str) -> str:
    """A cell no spreadsheet runs as a formula (OWASP, CSV injection)."""
    flat = re.sub(r"[\r\n\t\0]+", " ", text)
    return "'" + flat if flat[:1] in ("=", "+", "-", "@") else flat
