"""The administrator's page of an agency's staff, and the page on which an invited person starts."""

from __future__ import annotations

from typing import Any

from allauth.mfa.models import Authenticator
from django import forms
from django.contrib import messages
from django.core.exceptions import ValidationError
from django.core.validators import RegexValidator
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from gov_chain.web.language import pick
from identity import sessions, staff, throttle
from identity.actions.accept_invitation import accept_invitation
from identity.actions.give_role import give_role
from identity.actions.invite_officer import Invited, invite_officer, renew_invitation
from identity.actions.request_act import request_act
from identity.actions.reset_second_factor import reset_second_factor
from identity.actions.set_active import set_active
from identity.actions.take_role import take_role
from identity.core.permissions import POWERS, ROLES
from identity.errors import IdentityError
from identity.login.adapters import refuse_second_session
from identity.models import Officer
from identity.officers import officer_may, officer_of
from identity.templatetags.staff import ROLES as ROLE_WORDS


class InviteForm(forms.Form):
    username = forms.CharField(
        max_length=30,
        validators=[RegexValidator(r"^[a-z0-9][a-z0-9._-]{1,29}$")],
        widget=forms.TextInput(attrs={"autocomplete": "off", "autocapitalize": "none"}),
    )
    display_name = forms.CharField(max_length=100, widget=forms.TextInput(attrs={"autocomplete": "off"}))
    email = forms.EmailField(max_length=254, required=False)
    roles = forms.MultipleChoiceField(choices=[], required=False, widget=forms.CheckboxSelectMultiple)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["username"].label = pick("账号名", "Account")
        self.fields["username"].help_text = pick("小写字母、数字，2 至 30 位。", "2 to 30 lower-case letters, digits.")
        self.fields["username"].error_messages["invalid"] = pick(
            "只能用小写字母、数字和 . _ -", "Lower-case letters, digits and . _ - only."
        )
        self.fields["display_name"].label = pick("姓名", "Name")
        self.fields["email"].label = pick("单点登录的邮箱", "E-mail at single sign-on")
        self.fields["email"].help_text = pick("只用于首次关联单点登录。", "Only to link single sign-on the first time.")
        self.fields["roles"].label = pick("角色", "Roles")
        self.fields["roles"].choices = [(role, pick(*ROLE_WORDS[role])) for role in sorted(ROLES - POWERS)]


