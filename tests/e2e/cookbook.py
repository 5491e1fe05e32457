#!/usr/bin/env python3
"""The blocks of a recipe in scripts/cookbook, for 195-cookbook.

Usage: cookbook.py DIRECTORY RECIPE

Writes each fenced block that is marked `sh` into DIRECTORY as N.HOST.sh, HOST being what its first
line says ("# on east", "# on west", "# on both"), and what its lines "# expect: TEXT" want into
N.HOST.expect, a line each. Prints the names N.HOST in their order. A block that does not say where
it runs is a mistake of the recipe.
"""
import re
import sys
from pathlib import Path


def main():
    directory, recipe = map(Path, sys.argv[1:])
    text = recipe.read_text()
    blocks = re.findall(r"^```sh\n(.*?)^```$", text, re.M | re.S)
    if not blocks or len(blocks) * 2 != len(re.findall(r"^```", text, re.M)):
        sys.exit(f"{recipe}: has no blocks, or one that is not marked sh")
    for number, block in enumerate(blocks, 1):
        host = re.match(r"# on (east|west|both)\n", block)
        if not host:
            sys.exit(f"{recipe}: block {number} does not say `# on HOST` first")
        name = f"{number}.{host[1]}"
        (directory / f"{name}.sh").write_text(block)
        wanted = re.findall(r"^# expect: (.*)$", block, re.M)
        (directory / f"{name}.expect").write_text("".join(line + "\n" for line in wanted))
        print(name)


if __name__ == "__main__":
    main()
