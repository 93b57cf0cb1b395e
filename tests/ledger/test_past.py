"""State at any past size is what a replay of the log up to that size makes."""

import secrets
from hashlib import sha256
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gov_chain.ledger import fsck
from gov_chain.ledger.core import entries, machine, proposals, records, rulesets, state, watch
from gov_chain.ledger.core.act import Act
from gov_chain.ledger.core.errors import LedgerError
from gov_chain.ledger.core.state import View
from gov_chain.ledger.reader import Reader
from tests.ledger.town import (
    DIGEST,
    HOME,
    PSB,
    STREET,
    VERIFIER,
    KeySet,
    Town,
    grant_record,
    issue_record,
    public_key,
    type_record,
    usage_record,
)

DAY = 86400
KEPT = state.HISTORIC | frozenset(b"giu")


def replayed(reader: Reader, size: int) -> dict[bytes, state.Value]:
    """The state the first `size` entries make."""
    view = View(lambda key: None)
    view.absorb(machine.found(reader.entry(0)))
    for index in range(1, size):
        body = reader.entry(index)
        time, agency, record = entries.unwrap(body)
        if record[0] != records.TRANSACTION:
            act = Act(agency, record, time, index, body, reader.ledger_id)
            assert rulesets.judge(view, act, rulesets.RULESETS[1]) is None
    return view.written


class Governed(Town):
    """A town whose agencies vote."""

    proposed = 0

    def propose(self, agency: int, *action: int | bytes) -> str | None:
        expires = int(self.clock.now) + DAY
        done = self.submit(agency, records.propose(proposal=self.proposed + 1, action=action, expires=expires))
        self.proposed += not done.refused
        return done.refused.get(0)

    def vote(self, agency: int, yes: bool = True) -> int | None:
        return self.submit(agency, records.vote(proposal=self.proposed, yes=yes)).positions[0]

    def pass_(self, *action: int | bytes) -> int:
        """Proposed by agency 1, passed by agency 2; the index of the deciding vote."""
        assert self.propose(PSB, *action) is None
        index = self.vote(HOME)
        assert index is not None
        return index


@pytest.fixture
def governed(tmp_path: Path) -> Governed:
    return Governed(tmp_path / "ledger")


def finish(town: Governed) -> None:
    town.engine.close()
    assert fsck.check(town.directory, vkey=VERIFIER.vkey).findings == []
    town.reader.close()


@settings(max_examples=12, deadline=None)
@given(steps=st.lists(st.tuples(st.integers(0, 9), st.integers(1, 3)), min_size=4, max_size=25))
def test_state_at_every_past_size_is_a_replays(steps: list[tuple[int, int]]) -> None:
    with TemporaryDirectory() as folder:
        town = Governed(Path(folder) / "ledger")
        town.register()
        town.pass_(proposals.EMPOWER, STREET, 1, DAY)
        tags: list[bytes] = []
        for step, (choice, number) in enumerate(steps):
            fresh = sha256(b"%d" % step).digest()
            batches: list[tuple[int, list[bytes]]] = [
                (HOME, [grant_record(fresh, time=int(town.clock.now)), issue_record(), records.withdraw(secret=fresh)]),
                (HOME, [grant_record(fresh, time=int(town.clock.now))]),
                (STREET, [usage_record(sha256(b"%d" % (step - 1)).digest())] * number),
                (PSB, [type_record(version=step + 2), issue_record()]),
                (PSB, [records.status(type=1, list=number, version=1, digest=fresh)]),
                (STREET, [records.statutory(power=1, type=1, mask=1, tag=fresh, context_digest=DIGEST)]),
            ]
            if choice < len(batches):
                agency, batch = batches[choice]
                town.submit(agency, *batch)
            elif choice == 6:
                until = int(town.clock.now) + 60
                blinded = watch.conceal(tag=fresh, salt=fresh)
                use = records.statutory(
                    power=1, type=1, mask=1, tag=blinded, context_digest=DIGEST, concealed_until=until
                )
                at = town.submit(STREET, use).positions[0]
                town.submit(STREET, records.reveal(index=at or 0, tag=fresh, salt=fresh))
            elif choice == 7:
                town.propose(PSB, proposals.EMPOWER, number, step + 1, step)
                town.vote(HOME, yes=number > 1)
            else:
                town.propose(PSB, proposals.ACCREDIT, number, step + 2)
                town.vote(HOME)
            tags.append(fresh)
            town.clock.pass_time(number)
        last = replayed(town.reader, town.reader.size)
        for size in range(1, town.reader.size + 1):
            there = replayed(town.reader, size)
            for key in last:
                if key[0] in KEPT:
                    assert town.reader.state_at(key, size) == there.get(key), (key, size)
        finish(town)


