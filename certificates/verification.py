"""Is this certificate good, and was it shown by its holder, to us, now? Eight checks, in this order.

1. well-formed   an SD-JWT whose disclosures are its own (RFC 9901), with the claims a certificate has
2. issuer        `iss` names an agency the ledger knows, and the signature is by an issuing key that was that agency's
                 when it anchored the certificate, and is not void there (`issuer_signature`)
3. accredited    the ledger says that agency may issue this type, and the type is registered by it
4. validity      now lies between `nbf` and `exp`
5. anchored      the ledger holds the certificate's commitment, recorded by that agency for that type
6. status        in the status list whose digest the ledger holds now, its entry is neither revoked nor suspended
7. holder        key binding: made with the certificate's key, for this audience, this nonce, over exactly this, now
8. fields        nothing was disclosed that was not asked for; everything required is there

A check is pass, fail, undetermined (it could not be made: the ledger is out of reach, or an earlier check that it
rests on did not pass) or not-applicable. Only all-pass is good: undetermined is neither valid nor invalid.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from certificates import issuer_signature, status_lists
from certificates.core import anchors
from certificates.core.errors import SdJwtError
from certificates.formats import sd_jwt, status_list
from certificates.formats.sd_jwt import SdJwt, Verified
from gov_chain.core.errors import GovChainError
from gov_chain.ledger import documents
from gov_chain.ledger.core.errors import LedgerError
from gov_chain.ledger.reader import Reader
from gov_chain.ledger.standing import AgencyState
from identity.models import Agency

Result = Literal["pass", "fail", "undetermined", "not-applicable"]
LEEWAY = 60

TITLES: tuple[tuple[str, str, str], ...] = (
    ("well-formed", "证照格式完整", "Well-formed"),
    ("issuer", "发证机关签名有效", "Issuer's signature"),
    ("accredited", "发证机关有权签发", "Issuer accredited for this type"),
    ("validity", "在有效期内", "Within its validity"),
    ("anchored", "链上有存证", "Anchored on the ledger"),
    ("status", "未被吊销或暂停", "Neither revoked nor suspended"),
    ("holder", "由持有人本人出示", "Shown by its holder"),
    ("fields", "只出示所需内容", "Only what was asked, and all that is required"),
)


@dataclass(frozen=True, slots=True)
class Check:
    number: int
    id: str
    zh: str
    en: str
    result: Result
    reason_zh: str = ""
    reason_en: str = ""
    next_zh: str = ""
    next_en: str = ""
    code: str = ""
    """Why it did not pass, for programs."""


@dataclass(frozen=True, slots=True)
class Report:
    checks: tuple[Check, ...]
    claims: Mapping[str, Any]
    """The disclosed fields; empty when a check failed."""
    commitment: bytes | None = None
    """The certificate's anchor on the ledger, once check 5 passed."""

    @property
    def result(self) -> Literal["pass", "fail", "undetermined"]:
        results = {check.result for check in self.checks}
        return "fail" if "fail" in results else "undetermined" if "undetermined" in results else "pass"


def verify_certificate(*, certificate: str | SdJwt, now: int, reader: Reader) -> Report:
    """A certificate by itself, as its holder keeps it: key binding and field selection do not apply."""
    return _Verification(certificate, now, reader).report()


def verify_presentation(
    *,
    presentation: str | SdJwt,
    expected_audience: str,
    expected_nonce: str,
    now: int,
    reader: Reader,
    allowed: Collection[str],
    required: Collection[str],
) -> Report:
    """What a holder shows to `expected_audience` in answer to `expected_nonce`. Never raises for bad input."""
    verification = _Verification(presentation, now, reader)
    verification.binding = (expected_audience, expected_nonce)
    verification.selection = (frozenset(allowed), frozenset(required))
    return verification.report()


class _StopError(Exception):
    """A check's result other than pass."""

    def __init__(self, result: Result, code: str, zh: str, en: str, advice: tuple[str, str] = ("", "")) -> None:
        self.result, self.code = result, code
        self.texts = (zh, en, *advice)
        super().__init__(code)


_ORIGINAL = (
    "请改用证件原件办理，并告知持有人重新领取。",
    "Ask for the original document; the holder should claim anew.",
)
_RETRY = ("请稍后重试；急办可改用证件原件。", "Try again in a moment, or ask for the original document.")
_SHOW_AGAIN = ("请持有人重新扫码出示。", "Ask the holder to scan and show again.")


