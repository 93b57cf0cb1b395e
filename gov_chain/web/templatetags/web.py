"""Tags every template of the project may use without `{% load %}` (they are built in).

{% t "中文" "English" %}                     either text, by the page's language
{% t "共 {n} 条" "{n} records" n=count %}    with places, escaped
{% tr %}中文 <b>…</b>{% en %}English{% endtr %}   the same for marked-up text
{{ matter.name|localized }}                  out of {"zh": …, "en": …}
{% moment value %}                           a <time>, from datetime or Unix seconds
{% short digest %}                           a shortened id with a copy button
{% qr text "label" %}                        a QR code
{% field form.name %}                        label, hint, error and control of a form field
{% pill "ok" "有效" "Valid" %}               state in a word with its icon: ok bad wait off info
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from django import template
from django.forms import BoundField
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString

from gov_chain.web import qr as qr_codes
from gov_chain.web.language import is_chinese, pick, pick_from

register = template.Library()

_ICONS = {"ok": "✓", "bad": "✕", "wait": "…", "off": "–", "info": "i", "warn": "!"}


@register.simple_tag
def t(zh: str, en: str, **values: Any) -> str:
    text = pick(zh, en)
    return format_html(text, **values) if values else text


class Bilingual(template.Node):
    def __init__(self, zh: template.NodeList, en: template.NodeList) -> None:
        self.zh, self.en = zh, en

    def render(self, context: template.Context) -> SafeString:
        return (self.zh if is_chinese() else self.en).render(context)


@register.tag("tr")
def bilingual(parser: template.base.Parser, token: template.base.Token) -> Bilingual:
    zh = parser.parse(("en",))
    parser.delete_first_token()
    en = parser.parse(("endtr",))
    parser.delete_first_token()
    return Bilingual(zh, en)


@register.filter
def localized(names: Mapping[str, str]) -> str:
    return pick_from(names)


@register.simple_tag
def moment(value: datetime | int | None, seconds: bool = True) -> str:
    """Local time to the second (or minute); nothing for None."""
    if value is None:
        return ""
    at = datetime.fromtimestamp(value, UTC) if isinstance(value, int) else value
    local = timezone.localtime(at)
    text = local.strftime("%Y-%m-%d %H:%M:%S" if seconds else "%Y-%m-%d %H:%M")
    return format_html('<time datetime="{}">{}</time>', local.isoformat(timespec="seconds"), text)


@register.simple_tag
def short(value: str | bytes, label: str = "") -> SafeString:
    """`9f86d0…0a08` with a button that copies the whole."""
    text = value.hex() if isinstance(value, bytes) else str(value)
    shown = text if len(text) <= 14 else f"{text[:6]}…{text[-4:]}"
    return format_html(
        '<span class="id"><code title="{0}">{1}</code>'
        '<button type="button" class="copy" data-copy="{0}" aria-label="{2}{3}"></button></span>',
        text,
        shown,
        pick("复制", "Copy "),
        label or shown,
    )


@register.simple_tag
def qr(text: str, label: str = "") -> SafeString:
    return qr_codes.svg(text, label=label)


@register.simple_tag
def pill(state: str, zh: str, en: str) -> SafeString:
    icon = _ICONS[state]
    return format_html(
        '<span class="pill pill-{}"><span aria-hidden="true">{}</span>{}</span>', state, icon, pick(zh, en)
    )


@register.inclusion_tag("web/field.html")
def field(bound: BoundField) -> dict[str, Any]:
    """Label above, hint under it, errors next to the control and announced with it."""
    name = bound.auto_id
    described = [f"{name}-hint"] if bound.help_text else []
    described += [f"{name}-error"] if bound.errors else []
    attrs = {"aria-describedby": " ".join(described)} if described else {}
    if bound.errors:
        attrs["aria-invalid"] = "true"
    return {
        "bound": bound,
        "control": bound.as_widget(attrs=attrs),
        "id": name,
        "checkbox": bound.widget_type == "checkbox",
    }
