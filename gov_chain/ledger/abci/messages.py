"""ABCI 2.0's messages, as far as this application has use for them: names and field numbers of the specification.

Source: CometBFT v0.38, proto/tendermint/abci/types.proto (and crypto/keys.proto, types/params.proto, protobuf's
timestamp.proto). Fields that are not listed are skipped in what arrives, as protobuf has it, and never sent. The table
is turned into classes at import by protobuf's own library: no generated file, no compiler.
"""

from __future__ import annotations

from typing import Any

from google.protobuf import descriptor_pb2, descriptor_pool, message_factory

# name: (number, type); `*type` is repeated. A type with a capital is a message of this table.
Fields = dict[str, tuple[int, str]]

_FINALIZED: Fields = {"time": (6, "Timestamp"), "height": (5, "int64"), "proposer_address": (8, "bytes")}

_METHODS: dict[str, tuple[int, int, Fields, Fields]] = {
    # method: (number in Request, number in Response, request's fields, response's fields)
    "echo": (1, 2, {"message": (1, "string")}, {"message": (1, "string")}),
    "flush": (2, 3, {}, {}),
    "info": (
        3,
        4,
        {"version": (1, "string"), "abci_version": (4, "string")},
        {
            "data": (1, "string"),
            "version": (2, "string"),
            "app_version": (3, "uint64"),
            "last_block_height": (4, "int64"),
            "last_block_app_hash": (5, "bytes"),
        },
    ),
    "init_chain": (
        5,
        6,
        {
            "time": (1, "Timestamp"),
            "chain_id": (2, "string"),
            "validators": (4, "*ValidatorUpdate"),
            "app_state_bytes": (5, "bytes"),
            "initial_height": (6, "int64"),
        },
        {"validators": (2, "*ValidatorUpdate"), "app_hash": (3, "bytes")},
    ),
    "query": (
        6,
        7,
        {"data": (1, "bytes"), "path": (2, "string"), "height": (3, "int64"), "prove": (4, "bool")},
        {
            "code": (1, "uint32"),
            "log": (3, "string"),
            "key": (6, "bytes"),
            "value": (7, "bytes"),
            "height": (9, "int64"),
            "codespace": (10, "string"),
        },
    ),
    "check_tx": (
        8,
        9,
        {"tx": (1, "bytes"), "type": (2, "uint32")},
        {"code": (1, "uint32"), "log": (3, "string"), "codespace": (8, "string")},
    ),
    "commit": (11, 12, {}, {"retain_height": (3, "int64")}),
    "list_snapshots": (12, 13, {}, {"snapshots": (1, "*Snapshot")}),
    "offer_snapshot": (13, 14, {"snapshot": (1, "Snapshot"), "app_hash": (2, "bytes")}, {"result": (1, "uint32")}),
    "load_snapshot_chunk": (
        14,
        15,
        {"height": (1, "uint64"), "format": (2, "uint32"), "chunk": (3, "uint32")},
        {"chunk": (1, "bytes")},
    ),
    "apply_snapshot_chunk": (
        15,
        16,
        {"index": (1, "uint32"), "chunk": (2, "bytes"), "sender": (3, "string")},
        {"result": (1, "uint32"), "refetch_chunks": (2, "*uint32"), "reject_senders": (3, "*string")},
    ),
    "prepare_proposal": (
        16,
        17,
        _FINALIZED | {"max_tx_bytes": (1, "int64"), "txs": (2, "*bytes")},
        {"txs": (1, "*bytes")},
    ),
    "process_proposal": (17, 18, _FINALIZED | {"txs": (1, "*bytes"), "hash": (4, "bytes")}, {"status": (1, "uint32")}),
    "extend_vote": (18, 19, {}, {"vote_extension": (1, "bytes")}),
    "verify_vote_extension": (19, 20, {"vote_extension": (4, "bytes")}, {"status": (1, "uint32")}),
    "finalize_block": (
        20,
        21,
        _FINALIZED | {"txs": (1, "*bytes"), "misbehavior": (3, "*Misbehavior"), "hash": (4, "bytes")},
        {
            "tx_results": (2, "*ExecTxResult"),
            "validator_updates": (3, "*ValidatorUpdate"),
            "app_hash": (5, "bytes"),
        },
    ),
}

