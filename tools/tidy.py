#!/usr/bin/env python3
"""Runs clang-tidy over the libraries' and the program's sources (or those named), as many at once as there are cores.

A file is looked at again only when it, or anything it includes, or the checks have changed: a stamp in build/tidy is
named by the hash of its preprocessed text. The precompiled headers are left out, so that a missing include is seen.
Needs a configured and built build/dev (generated headers). Exits 1 when a file has findings.
"""
import concurrent.futures
import hashlib
import json
import os
import pathlib
import shlex
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent
WORK = ROOT / "build" / "tidy"
COMPILERS = ("c++", "g++", "clang++", "cc", "gcc", "clang")


def without_precompiled_header(command: str) -> list[str]:
    words = shlex.split(command)
    words = words[next(i for i, word in enumerate(words) if word.split("/")[-1].startswith(COMPILERS)):]
    while "-include" in words:
        at = words.index("-include")
        del words[at:at + 2]
    return [word for word in words if word not in ("-Winvalid-pch", "-fpch-preprocess")]


def commands() -> dict[str, dict]:
    found = {}
    for entry in json.loads((ROOT / "build/dev/compile_commands.json").read_text()):
        words = without_precompiled_header(entry.pop("command"))
        source = os.path.relpath(entry["file"], ROOT)
        found[source] = entry | {"arguments": words}
    (WORK / "compile_commands.json").write_text(json.dumps(list(found.values())))
    return found


def stamp_of(entry: dict) -> pathlib.Path:
    words = entry["arguments"]
    out = words.index("-o")
    text = subprocess.run(words[:out] + words[out + 2:] + ["-E", "-P"], cwd=entry["directory"], capture_output=True).stdout
    return WORK / hashlib.sha256(text + (ROOT / ".clang-tidy").read_bytes()).hexdigest()


def check(source: str, entry: dict) -> str:
    """The findings; empty when there are none."""
    stamp = stamp_of(entry)
    if stamp.exists():
        return ""
    done = subprocess.run(["clang-tidy-19", "--quiet", "-p", str(WORK), "--extra-arg=-Wno-unknown-warning-option", source],
                          cwd=ROOT, capture_output=True, text=True)
    if done.returncode == 0:
        stamp.touch()
        return ""
    return done.stdout or done.stderr or f"{source}: clang-tidy ended with {done.returncode}\n"


def main() -> int:
    WORK.mkdir(parents=True, exist_ok=True)
    known = commands()
    wanted = sys.argv[1:] or subprocess.run(["git", "ls-files", "src/*/src/*.cpp", "sim/src/*.cpp"], cwd=ROOT, check=True, text=True,
                                            capture_output=True).stdout.split()
    sources = [source for source in wanted if source in known]
    failed = 0
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        jobs = [pool.submit(check, source, known[source]) for source in sources]
        for number, job in enumerate(concurrent.futures.as_completed(jobs), 1):
            if findings := job.result():
                failed += 1
                print(findings, end="", flush=True)
            if sys.stderr.isatty():
                print(f"\rclang-tidy {number}/{len(sources)}", end="", file=sys.stderr, flush=True)
    print(f"clang-tidy: {len(sources)} files, {failed} with findings")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
