#!/usr/bin/env python3
"""Prints the 73 attacks of docs/protocol/attacks.md with pass or fail, from JUnit files: tools/attack_table.py build/results/*.xml

Fails when an attack has no test that passed, when one of its tests failed, when a test that the page names did not run,
and when a test that is named by an attack's number is missing on the page."""
import pathlib
import re
import sys
import xml.etree.ElementTree as xml

ROOT = pathlib.Path(__file__).resolve().parent.parent
PAGE = ROOT / "docs" / "protocol" / "attacks.md"
ATTACKS = 73


def page_rows():
    rows = {}
    for line in PAGE.read_text().splitlines():
        cells = [cell.strip() for cell in line.strip("|").split("|")]
        if len(cells) == 4 and cells[0].isdigit():
            rows[int(cells[0])] = (cells[1], cells[2], re.findall(r"`([^`]+)`", cells[3]))
    return rows


def short(name):
    """Parametrised tests carry an instantiation in front and a parameter behind: All/Suite.Test/0."""
    return re.sub(r"^[A-Za-z0-9_]+/(?=[A-Za-z0-9_]+\.)", "", name).split("/")[0]


def outcome(case):
    if case.find("failure") is not None or case.get("status") == "fail":
        return "failed"
    if case.find("skipped") is not None or case.get("status") in ("notrun", "disabled"):
        return "skipped"
    return "passed"


def results(paths):
    found = {}
    for path in paths:
        for case in xml.parse(path).getroot().iter("testcase"):
            found.setdefault(short(case.get("name")), set()).add(outcome(case))
    return found


def problems_of(tests, ran):
    if not tests:
        return ["no test"]
    problems = []
    for test in tests:
        if test not in ran:
            problems.append(f"{test} did not run")
        elif "failed" in ran[test]:
            problems.append(f"{test} failed")
    if not problems and not any("passed" in ran[test] for test in tests):
        problems.append("every test was skipped")
    return problems


def main(paths):
    rows = page_rows()
    ran = results(paths)
    problems = [f"attack {n} is not in {PAGE.relative_to(ROOT)}" for n in range(1, ATTACKS + 1) if n not in rows]
    passed = 0
    for number, (tried, result, tests) in sorted(rows.items()):
        wrong = problems_of(tests, ran)
        problems += [f"attack {number}: {text}" for text in wrong]
        passed += not wrong
        print(f"{'FAIL' if wrong else 'pass'}  {number:2}  {tried}: {result} ({len(tests)} test{'s' * (len(tests) != 1)})")
    for name in sorted(ran):
        for number in map(int, re.findall(r"(?<![A-Za-z0-9])A(\d+)(?=_)", name.split(".")[-1].replace("_A", "_ A"))):
            if number in rows and name not in rows[number][2]:
                problems.append(f"attack {number}: {name} is not on the page")
    for problem in problems:
        print(f"attacks: {problem}")
    print(f"attacks: {passed} of {ATTACKS} pass")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
