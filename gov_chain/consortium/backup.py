"""A node's own data, to have when its machine is lost: database, keys, settings.

Not in it, on purpose:

    the ledger                  every other node has it; a restored node replays it, or begins with a snapshot
    the validator's key and     a copy of a validator, or one that has forgotten what it signed, signs twice. A restored
    what it signed last         node has a new key, and votes again when the agencies have accepted it
    the cosigner's              the same

So no backup, however old, can make a validator contradict itself. Keys in Vault are Vault's to back up.
"""

from __future__ import annotations

import io
import json
import shutil
import sqlite3
import tarfile
import tempfile
from contextlib import closing
from dataclasses import replace
from pathlib import Path

from gov_chain.consortium import layout, plan
from gov_chain.consortium.errors import ConsortiumError
from gov_chain.consortium.plan import Node, Plan

FORMAT = 1
MANIFEST = "backup.json"
DATABASE = "node.sqlite3"
LEFT_OUT = (Path("keys/engine/validator.key"), Path("keys/ledger/cosigner.key"))


def make(made: Plan, node: Node, file: Path) -> None:
    """Write a backup of a node, which may be running; raises `FileExistsError`. It holds keys: keep it sealed."""
    data = made.data(node)
    manifest = {"format": FORMAT, "node": node.name, "agency": node.agency, "ledger_id": made.ledger_id}
    with (
        tempfile.TemporaryDirectory(dir=made.home(node)) as folder,
        file.open("xb") as out,
        tarfile.open(fileobj=out, mode="w:gz") as archive,
    ):
        file.chmod(0o600)
        text = json.dumps(manifest).encode()
        head = tarfile.TarInfo(MANIFEST)
        head.size = len(text)
        archive.addfile(head, io.BytesIO(text))
        if (data / DATABASE).exists():
            copy = Path(folder) / DATABASE
            # One moment of a database that is in use.
            with closing(sqlite3.connect(data / DATABASE)) as source, closing(sqlite3.connect(copy)) as target:
                source.backup(target)
            archive.add(copy, DATABASE)
        archive.add(data / "node.env", "node.env")
        for path in sorted((data / "keys").rglob("*.key")):
            inside = path.relative_to(data)
            if inside not in LEFT_OUT:
                archive.add(path, str(inside))


def restore(made: Plan, file: Path) -> Node:
    """Lay out the node that a backup is of; its directory must have been moved away. It votes no more: new keys.

    Raises `ConsortiumError`: backup-unreadable, backup-foreign, restore-over-node, node-unknown.
    """
    draft = Path(tempfile.mkdtemp(dir=made.root, prefix="restore-"))
    try:
        manifest = _unpack(file, draft)
        if manifest.get("ledger_id") != made.ledger_id:
            raise ConsortiumError("backup-foreign")
        node = made.node(str(manifest.get("node")))
        home = made.home(node)
        if home.exists():
            raise ConsortiumError("restore-over-node", place=str(home))
        home.mkdir(mode=0o700)
        draft.rename(made.data(node))
    except BaseException:
        shutil.rmtree(draft, ignore_errors=True)
        raise
    layout.prepare_engine(made.data(node))
    layout.validator(made.data(node), node.agency)
    layout.install(made, node)
    # The others may have pruned the blocks between the founding and now.
    node = replace(node, state_sync=layout.pruned(made))
    plan.write(replace(made, nodes=tuple(node if each.name == node.name else each for each in made.nodes)))
    return node


def _unpack(file: Path, folder: Path) -> dict[str, object]:
    try:
        with tarfile.open(file, mode="r:gz") as archive:
            archive.extractall(folder, filter="data")
        found: dict[str, object] = json.loads((folder / MANIFEST).read_text())
        if found["format"] != FORMAT:
            raise ValueError(f"format {found['format']}")
    except (OSError, EOFError, tarfile.TarError, ValueError, KeyError, TypeError) as error:
        raise ConsortiumError("backup-unreadable", reason=type(error).__name__, log=str(error)) from error
    (folder / MANIFEST).unlink()
    return found
