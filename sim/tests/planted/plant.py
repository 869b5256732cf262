#!/usr/bin/env python3
"""Copies a source file with a bug planted in it: plant.py SOURCE PATTERN REPLACEMENT OUTPUT.

The pattern is a regular expression that must match at exactly one place. So the production code needs no switch that
would turn a check off, and a test can still show that its absence is noticed.
"""
import pathlib
import re
import sys


def main():
    source, pattern, replacement, output = sys.argv[1:]
    text = pathlib.Path(source).read_text(encoding="utf-8")
    planted, count = re.subn(pattern, replacement, text)
    if count != 1:
        sys.exit(
            f"{source}: the place for the planted bug was found {count} times. The code there has changed: "
            f"give sim/CMakeLists.txt a pattern that finds it again\n  {pattern}"
        )
    pathlib.Path(output).write_text(f'#line 1 "{source} (with a bug planted for a test)"\n{planted}', encoding="utf-8")


main()
