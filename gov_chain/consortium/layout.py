"""Laying out a consortium's nodes on one machine: keys, the shared ledger's first state, each engine's home.

 1. every node makes its own keys, and gives the public halves away (`Card`): nothing else leaves it
 2. the ledger is founded from the cards: genesis names agencies and validators; its bytes are the same everywhere
 3. every node gets that first state, CometBFT's genesis.json for it, and the addresses of the others

In production the same steps run on four machines. Run again over what is there, nothing changes.
"""

from __future__ import annotations

import json
import os
import secrets
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import load_der_private_key

from gov_chain.consortium import cometbft, health, plan
from gov_chain.consortium.errors import ConsortiumError
from gov_chain.consortium.plan import Node, Plan
from gov_chain.keys import local
from gov_chain.ledger import founding, store
from gov_chain.ledger.core import note
from gov_chain.ledger.core.genesis import FoundingAgency, FoundingValidator, Genesis
from gov_chain.ledger.core.proposals import HOME
from gov_chain.ledger.cosigner import commands, keyfile
from identity.core import profiles
from identity.core.purposes import ALGORITHMS

LEAST = 4
"""With fewer validators none may fail: f of n fail safely where n > 3f."""
PORTS = 5
"""web, RPC, P2P, the engine's metrics, and the cosigner's door."""
GENESIS = "genesis.json"
OBSERVERS = 60001
"""Observers sign their checkpoints as `<origin>/<number>`, from this number on."""
COSIGNER = "cosigner"
"""A node's cosigner keeps its key and its memory in `data/cosigner`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Member:
    """A founding agency."""

    number: int
    slug: str
    name_zh: str
    name_en: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Card:
    """What one node tells the others at founding: public keys alone."""

    agency: FoundingAgency
    validator: FoundingValidator
    checkpoint_key: bytes
    node_id: str


def make(
    root: Path,
    *,
    members: Sequence[Member],
    accreditations: Sequence[tuple[int, int]],
    validators: int,
    origin: str,
    created: int,
    first_port: int | None = None,
    retain: int = 0,
    snapshots: int = 1000,
) -> Plan:
    """A consortium of `members` under `root`, of whom the first `validators` vote. Web ports go up from `first_port`.

    Raises `ConsortiumError("validators-number")`.
    """
    if not LEAST <= validators <= len(members):
        raise ConsortiumError("validators-number", least=LEAST, most=len(members))
    root = root.absolute()
    root.mkdir(parents=True, exist_ok=True, mode=0o700)
    clear_half_made(root, [member.slug for member in members])
    cards = [prepare(root / member.slug / "data", member) for member in members]
    homes = [number for number, type_ in accreditations if type_ == HOME]
    # Genesis names the key of the node that founds: that of the agency the citizens' phones begin with.
    first = next((at for at, member in enumerate(members) if member.number in homes), 0)
    voting = [card.validator for card in cards[:validators]]
    genesis = Genesis(
        agencies=tuple(card.agency for card in cards),
        accreditations=tuple(accreditations),
        checkpoint_key=cards[first].checkpoint_key,
        created=created,
        validators=tuple(voting),
    )
    founder = root / members[first].slug / "data"
    sign = local.signer_in(founder / "keys", "ledger/checkpoint").sign
    ledger_id = founding.found(root / "founding", genesis, origin=origin, sign=sign)
    nodes = new_nodes([(member.slug, member.number, card.node_id) for member, card in zip(members, cards, strict=True)])
    nodes = [replace(node, validator=at < validators) for at, node in enumerate(nodes)]
    if first_port is not None:
        nodes = [replace(node, web=first_port + at) for at, node in enumerate(nodes)]
    made = Plan(
        root=root,
        origin=origin,
        ledger_id=ledger_id.hex(),
        nodes=tuple(nodes),
        retain=retain,
        snapshots=snapshots,
    )
    powers = [(each.consensus_key, each.power) for each in voting]
    return lay_out(made, time=created, powers=powers)


def lay_out(made: Plan, *, time: int, powers: Sequence[tuple[bytes, int]]) -> Plan:
    """Give every node of a new plan the first state in `founding`, and write the plan down."""
    (made.founding / GENESIS).write_text(cometbft.genesis(bytes.fromhex(made.ledger_id), time=time, validators=powers))
    for node in made.nodes:
        install(made, node)
    share_database(made)
    # Last: a layout without its plan has never run.
    plan.write(made)
    return made


def add_observer(made: Plan, name: str, *, state_sync: bool = False) -> Plan:
    """A node that follows the ledger and votes on nothing; the plan with it.

    It begins with a snapshot if asked to, or if the others have no longer the first blocks.

    Raises `ConsortiumError("node-name-taken")`.
    """
    if (made.root / name).exists():
        raise ConsortiumError("node-name-taken", name=name)
    taken = {node.signs_as for node in made.nodes}
    (node,) = new_nodes([(name, 0, prepare_engine(made.root / name / "data"))])
    number = next(number for number in range(OBSERVERS, 2**16) if number not in taken)
    node = replace(node, signs_as=number, state_sync=state_sync or pruned(made))
    wider = made.with_node(node)
    install(wider, node)
    plan.write(wider)
    return wider


def pruned(made: Plan) -> bool:
    """Whether the nodes that run have let go of their first blocks."""
    return any((health.first_block(node.rpc_url) or 1) > 1 for node in made.nodes)


def new_nodes(rows: Sequence[tuple[str, int, str]]) -> list[Node]:
    """Nodes for (name, agency, node id), on ports that are free now."""
    free = plan.free_ports(PORTS * len(rows))
    found = []
    for at, (name, agency, node_id) in enumerate(rows):
        web, rpc, p2p, metrics, cosigner = free[PORTS * at : PORTS * (at + 1)]
        found.append(
            Node(
                name=name,
                agency=agency,
                signs_as=agency,
                validator=False,
                node_id=node_id,
                web=web,
                rpc=rpc,
                p2p=p2p,
                metrics=metrics,
                cosigner=cosigner,
            )
        )
    return found


def clear_half_made(root: Path, names: Sequence[str]) -> None:
    """Remove what a `make` that was cut off left; raises `ConsortiumError("consortium-unreadable")` if it ever ran."""
    for name in names:
        state = root / name / "engine" / "data" / "priv_validator_state.json"
        if state.exists() and json.loads(state.read_text())["height"] != "0":
            raise ConsortiumError("consortium-unreadable", place=str(root), log="nodes that have run, and no plan")
    for folder in [root / "founding", *(root / name / part for name in names for part in ("engine", "data/ledger"))]:
        shutil.rmtree(folder, ignore_errors=True)


def prepare(data: Path, member: Member) -> Card:
    """Make the keys of an agency's node in its data directory, those that are not there; their public halves."""
    keys = data / "keys"
    for purpose, algorithm in ALGORITHMS.items():
        local.create_in(keys, f"{member.slug}/{purpose}", algorithm)
    node_id = prepare_engine(data)
    return Card(
        agency=FoundingAgency(
            number=member.number,
            ledger_key=local.signer_in(keys, f"{member.slug}/ledger").public_key,
            issue_key=local.signer_in(keys, f"{member.slug}/issue").public_key,
            request_key=local.signer_in(keys, f"{member.slug}/request").public_key,
            profile_digest=profiles.digest(member.number, member.slug, member.name_zh, member.name_en),
        ),
        validator=validator(data, member.number),
        checkpoint_key=local.signer_in(keys, "ledger/checkpoint").public_key,
        node_id=node_id,
    )


