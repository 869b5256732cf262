#!/usr/bin/env python3
"""Adds up JUnit files and ends with one plain line: 'N passed, N failed, N skipped'. Lists what was skipped, and why."""
import sys
import xml.etree.ElementTree as xml


def main(paths):
    passed = failed = 0
    skipped = []
    for path in paths:
        for case in xml.parse(path).getroot().iter("testcase"):
            if case.find("failure") is not None or case.get("status") == "fail":
                failed += 1
            elif case.find("skipped") is not None or case.get("status") in ("notrun", "disabled"):
                skipped.append(case.get("name"))
            else:
                passed += 1
    for name in skipped:
        print(f"SKIPPED: {name}")
    print(f"{passed} passed, {failed} failed, {len(skipped)} skipped")
    return 1 if failed or not passed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
