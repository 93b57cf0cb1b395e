"""A receiver for tests: an agency's door that says who knocked and what was in the body."""

import json

from django.http import HttpRequest, JsonResponse
from django.urls import include, path
from django.utils import translation
from django.views.decorators.csrf import csrf_exempt

from identity import agencies, peers
from identity.errors import IdentityError


@csrf_exempt
def door(request: HttpRequest, slug: str) -> JsonResponse:
    sender = peers.authenticate(request, to=agencies.by_slug(slug))
    body = json.loads(request.body)
    if body.get("refuse"):
        raise IdentityError("citizen-unknown")
    if body.get("break"):
        raise RuntimeError("not expected")
    translation.activate("zh-hans")
    return JsonResponse({"from": sender.slug, "body": body})


urlpatterns = [path("agencies/<slug:slug>/door", door), path("", include("identity.urls"))]
