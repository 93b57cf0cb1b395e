"""Frames: what was framed comes out again however it arrives, and nothing malformed gets further."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gov_chain.ledger.abci.framing import FrameError, Frames, frame


@given(st.lists(st.binary(max_size=400), max_size=8), st.lists(st.integers(1, 50), min_size=1, max_size=20))
def test_messages_come_out_whole_however_they_arrive(messages: list[bytes], cuts: list[int]) -> None:
    wire = b"".join(map(frame, messages))
    frames = Frames()
    found: list[bytes] = []
    at = 0
    for number in range(len(wire)):
        if at >= len(wire):
            break
        width = cuts[number % len(cuts)]
        found += frames.feed(wire[at : at + width])
        at += width
    assert found == messages
    frames.end()


@pytest.mark.parametrize("length", [0, 1, 127, 128, 16383, 16384, 1 << 20])
def test_a_length_takes_as_many_bytes_as_protobuf_says(length: int) -> None:
    assert len(frame(bytes(length))) - length == max(1, -(-length.bit_length() // 7))
    assert Frames().feed(frame(bytes(length))) == [bytes(length)]


@pytest.mark.parametrize(
    "wire",
    [
        b"\x80\x00",  # zero in two bytes
        b"\x81\x80\x00",
        b"\xff" * 10,
        b"\xff\xff\xff\xff\x7f",  # 32 GiB
    ],
    ids=["zero spelt long", "one spelt long", "endless", "beyond the limit"],
)
def test_a_malformed_length_is_refused_at_once(wire: bytes) -> None:
    with pytest.raises(FrameError):
        Frames().feed(wire)


def test_a_message_above_the_limit_is_refused_before_it_arrives() -> None:
    with pytest.raises(FrameError):
        Frames(limit=1000).feed(frame(bytes(1001))[:2])
    assert Frames(limit=1000).feed(frame(bytes(1000))) == [bytes(1000)]


def test_an_end_within_a_message_is_noticed() -> None:
    frames = Frames()
    frames.feed(frame(b"whole") + frame(b"cut short")[:-1])
    with pytest.raises(FrameError):
        frames.end()


@given(st.binary(max_size=64))
def test_any_bytes_are_frames_or_an_error(wire: bytes) -> None:
    try:
        for message in Frames(limit=32).feed(wire):
            assert len(message) <= 32
    except FrameError:
        pass
