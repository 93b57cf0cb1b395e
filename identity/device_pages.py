"""The administrator's page of an agency's devices, and the door they knock at."""

from __future__ import annotations

import datetime as dt
import uuid
from typing import Any

from django import forms
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect, JsonResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_POST, require_safe

from gov_chain.web.inputs import Input, read_json
from gov_chain.web.language import pick
from identity import agencies, devices
from identity.actions.enrol_device import enrol_device
from identity.actions.revoke_device import revoke_device
from identity.errors import IdentityError
from identity.models import Device
from identity.officers import officer_may, officer_of, saw


class EnrolForm(forms.Form):
    label = forms.CharField(max_length=Device.LABEL, widget=forms.TextInput(attrs={"autocomplete": "off"}))
    did = forms.CharField(max_length=200, widget=forms.TextInput(attrs={"autocomplete": "off", "spellcheck": "false"}))
    until = forms.DateField(widget=forms.DateInput(attrs={"type": "date"}))

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["label"].label = pick("设备名称", "Name")
        self.fields["did"].label = pick("设备公钥（did:key）", "Device key (did:key)")
        self.fields["did"].help_text = pick(
            "在设备上生成，私钥不离开设备。", "Made on the device; its private half stays there."
        )
        self.fields["until"].label = pick("最后一天", "Last day")
        for field in self.fields.values():
            field.error_messages["required"] = pick("请填写。", "Fill this in.")
            field.error_messages["invalid"] = pick("格式不正确。", "Not of this form.")


_FIELD = {"device-key-invalid": "did", "device-known": "did", "device-label-missing": "label"}
"""Which field an error stands beside; the last day otherwise."""


class Heartbeat(Input):
    """An empty object."""


@require_safe
@officer_may("devices.read")
def listed(request: HttpRequest) -> HttpResponse:
    return _show(request, EnrolForm())


@require_POST
@officer_may("devices.change")
def enrol(request: HttpRequest) -> HttpResponse:
    officer = officer_of(request)
    form = EnrolForm(request.POST)
    if not form.is_valid():
        return _show(request, form, status=400)
    asked = form.cleaned_data
    try:
        device = enrol_device(
            agency=officer.agency,
            label=asked["label"],
            did=asked["did"],
            valid_until=_end_of(asked["until"]),
            officer=officer,
        )
    except IdentityError as error:
        form.add_error(_FIELD.get(error.code, "until"), pick(error.zh, error.en))
        return _show(request, form, status=error.status)
    saw(request, f"device={device.pk}")
    return HttpResponseRedirect("/devices/")


@require_POST
@officer_may("devices.change")
def revoke(request: HttpRequest, device_id: uuid.UUID) -> HttpResponse:
    revoke_device(agency=officer_of(request).agency, device_id=device_id)
    return HttpResponseRedirect("/devices/")


@csrf_exempt
@require_POST
@never_cache
def heartbeat(request: HttpRequest, slug: str) -> HttpResponse:
    """POST /agencies/<slug>/devices/heartbeat, signed by a device: am I enrolled, and until when?"""
    device = devices.authenticate(request, to=agencies.by_slug(slug, hosted=True))
    read_json(request, Heartbeat)
    return JsonResponse({"label": device.label, "valid_until": int(device.valid_until.timestamp())})


def _end_of(day: dt.date) -> dt.datetime:
    return timezone.make_aware(dt.datetime.combine(day, dt.time(23, 59, 59)))


def _show(request: HttpRequest, form: EnrolForm, *, status: int = 200) -> HttpResponse:
    found = devices.of_agency(officer_of(request).agency)
    return render(request, "identity/devices.html", {"form": form, "devices": found}, status=status)
