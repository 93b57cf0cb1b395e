"""The application as a later version of the software will be: it knows rules version 2, here the same rules again."""

import sys

from gov_chain.ledger.abci.__main__ import main
from gov_chain.ledger.core import rulesets

rulesets.RULESETS[2] = rulesets.RULESETS[1]  # type: ignore[index]

if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