class JoinForm(forms.Form):
    code = forms.CharField(max_length=100, widget=forms.TextInput(attrs={"autocomplete": "off"}))
    password = forms.CharField(
        max_length=1000, strip=False, widget=forms.PasswordInput(attrs={"autocomplete": "new-password"})
    )
    again = forms.CharField(
        max_length=1000, strip=False, widget=forms.PasswordInput(attrs={"autocomplete": "new-password"})
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["code"].label = pick("邀请码", "Invitation code")
        self.fields["password"].label = pick("新密码", "New password")
        self.fields["password"].help_text = pick(
            "至少 12 位，不要用常见的词或账号名。", "At least 12 characters, no common word, not the account's name."
        )
        self.fields["again"].label = pick("再输入一次", "Once more")

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or {}
        if cleaned.get("password") and cleaned.get("again") and cleaned["password"] != cleaned["again"]:
            self.add_error("again", pick("两次输入不一致。", "The two are not the same."))
        return cleaned


@require_safe
@officer_may("staff.read")
def listed(request: HttpRequest) -> HttpResponse:
    return _list(request, InviteForm())


@require_POST
@officer_may("staff.invite")
def invite(request: HttpRequest) -> HttpResponse:
    form = InviteForm(request.POST)
    if not form.is_valid():
        return _list(request, form, status=400)
    by = officer_of(request)
    try:
        invited = invite_officer(agency=by.agency, by=by, **form.cleaned_data)
    except IdentityError as error:
        if error.code != "username-taken":
            raise
        form.add_error("username", pick(error.zh, error.en))
        return _list(request, form, status=error.status)
    return _show(request, invited.officer, invited=invited)


@require_safe
@officer_may("staff.read")
def one(request: HttpRequest, pk: int) -> HttpResponse:
    return _show(request, staff.one_of(officer_of(request).agency, pk))


@require_POST
@officer_may("staff.invite")
def renew(request: HttpRequest, pk: int) -> HttpResponse:
    by = officer_of(request)
    officer = staff.one_of(by.agency, pk)
    return _show(request, officer, invited=renew_invitation(officer=officer, by=by))


@require_POST
@officer_may("staff.disable")
def disable(request: HttpRequest, pk: int) -> HttpResponse:
    return _set_active(request, pk, active=False)


@require_POST
@officer_may("staff.enable")
def enable(request: HttpRequest, pk: int) -> HttpResponse:
    return _set_active(request, pk, active=True)


@require_POST
@officer_may("staff.give-role")
def give(request: HttpRequest, pk: int) -> HttpResponse:
    """At once, or, for a role that takes two persons, as a request."""
    by = officer_of(request)
    officer, role = staff.one_of(by.agency, pk), _role(request)
    if role in POWERS and officer.pk != by.pk:
        pending = request_act(officer=by, act="staff.give-power", content={"officer": officer.pk, "role": role})
        return HttpResponseRedirect(f"/approvals/{pending.pk}")
    give_role(officer=officer, role=role, by=by)
    return _done(request, officer, "已授予角色。", "The role is given.")


@require_POST
@officer_may("staff.take-role")
def take(request: HttpRequest, pk: int) -> HttpResponse:
    by = officer_of(request)
    officer = staff.one_of(by.agency, pk)
    take_role(officer=officer, role=_role(request), by=by)
    return _done(request, officer, "已收回角色。", "The role is taken.")


@require_POST
@officer_may("staff.reset")
def reset(request: HttpRequest, pk: int) -> HttpResponse:
    by = officer_of(request)
    officer = staff.one_of(by.agency, pk)
    reset_second_factor(officer=officer, by=by)
    return _done(request, officer, "第二因素已清除，登录已结束。", "The second factor is removed and sessions ended.")


@require_http_methods(["GET", "HEAD", "POST"])
@never_cache
@sensitive_post_parameters("code", "password", "again")
def join(request: HttpRequest) -> HttpResponse:
    """`/join`: choose a password with an invitation's code. The code comes in the address's fragment, or is typed."""
    refuse_second_session(request)
    form = JoinForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        address = str(request.META.get("REMOTE_ADDR", ""))
        if not throttle.reserve(throttle.JOIN, address):
            raise IdentityError("join-throttled", retry_after=throttle.JOIN.seconds)
        try:
            accept_invitation(code=form.cleaned_data["code"], password=form.cleaned_data["password"])
        except ValidationError as error:
            form.add_error("password", error)
        except IdentityError as error:
            form.add_error("code", pick(error.zh, error.en))
        else:
            throttle.forgive(throttle.JOIN, address)
            messages.success(request, pick("账号已启用，请登录。", "Your account is ready. Log in."))
            return HttpResponseRedirect("/login")
    return render(request, "identity/join.html", {"form": form}, status=400 if form.errors else 200)


def _role(request: HttpRequest) -> str:
    role = request.POST.get("role", "")
    if role not in ROLES:
        raise IdentityError("act-unknown")
    return role


def _set_active(request: HttpRequest, pk: int, *, active: bool) -> HttpResponse:
    by = officer_of(request)
    officer = staff.one_of(by.agency, pk)
    set_active(officer=officer, active=active, by=by)
    if active:
        return _done(request, officer, "账号已启用。", "The account is enabled.")
    return _done(request, officer, "账号已停用，登录已结束。", "The account is disabled and its sessions ended.")


def _done(request: HttpRequest, officer: Officer, zh: str, en: str) -> HttpResponse:
    messages.success(request, pick(zh, en))
    return HttpResponseRedirect(f"/staff/{officer.pk}")


def _list(request: HttpRequest, form: InviteForm, status: int = 200) -> HttpResponse:
    officers = list(staff.of_agency(officer_of(request).agency))
    with_factor = set(Authenticator.objects.filter(user__in=officers).values_list("user_id", flat=True))
    rows = [{"officer": each, "factor": each.pk in with_factor} for each in officers]
    return render(request, "identity/staff.html", {"rows": rows, "form": form}, status=status)


def _show(request: HttpRequest, officer: Officer, *, invited: Invited | None = None) -> HttpResponse:
    has = set(officer.roles.values_list("role", flat=True))
    context = {
        "officer": officer,
        "has": sorted(has),
        "missing": [(role, role in POWERS) for role in sorted(ROLES - has)],
        "factor": Authenticator.objects.filter(user=officer).exists(),
        "sessions": sessions.living(officer).count(),
        "own": officer.pk == officer_of(request).pk,
        "last_admin": staff.is_last_admin(officer),
        "invited": invited,
        "join_url": request.build_absolute_uri(f"/join#{invited.code}") if invited else "",
    }
    return render(request, "identity/officer.html", context)
