"""Status lists: the drafts' examples, the same statuses in both forms, and what must not be read as valid."""

import gzip
import zlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from certificates.formats import status_list
from certificates.formats.status_list import MIN_ENTRIES, Statuses, StatusListError
from gov_chain.core.codec import b64url

EXAMPLE = {"bits": 1, "lst": "eNrbuRgAAhcBXQ"}
"""draft-ietf-oauth-status-list, §4.1."""
EMPTY = "uH4sIAAAAAAAAA-3BMQEAAADCoPVPbQwfoAAAAAAAAAAAAAAAAAAAAIC3AYbSVKsAQAAA"
"""Bitstring Status List 1.0, example 5: 131,072 zeros."""


def test_the_token_drafts_example_reads_as_published() -> None:
    published = [1, 0, 0, 1, 1, 1, 0, 1, 1, 1, 0, 0, 0, 1, 0, 1]
    assert [status_list.token_status(EXAMPLE, index) for index in range(16)] == published


def test_the_token_drafts_example_is_written_as_published() -> None:
    assert status_list.token_encode(bytes.fromhex("b9a3")) == EXAMPLE["lst"]


def test_the_bitstring_example_reads_as_published() -> None:
    assert [status_list.bitstring_bit(EMPTY, index) for index in (0, 1, MIN_ENTRIES - 1)] == [0, 0, 0]


@given(st.dictionaries(st.integers(0, MIN_ENTRIES - 1), st.sampled_from(["revoked", "suspended"]), max_size=20))
def test_both_forms_say_the_same_of_every_entry(given_statuses) -> None:
    statuses = Statuses(MIN_ENTRIES)
    for index, status in given_statuses.items():
        statuses.put(status, [index])
    token = statuses.token()
    revoked, suspended = statuses.bitstring("revocation"), statuses.bitstring("suspension")
    for index in {*given_statuses, 0, 1, 7, 8, MIN_ENTRIES - 1}:
        status = given_statuses.get(index, "valid")
        assert statuses[index] == status
        assert status_list.TOKEN_STATUS[status_list.token_status(token, index)] == status
        assert status_list.bitstring_bit(revoked, index) == (status == "revoked")
        assert status_list.bitstring_bit(suspended, index) == (status == "suspended")


def test_a_status_can_be_taken_back() -> None:
    statuses = Statuses(MIN_ENTRIES)
    statuses.put("suspended", [5])
    statuses.put("valid", [5])
    assert statuses[5] == "valid"


def test_the_bitstring_counts_from_the_left() -> None:
    statuses = Statuses(MIN_ENTRIES)
    statuses.put("revoked", [0])
    data = gzip.decompress(status_list.b64url_decode(statuses.bitstring("revocation")[1:]))
    assert data[0] == 0b1000_0000


@pytest.mark.parametrize("index", [-1, 16, 10**9])
def test_an_index_outside_a_token_list_is_refused(index) -> None:
    with pytest.raises(StatusListError):
        status_list.token_status(EXAMPLE, index)


@pytest.mark.parametrize("index", [-1, MIN_ENTRIES])
def test_an_index_outside_a_bitstring_is_refused(index) -> None:
    with pytest.raises(StatusListError):
        status_list.bitstring_bit(EMPTY, index)


def test_a_short_bitstring_is_refused() -> None:
    with pytest.raises(StatusListError):
        status_list.bitstring_bit(status_list.bitstring_encode(bytes(16)), 0)


@pytest.mark.parametrize("bomb", [zlib.compress(bytes(status_list.MAX_BYTES + 1))], ids=["a byte over the cap"])
def test_a_bomb_is_not_unpacked(bomb) -> None:
    with pytest.raises(StatusListError):
        status_list.token_status({"bits": 1, "lst": b64url(bomb)}, 0)
    with pytest.raises(StatusListError):
        status_list.bitstring_bit("u" + b64url(gzip.compress(bytes(status_list.MAX_BYTES + 1))), 0)


@pytest.mark.parametrize("bits", [0, 3, 16, True, "1", None])
def test_other_widths_are_refused(bits) -> None:
    with pytest.raises(StatusListError):
        status_list.token_status({"bits": bits, "lst": EXAMPLE["lst"]}, 0)


@given(st.text(max_size=60))
def test_anything_else_is_refused_and_never_valid(text) -> None:
    for read in (
        lambda: status_list.token_status({"bits": 1, "lst": text}, 0),
        lambda: status_list.bitstring_bit(text, 0),
    ):
        with pytest.raises(StatusListError):
            read()


def test_a_list_cut_short_or_lengthened_is_refused() -> None:
    data = zlib.compress(bytes(32))
    for changed in (data[:-1], data + b"x"):
        with pytest.raises(StatusListError):
            status_list.token_status({"bits": 1, "lst": b64url(changed)}, 0)
