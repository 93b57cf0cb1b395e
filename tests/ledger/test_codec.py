from typing import Any

import cbor2
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gov_chain.core.codec import NotCanonical, decode, encode

values = st.recursive(
    st.integers(0, 2**64 - 1) | st.binary(max_size=80), lambda inner: st.lists(inner, max_size=6), max_leaves=20
).filter(lambda value: _depth(value) <= 6)


def _depth(value: Any) -> int:
    return 1 + max(map(_depth, value), default=0) if isinstance(value, list) else 0


@given(values)
def test_a_value_comes_back_from_its_encoding(value: Any) -> None:
    assert decode(encode(value)) == value


@given(st.binary(max_size=200))
def test_bytes_are_the_one_encoding_of_a_value_or_refused(data: bytes) -> None:
    try:
        value = decode(data)
    except NotCanonical:
        return
    assert encode(value) == data


@pytest.mark.parametrize(
    "data",
    [
        b"\x18\x01",  # 1 in two bytes
        b"\x1b" + bytes(7) + b"\x01",  # 1 in nine
        b"\x5f\x41\x00\xff",  # byte string of indefinite length
        b"\x9f\x01\xff",  # array of indefinite length
        b"\x01\x01",  # something after the value
        b"\x61a",  # text
        b"\xa0",  # map
        b"\xf5",  # true
        b"\xf9\x3c\x00",  # 1.0
        b"\x20",  # -1
        b"\xc2\x41\x01",  # bignum 1
        b"\xd8\x1c\x81\xd8\x1d\x00",  # a list that contains itself
        b"\x81" * 5000 + b"\x01",  # deep
        b"\x9b\x7f\xff\xff\xff\xff\xff\xff\xff",  # a long array that is not there
        b"",
    ],
)
def test_other_encodings_and_other_types_are_refused(data: bytes) -> None:
    with pytest.raises(NotCanonical):
        decode(data)


def test_tags_of_every_number_are_refused() -> None:
    for tag in [*range(300), 1004, 43000, 55799]:
        for inner in (0, b"", b"(((", [1, 0], [], [2**64 - 1, 1], "((("):
            with pytest.raises(NotCanonical):
                decode(cbor2.dumps(cbor2.CBORTag(tag, inner)))
