"""Runs the black-box groups: those that only wait all at the same time, then those that need the machine's speed.

usage: blackbox.py [GROUP…]
"""

import sys

import bb_handshake
import bb_load
import bb_transport
from wgrig import run_groups


def main() -> int:
    """All groups, or those that are named."""
    only = sys.argv[1:]
    failed = run_groups(bb_handshake.GROUPS + bb_transport.GROUPS, only)
    for group in bb_load.GROUPS:
        failed += run_groups([group], only)
    print(f"{failed} rows failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
