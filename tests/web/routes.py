"""A urlconf of small views that fail in each way a view can, next to the platform's own pages."""

from __future__ import annotations

from django.core.exceptions import BadRequest, PermissionDenied, SuspiciousOperation
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.urls import include, path
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_GET, require_POST

from gov_chain.core.errors import GovChainError, Message
from gov_chain.web.inputs import Input, read_form, read_json, read_query

handler400 = handler403 = handler404 = handler500 = "gov_chain.web.problems.handler"


class ShopError(GovChainError):
    messages = {
        "pin-wrong": Message(
            403, "密码错误，还可再试 {tries_left} 次。", "Wrong PIN; {tries_left} tries left.", "请重试。", "Try again."
        ),
        "slow-down": Message(429, "请稍候。", "Wait.", oauth="slow_down"),
        "token-missing": Message(401, "缺少令牌。", 'No "token".', oauth="invalid_token"),
    }


class Order(Input):
    name: str
    count: int = 1
    tags: list[str] = []


def raising(error: Exception):
    def view(request: HttpRequest) -> HttpResponse:
        raise error

    return view


@csrf_exempt
@require_POST
def order(request: HttpRequest) -> JsonResponse:
    return JsonResponse(read_json(request, Order, oauth=request.GET.get("oauth", "")).model_dump())


@csrf_exempt
@require_POST
def form(request: HttpRequest) -> JsonResponse:
    return JsonResponse(read_form(request, Order).model_dump())


@require_GET
def query(request: HttpRequest) -> JsonResponse:
    return JsonResponse(read_query(request, Order).model_dump())


@require_POST
def guarded(request: HttpRequest) -> HttpResponse:
    return HttpResponse("done")


urlpatterns = [
    path("pin", raising(ShopError("pin-wrong", tries_left=3))),
    path("slow", raising(ShopError("slow-down", retry_after=7))),
    path("token", raising(ShopError("token-missing"))),
    path("missing", raising(Http404("nobody named 张三"))),
    path("denied", raising(PermissionDenied())),
    path("suspicious", raising(SuspiciousOperation())),
    path("bad", raising(BadRequest())),
    path("crash", raising(RuntimeError("张三 110101199001011234"))),
    path("order", order),
    path("form", form),
    path("query", query),
    path("guarded", guarded),
    path("", include("gov_chain.web.urls")),
]
