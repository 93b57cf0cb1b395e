"""{% role "counter" %} and {% act "counter.read" %} in the page's language; built in, as `web`'s tags are."""

from __future__ import annotations

from django import template

from gov_chain.web.language import pick
from identity.core.permissions import ACTS

register = template.Library()

ROLES = {
    "issuer": ("发证", "Issuer"),
    "approver": ("审批", "Approver"),
    "counter": ("窗口", "Counter"),
    "auditor": ("审计", "Auditor"),
    "agency-admin": ("机构管理", "Agency administrator"),
    "operator": ("联盟运维", "Consortium operator"),
}


@register.simple_tag
def role(name: str) -> str:
    return pick(*ROLES[name])


@register.simple_tag
def act(name: str) -> str:
    """The act's words; its bare name if an older version wrote it."""
    row = ACTS.get(name)
    return name if row is None else pick(row.zh, row.en)
