"""What the ledger decided about this app's records. Called at least once each, so every update names the old state."""

from __future__ import annotations

from typing import Protocol

from django.db import transaction

from certificates.actions.publish_status import settle_status
from certificates.actions.withdraw_mandate import revoke_certificates
from certificates.models import Certificate, CertificateType, Mandate
from gov_chain.web import live


class Outcome(Protocol):
    """As much of `gov_chain.ledger.relay.Outcome` as is read here."""

    subject: str
    state: str
    code: str | None
    index: int | None


def type_decided(outcome: Outcome) -> None:
    waiting = CertificateType.objects.filter(pk=_key(outcome), state=CertificateType.State.PENDING)
    if outcome.state == "final":
        waiting.update(state=CertificateType.State.ACTIVE, ledger_index=outcome.index)
    else:
        waiting.update(state=CertificateType.State.REFUSED, refusal=outcome.code or "")


def certificate_decided(outcome: Outcome) -> None:
    """Final: it may be handed out. Refused: as if never signed, and its offer may be tried again."""
    waiting = Certificate.objects.filter(pk=_key(outcome), state=Certificate.State.PENDING)
    if outcome.state == "final":
        waiting.update(state=Certificate.State.ACTIVE, ledger_index=outcome.index)
        with transaction.atomic():
            for mandate in Mandate.objects.filter(row__certificates=_key(outcome), state="withdrawn"):
                revoke_certificates(mandate)
    else:
        waiting.update(state=Certificate.State.REFUSED, refusal=outcome.code or "", sealed=None)
    for offer_id in Certificate.objects.filter(pk=_key(outcome)).values_list("offer_id", flat=True):
        live.announce(f"offer/{offer_id}", {"state": outcome.state})


def status_decided(outcome: Outcome) -> None:
    """A status list's version: the acts it carries take effect with it, or are as if never asked for."""
    for certificate in settle_status(int(_key(outcome)), final=outcome.state == "final"):
        live.announce(f"certificate/{certificate.pk}", {"state": certificate.state})


def _key(outcome: Outcome) -> str:
    return outcome.subject.partition(":")[2]
