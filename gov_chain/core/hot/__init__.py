"""The few small steps that every ledger record takes many times over: hashing, the log's tree, CBOR, shapes.

They mean what `definition` says, in Python. Set-up compiles the same in C (`_native.c`) where there is a compiler, and
here the compiled ones are taken if they are there. `GOVCHAIN_PURE_PYTHON=1` does without; so does a machine without a
compiler, at about half the speed. See docs/decisions/0031-hot-steps-in-c.md.
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

hashes = chosen.hashes
grow = chosen.grow
decode = chosen.decode
encode = chosen.encode
fits = chosen.fits

Shape = definition.Shape
INTEGER, BYTES, ROW, MANY, CHOICE, ASKED = range(6)

__all__ = [
    "ASKED",
    "BYTES",
    "CHOICE",
    "INTEGER",
    "MANY",
    "NATIVE",
    "ROW",
    "Shape",
    "decode",
    "encode",
    "fits",
    "grow",
    "hashes",
]
