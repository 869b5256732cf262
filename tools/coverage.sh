#!/bin/sh
# Line coverage of the unit tests, by GCC's gcov: a figure per library.
set -eu
cd "$(dirname "$0")/.."
tools/build.sh coverage
tools/run_tests.sh coverage -LE 'system|lint' || true
python3 - <<'PY'
import collections, json, pathlib, subprocess
lines = collections.defaultdict(dict)
for data in pathlib.Path("build/coverage").rglob("*.gcda"):
    out = subprocess.run(["gcov", "--json-format", "--stdout", str(data.resolve())], capture_output=True, text=True, cwd="build/coverage")
    for document in filter(None, out.stdout.splitlines()):
        for file in json.loads(document)["files"]:
            name = file["file"]
            if "/src/" in name and "/tests/" not in name and "jiaozi" in name or "/src/" in name and "/usr/" not in name:
                for line in file["lines"]:
                    seen = lines[name].get(line["line_number"], 0)
                    lines[name][line["line_number"]] = max(seen, line["count"])
totals = collections.defaultdict(lambda: [0, 0])
for name, seen in lines.items():
    library = name.split("/src/", 1)[1].split("/", 1)[0]
    totals[library][0] += sum(1 for count in seen.values() if count)
    totals[library][1] += len(seen)
for library, (hit, known) in sorted(totals.items()):
    print(f"{library:12} {hit:6} of {known:6} lines  {100 * hit // max(known, 1):3} %")
PY
