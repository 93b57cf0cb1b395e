"""`python -m tests.vectors`: do the published vectors still say what the code says? `--write` makes them anew."""

import argparse
import sys

from tests.vectors import receipts


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.vectors", description=__doc__)
    parser.add_argument("--write", action="store_true", help="write the files instead of comparing")
    args = parser.parse_args()
    made = receipts.text(receipts.build())
    if args.write:
        receipts.FILE.write_text(made)
    same = receipts.FILE.exists() and receipts.FILE.read_text() == made
    sys.stdout.write(f"{receipts.FILE.name}: {'as made' if same else 'differs'}\n")
    return 0 if same else 1


if __name__ == "__main__":
    sys.exit(main())
