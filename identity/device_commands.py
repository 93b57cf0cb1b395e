"""`govchain device enrol`, `list`, `revoke`: the keys of an agency's sensors and scanners."""

from __future__ import annotations

import argparse
import datetime as dt
import json
import sys
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from identity.models import Device


def add_arguments(subparsers: Any) -> None:
    device = subparsers.add_parser("device", help="设备公钥 keys of sensors and scanners")
    group = device.add_subparsers(title="命令 commands", metavar="COMMAND", required=True)

    enrol = group.add_parser("enrol", help="登记设备 enrol a device's did:key")
    enrol.add_argument("--agency", required=True, metavar="SLUG", help="机构 agency")
    enrol.add_argument("--label", required=True, metavar="NAME", help="设备名称 what to call it")
    enrol.add_argument("--did", required=True, metavar="DID", help="did:key of an Ed25519 or P-256 key")
    enrol.add_argument("--days", type=int, default=365, metavar="N", help="有效天数 days it is good for (default 365)")
    enrol.set_defaults(handler=_enrol)

    listed = group.add_parser("list", help="列出设备 list an agency's devices")
    listed.add_argument("--agency", required=True, metavar="SLUG", help="机构 agency")
    listed.set_defaults(handler=_list)

    revoke = group.add_parser("revoke", help="停用设备 revoke a device, for good")
    revoke.add_argument("device", metavar="ID", help="编号，见 list its id, see list")
    revoke.add_argument("--agency", required=True, metavar="SLUG", help="机构 agency")
    revoke.set_defaults(handler=_revoke)


def _enrol(args: argparse.Namespace) -> int:
    from django.utils import timezone

    from identity import agencies
    from identity.actions.enrol_device import enrol_device
    from identity.errors import IdentityError

    if not 1 <= args.days <= 5 * 366:
        raise IdentityError("device-validity-invalid")
    until = timezone.now() + dt.timedelta(days=args.days)
    agency = agencies.by_slug(args.agency, hosted=True)
    device = enrol_device(agency=agency, label=args.label, did=args.did, valid_until=until)
    _tell(args, [device])
    return 0


def _list(args: argparse.Namespace) -> int:
    from identity import agencies, devices

    _tell(args, devices.of_agency(agencies.by_slug(args.agency, hosted=True)))
    return 0


def _revoke(args: argparse.Namespace) -> int:
    import uuid

    from identity import agencies
    from identity.actions.revoke_device import revoke_device
    from identity.errors import IdentityError
    from identity.models import Device

    try:
        device_id = uuid.UUID(args.device)
    except ValueError as error:
        raise IdentityError("device-unknown") from error
    revoke_device(agency=agencies.by_slug(args.agency, hosted=True), device_id=device_id)
    _tell(args, [Device.objects.get(pk=device_id)])
    return 0


def _tell(args: argparse.Namespace, found: list[Device]) -> None:
    rows = [
        {
            "id": str(device.pk),
            "label": device.label,
            "did": device.did,
            "state": device.state,
            "valid_until": int(device.valid_until.timestamp()),
        }
        for device in found
    ]
    if args.json:
        sys.stdout.write(json.dumps({"devices": rows}, ensure_ascii=False) + "\n")
        return
    for row in rows:
        sys.stdout.write(f"{row['id']}  {row['state']:8}  {row['label']}  {row['did']}\n")