def prepare_engine(data: Path) -> str:
    """Make the keys every node has, an observer too; the engine's node id."""
    keys = data / "keys"
    for name in ("ledger/checkpoint", "engine/node", "engine/validator"):
        local.create_in(keys, name, "EdDSA")
    return cometbft.node_id(local.signer_in(keys, "engine/node").public_key)


def install(made: Plan, node: Node) -> None:
    """Give a node the ledger's first state, its engine's home and its environment."""
    data, engine = made.data(node), made.engine(node)
    copy_ledger(made.founding, data / "ledger")
    if not (engine / "config" / "genesis.json").exists():
        # Made aside: a home is there whole, or not at all.
        draft = engine.with_name("engine.new")
        shutil.rmtree(draft, ignore_errors=True)
        cometbft.make_home(
            draft,
            genesis_json=(made.founding / GENESIS).read_text(),
            node_key=_private(data, "engine/node"),
            validator_key=_private(data, "engine/validator"),
        )
        draft.rename(engine)
    for folder in ("run", "logs"):
        (made.home(node) / folder).mkdir(exist_ok=True, mode=0o700)
    write_environment(made, node)


def configure(made: Plan, node: Node) -> None:
    """Write the engine's configuration anew: at every start, because nodes join and leave."""
    others = [other for other in made.nodes if other.name != node.name]
    new = not (made.engine(node) / "data" / "blockstore.db").exists()
    cometbft.configure(
        made.engine(node),
        name=node.name,
        socket=made.socket(node),
        ports=node.ports,
        peers=[other.peer for other in others],
        state_sync=_trusted(others) if node.state_sync and new else None,
    )