_OTHERS: dict[str, Fields] = {
    "Timestamp": {"seconds": (1, "int64"), "nanos": (2, "int32")},
    "PublicKey": {"ed25519": (1, "bytes")},
    "ValidatorUpdate": {"pub_key": (1, "PublicKey"), "power": (2, "int64")},
    "Validator": {"address": (1, "bytes"), "power": (3, "int64")},
    "Misbehavior": {"type": (1, "uint32"), "validator": (2, "Validator"), "height": (3, "int64")},
    "ExecTxResult": {"code": (1, "uint32"), "data": (2, "bytes"), "log": (3, "string"), "codespace": (8, "string")},
    "Snapshot": {
        "height": (1, "uint64"),
        "format": (2, "uint32"),
        "chunks": (3, "uint32"),
        "hash": (4, "bytes"),
        "metadata": (5, "bytes"),
    },
    "ResponseException": {"error": (1, "string")},
}

OFFER_ACCEPT, OFFER_ABORT, OFFER_REJECT, OFFER_REJECT_FORMAT, OFFER_REJECT_SENDER = 1, 2, 3, 4, 5
CHUNK_ACCEPT, CHUNK_ABORT, CHUNK_RETRY, CHUNK_RETRY_SNAPSHOT, CHUNK_REJECT_SNAPSHOT = 1, 2, 3, 4, 5
ACCEPT, REJECT = 1, 2
"""Of a proposal, and of a vote extension."""
RECHECK = 1
"""`check_tx.type` of a transaction that was in the mempool when a block was committed."""

_PACKAGE = "govchain.abci"
_SCALARS = {
    name: getattr(descriptor_pb2.FieldDescriptorProto, f"TYPE_{name.upper()}")
    for name in ("bool", "bytes", "int32", "int64", "string", "uint32", "uint64")
}


def _tables() -> dict[str, Fields]:
    tables = dict(_OTHERS)
    request: Fields = {}
    response: Fields = {"exception": (1, "ResponseException")}
    for method, (asked, answered, asks, answers) in _METHODS.items():
        name = "".join(part.capitalize() for part in method.split("_"))
        tables[f"Request{name}"], tables[f"Response{name}"] = asks, answers
        request[method], response[method] = (asked, f"Request{name}"), (answered, f"Response{name}")
    return tables | {"Request": request, "Response": response}


def _classes() -> dict[str, type[Any]]:
    file = descriptor_pb2.FileDescriptorProto(name="govchain/abci", package=_PACKAGE, syntax="proto3")
    tables = _tables()
    for name, fields in tables.items():
        message = file.message_type.add(name=name)
        oneof = name in ("Request", "Response")
        if oneof:
            message.oneof_decl.add(name="value")
        for field, (number, kind) in fields.items():
            added = message.field.add(name=field, number=number, label=3 if kind.startswith("*") else 1)
            scalar = _SCALARS.get(kind.lstrip("*"))
            if scalar is None:
                added.type = descriptor_pb2.FieldDescriptorProto.TYPE_MESSAGE
                added.type_name = f".{_PACKAGE}.{kind.lstrip('*')}"
            else:
                added.type = scalar
            if oneof:
                added.oneof_index = 0
    pool = descriptor_pool.DescriptorPool()
    pool.Add(file)
    return {name: message_factory.GetMessageClass(pool.FindMessageTypeByName(f"{_PACKAGE}.{name}")) for name in tables}


_made = _classes()
Request = _made["Request"]
Response = _made["Response"]
Snapshot = _made["Snapshot"]
ValidatorUpdate = _made["ValidatorUpdate"]
