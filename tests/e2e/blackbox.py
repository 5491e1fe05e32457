"""Runs the black-box groups: those that only wait all at once, then those that need speed.

usage: blackbox.py [GROUP…]
"""

import sys

import bb_crossing
import bb_handshake
import bb_inner
import bb_load
import bb_moves
import bb_sessions
import bb_transport
from wgrig import run_groups


def main() -> int:
    """All groups, or those that are named."""
    only = sys.argv[1:]
    waiting = (bb_handshake, bb_sessions, bb_crossing, bb_transport, bb_moves, bb_inner)
    failed = run_groups(sum((module.GROUPS for module in waiting), []), only)
    for group in bb_load.GROUPS:
        failed += run_groups([group], only)
    print(f"{failed} rows failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