def test_who_an_agency_was_then(governed: Governed) -> None:
    town, read = governed, governed.reader
    suspended = town.pass_(proposals.SUSPEND, STREET)
    reinstated = town.pass_(proposals.REINSTATE, STREET)
    accredited = town.pass_(proposals.ACCREDIT, STREET, 5)
    rotated = town.pass_(*KeySet(8).rotate(STREET, ledger_id=town.ledger_id))
    enrolled = town.pass_(*KeySet(9).enrol(4, ledger_id=town.ledger_id))
    for index, before, after in ((suspended, False, True), (reinstated, True, False)):
        assert read.agency(STREET, at=index).suspended == before
        assert read.agency(STREET, at=index + 1).suspended == after
    assert not read.accredited(STREET, 5, at=accredited)
    assert read.accredited(STREET, 5, at=accredited + 1)
    assert read.accredited(STREET, 5)
    assert not read.accredited(9, 5)
    assert read.agency(STREET, at=rotated).ledger_key == public_key(STREET)
    assert read.agency(STREET).ledger_key == public_key(8)
    old, new = read.key(STREET, 1), read.key(STREET, 2)
    assert old is not None
    assert new is not None
    assert (old.ledger_key, old.index, old.until) == (public_key(STREET), 0, rotated)
    assert (new.ledger_key, new.index, new.until) == (public_key(8), rotated, 0)
    assert [each.number for each in read.agencies(at=enrolled)] == [1, 2, 3]
    assert [each.number for each in read.agencies()] == [1, 2, 3, 4]
    assert read.agency(HOME).home
    assert read.agency(HOME).types == ()
    with pytest.raises(LedgerError, match="agency-unknown"):
        read.agency(4, at=enrolled)
    with pytest.raises(LedgerError, match="entry-unknown"):
        read.agency(1, at=read.size + 1)
    finish(town)


def test_what_types_matters_grants_and_parameters_were_then(governed: Governed) -> None:
    town, read = governed, governed.reader
    town.register()
    in_force = read.size - 1
    before, after = read.matter(1, at=in_force), read.matter(1, at=in_force + 1)
    assert before is not None
    assert not before.in_force
    assert after is not None
    assert after.in_force
    assert read.type(1, at=1) is None

    secret = secrets.token_bytes(32)
    handle = sha256(secret).digest()
    granted = town.submit(HOME, grant_record(secret)).positions[0] or 0
    used = town.submit(STREET, usage_record(secret)).positions[0] or 0
    withdrawn = town.submit(HOME, records.withdraw(secret=secret)).positions[0] or 0
    assert read.grant(handle, at=granted) is None
    found = [read.grant(handle, at=index + 1) for index in (granted, used, withdrawn)]
    assert [(each.uses_left, each.withdrawn) for each in found if each] == [(2, False), (1, False), (1, True)]
    assert found[-1] == read.grant(handle)

    index = town.pass_(proposals.SET_PARAMETER, proposals.OUTSTANDING, 3)
    assert read.parameter(proposals.OUTSTANDING, at=index) == 16
    assert read.parameter(proposals.OUTSTANDING) == 3
    assert [each.number for each in read.proposals()] == [1]
    assert read.proposals()[0].effect_index == index
    finish(town)


def test_a_rotated_key_signs_nothing_more_and_the_new_one_does(governed: Governed) -> None:
    town = governed
    town.pass_(*KeySet(8).rotate(STREET, ledger_id=town.ledger_id))
    for key_no, code in ((1, "key-retired"), (3, "key-unknown"), (2, "signature-wrong")):
        with pytest.raises(LedgerError, match=code):
            town.engine.submit(town.signed(STREET, records.evidence(evidence=1, digest=DIGEST), key_no=key_no)).result()
    finish(town)


def test_a_suspended_agencys_transactions_are_refused_whole(governed: Governed) -> None:
    town = governed
    town.pass_(proposals.SUSPEND, STREET)
    size = town.reader.size
    with pytest.raises(LedgerError, match="agency-suspended"):
        town.submit(STREET, records.evidence(evidence=1, digest=DIGEST))
    assert town.reader.size == size
    finish(town)


def test_the_rest_of_a_batch_in_which_its_agency_is_suspended_is_refused(governed: Governed) -> None:
    town = governed
    town.propose(PSB, proposals.SUSPEND, STREET)
    note = records.evidence(evidence=1, digest=DIGEST)
    done = town.submit(STREET, note, records.vote(proposal=1, yes=True), note, note)
    assert done.refused == {2: "agency-suspended", 3: "agency-suspended"}
    finish(town)


def test_genesis_is_the_state_at_size_one(governed: Governed) -> None:
    founding = machine.found(governed.reader.entry(0)).written
    for key, value in founding.items():
        assert governed.reader.state_at(key, 1) == value
    finish(governed)
