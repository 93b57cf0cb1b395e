"""Invented people for demonstrations: the same seed gives the same people, byte for byte.

Nobody's number can be hit by chance. A real identity number begins with the code of the county (or of a
city without counties) that first registered the person. The codes used here end in 0000: they are in
GB/T 2260 and so pass every check of form, but they name a whole province, where nobody is registered.
Each row also says of itself that it is invented.
"""

from __future__ import annotations

import csv
import random
from collections.abc import Iterator
from datetime import date, timedelta
from typing import TextIO

from stdnum.cn import ric

NOTE = "虚构演示数据"
AUTHORITY = "云州市公安局"
HEADERS = ("姓名", "性别", "民族", "出生日期", "住址", "公民身份号码", "签发机关", "有效期起", "有效期止", "备注")
FIELDS = (
    "name",
    "sex",
    "ethnicity",
    "birth_date",
    "address",
    "id_number",
    "issuing_authority",
    "valid_from",
    "valid_until",
    "note",
)

PROVINCES = (
    *("11", "12", "13", "14", "15", "21", "22", "23", "31", "32", "33", "34", "35", "36", "37"),
    *("41", "42", "43", "44", "45", "51", "52", "53", "61", "62", "63", "64", "65"),
)
DIVISIONS = tuple(f"{code}0000" for code in PROVINCES)

# Surnames of the old books that hardly anyone bears, with words for given names.
SURNAMES = (*"云松柏岚溪霁禾麦黍桑蓝青竹荷枫苇藜棠榆楸", "东野", "南荣", "北宫", "西陵", "闾丘", "濮阳")
FIRST = "若知清望怀予星映初以听问采行守见遇寄逢思"
SECOND = "川石舟野原岭渡汀木禾泉堤帆港桥峰塘洲亭坪"
ETHNICITIES = (*("汉",) * 12, "回", "苗", "壮", "满", "藏", "彝")
STREETS = ("青石街道", "望江街道", "松柏街道", "云溪镇")
ROADS = ("虚构路", "演示街", "样例巷")

LAST_BIRTH = date(2007, 12, 31)
FIRST_BIRTH = date(1950, 1, 1)


def people(*, count: int, seed: int) -> Iterator[dict[str, str]]:
    """`count` rows by field id, each with another identity number."""
    source = random.Random(seed)  # noqa: S311 - reproducible invention, not secrecy
    used: set[str] = set()
    while len(used) < count:
        person = _person(source)
        if person["id_number"] not in used:
            used.add(person["id_number"])
            yield person


def _person(source: random.Random) -> dict[str, str]:
    born = FIRST_BIRTH + timedelta(days=source.randrange((LAST_BIRTH - FIRST_BIRTH).days + 1))
    order = source.randrange(1, 1000)
    stem = f"{source.choice(DIVISIONS)}{born:%Y%m%d}{order:03d}"
    number = stem + ric.calc_check_digit(stem + "0")
    name = source.choice(SURNAMES) + source.choice(FIRST) + (source.choice(SECOND) if source.random() < 0.7 else "")
    issued = date(2018, 1, 1) + timedelta(days=source.randrange(7 * 365))
    # Identity cards are issued for 10 years up to 25, 20 years up to 45, and for life from 46.
    age = issued.year - born.year
    until = "长期" if age >= 46 else _years_later(issued, 10 if age <= 25 else 20).isoformat()
    return {
        "name": name,
        "sex": "男" if order % 2 else "女",
        "ethnicity": source.choice(ETHNICITIES),
        "birth_date": born.isoformat(),
        "address": f"云州市{source.choice(STREETS)}{source.choice(ROADS)}{source.randrange(1, 300)}号",
        "id_number": number,
        "issuing_authority": AUTHORITY,
        "valid_from": issued.isoformat(),
        "valid_until": until,
        "note": NOTE,
    }


def _years_later(day: date, years: int) -> date:
    return date(day.year + years, day.month, min(day.day, 28) if day.month == 2 else day.day)


def write(file: TextIO, *, count: int, seed: int) -> None:
    """The people as CSV with Chinese headers, as a spreadsheet would write it."""
    writer = csv.writer(file, lineterminator="\r\n")
    writer.writerow(HEADERS)
    for person in people(count=count, seed=seed):
        writer.writerow([person[field] for field in FIELDS])
