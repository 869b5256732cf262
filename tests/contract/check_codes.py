#!/usr/bin/env python3
"""Holds the codes that services and the HTTP interface give against the closed lists of docs/errors.md and of the device
protocol: an error that a caller meets must be documented."""
import pathlib
import re
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]
FOLDERS = ["base", "registry", "engine", "identity", "groups", "merchants", "payments", "devices", "webhooks", "http", "api", "model", "money"]
GIVEN = re.compile(r'with_code\(\s*"([a-z_]+)"')


def main():
    documented = set(re.findall(r"`([a-z_]+)`", (ROOT / "docs/errors.md").read_text(encoding="utf-8")))
    protocol = (ROOT / "docs/protocol/device.md").read_text(encoding="utf-8")
    documented |= set(re.findall(r"^\| ([a-z_]+) \|", protocol, re.MULTILINE))
    missing, seen = [], 0
    for folder in FOLDERS:
        for path in sorted((ROOT / "src" / folder).rglob("*.[ch]pp")):
            if "tests" in path.parts or "bench" in path.parts:
                continue
            for code in GIVEN.findall(path.read_text(encoding="utf-8")):
                seen += 1
                if code not in documented:
                    missing.append(f"{path.relative_to(ROOT)}: {code}")
    for line in missing:
        print("not in docs/errors.md:", line)
    print(f"{seen} uses of codes checked, {len(missing)} not documented")
    return 1 if missing or seen < 40 else 0


if __name__ == "__main__":
    sys.exit(main())
