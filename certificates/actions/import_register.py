"""Load an agency's source register from a CSV file: all of it or nothing.

First the whole file is checked, with nothing locked and nothing written. Only a clean file is then written, in
one transaction, from the same bytes (their digest is compared inside the transaction). A crash or a refusal at
any point leaves the register as it was. Importing the same file again changes nothing.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import date
from itertools import islice
from pathlib import Path
from typing import Literal

from django.db import transaction

from certificates import registers
from certificates.core.errors import CertificateError
from certificates.core.register_rules import Problem, Row
from certificates.models import CertificateType
from certificates.register_file import Layout, Progress, Source, UnreadableFileError, inspect, rows

MAX_REPORTED = 1000
_BATCH = 500

Mode = Literal["check", "apply"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """What the file holds and what importing it does, or did when `applied`."""

    encoding: str = ""
    rows: int = 0
    insert: int = 0
    update: int = 0
    unchanged: int = 0
    ignored_columns: tuple[str, ...] = ()
    problems: tuple[Problem, ...] = ()
    """The first `MAX_REPORTED`."""
    problem_count: int = 0
    applied: bool = False

    @property
    def clean(self) -> bool:
        return self.problem_count == 0


def import_register(
    *,
    type: CertificateType,
    path: Path,
    today: date,
    mode: Mode,
    progress: Progress | None = None,
) -> Report:
    """Check the file; with mode `apply`, write it when it is clean. Raises OSError if it cannot be opened.

    `progress` is called with bytes read; `apply` reads the file twice.
    """
    try:
        source = inspect(path)
        report = _check(type, source, today, progress)
        if mode == "check" or not report.clean:
            return report
        return _apply(type, source, today, report, progress)
    except UnreadableFileError as error:
        return Report(problems=(error.problem,), problem_count=1)


def _check(kind: CertificateType, source: Source, today: date, progress: Progress | None) -> Report:
    problems: list[Problem] = []
    found = 0
    layout = Layout([], [], [])

    def good() -> Iterator[Row]:
        nonlocal found, layout
        for item in rows(source, kind.definition, today=today, progress=progress):
            match item:
                case Layout():
                    layout = item
                    bad = item.problems
                case Row():
                    yield item
                    continue
                case _:
                    bad = item
            found += len(bad)
            problems.extend(bad[: MAX_REPORTED - len(problems)])

    counts = {"insert": 0, "update": 0, "unchanged": 0}
    total = 0
    for batch in _batches(good()):
        total += len(batch)
        for _, what in _compared(kind, batch):
            counts[what] += 1
    return Report(
        encoding={"utf-8-sig": "UTF-8", "gb18030": "GB18030"}[source.encoding],
        rows=total,
        **counts,
        ignored_columns=tuple(layout.ignored),
        problems=tuple(problems),
        problem_count=found,
    )


def _apply(kind: CertificateType, source: Source, today: date, report: Report, progress: Progress | None) -> Report:
    counts = {"insert": 0, "update": 0, "unchanged": 0}
    with transaction.atomic():
        clean = (item for item in rows(source, kind.definition, today=today, progress=progress))
        for batch in _batches(item for item in clean if isinstance(item, Row)):
            compared = list(_compared(kind, batch))
            for _, what in compared:
                counts[what] += 1
            changed = [row for row, what in compared if what != "unchanged"]
            registers.save(kind, registers.sealed(kind, changed))
        with source.path.open("rb") as file:
            same = hashlib.file_digest(file, "sha256").digest() == source.digest
        if not same or sum(counts.values()) != report.rows:
            zh, en = "导入期间文件被改动。", "the file changed while it was being imported."
            raise CertificateError("register-unreadable", reason=zh, reason_en=en)
    # Durable here: the transaction has committed.
    return replace(report, applied=True, **counts)


def _compared(
    kind: CertificateType, batch: list[Row]
) -> Iterable[tuple[Row, Literal["insert", "update", "unchanged"]]]:
    known = registers.by_subject(kind, [row.subject for row in batch])
    for row in batch:
        old = known.get(row.subject)
        if old is None:
            yield row, "insert"
        elif (old.name, old.data, old.note) == (row.name, row.data, row.note):
            yield row, "unchanged"
        else:
            yield row, "update"


def _batches(items: Iterable[Row]) -> Iterator[list[Row]]:
    iterator = iter(items)
    while batch := list(islice(iterator, _BATCH)):
        yield batch
