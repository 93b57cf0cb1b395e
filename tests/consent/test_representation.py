"""Acting for somebody else: who may, who may not, who sees it, and that it ends at once."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from typing import Any

import pytest
import time_machine
from django.utils import timezone

from certificates import mandates
from certificates.models import Certificate, Mandate, MandateUse
from consent import representation
from consent.models import Grant, PresentationResponse
from consent.seed import RESIDENCE_PERMIT
from demo.holder import Held, HolderKey
from demo.standard_wallet import RefusedError, accepted
from demo.wallet import anchor
from gov_chain.core.codec import b64url, b64url_decode
from gov_chain.ledger import relay
from gov_chain.ledger.models import OutboxRow
from identity.models import Wallet as PhoneRow
from tests.consent.hostile import consent
from tests.consent.test_assurance import register
from tests.consent.test_lost_phone import HomeDesk
from tests.consent.test_refusals import nothing_written
from tests.world import PIN, Citizen, World

MATTER = 1


def in_days(days: int) -> str:
    return (mandates.today() + dt.timedelta(days=days)).isoformat()


def give(principal: Citizen, agent: Citizen, **changes: Any) -> Any:
    """The principal's wallet gives a mandate; the answer."""
    named = {"name": agent.name, "number": agent.id_number}
    usual = {"agent": named, "matters": [MATTER], "until": in_days(30)}
    return principal.wallet.give_mandate(PIN, **(usual | changes))


def take(agent: Citizen, given: Any) -> Held:
    """The agent's wallet claims what was given."""
    return agent.wallet.claim(given["offer"]["wallet_url"], given["offer"]["tx_code"])


class Errand:
    """Bai gave Ana a mandate, and Ana has it on her phone."""

    def __init__(self, world: World, **changes: Any) -> None:
        self.world = world
        self.ana, self.bai = world.citizen(0), world.citizen(1, claimed=False)
        self.given = give(self.bai, self.ana, **changes)
        self.held = take(self.ana, self.given)
        self.desk = world.ask()

    def consent(self, **choices: Any) -> Any:
        return self.ana.wallet.consent(self.desk.wallet_url, PIN, **({"acting_by": self.held} | choices))

    def present(self) -> Any:
        kept = self.consent()
        self.ana.wallet.send(kept)
        self.world.settle()
        return kept

    def refused(self, code: str, act: Callable[[], Any] | None = None) -> None:
        with nothing_written(self.world), pytest.raises(RefusedError, match=code):
            (act or self.consent)()


@pytest.fixture
def errand(world: World) -> Errand:
    return Errand(world)


def test_the_counter_sees_who_acts_and_for_whom(errand: Errand) -> None:
    errand.present()
    page = errand.desk.page().text
    assert "核验通过" in page
    assert "代他人办理" in page
    assert errand.bai.name in page
    assert errand.bai.id_number in page
    assert errand.ana.id_number in page


def test_somebody_who_acts_for_themselves_is_not_shown_as_an_agent(errand: Errand) -> None:
    errand.world.present(errand.ana, errand.desk)
    assert "代他人办理" not in errand.desk.page().text
    assert not MandateUse.objects.exists()


def test_nothing_of_the_two_is_on_the_ledger(errand: Errand) -> None:
    errand.present()
    reader = errand.world.reader
    entries = b"".join(reader.entry(index) for index in range(reader.size))
    for text in (errand.ana.name, errand.bai.name, errand.ana.id_number, errand.bai.id_number):
        assert text.encode() not in entries


def test_the_principal_sees_the_use_and_proves_it_on_the_ledger(errand: Errand) -> None:
    kept = errand.present()
    (shown,) = errand.bai.wallet.mandates(PIN)
    assert shown["agent"]["name"] == errand.ana.name
    assert shown["matters"] == [{"zh": "居住证办理", "en": "Residence permit"}]
    (use,) = shown["uses"]
    assert (b64url_decode(use["handle"]), use["matter"], use["asker"]) == (kept.handle, MATTER, 3)
    assert [kind for kind, _ in errand.bai.wallet.history(kept)] == ["grant", "usage"]


def test_the_agents_consent_record_says_for_whom(errand: Errand) -> None:
    kept = errand.present()
    assert Grant.objects.get(handle=kept.handle).mandate_issuer == 2


def test_withdrawing_the_mandate_closes_what_is_open_and_ends_it(errand: Errand) -> None:
    kept = errand.present()
    (shown,) = errand.bai.wallet.mandates(PIN)
    answer = errand.bai.wallet.withdraw_mandate(PIN, shown["id"])
    assert (answer["closed"], answer["mandate"]["state"]) == (1, "withdrawn")
    assert errand.world.reader.grant(kept.handle).withdrawn
    assert PresentationResponse.objects.get().claims_sealed is None
    page = errand.desk.page().text
    assert "市民已撤回授权" in page
    assert errand.bai.id_number not in page
    errand.desk = errand.world.ask()
    errand.refused("mandate-withdrawn")
    assert errand.bai.wallet.withdraw_mandate(PIN, shown["id"])["closed"] == 0


