"""Who may do what: the one table that pages, API and commands ask.

Every act an officer can do has a row: its name, the roles that may do it for their own agency, how it gets into the
officers' log, and whether a second person has to approve it. A page names its act (`identity.officers.officer_may`);
a route whose act is not here fails a test. The rules that hold for all rows:

1. An officer acts for one agency, the one their account belongs to, and only where that agency is hosted.
2. Nobody approves what they requested; nobody gives themselves a role; an agency keeps at least one administrator.
3. An act marked `second` is not done when asked for: it waits, frozen, for an approver of the same agency.

`logged` says when the entry is written: `after` a look (the answer is not handed out without it), `around` a change
made elsewhere (begun, then how it ended: a crash leaves a beginning without an end, never an act without an entry),
`inside` the database transaction of an act that writes its own entry.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

ISSUER, COUNTER, APPROVER = "issuer", "counter", "approver"
AUDITOR, AGENCY_ADMIN, OPERATOR = "auditor", "agency-admin", "operator"
ROLES = frozenset({ISSUER, COUNTER, APPROVER, AUDITOR, AGENCY_ADMIN, OPERATOR})

Logged = Literal["after", "around", "inside"]


@dataclass(frozen=True, slots=True)
class Act:
    name: str
    roles: frozenset[str] | None
    """None: every officer, for their own account only."""
    logged: Logged
    zh: str
    en: str
    second: bool = False


def _table(*rows: Act) -> dict[str, Act]:
    assert len({row.name for row in rows}) == len(rows)
    return {row.name: row for row in rows}


def _look(name: str, zh: str, en: str, *roles: str) -> Act:
    return Act(name, frozenset(roles) or None, "after", zh, en)


def _change(name: str, zh: str, en: str, *roles: str) -> Act:
    return Act(name, frozenset(roles) or None, "around", zh, en)


def _own(name: str, zh: str, en: str, *roles: str) -> Act:
    return Act(name, frozenset(roles) or None, "inside", zh, en)


def _two(name: str, zh: str, en: str, *roles: str) -> Act:
    return Act(name, frozenset(roles), "inside", zh, en, second=True)


ACTS = _table(
    # One's own account.
    _own("session.open", "登录", "log in"),
    _own("session.close", "退出", "log out"),
    _own("session.end", "结束自己的其他登录", "end another session of one's own"),
    _own("session.expire", "登录到期或被结束", "session ended by a limit, or from elsewhere"),
    _look("account.read", "查看自己的账号", "look at one's own account"),
    _own("account.password", "修改密码", "change one's password"),
    _own("account.second-factor", "设置或使用第二因素", "set up or use a second factor"),
    _own("account.sso", "关联单点登录", "link single sign-on"),
    _own("account.join", "接受邀请", "accept an invitation"),
    # The counter.
    _look("counter.work", "打开窗口工作台", "open the counter", COUNTER),
    _change("counter.ask", "发起出示请求", "ask for a presentation", COUNTER),
    _look("counter.read", "查看出示请求及其内容", "look at a request and what it opened", COUNTER),
    _change("counter.look-again", "再次查看", "look again", COUNTER),
    _look("counter.receipt", "下载使用凭证", "download a receipt", COUNTER),
    # Issuing.
    _look("issuing.work", "打开发证台", "open the issuing desk", ISSUER),
    _look("issuing.search", "查询登记册", "search the register", ISSUER),
    _change("issuing.offer", "发出领取邀请", "offer a certificate", ISSUER),
    _look("issuing.read", "查看领取邀请", "look at an offer", ISSUER),
    _look("issuing.list", "查看已签发证照", "list what was issued", ISSUER),
    _look("issuing.mandates", "查看登记的代理关系", "look at who may act for others", ISSUER),
    _change("issuing.mandate", "登记代理关系", "register who may act for somebody else", ISSUER),
    _change("issuing.mandate-withdraw", "撤回代理关系", "withdraw a registered representation", ISSUER),
    _look("issuing.certificate", "查看一张证照", "look at a certificate", ISSUER),
    _change("issuing.status", "暂停、恢复、吊销或换发证照", "suspend, reinstate, revoke or replace", ISSUER),
    _two("issuing.revoke-many", "批量吊销证照", "revoke certificates in bulk", ISSUER),
    # Citizens of a home agency.
    _look("home.search", "查找市民", "find a citizen", AGENCY_ADMIN),
    _change("home.act", "办理市民手机业务", "act on a citizen's phones", AGENCY_ADMIN),
    _look("home.grants", "查看市民的授权", "look at a citizen's grants", AGENCY_ADMIN),
    _change("home.withdraw", "代市民撤回授权", "withdraw a grant for a citizen", AGENCY_ADMIN),
    # Sensors and scanners.
    _look("devices.read", "查看本机构设备", "look at the agency's devices", AGENCY_ADMIN),
    _change("devices.change", "登记或停用设备", "enrol or revoke a device", AGENCY_ADMIN),
    # The node and the consortium.
    _look("ledger-console.read", "查看账本运行", "look at the ledger console", AGENCY_ADMIN, OPERATOR),
    _look("governance.read", "查看治理提案", "look at proposals", AGENCY_ADMIN, OPERATOR, APPROVER),
    _two("governance.enrol", "提出或表决机构入盟", "propose or vote: enrol", AGENCY_ADMIN, OPERATOR),
    _two("governance.suspend", "提出或表决暂停机构", "propose or vote: suspend", AGENCY_ADMIN, OPERATOR),
    _two("governance.reinstate", "提出或表决恢复机构", "propose or vote: reinstate", AGENCY_ADMIN, OPERATOR),
    _two("governance.rotate", "提出或表决更换密钥", "propose or vote: rotate keys", AGENCY_ADMIN, OPERATOR),
    _two("governance.revoke-key", "提出或表决吊销密钥", "propose or vote: revoke a key", AGENCY_ADMIN, OPERATOR),
    _two("governance.accredit", "提出或表决授予资格", "propose or vote: accredit", AGENCY_ADMIN, OPERATOR),
    _two("governance.withdraw-accreditation", "提案表决：撤销资格", "vote: disaccredit", AGENCY_ADMIN, OPERATOR),
    _two("governance.grant-power", "提出或表决授予法定权力", "propose or vote: empower", AGENCY_ADMIN, OPERATOR),
    _two("governance.withdraw-power", "提出或表决收回法定权力", "propose or vote: disempower", AGENCY_ADMIN, OPERATOR),
    _two("governance.consortium", "提出或表决联盟参数等", "propose or vote: parameters, rules, validators", OPERATOR),
    # Auditing.
    _look("audit.read", "查看使用记录", "look at the record of uses", AUDITOR),
    _two("audit.export", "导出使用记录", "export the record of uses", AUDITOR),
    _look("officers-log.read", "查看工作人员日志", "read the officers' log", AUDITOR),
    _look("officers-log.verify", "核对工作人员日志", "verify the officers' log", AUDITOR),
    _two("officers-log.export", "导出工作人员日志", "export the officers' log", AUDITOR),
    # Two persons.
    _look("approvals.read", "查看待批事项", "look at acts waiting for approval", *ROLES),
    _own("approvals.decide", "审批", "approve or refuse", APPROVER),
    _own("approvals.cancel", "撤回自己的申请", "take back one's own request", *ROLES),
    _look("approvals.file", "下载获批的导出文件", "download an approved export", *ROLES),
    # An agency's staff.
    _look("staff.read", "查看本机构人员", "look at the agency's staff", AGENCY_ADMIN),
    _own("staff.invite", "邀请人员", "invite an officer", AGENCY_ADMIN),
    _own("staff.disable", "停用账号", "disable an account", AGENCY_ADMIN),
    _own("staff.enable", "启用账号", "enable an account", AGENCY_ADMIN),
    _own("staff.give-role", "授予角色", "give a role", AGENCY_ADMIN),
    _own("staff.take-role", "收回角色", "take a role", AGENCY_ADMIN),
    _two("staff.give-power", "授予审批、管理或运维角色", "make an approver, administrator or operator", AGENCY_ADMIN),
    _own("staff.reset", "重置第二因素", "reset a second factor", AGENCY_ADMIN),
)  # fmt: skip

POWERS = frozenset({APPROVER, AGENCY_ADMIN, OPERATOR})
"""Roles with which one person could undo the rule of two: giving one takes two persons as well (`staff.give-power`)."""


def may(roles: frozenset[str], act: str) -> bool:
    """Whether somebody holding `roles` may do `act`, asked for by name. An unknown act is a mistake of the program."""
    row = ACTS[act]
    return row.roles is None or not row.roles.isdisjoint(roles)


def governance_act(kind: str) -> str:
    """The act that proposing or voting on an action of this kind is (`proposals.ACTIONS[…].name`)."""
    name = f"governance.{kind}"
    return name if name in ACTS else "governance.consortium"
