"""What every page's frame shows: development banner, navigation by role, language switch."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.http import HttpRequest

from gov_chain.web import navigation
from gov_chain.web.language import is_chinese


def page(request: HttpRequest) -> dict[str, Any]:
    """Context processor. Reads the database only for someone who is logged in."""
    return {
        "chinese": is_chinese(),
        "html_lang": "zh-CN" if is_chinese() else "en",
        "other_language": "en" if is_chinese() else "zh-hans",
        "here": request.get_full_path() if request.method == "GET" else "/",
        "development": not settings.GOVCHAIN.production,
        "navigation": navigation.entries(request),
    }