class _Verification:
    def __init__(self, text: str | SdJwt, now: int, reader: Reader) -> None:
        self.text = text
        self.now = now
        self.reader = reader
        self.binding: tuple[str, str] | None = None
        self.selection: tuple[frozenset[str], frozenset[str]] | None = None
        self.passed: set[int] = set()
        self.commitment: bytes | None = None

    def report(self) -> Report:
        steps = (
            self._well_formed,
            self._issuer,
            self._accredited,
            self._validity,
            self._anchored,
            self._status,
            self._holder,
            self._fields,
        )
        checks = []
        for number, (step, (name, zh, en)) in enumerate(zip(steps, TITLES, strict=True), start=1):
            try:
                step()
                self.passed.add(number)
                checks.append(Check(number, name, zh, en, "pass"))
            except _StopError as stop:
                checks.append(Check(number, name, zh, en, stop.result, *stop.texts, stop.code))
        failed = any(check.result == "fail" for check in checks)
        claims = {name: self.verified.claims[name] for name in self.verified.disclosed} if 2 in self.passed else {}
        return Report(tuple(checks), {} if failed else claims, self.commitment if 5 in self.passed else None)

    # 1
    def _well_formed(self) -> None:
        try:
            self.shown = sd_jwt.parse(self.text) if isinstance(self.text, str) else self.text
            header, self.payload = sd_jwt.peek(self.shown.issuer_jwt)
            sd_jwt.check_disclosures(self.shown)
        except SdJwtError as error:
            raise _failed(error, _ORIGINAL) from error
        texts = ("iss", "vct", "anchor_salt")
        confirmation = self.payload.get("cnf")
        if (
            header.get("typ") not in sd_jwt.TYPES
            or not all(isinstance(self.payload.get(name), str) for name in texts)
            or not all(type(self.payload.get(name)) is int for name in ("iat", "nbf", "exp"))
            or not (isinstance(confirmation, dict) and isinstance(confirmation.get("jwk"), dict))
        ):
            raise _StopError(
                "fail", "claims-missing", "缺少证照应有的内容。", "It lacks what a certificate must have.", _ORIGINAL
            )

    # 2
    def _issuer(self) -> None:
        self._needs(1)
        slug = str(self.payload["iss"]).rpartition("/")[2]
        agency = Agency.objects.filter(slug=slug).first()
        if agency is None or agency.url != self.payload["iss"]:
            raise _StopError(
                "fail", "issuer-unknown", "发证机关不在联盟内。", "The issuer is not of this consortium.", _ORIGINAL
            )
        try:
            # As it was when the certificate was anchored: keys are rotated, and agencies suspended, afterwards.
            commitment = anchors.commitment_of(self.payload, self.shown.issuer_jwt)
            issued = self._ask(lambda: self.reader.issue(commitment)) if commitment is not None else None
            at = issued.index if issued is not None else None
            self.issuer: AgencyState = self._ask(lambda: self.reader.agency(agency.number, at))
        except LedgerError as error:
            raise _StopError(
                "fail", "issuer-unknown", "链上没有这个发证机关。", "The ledger has no such issuer.", _ORIGINAL
            ) from error
        try:
            self.verified: Verified = self._ask(
                lambda: issuer_signature.verify(self.shown, reader=self.reader, agency=agency.number, anchor=at)
            )
        except SdJwtError as error:
            raise _failed(error, _ORIGINAL) from error

    # 3
    def _accredited(self) -> None:
        self._needs(2)
        for number in self.issuer.types:
            state = self._ask(lambda number=number: self.reader.type(number))  # type: ignore[misc]
            if state is None or state.agency != self.issuer.number:
                continue
            definition = self._ask(lambda state=state: documents.load(state.digest))  # type: ignore[misc]
            if definition["vct"] == self.verified.claims["vct"]:
                self.type_number = number
                return
        raise _StopError(
            "fail",
            "issuer-not-accredited",
            "该机关无权签发这种证照，或这种证照没有登记。",
            "The agency may not issue this type, or the type is not registered.",
            _ORIGINAL,
        )

    # 4
    def _validity(self) -> None:
        self._needs(1)
        if self.payload["exp"] <= self.now:
            raise _StopError(
                "fail",
                "expired",
                "证照已过有效期。",
                "The certificate has expired.",
                ("请持有人到发证机关换领。", "The holder should renew it with the issuer."),
            )
        if self.payload["nbf"] > self.now + LEEWAY:
            raise _StopError(
                "fail",
                "not-yet-valid",
                "证照还没有到生效时间。",
                "The certificate is not valid yet.",
                ("请核对本机时间；生效后再出示。", "Check this machine's clock; show it once valid."),
            )

    # 5
    def _anchored(self) -> None:
        self._needs(2)
        commitment = anchors.commitment_of(self.payload, self.shown.issuer_jwt)
        issued = self._ask(lambda: self.reader.issue(commitment)) if commitment is not None else None
        if issued is None:
            raise _StopError(
                "fail",
                "not-anchored",
                "链上没有这张证照的签发记录，即使签名正确也不予认可。",
                "The ledger has no record of its issuance; even a genuine signature does not make it valid.",
                _ORIGINAL,
            )
        if issued.agency != self.issuer.number or (3 in self.passed and issued.type != self.type_number):
            raise _StopError(
                "fail",
                "anchor-foreign",
                "链上的签发记录属于别的机关或别的证照类型。",
                "The ledger's record is of another issuer or type.",
                _ORIGINAL,
            )
        self.commitment = commitment

    # 6
    def _status(self) -> None:
        self._needs(3)
        place = self._status_place()
        in_force = self._ask(lambda: self.reader.status(self.type_number, place.number))
        if in_force is None:
            raise _StopError(
                "undetermined",
                "status-unpublished",
                "发证机关还没有公布状态列表。",
                "The issuer has not published the status list yet.",
                _RETRY,
            )
        published = self._ask(lambda: documents.load(in_force.digest))
        try:
            value = status_list.token_status(published, place.index)
        except status_list.StatusListError as error:
            raise _StopError(
                "fail",
                "status-out-of-range",
                "证照的状态编号不在列表中。",
                "Its status entry is outside the list.",
                _ORIGINAL,
            ) from error
        found = status_list.TOKEN_STATUS.get(value)
        if found == "suspended":
            raise _StopError(
                "fail",
                "suspended",
                "证照已被发证机关暂停使用。",
                "The issuer has suspended the certificate.",
                ("请持有人向发证机关了解情况。", "The holder should ask the issuer."),
            )
        if found != "valid":
            raise _StopError(
                "fail",
                "revoked",
                "证照已被发证机关吊销。",
                "The issuer has revoked the certificate.",
                ("请持有人到发证机关重新领取。", "The holder should claim anew from the issuer."),
            )

    def _status_place(self) -> status_lists.Place:
        """Where its entry is. The address only says which list: what is read is what the ledger's digest stands for."""
        place = status_lists.place(self.payload.get("status"), issuer=str(self.payload["iss"]))
        if place is None or place.type != self.type_number:
            raise _StopError(
                "fail",
                "status-malformed",
                "证照没有有效的状态编号。",
                "It names no status entry of its own type.",
                _ORIGINAL,
            )
        return place

    # 7
    def _holder(self) -> None:
        if self.binding is None:
            raise _StopError("not-applicable", "", "没有要求出示。", "No presentation was asked for.")
        self._needs(2)
        audience, nonce = self.binding
        try:
            sd_jwt.verify_key_binding(
                self.shown,
                holder_jwk=self.verified.claims["cnf"]["jwk"],
                expected_audience=audience,
                expected_nonce=nonce,
                now=self.now,
            )
        except SdJwtError as error:
            raise _failed(error, _SHOW_AGAIN) from error

    # 8
    def _fields(self) -> None:
        if self.selection is None:
            raise _StopError("not-applicable", "", "没有限定内容。", "No selection was asked for.")
        self._needs(2)
        allowed, required = self.selection
        if self.verified.disclosed - allowed:
            raise _StopError(
                "fail",
                "fields-beyond-request",
                "出示了没有要求的内容，已拒收。",
                "More was disclosed than was asked; it is not accepted.",
                ("请持有人更新钱包后重新出示。", "The holder should update the wallet and show again."),
            )
        if required - self.verified.disclosed:
            raise _StopError(
                "fail",
                "fields-missing",
                "缺少办理所必需的内容。",
                "Something required was not disclosed.",
                _SHOW_AGAIN,
            )

    def _needs(self, number: int) -> None:
        if number not in self.passed:
            raise _StopError(
                "undetermined",
                "earlier-check",
                f"第 {number} 项没有通过，无法检查。",
                f"Check {number} did not pass, so this could not be checked.",
            )

    def _ask(self, question: Any) -> Any:
        """Ask the ledger; when it does not answer, the check stays undetermined."""
        try:
            return question()
        except LedgerError as error:
            if error.code not in ("ledger-missing", "document-unknown"):
                raise
            raise _unreachable() from error
        except (OSError, sqlite3.Error) as error:
            raise _unreachable() from error


def _unreachable() -> _StopError:
    return _StopError(
        "undetermined", "ledger-unreachable", "暂时查不到链上记录。", "The ledger cannot be reached.", _RETRY
    )


def _failed(error: GovChainError, advice: tuple[str, str]) -> _StopError:
    return _StopError("fail", error.code, error.zh, error.en, advice)
