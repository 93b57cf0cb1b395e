"""The inbox of acts that take two persons: what waits, exactly what it is, and what became of the others."""

from __future__ import annotations

import json
import uuid

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.views.decorators.http import require_POST, require_safe

from gov_chain.web.language import pick
from identity import acts, approvals, officers
from identity.actions.approve_act import approve_act
from identity.actions.refuse_act import cancel_act, refuse_act
from identity.errors import IdentityError
from identity.models import Officer, PendingAct
from identity.officers import officer_may, officer_of, saw


@require_safe
@officer_may("approvals.read")
def inbox(request: HttpRequest) -> HttpResponse:
    """`/approvals/`: an approver sees all of the agency, everybody else what they asked for."""
    officer = officer_of(request)
    visible = approvals.of_agency(officer.agency)
    if not officers.may(officer, "approvals.decide"):
        visible = visible.filter(requested_by=officer)
    waiting = visible.filter(state=PendingAct.State.WAITING)
    decided = visible.exclude(state=PendingAct.State.WAITING)[: approvals.RECENT]
    context = {"waiting": [_row(each) for each in waiting], "decided": [_row(each) for each in decided]}
    return render(request, "identity/approvals.html", context)


@require_safe
@officer_may("approvals.read")
def one(request: HttpRequest, pending_id: uuid.UUID) -> HttpResponse:
    officer = officer_of(request)
    pending = _visible(officer, pending_id)
    decides = officers.may(officer, "approvals.decide") and pending.requested_by_id != officer.pk
    context = {
        "row": _row(pending),
        "content": json.dumps(acts.content_of(pending), ensure_ascii=False, indent=2),
        "digest": bytes(pending.digest).hex(),
        "decides": decides and pending.state == PendingAct.State.WAITING,
        "own": pending.requested_by_id == officer.pk,
        "file": pending.file is not None and pending.requested_by_id == officer.pk,
    }
    return render(request, "identity/approval.html", context)


@require_POST
@officer_may("approvals.decide")
def approve(request: HttpRequest, pending_id: uuid.UUID) -> HttpResponse:
    officer = officer_of(request)
    try:
        digest = bytes.fromhex(request.POST.get("digest", ""))
    except ValueError as error:
        raise IdentityError("pending-changed") from error
    pending = approve_act(officer=officer, pending=approvals.one_of(officer.agency, pending_id), digest=digest)
    if pending.failure:
        messages.error(request, pick("已批准，但没有办成。", "Approved, but it could not be done."))
    else:
        messages.success(request, pick("已批准并办成。", "Approved and done."))
    return HttpResponseRedirect(f"/approvals/{pending_id}")


@require_POST
@officer_may("approvals.decide")
def refuse(request: HttpRequest, pending_id: uuid.UUID) -> HttpResponse:
    officer = officer_of(request)
    refuse_act(officer=officer, pending=approvals.one_of(officer.agency, pending_id))
    messages.success(request, pick("已拒绝，没有执行。", "Refused; nothing was done."))
    return HttpResponseRedirect("/approvals/")


@require_POST
@officer_may("approvals.cancel")
def cancel(request: HttpRequest, pending_id: uuid.UUID) -> HttpResponse:
    officer = officer_of(request)
    cancel_act(officer=officer, pending=approvals.one_of(officer.agency, pending_id))
    messages.success(request, pick("申请已撤回。", "Your request is taken back."))
    return HttpResponseRedirect("/approvals/")


@require_safe
@officer_may("approvals.file")
def file(request: HttpRequest, pending_id: uuid.UUID) -> HttpResponse:
    """An export, for the officer who asked for it and as long as they may still ask for one."""
    officer = officer_of(request)
    pending = _visible(officer, pending_id)
    if pending.file is None or pending.requested_by_id != officer.pk:
        raise IdentityError("pending-unknown")
    officers.authorise(officer, pending.act)
    saw(request, f"act={pending.act}")
    answer = HttpResponse(bytes(pending.file), content_type="application/octet-stream")
    answer["Content-Disposition"] = f'attachment; filename="{pending.file_name}"'
    return answer


def _visible(officer: Officer, pending_id: uuid.UUID) -> PendingAct:
    pending = approvals.one_of(officer.agency, pending_id)
    if pending.requested_by_id != officer.pk and not officers.may(officer, "approvals.decide"):
        raise IdentityError("pending-unknown")
    return pending


def _row(pending: PendingAct) -> dict[str, object]:
    return {"pending": pending, "what": pick(*acts.description(pending))}
