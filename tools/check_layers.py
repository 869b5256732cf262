#!/usr/bin/env python3
"""Refuses #includes that cross the layers.

Each library declares what it uses (jz_library(... USES ...)); CMake writes those rows to a file and holds them against
the table in cmake/JiaoziLayers.cmake. This script holds the #include lines of the code against the same rows, because
a transitive link would otherwise let a library include what it never declared.

A library's tests may include what the library uses and the library itself; whole-system tests live in tests/.
"""
import argparse
import pathlib
import re
import sys
import tempfile

INCLUDE = re.compile(r'^\s*#\s*include\s*[<"]jiaozi/([a-z_0-9]+)/')
SUFFIXES = {".hpp", ".h", ".cpp", ".c"}


def read_rows(text):
    rows = {}
    for line in text.splitlines():
        if line.strip():
            name, _, uses = line.partition(":")
            rows[name] = {used for used in uses.split(",") if used}
    return rows


def violations(root, rows):
    for library, uses in sorted(rows.items()):
        folder = root / "src" / library
        if not folder.is_dir():
            folder = root / library  # sim/ stands at the top
        for path in sorted(folder.rglob("*")):
            if path.suffix not in SUFFIXES:
                continue
            for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
                match = INCLUDE.match(line)
                if match and match.group(1) != library and match.group(1) not in uses:
                    yield f"{path}:{number}: {library} includes {match.group(1)}, which its USES does not list ({', '.join(sorted(uses)) or 'nothing'})"


def self_test():
    """A planted stray include must be found, and a declared one must not."""
    with tempfile.TemporaryDirectory() as folder:
        source = pathlib.Path(folder) / "src" / "money" / "src" / "a.cpp"
        source.parent.mkdir(parents=True)
        source.write_text('#include <jiaozi/base/result.hpp>\n#include <jiaozi/ledger/ledger.hpp>\n', encoding="utf-8")
        found = list(violations(pathlib.Path(folder), {"money": {"base"}}))
    ok = len(found) == 1 and ":2:" in found[0] and "ledger" in found[0]
    print("self-test", "passed" if ok else f"failed: {found}")
    return 0 if ok else 1


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("root", nargs="?", help="the checkout")
    parser.add_argument("--declared", help="rows written by CMake: library:used,used")
    parser.add_argument("--self-test", action="store_true", help="show that the check can fail")
    options = parser.parse_args()
    if options.self_test:
        return self_test()
    rows = read_rows(pathlib.Path(options.declared).read_text(encoding="utf-8"))
    found = list(violations(pathlib.Path(options.root), rows))
    for line in found:
        print(line, file=sys.stderr)
    if found:
        return 1
    print(f"layers: {len(rows)} libraries hold their rows")
    return 0


if __name__ == "__main__":
    sys.exit(main())
