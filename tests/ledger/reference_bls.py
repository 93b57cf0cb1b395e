"""py_ecc, the reference our BLS is held equal to. Importing it lets Python recurse a hundred times deeper than it may.

With that limit a hostile JSON text of brackets overflows the C stack and ends the process; without it, it is an error
like any other. So the limit is put back, and nothing but tests imports py_ecc.
"""

import sys

_LIMIT = sys.getrecursionlimit()

from py_ecc.bls import G2ProofOfPossession as Reference  # noqa: E402
from py_ecc.optimized_bls12_381 import curve_order  # noqa: E402

sys.setrecursionlimit(_LIMIT)

__all__ = ["Reference", "curve_order"]
