"""GB 11643 and GB 32100, and that invented numbers are nobody's."""

from __future__ import annotations

import contextlib
import itertools
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st
from stdnum.cn import ric

from certificates import demo_data
from certificates.core.identity_numbers import REASONS, NumberError, credit_code, masked, masked_name, resident

TODAY = date(2026, 11, 21)


def with_check_digit(stem: str) -> str:
    return stem + ric.calc_check_digit(stem + "0")


def reason(number: str) -> str:
    with pytest.raises(NumberError) as caught:
        resident(number, today=TODAY)
    assert caught.value.code in REASONS
    return caught.value.code


def test_a_valid_number_says_birth_date_and_sex() -> None:
    holder = resident(with_check_digit("11000019900307" + "013"), today=TODAY)
    assert (holder.birth_date, holder.sex) == (date(1990, 3, 7), "男")
    assert resident(with_check_digit("11000019900307" + "014"), today=TODAY).sex == "女"


def test_a_small_x_is_accepted_and_written_large() -> None:
    number = next(
        number
        for order in itertools.count(1)
        if (number := with_check_digit(f"11000019900307{order:03d}")).endswith("X")
    )
    assert resident(number.lower(), today=TODAY).number == number


@pytest.mark.parametrize(
    ("number", "code"),
    [
        ("", "id-length"),
        ("11000019900307001", "id-length"),
        ("1.10000199003071E+17", "id-scientific"),
        ("1.1E+17", "id-scientific"),
        ("11000019900307O01X", "id-format"),
        ("１１００００１９９００３０７００１４", "id-format"),
        ("1100001990030700X4", "id-format"),
        ("110000199003070010", "id-check-digit"),
        (with_check_digit("11000019900230001"), "id-birth-date"),
        (with_check_digit("11000019901301001"), "id-birth-date"),
        (with_check_digit("11000020991201001"), "id-birth-range"),
        (with_check_digit("11000018991231001"), "id-birth-range"),
        (with_check_digit("99000019900307001"), "id-division"),
        (with_check_digit("11900019900307001"), "id-division"),
        (with_check_digit("11019919900307001"), "id-division"),
        # 崇文区 was dissolved in 2010.
        (with_check_digit("11010320150307001"), "id-division"),
    ],
)
def test_each_wrong_number_has_its_reason(number: str, code: str) -> None:
    assert reason(number) == code


@given(st.text(max_size=20) | st.from_regex(r"\A\d{17}[0-9X]\Z"))
def test_no_text_breaks_the_check(text: str) -> None:
    for check in (lambda: resident(text, today=TODAY), lambda: credit_code(text)):
        with contextlib.suppress(NumberError):
            check()


@pytest.mark.parametrize(
    ("code", "expected"),
    [
        ("", "uscc-length"),
        ("9111000060003734IL", "uscc-format"),
        ("A1110000600037341L", "uscc-format"),
        ("911100006000373410", "uscc-check-digit"),
        ("91110000600037341l", "uscc-format"),
    ],
)
def test_each_wrong_credit_code_has_its_reason(code: str, expected: str) -> None:
    with pytest.raises(NumberError) as caught:
        credit_code(code)
    assert caught.value.code == expected


def test_a_credit_code_with_the_right_check_digit() -> None:
    """The example printed in python-stdnum's documentation."""
    assert credit_code("91110000600037341L") == "91110000600037341L"


def test_masks() -> None:
    assert masked("110000199003070014") == "110000********0014"
    assert masked("123") == "***"
    assert masked_name("东野若川") == "东***"


def test_invented_people_are_valid_reproducible_and_nobody() -> None:
    people = list(demo_data.people(count=300, seed=7))
    assert people == list(demo_data.people(count=300, seed=7))
    assert people[:100] == list(demo_data.people(count=100, seed=7))
    assert people != list(demo_data.people(count=300, seed=8))
    assert len({person["id_number"] for person in people}) == 300
    for person in people:
        holder = resident(person["id_number"], today=TODAY)
        assert holder.birth_date.isoformat() == person["birth_date"]
        assert holder.sex == person["sex"]
        assert person["id_number"][2:6] == "0000", "a county's code could be a person's"
        assert person["note"] == "虚构演示数据"
        assert person["issuing_authority"] == "云州市公安局"
