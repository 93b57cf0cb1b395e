"""Errors that belong to HTTP itself rather than to a domain."""

from __future__ import annotations

from dataclasses import replace

from gov_chain.core.errors import GovChainError, Message


class WebError(GovChainError):
    messages = {
        "bad-request": Message(
            400,
            "请求无法识别。",
            "The request cannot be understood.",
            "请返回上一页重新操作。",
            "Go back and try again.",
        ),
        "login-required": Message(
            401, "请先登录。", "Please log in first.", "登录后重新操作。", "Log in, then try again."
        ),
        "forbidden": Message(
            403,
            "您没有权限进行此操作。",
            "You are not allowed to do this.",
            "请使用有相应角色的账号登录，或联系本机关管理员。",
            "Log in with an account that has the role, or ask your agency's administrator.",
        ),
        "csrf-failed": Message(
            403,
            "页面已过期，操作没有执行。",
            "This page has expired; nothing was done.",
            "请刷新页面后重新提交。",
            "Reload the page and submit again.",
        ),
        "not-found": Message(
            404,
            "没有找到您要的内容。",
            "There is nothing at this address.",
            "请检查网址，或从首页重新进入。",
            "Check the address, or start again from the home page.",
        ),
        "method-not-allowed": Message(
            405,
            "此地址不支持这种操作。",
            "This address does not support that method.",
            "请查看响应头 Allow。",
            "See the Allow header.",
        ),
        "body-timeout": Message(
            408,
            "请求内容没有及时送达。",
            "The request body did not arrive in time.",
            "请检查网络后重试。",
            "Check the connection and try again.",
        ),
        "body-too-large": Message(
            413,
            "提交的内容超过 1 MiB。",
            "The request body is larger than 1 MiB.",
            "请减少内容后重试。",
            "Send less.",
        ),
        "wallet-not-built": Message(
            503,
            "钱包页面尚未构建。",
            "The wallet has not been built yet.",
            "请运行 make setup 后刷新。",
            "Run `make setup`, then reload.",
        ),
        "unexpected": Message(
            500,
            "系统出现意外问题，操作可能没有完成。",
            "Something went wrong on our side; the operation may not have finished.",
            "请稍后重试；如仍不成功，请把事件编号 {incident} 告诉管理员。",
            "Try again later; if it persists, give the administrator incident {incident}.",
        ),
    }


class InputError(GovChainError):
    """The request's content is not what the endpoint takes. `oauth` makes it an OAuth error answer."""

    messages = {
        "input-invalid": Message(
            400,
            "提交的内容不符合要求：{where}",
            "The input is not acceptable: {where}",
            "请更正后重试。",
            "Correct it and try again.",
        ),
        "input-not-json": Message(
            400,
            "提交的内容不是有效的 JSON。",
            "The body is not valid JSON.",
            "请发送 UTF-8 编码、无重复键、嵌套不深的 JSON 对象。",
            "Send a UTF-8 JSON object without duplicate keys or deep nesting.",
        ),
        "input-media-type": Message(
            415,
            "内容类型不受支持，应为 {expected}。",
            "Unsupported content type; expected {expected}.",
            "请设置正确的 Content-Type（UTF-8）。",
            "Set the right Content-Type (UTF-8).",
        ),
    }

    def __init__(self, code: str, /, *, oauth: str = "", log: str = "", **values: str | int) -> None:
        super().__init__(code, log=log, **values)
        if oauth:
            self.message = replace(self.message, oauth=oauth)
