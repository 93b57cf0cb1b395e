"""The few small steps that every ledger record takes many times over: hashing, the log's tree, CBOR, shapes.

They mean what `definition` says, in Python. Set-up compiles the same in C (`_native.c`) where there is a compiler, and
here the compiled ones are taken if they are there. `GOVCHAIN_PURE_PYTHON=1` does without; so does a machine without a
compiler, at less than half the speed. See docs/decisions/0041-hot-steps-in-c.md.
"""

from __future__ import annotations

import os

from gov_chain.core.hot import definition

NATIVE = False

if os.environ.get("GOVCHAIN_PURE_PYTHON") == "1":
    chosen = definition
else:
    try:
        from gov_chain.core.hot import _native as chosen  # type: ignore[no-redef]

        NATIVE = True
    except ImportError:
        chosen = definition

sha256 = chosen.sha256
hashes = chosen.hashes
records = chosen.records
grow = chosen.grow
bundle = chosen.bundle
unbundle = chosen.unbundle
decode = chosen.decode
encode = chosen.encode
fits = chosen.fits
locate = chosen.locate
bucket_holds = chosen.bucket_holds
bucket_find = chosen.bucket_find
bucket_put = chosen.bucket_put
bucket_split = chosen.bucket_split
node_of = chosen.node_of
node_put = chosen.node_put
place_of = chosen.place_of
find = chosen.find
absent = chosen.absent
put_rows = chosen.put_rows
put_nodes = chosen.put_nodes

Shape = definition.Shape
INTEGER, BYTES, ROW, MANY, CHOICE, ASKED = range(6)
Place = definition.Place
Node = definition.Node