def test_withdrawing_the_mandate_revokes_its_certificate_for_every_verifier(errand: Errand) -> None:
    mandate = Mandate.objects.get()
    errand.bai.wallet.withdraw_mandate(PIN, str(mandate.pk))
    rows = OutboxRow.objects.filter(subject__startswith="certificates.status").values_list("pk", flat=True)
    relay.settle(rows)
    certificate = Certificate.objects.get(row=mandate.row)
    assert (certificate.state, certificate.reason) == ("revoked", "withdrawn")


def test_a_mandate_withdrawn_while_the_grant_was_recorded_leaves_no_grant(
    errand: Errand, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Between the issuer's yes and the final record: nobody is given the receipt, and the grant does not stay."""
    announce = representation.announce

    def withdrawn_right_after(*args: Any, **kwargs: Any) -> None:
        announce(*args, **kwargs)
        Mandate.objects.update(state="withdrawn", withdrawn_at=1)

    monkeypatch.setattr(representation, "announce", withdrawn_right_after)
    with pytest.raises(RefusedError, match="mandate-withdrawn"):
        errand.consent()
    assert errand.world.reader.grant(bytes(Grant.objects.get().handle)).withdrawn


def test_an_expired_mandate_is_refused(world: World) -> None:
    errand = Errand(world, until=in_days(1))
    with time_machine.travel(timezone.now() + dt.timedelta(days=3)):
        world._officers.clear()
        errand.desk = world.ask()
        errand.refused("mandate-expired", lambda: errand.consent(seconds=4 * 86400))


def test_the_issuers_last_day_counts_whatever_the_certificate_says(errand: Errand) -> None:
    Mandate.objects.update(not_after=1)
    errand.refused("mandate-expired")


def test_another_matter_is_refused(errand: Errand) -> None:
    Mandate.objects.update(matters=[7])
    errand.refused("mandate-other-matter")


def test_a_matter_that_admits_no_agents_is_refused(errand: Errand) -> None:
    register({**RESIDENCE_PERMIT, "version": 2, "representation": []})
    errand.desk = errand.world.ask()
    errand.refused("mandate-not-admitted")
    with pytest.raises(RefusedError, match="mandate-not-admitted"):
        give(errand.bai, errand.ana)


def test_a_mandate_from_a_phone_reported_lost_is_refused(errand: Errand) -> None:
    HomeDesk(errand.world, errand.bai).post("lost", phone=errand.bai.wallet.wallet_id)
    errand.refused("mandate-phone-lost")


def test_a_mandate_from_a_phone_that_was_replaced_stands(errand: Errand) -> None:
    PhoneRow.objects.filter(id=errand.bai.wallet.wallet_id).update(revoked_at=timezone.now(), ended_as="replaced")
    errand.present()
    assert errand.bai.id_number in errand.desk.page().text


def test_a_mandate_claimed_by_another_person_is_refused(world: World) -> None:
    """Bai's mandate names Ana; Chen got hold of link and code, and has it on a phone of his own."""
    ana, bai = world.citizen(0, claimed=False), world.citizen(1, claimed=False)
    chen = world.citizen(2)
    errand = Errand.__new__(Errand)
    errand.world, errand.ana, errand.bai = world, chen, bai
    errand.held, errand.desk = take(chen, give(bai, ana)), world.ask()
    errand.refused("mandate-not-holder")


def test_a_mandate_under_a_strange_key_is_refused(errand: Errand) -> None:
    errand.ana.wallet.keys[errand.held.issuer_jwt] = HolderKey()
    errand.refused("mandate-not-holder")


def test_a_mandate_of_another_phone_is_refused(errand: Errand) -> None:
    errand.ana.wallet._salts[errand.held.claims["holder_binding"]] = b64url(bytes(16))
    errand.refused("mandate-not-holder")


@pytest.mark.parametrize("changes", [{"until": in_days(366)}, {"matters": [99]}, {"aud": "did:web:elsewhere"}])
def test_a_statement_that_is_not_in_order_makes_no_mandate(world: World, changes: dict[str, Any]) -> None:
    ana, bai = world.citizen(0, claimed=False), world.citizen(1, claimed=False)
    with pytest.raises(RefusedError, match="mandate-statement-invalid"):
        give(bai, ana, **changes)
    assert not Mandate.objects.exists()


def test_a_statement_under_another_key_makes_no_mandate(world: World) -> None:
    ana, bai = world.citizen(0, claimed=False), world.citizen(1, claimed=False)
    jwk = bai.wallet.key.jwk
    bai.wallet.unlock(PIN)
    bearer = bai.wallet.unlock(PIN)
    bai.wallet.key = ana.wallet.key
    assert bai.wallet.key.jwk != jwk
    bai.wallet.unlock = lambda pin: bearer  # type: ignore[method-assign]
    with pytest.raises(RefusedError, match="mandate-statement-invalid"):
        give(bai, ana)


def test_a_phone_bound_too_low_gives_no_mandate(world: World) -> None:
    ana, bai = world.citizen(0, claimed=False), world.citizen(1, claimed=False)
    PhoneRow.objects.update(assurance_level=1)
    with pytest.raises(RefusedError, match="assurance-too-low"):
        give(bai, ana)


def test_only_the_principal_withdraws(errand: Errand) -> None:
    mandate = Mandate.objects.get()
    with pytest.raises(RefusedError, match="mandate-unknown"):
        errand.ana.wallet.withdraw_mandate(PIN, str(mandate.pk))
    assert errand.ana.wallet.mandates(PIN) == []
    mandate.refresh_from_db()
    assert mandate.state == "live"


def test_a_mandate_that_the_consent_does_not_name_is_refused_and_one_named_must_be_shown(errand: Errand) -> None:
    """Else an agent's phone could keep the history from saying for whom."""
    phone = consent(errand.ana.wallet, errand.desk)
    beside = {"issuer_jwt": errand.held.issuer_jwt, "kb_jwt": "a.b.c", "holder_salt": "A" * 22}
    errand.refused("consent-terms", lambda: accepted(phone.record(phone.signed() | {"mandate": beside})))
    phone.consent = {"on_behalf_of": b64url(anchor(errand.held))}
    errand.refused("consent-terms", lambda: accepted(phone.record()))


def test_a_certificate_that_is_no_mandate_lets_nobody_act(errand: Errand) -> None:
    errand.held = errand.ana.wallet.certificates[0]
    errand.refused("mandate-not-admitted")


@pytest.mark.parametrize("sent", ["nothing", "without a key binding", "for another request", "another mandate"])
def test_the_asking_agency_checks_the_mandate_for_itself(errand: Errand, sent: str) -> None:
    """The home agency was satisfied; what is sent afterwards is not what was agreed: nothing opens."""
    wallet = errand.ana.wallet
    phone = consent(wallet, errand.desk)
    beside = wallet._beside(errand.held, phone.request)
    phone.consent = {"on_behalf_of": b64url(anchor(errand.held))}
    salt = wallet.salt_of(errand.held)
    shown = {"issuer_jwt": errand.held.issuer_jwt, "kb_jwt": beside.rpartition("~")[2], "holder_salt": salt}
    phone.body = {"mandate": shown}
    assert phone.record().status_code == 201
    phone.send(phone.answer(mandate=_altered(errand, phone, beside, sent)))
    errand.world.settle()
    page = errand.desk.page().text
    assert "核验未通过" in page
    assert errand.ana.id_number not in page
    assert errand.bai.id_number not in page


def _altered(errand: Errand, phone: Any, beside: str, sent: str) -> str | None:
    wallet = errand.ana.wallet
    if sent == "nothing":
        return None
    if sent == "without a key binding":
        return beside.rpartition("~")[0] + "~"
    if sent == "for another request":
        return wallet._beside(errand.held, wallet.fetch_our_request(errand.world.ask().wallet_url))
    return wallet._beside(take(errand.ana, give(errand.bai, errand.ana)), phone.request)


def test_the_counter_withdraws_a_mandate_for_a_principal_whose_phone_is_lost(errand: Errand) -> None:
    """What was open under it closes, though the phone that signed it is gone."""
    kept = errand.present()
    home = HomeDesk(errand.world, errand.bai)
    home.post("lost", phone=errand.bai.wallet.wallet_id)
    assert "签署的手机已挂失" in home.post("grants/").text
    page = home.post("grants/mandate", mandate=str(Mandate.objects.get().pk))
    assert "已撤回 1 条授权" in page.text
    assert errand.world.reader.grant(kept.handle).withdrawn
    for other in ("x", str(kept.matter)):
        with pytest.raises(RefusedError, match=r"mandate-unknown|404"):
            home.post("grants/mandate", mandate=other)


def test_a_phone_lost_after_the_grant_keeps_the_key_from_the_asker(errand: Errand) -> None:
    """The grant is live on the ledger, yet what stood behind it ended: nothing opens."""
    kept = errand.consent()
    PhoneRow.objects.filter(pk=errand.bai.wallet.wallet_id).update(revoked_at=timezone.now(), ended_as="lost")
    errand.ana.wallet.send(kept)
    errand.world.settle()
    assert errand.bai.id_number not in errand.desk.page().text
    assert errand.ana.id_number not in errand.desk.page().text
