"""Resident identity numbers (GB 11643) and unified social credit codes (GB 32100): checked, with the reason.

python-stdnum knows the check digits and the division codes of GB/T 2260 with the years they were in force;
added here: exact form (no separators, no letters but a final X), and a birth date that can be a living person's.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date

from stdnum.cn import ric, uscc
from stdnum.exceptions import InvalidChecksum, InvalidComponent, InvalidFormat

REASONS: dict[str, tuple[str, str]] = {
    "id-length": ("身份号码应为 18 位", "an identity number has 18 characters"),
    "id-scientific": (
        "号码被表格软件改成了科学计数，请把该列设为“文本”后重新导出",
        "the spreadsheet turned the number into scientific notation; format the column as text and export again",
    ),
    "id-format": ("身份号码只能由数字组成，末位可为 X", "an identity number is digits, the last may be X"),
    "id-division": ("前六位不是出生年份有效的行政区划代码", "the first six digits name no division of that year"),
    "id-birth-date": ("号码中的出生日期不存在", "the birth date in the number does not exist"),
    "id-birth-range": ("号码中的出生日期不合理", "the birth date in the number is in the future or before 1900"),
    "id-check-digit": ("身份号码校验位不正确", "the identity number's check digit is wrong"),
    "uscc-length": ("统一社会信用代码应为 18 位", "a social credit code has 18 characters"),
    "uscc-format": (
        "统一社会信用代码含有不允许的字符",
        "a social credit code has eight digits, then digits and capital letters without I, O, S, V, Z",
    ),
    "uscc-check-digit": ("统一社会信用代码校验位不正确", "the social credit code's check digit is wrong"),
}

EARLIEST = date(1900, 1, 1)


class NumberError(ValueError):
    """`code` is one of `REASONS`."""

    def __init__(self, code: str) -> None:
        self.code = code
        super().__init__(code)


@dataclass(frozen=True, slots=True)
class Resident:
    number: str
    birth_date: date
    sex: str
    """男 or 女, by the parity of the 17th digit."""


def resident(number: str, *, today: date) -> Resident:
    """The checked number, its letter in upper case; raises `NumberError`."""
    if re.fullmatch(r"\d(\.\d+)?[eE]\+?\d+", number, re.ASCII):
        raise NumberError("id-scientific")
    if len(number) != 18:
        raise NumberError("id-length")
    number = number.upper()
    if not re.fullmatch(r"\d{17}[\dX]", number, re.ASCII):
        raise NumberError("id-format")
    if number[-1] != ric.calc_check_digit(number):
        raise NumberError("id-check-digit")
    try:
        birth_date = ric.get_birth_date(number)
    except InvalidComponent as error:
        raise NumberError("id-birth-date") from error
    if not EARLIEST <= birth_date <= today:
        raise NumberError("id-birth-range")
    try:
        ric.get_birth_place(number)
    except (InvalidComponent, KeyError) as error:
        # KeyError: the province is in the library's table, the rest of the code is not.
        raise NumberError("id-division") from error
    return Resident(number, birth_date, "男" if int(number[16]) % 2 else "女")


def credit_code(code: str) -> str:
    """The checked unified social credit code; raises `NumberError`."""
    if len(code) != 18:
        raise NumberError("uscc-length")
    if not re.fullmatch(r"[0-9A-Z]{18}", code, re.ASCII):
        raise NumberError("uscc-format")
    try:
        return str(uscc.validate(code))
    except InvalidChecksum as error:
        raise NumberError("uscc-check-digit") from error
    except InvalidFormat as error:
        raise NumberError("uscc-format") from error


def masked(number: str) -> str:
    """For people who need to recognise a number without reading it: 110000********0012."""
    return number[:6] + "*" * (len(number) - 10) + number[-4:] if len(number) > 10 else "*" * len(number)


def masked_name(name: str) -> str:
    """The first character, and how many follow."""
    return name[:1] + "*" * (len(name) - 1)
