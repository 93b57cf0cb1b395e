"""A node that kept names and registers in the open: migrating seals them, and what was sealed before still opens."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
BEFORE = [("identity", "0004_officers_log"), ("certificates", "0003_mandates")]
NUMBER, NAME = "110000199003070010", "云若川"

STORY = f"""
import secrets, sys
import django
django.setup()
from django.core.management import call_command
from django.db import connection
from django.db.migrations.executor import MigrationExecutor
from gov_chain import keys

executor = MigrationExecutor(connection)
executor.migrate({BEFORE!r})
old = executor.loader.project_state({BEFORE!r}).apps
keys.create("local:psb/seal", "A256GCM")
agency = old.get_model("identity", "Agency").objects.create(
    number=1, slug="psb", name_zh="a", name_en="a", base_url="http://localhost", hosted=True, home=True)
citizen = old.get_model("identity", "Citizen")(home=agency, name={NAME!r}, id_number={NUMBER!r})
data_key = secrets.token_bytes(32)
citizen.data_key_sealed = keys.sealer("local:psb/seal").seal(
    data_key, b"govchain/citizen-data-key/v1\\n" + citizen.id.bytes)
citizen.save()
old.get_model("certificates", "RegisterRow").objects.create(
    type_slug="resident-id", agency=agency, subject={NUMBER!r}, name={NAME!r}, data={{"sex": "女"}}, note="n")
call_command("migrate", verbosity=0)

from certificates import queries
from identity import agencies, citizens
found = citizens.by_id_number(agencies.by_slug("psb"), {NUMBER!r})
assert (found.name, found.id_number, citizens.data_key(found)) == ({NAME!r}, {NUMBER!r}, data_key)
(row,) = queries.search_register(agencies.by_slug("psb"), {NAME!r}[:2])
assert (row.subject, row.name, row.data, row.note) == ({NUMBER!r}, {NAME!r}, {{"sex": "女"}}, "n")
"""


def test_what_stood_in_the_open_is_sealed_by_the_migration(tmp_path: Path) -> None:
    environment = os.environ | {
        "GOVCHAIN_ENV": "test",
        "GOVCHAIN_DATA": str(tmp_path),
        "DJANGO_SETTINGS_MODULE": "gov_chain.settings",
    }
    command = [sys.executable, "-c", STORY]
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-2000:]
    seen = b"".join(file.read_bytes() for file in tmp_path.glob("node.sqlite3*"))
    assert NUMBER.encode() not in seen
    assert NAME.encode() not in seen
