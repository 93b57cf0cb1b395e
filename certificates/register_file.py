"""Reading a register's CSV file (RFC 4180) as a stream: encoding found, caps kept, rows checked one by one.

UTF-8 with or without a mark, else GB18030, what spreadsheets in China write. The encoding is settled over
the whole file before the first row is read: bytes that are not UTF-8 at the end change what the beginning meant.
"""

from __future__ import annotations

import codecs
import csv
import hashlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any, TextIO

from certificates.core.register_rules import RULES, Problem, Row, header, problem, read_row

MAX_BYTES = 512 * 1024 * 1024
MAX_ROWS = 2_000_000
MAX_LINE = 16 * 1024
_CHUNK = 1024 * 1024

Progress = Callable[[int], None]
"""Called with the number of bytes read since the last call."""


class UnreadableFileError(Exception):
    """The file as a whole cannot be read; `problem` says why."""

    def __init__(self, line: int, code: str) -> None:
        self.problem = problem(line, "", code)
        super().__init__(code)


@dataclass(frozen=True, slots=True)
class Source:
    path: Path
    encoding: str
    size: int
    digest: bytes
    """SHA-256 of the bytes that were looked at: what is imported is what was checked."""


def inspect(path: Path) -> Source:
    """Settle the encoding and refuse what is no CSV text. Raises `UnreadableFileError`, OSError."""
    size = path.stat().st_size
    if size > MAX_BYTES:
        raise UnreadableFileError(0, "file-too-large")
    digest = hashlib.sha256()
    decoders = {name: codecs.getincrementaldecoder(name)() for name in ("utf-8-sig", "gb18030")}
    with path.open("rb") as file:
        while chunk := file.read(_CHUNK):
            if file.tell() <= _CHUNK and chunk.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
                raise UnreadableFileError(0, "file-utf16")
            if b"\0" in chunk:
                raise UnreadableFileError(0, "file-nul")
            digest.update(chunk)
            for name in list(decoders):
                _feed(decoders, name, chunk, final=False)
    for name in list(decoders):
        _feed(decoders, name, b"", final=True)
    if not decoders:
        raise UnreadableFileError(0, "file-encoding")
    return Source(path, next(iter(decoders)), size, digest.digest())


def _feed(decoders: dict[str, codecs.IncrementalDecoder], name: str, chunk: bytes, *, final: bool) -> None:
    try:
        decoders[name].decode(chunk, final)
    except UnicodeDecodeError:
        del decoders[name]


@dataclass(frozen=True, slots=True)
class Layout:
    """What the header says."""

    columns: list[str | None]
    ignored: list[str]
    problems: list[Problem]


def rows(
    source: Source, definition: dict[str, Any], *, today: date, progress: Progress | None = None
) -> Iterator[Layout | Row | list[Problem]]:
    """First the layout, then for each line its row or its problems. Raises `UnreadableFileError`."""
    rules = RULES[definition["id"]]
    seen: dict[str, int] = {}
    with source.path.open("r", encoding=source.encoding, newline="") as file:
        reader = csv.reader(_lines(file, progress), strict=True)
        cells = _next(reader)
        if cells is None:
            raise UnreadableFileError(1, "file-empty")
        if len(cells) == 1 and any(mark in cells[0] for mark in ("\t", ";", "；", "，")):
            raise UnreadableFileError(1, "file-delimiter")
        columns, ignored, problems = header(definition, cells)
        yield Layout(columns, ignored, problems)
        if problems:
            return
        count = 0
        while True:
            line = reader.line_num + 1
            cells = _next(reader)
            if cells is None:
                return
            if not any(cell.strip() for cell in cells):
                continue
            count += 1
            if count > MAX_ROWS:
                raise UnreadableFileError(line, "file-too-many-rows")
            if len(cells) != len(columns):
                yield [problem(line, "", "row-ragged")]
                continue
            named = {column: cell for column, cell in zip(columns, cells, strict=True) if column}
            row = read_row(rules, named, line=line, today=today)
            if isinstance(row, Row) and row.subject in seen:
                row = [problem(line, rules.subject, "subject-repeated", first=seen[row.subject])]
            elif isinstance(row, Row):
                seen[row.subject] = line
            yield row


def _next(reader: Any) -> list[str] | None:
    try:
        cells: list[str] | None = next(reader, None)
    except csv.Error as error:
        raise UnreadableFileError(reader.line_num, "file-quotes") from error
    return cells


def _lines(file: TextIO, progress: Progress | None) -> Iterator[str]:
    number = 0
    while line := file.readline(MAX_LINE + 1):
        number += 1
        if len(line) > MAX_LINE:
            raise UnreadableFileError(number, "row-too-long")
        if progress is not None:
            progress(len(line.encode(file.encoding if file.encoding != "utf-8-sig" else "utf-8")))
        yield line
