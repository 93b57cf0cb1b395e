"""The home officer's desk: find a citizen, check who stands here, then hand out codes, unlock and end phones.

Three steps on one page: find (by POST, so that no identity number stands in an address or a log), the real-name
check, and the acts, each of which carries the check's statement. What other apps add to the desk (a citizen's grants)
has pages of its own that take the same statement.
"""

from __future__ import annotations

import secrets
import uuid
from collections.abc import Callable
from typing import Any

from django import forms
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_http_methods, require_POST

from gov_chain.core.codec import b64url
from gov_chain.web.language import pick
from identity import accounts, assurance, citizens, statements, wallets
from identity.actions.delete_account import SALT_BYTES, delete_account
from identity.actions.issue_activation import issue_activation
from identity.actions.restore_wallet import restore_wallet
from identity.actions.revoke_wallet import revoke_wallet
from identity.core.assurance import WORDS, Level, Verified
from identity.errors import IdentityError
from identity.models import Citizen, Officer, Wallet
from identity.officers import officer_may, officer_of, saw
from identity.tokens import keyed_digest


class FindForm(forms.Form):
    id_number = forms.RegexField(
        r"^[0-9]{17}[0-9Xx]$", max_length=18, widget=forms.TextInput(attrs={"autocomplete": "off"})
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["id_number"].label = pick("公民身份号码", "Identity number")
        self.fields["id_number"].error_messages = {
            "required": pick("请输入号码。", "Enter the number."),
            "invalid": pick("应为 18 位。", "It has 18 characters."),
        }


class CheckForm(forms.Form):
    """The officer's statement: this person stands here, and I checked who it is."""

    check = forms.ChoiceField(choices=[], widget=forms.RadioSelect)
    checked = forms.BooleanField()

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["check"].label = pick("核验方式", "How was the person checked?")
        self.fields["check"].choices = [(each.id, pick(*each.words)) for each in assurance.available()]
        self.fields["checked"].label = pick(
            "我已核验本人身份，对此负责。", "I have checked who this person is and answer for it."
        )


@officer_may("home.search")
@require_http_methods(["GET", "HEAD", "POST"])
def desk(request: HttpRequest) -> HttpResponse:
    """`/home/`: find a citizen."""
    form = FindForm(request.POST or None)
    if not form.is_valid():
        return render(request, "identity/home.html", {"form": form})
    saw(request, f"query={keyed_digest('query', form.cleaned_data['id_number']).hex()[:16]}")
    try:
        citizen = citizens.by_id_number(officer_of(request).agency, form.cleaned_data["id_number"])
    except IdentityError as error:
        form.add_error("id_number", pick(error.zh, error.en))
        return render(request, "identity/home.html", {"form": form}, status=error.status)
    saw(request, f"citizen_id={citizen.pk}")
    return _show(request, citizen)


@officer_may("home.act")
@require_POST
def act(request: HttpRequest, citizen_id: uuid.UUID, act: str) -> HttpResponse:
    """`/home/<citizen>/<act>`: the check itself, or what may be done after it."""
    officer = officer_of(request)
    citizen = citizen_of(officer, citizen_id)
    if act == "check":
        return _check(request, officer, citizen)
    if act == "delete":
        return _delete(request, officer, citizen)
    if act not in _ACTS:
        raise IdentityError("act-unknown")
    verified = statements.read(request.POST.get("statement", ""), officer=officer, citizen=citizen)
    return _show(request, citizen, verified=verified, **_ACTS[act](request, officer, citizen, verified))


def citizen_of(officer: Officer, citizen_id: uuid.UUID) -> Citizen:
    """A citizen of the officer's own agency; raises `IdentityError` citizen-unknown."""
    citizen = Citizen.objects.select_related("home").filter(id=citizen_id, home_id=officer.agency_id).first()
    if citizen is None:
        raise IdentityError("citizen-unknown")
    return citizen


def _check(request: HttpRequest, officer: Officer, citizen: Citizen) -> HttpResponse:
    form = CheckForm(request.POST)
    if not form.is_valid():
        return _show(request, citizen, check=form, status=400)
    verified = assurance.verify(
        check=form.cleaned_data["check"], citizen=citizen, evidence={"officer": officer.get_username()}
    )
    return _show(request, citizen, verified=verified)


def _delete(request: HttpRequest, officer: Officer, citizen: Citizen) -> HttpResponse:
    """The account goes; the proof is on this answer, with the salt that says whom it is about."""
    statements.read(request.POST.get("statement", ""), officer=officer, citizen=citizen)
    number, salt = uuid.uuid4(), secrets.token_bytes(SALT_BYTES)
    deleted = delete_account(citizen=citizen, number=number, salt=salt)
    shown = {"number": number, "salt": b64url(salt), "proof": deleted.proof, "home": officer.agency}
    return render(request, "identity/home.html", {"form": FindForm(), "erased": shown})


def _activate(request: HttpRequest, officer: Officer, citizen: Citizen, verified: Verified) -> dict[str, Any]:
    adds = request.POST.get("adds") == "yes"
    return {"issued": issue_activation(citizen=citizen, verified=verified, officer=officer, adds=adds), "adds": adds}


def _restore(request: HttpRequest, officer: Officer, citizen: Citizen, verified: Verified) -> dict[str, Any]:
    restore_wallet(wallet=_phone(request, citizen), officer=officer)
    return {"done": "restore"}


def _lost(request: HttpRequest, officer: Officer, citizen: Citizen, verified: Verified) -> dict[str, Any]:
    revoke_wallet(wallet=_phone(request, citizen), home=citizen.home, ended_as=Wallet.Ended.LOST)
    return {"done": "lost"}


def _close(request: HttpRequest, officer: Officer, citizen: Citizen, verified: Verified) -> dict[str, Any]:
    revoke_wallet(wallet=_phone(request, citizen), home=citizen.home, ended_as=Wallet.Ended.CLOSED)
    return {"done": "close"}


def _account(request: HttpRequest, officer: Officer, citizen: Citizen, verified: Verified) -> dict[str, Any]:
    return {"account": accounts.overview(citizen)}


_ACTS: dict[str, Callable[[HttpRequest, Officer, Citizen, Verified], dict[str, Any]]] = {
    "activate": _activate,
    "restore": _restore,
    "lost": _lost,
    "close": _close,
    "account": _account,
}


def _phone(request: HttpRequest, citizen: Citizen) -> Wallet:
    try:
        phone_id = uuid.UUID(request.POST.get("phone", ""))
    except ValueError as error:
        raise IdentityError("phone-unknown") from error
    phone = Wallet.objects.filter(pk=phone_id, citizen=citizen, revoked_at__isnull=True).first()
    if phone is None:
        raise IdentityError("phone-unknown")
    return phone


def _show(
    request: HttpRequest, citizen: Citizen, *, verified: Verified | None = None, status: int = 200, **extra: Any
) -> HttpResponse:
    context = {
        "form": FindForm(),
        "citizen": citizen,
        "phones": [
            {
                "wallet": each,
                "level": pick(*WORDS[Level(each.assurance_level)]),
                "check": pick(*assurance.words(each.check_id)),
                "backup": hasattr(each, "backup"),
            }
            for each in wallets.of_citizen(citizen)
        ],
        "check": CheckForm(),
        "verified": verified and pick(*assurance.words(verified.check)),
        "statement": verified and statements.issue(officer=officer_of(request), citizen=citizen, verified=verified),
    }
    return render(request, "identity/home.html", context | extra, status=status)
