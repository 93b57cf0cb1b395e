"""Statutory uses: open, concealed, revealed, overdue; and the tags the phone looks for."""

from datetime import UTC, datetime

import pytest

from gov_chain.ledger.core import proposals, records, state, watch
from tests.ledger.test_governance import DAY, Assembly
from tests.ledger.town import ALL, DIGEST, HOME, PSB, START, STREET, type_record

POWER = 7
LIMIT = 30 * DAY
KEY = b"w" * 32
SALT = b"s" * 32
TAG = watch.tag(KEY, month=watch.month_of(START), n=0)


def use(tag: bytes = TAG, *, until: int = 0, mask: int = ALL, power: int = POWER, type_: int = 1) -> bytes:
    return records.statutory(power=power, type=type_, mask=mask, tag=tag, context_digest=DIGEST, concealed_until=until)


def concealed(n: int = 0) -> tuple[bytes, bytes]:
    """(tag, what is shown of it)."""
    tag = watch.tag(KEY, month=watch.month_of(START), n=n, concealed=True)
    return tag, watch.conceal(tag=tag, salt=SALT)


@pytest.fixture
def world() -> Assembly:
    """Agency 3 holds the power; type 1 has three fields."""
    world = Assembly()
    assert world.act(PSB, type_record()) is None
    world.pass_(proposals.EMPOWER, STREET, POWER, LIMIT)
    return world


def test_an_open_use_is_found_under_its_tag(world: Assembly) -> None:
    assert world.act(STREET, use()) is None
    assert world.view.get(state.tag_key(TAG)) == [[STREET, POWER, 1, ALL, START, world.index, 0]]


@pytest.mark.parametrize(
    ("agency", "record", "code"),
    [
        (HOME, use(), "power-not-held"),
        (STREET, use(power=8), "power-not-held"),
        (STREET, use(type_=2), "type-unknown"),
        (STREET, use(mask=0b1000), "fields-beyond-type"),
        (STREET, use(until=START), "concealment-beyond-power"),
        (STREET, use(until=START - 1), "concealment-beyond-power"),
        (STREET, use(until=START + LIMIT + 1), "concealment-beyond-power"),
        (STREET, use(until=START + LIMIT), None),
    ],
)
def test_a_use_stays_within_its_power(world: Assembly, agency: int, record: bytes, code: str | None) -> None:
    assert world.act(agency, record) == code


def test_a_tag_is_used_once(world: Assembly) -> None:
    assert world.act(STREET, use()) is None
    assert world.act(STREET, use()) == "tag-taken"


def test_a_power_withdrawn_is_gone(world: Assembly) -> None:
    world.pass_(proposals.DISEMPOWER, STREET, POWER)
    assert world.act(STREET, use()) == "power-not-held"


def test_a_power_without_concealment_is_only_used_openly(world: Assembly) -> None:
    world.pass_(proposals.EMPOWER, STREET, POWER, 0)
    assert world.act(STREET, use(until=START + 1)) == "concealment-beyond-power"
    assert world.act(STREET, use()) is None


def test_a_concealed_use_shows_no_tag_until_it_is_revealed(world: Assembly) -> None:
    tag, blinded = concealed()
    assert world.act(STREET, use(blinded, until=START + DAY)) is None
    at = world.index
    assert world.view.get(state.tag_key(tag)) is None
    assert world.view.get(state.tag_key(blinded)) is None
    assert world.act(STREET, records.reveal(index=at, tag=tag, salt=SALT)) is None
    assert world.view.get(state.tag_key(tag)) == [[STREET, POWER, 1, ALL, START, at, world.index]]
    assert world.view.get(state.outstanding_key(STREET, POWER)) == []


def test_a_reveal_is_refused_unless_it_opens_that_very_use(world: Assembly) -> None:
    tag, blinded = concealed()
    world.act(STREET, use(blinded, until=START + DAY))
    at = world.index
    assert world.act(STREET, records.reveal(index=at + 5, tag=tag, salt=SALT)) == "concealed-unknown"
    assert world.act(HOME, records.reveal(index=at, tag=tag, salt=SALT)) == "concealed-by-another"
    assert world.act(STREET, records.reveal(index=at, tag=tag, salt=DIGEST)) == "reveal-wrong"
    assert world.act(STREET, records.reveal(index=at, tag=TAG, salt=SALT)) == "reveal-wrong"
    assert world.act(STREET, records.reveal(index=at, tag=tag, salt=SALT)) is None
    assert world.act(STREET, records.reveal(index=at, tag=tag, salt=SALT)) == "revealed-already"


def test_an_overdue_use_suspends_the_power_until_it_is_revealed(world: Assembly) -> None:
    tag, blinded = concealed()
    world.act(STREET, use(blinded, until=START + DAY))
    at = world.index
    world.time = START + DAY
    assert world.act(STREET, use()) is None
    world.time += 1
    other = watch.tag(KEY, month=watch.month_of(world.time), n=1)
    assert world.act(STREET, use(other)) == "reveal-overdue"
    assert world.act(STREET, use(other, until=world.time + DAY)) == "reveal-overdue"
    assert world.act(STREET, records.reveal(index=at, tag=tag, salt=SALT)) is None
    assert world.act(STREET, use(other)) is None


def test_an_overdue_use_does_not_suspend_another_power_or_agency(world: Assembly) -> None:
    world.pass_(proposals.EMPOWER, STREET, 8, 0)
    world.pass_(proposals.EMPOWER, HOME, POWER, 0)
    world.act(STREET, use(concealed()[1], until=START + DAY))
    world.time += DAY + 1
    assert world.act(STREET, use(power=8)) is None
    assert world.act(HOME, use(DIGEST)) is None


def test_few_concealed_uses_are_outstanding_at_a_time(world: Assembly) -> None:
    world.pass_(proposals.SET_PARAMETER, proposals.OUTSTANDING, 2)
    first = world.index + 1
    for n in range(2):
        assert world.act(STREET, use(concealed(n)[1], until=START + DAY)) is None
    assert world.act(STREET, use(concealed(2)[1], until=START + DAY)) == "too-many-concealed"
    assert world.act(STREET, records.reveal(index=first, tag=concealed(0)[0], salt=SALT)) is None
    assert world.act(STREET, use(concealed(2)[1], until=START + DAY)) is None


def test_a_use_can_be_revealed_even_without_the_power_and_under_a_tag_somebody_took(world: Assembly) -> None:
    tag, blinded = concealed()
    world.act(STREET, use(blinded, until=START + DAY))
    at = world.index
    world.pass_(proposals.EMPOWER, HOME, POWER, 0)
    assert world.act(HOME, use(tag)) is None
    world.pass_(proposals.DISEMPOWER, STREET, POWER)
    assert world.act(STREET, records.reveal(index=at, tag=tag, salt=SALT)) is None
    both = world.view.get(state.tag_key(tag))
    assert both is not None
    assert [row[0] for row in both] == [HOME, STREET]


def test_months_are_calendar_months_of_utc() -> None:
    last = int(datetime(2026, 12, 31, 23, 59, 59, tzinfo=UTC).timestamp())
    assert watch.month_of(last) == 2026 * 12 + 11
    assert watch.month_of(last + 1) == 2027 * 12


def test_tags_differ_by_key_month_number_and_series() -> None:
    tags = {
        watch.tag(key, month=month, n=n, concealed=hidden)
        for key in (KEY, DIGEST)
        for month in (24321, 24322)
        for n in (0, 1, 2**32 - 1)
        for hidden in (False, True)
    }
    assert len(tags) == 24
