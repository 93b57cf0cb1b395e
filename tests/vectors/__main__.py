"""`python -m tests.vectors`: do the published vectors still say what the code says? `--write` makes them anew."""

import argparse
import sys

from tests.vectors import quorum, receipts


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.vectors", description=__doc__)
    parser.add_argument("--write", action="store_true", help="write the files instead of comparing")
    args = parser.parse_args()
    status = 0
    for each in (receipts, quorum):
        made = each.text(each.build())
        if args.write:
            each.FILE.write_text(made)
        same = each.FILE.exists() and each.FILE.read_text() == made
        sys.stdout.write(f"{each.FILE.name}: {'as made' if same else 'differs'}\n")
        status |= not same
    return status


if __name__ == "__main__":
    sys.exit(main())