def _trusted(others: Sequence[Node]) -> cometbft.StateSync:
    """A block that two of the others vouch for; raises `ConsortiumError("nobody-vouches")`."""
    vouching = []
    for other in others:
        found = health.last_block(other.rpc_url)
        if found is not None:
            vouching.append((other.rpc_url, *found))
    for _, height, _ in vouching:
        agreed = [(at, health.block_hash(at, height)) for at, *_ in vouching]
        (first, digest), *rest = [(at, found) for at, found in agreed if found] or [("", "")]
        second = next((at for at, found in rest if found == digest), "")
        if second:
            return cometbft.StateSync(rpc_servers=(first, second), height=height, block_hash=digest)
    raise ConsortiumError("nobody-vouches")


def vkey(made: Plan, node: Node) -> str:
    """The key under which a node signs checkpoints."""
    public_key = local.signer_in(made.data(node) / "keys", "ledger/checkpoint").public_key
    return note.Verifier(f"{made.origin}/{node.signs_as}", public_key).vkey


def write_environment(made: Plan, node: Node) -> None:
    """The settings of a node's processes, one a line: also what systemd's EnvironmentFile takes."""
    path = made.environment(node)
    kept = read_environment(path) if path.exists() else {}
    peers = ", ".join(f"{other.name} {other.base_url}" for other in made.nodes if other.agency and other != node)
    values = {
        "GOVCHAIN_DATA": str(made.data(node)),
        "GOVCHAIN_BASE_URL": node.base_url,
        "GOVCHAIN_AGENCY": str(node.signs_as),
        "GOVCHAIN_HOSTED": node.name,
        "GOVCHAIN_PEERS": peers,
        "GOVCHAIN_LEDGER": f"comet:{node.rpc_url}",
        "GOVCHAIN_LEDGER_ORIGIN": made.origin,
        "GOVCHAIN_SECRET_KEY": kept.get("GOVCHAIN_SECRET_KEY", secrets.token_urlsafe(48)),
    }
    # What an operator added (a database, Redis) stays.
    lines = "".join(f"{name}={value}\n" for name, value in {**kept, **values}.items())
    draft = path.with_suffix(".new")
    with open(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
        file.write(lines)
    draft.replace(path)


def read_environment(path: Path) -> dict[str, str]:
    return dict(line.split("=", 1) for line in path.read_text().splitlines() if "=" in line)


def copy_ledger(source: Path, target: Path) -> None:
    """The state that all nodes start from; what a node has already stays."""
    if (target / store.FILE).exists():
        return
    target.mkdir(parents=True, exist_ok=True, mode=0o700)
    draft = target / f"{store.FILE}.copy"
    shutil.copyfile(source / store.FILE, draft)
    draft.rename(target / store.FILE)


def share_database(made: Plan) -> None:
    """Empty tables for every node, made once: each node's own migration then finds nothing to do."""
    wanting = [made.data(node) / "node.sqlite3" for node in made.nodes if node.agency]
    wanting = [path for path in wanting if not path.exists()]
    if not wanting:
        return
    with tempfile.TemporaryDirectory(dir=made.root, prefix="tables-") as folder:
        environment = {name: value for name, value in os.environ.items() if not name.startswith("GOVCHAIN_")}
        environment |= {"GOVCHAIN_DATA": folder, "DJANGO_SETTINGS_MODULE": "gov_chain.settings"}
        command = [sys.executable, "-m", "django", "migrate", "--no-input", "--verbosity", "0"]
        done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)  # noqa: S603
        if done.returncode:
            last = done.stderr.strip().splitlines()[-1:]
            raise ConsortiumError("process-failed", node="-", process="migrate", reason=" ".join(last))
        for path in wanting:
            shutil.copyfile(Path(folder) / "node.sqlite3", path)


def validator(data: Path, agency: int) -> FoundingValidator:
    """The validator of an agency's node: its consensus key, and its BLS key with the proof that it has the secret."""
    keys, folder = data / "keys", data / COSIGNER
    local.create_in(keys, commands.SEALER, "A256GCM")
    if (folder / keyfile.FILE).exists():
        public = keyfile.public(folder)
    else:
        public = keyfile.make(folder, local.sealer_in(keys, commands.SEALER))
    return FoundingValidator(
        agency=agency,
        consensus_key=local.signer_in(keys, "engine/validator").public_key,
        bls_key=public.bls_key,
        possession=public.possession,
    )


def _private(data: Path, name: str) -> Ed25519PrivateKey:
    """CometBFT signs with a file of its own, whatever store the agency's other keys are in."""
    key = load_der_private_key((data / "keys" / f"{name}.key").read_bytes(), password=None)
    assert isinstance(key, Ed25519PrivateKey)
    return key
