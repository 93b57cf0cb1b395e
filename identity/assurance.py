"""The real-name checks this node may use. A face or bank check is one class, registered in its app's `ready()`.

class FaceComparison:                       # the protocol: identity.core.assurance.Check
    id, words, level, demonstration = "face", ("人脸比对", "Face comparison"), Level.SUBSTANTIAL, False
    def verify(self, subject, evidence): …  # asks the service; raises NotVerifiedError

assurance.register(FaceComparison())
"""

from __future__ import annotations

import logging
from collections.abc import Mapping

from django.conf import settings

from identity.core.assurance import WORDS, Check, Level, NotVerifiedError, Subject, Verified
from identity.errors import IdentityError
from identity.models import Citizen, Wallet

log = logging.getLogger(__name__)

OWN_PHONE = "own-phone"
"""Not a check: another phone vouched, with a session of its own. It passes on its level and no more."""


class InPerson:
    """The officer compared the original identity card with the person, and answers for it by name."""

    id = "in-person"
    words = ("当面核对身份证原件与本人", "Original identity card compared with the person here")
    level = Level.HIGH
    demonstration = False

    def verify(self, subject: Subject, evidence: Mapping[str, str]) -> None:
        if not evidence.get("officer"):
            raise NotVerifiedError("no officer answers for it")


class DemoFace:
    """STANDS IN for a face comparison and compares nothing. Refused in production."""

    id = "demo-face"
    words = ("演示：模拟远程人脸比对（未作任何核验）", "DEMO: pretends a remote face comparison, checks nothing")
    level = Level.SUBSTANTIAL
    demonstration = True

    def verify(self, subject: Subject, evidence: Mapping[str, str]) -> None:
        log.warning("demo-face: a phone is bound WITHOUT any real-name check; only a demonstration may do that")


_checks: dict[str, Check] = {}


def register(check: Check) -> None:
    _checks[check.id] = check


register(InPerson())
register(DemoFace())


def available() -> list[Check]:
    """The checks an officer may choose from, surest first."""
    usable = [check for check in _checks.values() if not (check.demonstration and settings.GOVCHAIN.production)]
    return sorted(usable, key=lambda check: -check.level)


def verify(*, check: str, citizen: Citizen, evidence: Mapping[str, str]) -> Verified:
    """Run a check. Raises `IdentityError`: check-unknown, check-demonstration (in production), check-failed."""
    chosen = _checks.get(check)
    if chosen is None:
        raise IdentityError("check-unknown")
    if chosen.demonstration and settings.GOVCHAIN.production:
        raise IdentityError("check-demonstration")
    try:
        chosen.verify(Subject(citizen.name, citizen.id_number), evidence)
    except NotVerifiedError as error:
        raise IdentityError("check-failed", log=str(error)) from error
    return Verified(check=chosen.id, level=chosen.level)


def of_wallet(wallet: Wallet) -> Verified:
    """What one phone can pass on to another of the same person."""
    return Verified(check=OWN_PHONE, level=Level(wallet.assurance_level))


def require(wallet: Wallet, level: int) -> None:
    """Raises `IdentityError` assurance-too-low unless the phone was bound at `level` or above."""
    if wallet.assurance_level < level:
        zh, en = WORDS[Level(level)]
        raise IdentityError("assurance-too-low", level=zh, level_en=en)


def words(check: str) -> tuple[str, str]:
    """What to call a stored check, in Chinese and English; also one that is no longer offered."""
    if check == OWN_PHONE:
        return ("由本人另一部手机添加", "Added from another phone of the same person")
    return _checks[check].words if check in _checks else (check, check)
