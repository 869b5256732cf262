#!/usr/bin/env python3
"""Holds what a purse said on another machine against the worked example of the specification.

    check_page.py OUTPUT PAGE

OUTPUT has lines "= name hex"; PAGE has blocks "```hex name". Every block must be there, with the page's bytes.
"""
import pathlib
import re
import sys


def main(output, page):
    text = pathlib.Path(page).read_text(encoding="utf-8")
    expected = {name: "".join(hexes.split()) for name, hexes in re.findall(r"```hex (\w+)\n([0-9a-f\n]+)```", text)}
    said = dict(re.findall(r"^= (\w+) ([0-9a-f]*)$", pathlib.Path(output).read_text(encoding="utf-8"), re.MULTILINE))
    wrong = [f"{name}: expected {expected[name]}, said {said.get(name, 'nothing')}" for name in expected if said.get(name) != expected[name]]
    wrong += [f"{name}: not in the page" for name in sorted(said.keys() - expected.keys())]
    if not expected:
        wrong.append(f"no examples in {page}")
    print("\n".join(wrong) if wrong else f"{len(expected)} objects and messages are byte for byte those of {page}")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
