#!/bin/sh
# Format check and clang-tidy over the C++ code. tools/lint.sh --fix formats in place instead of checking.
set -eu
cd "$(dirname "$0")/.."
files=$(git ls-files 'src/*.cpp' 'src/*.hpp' 'src/*.h' 'fuzz/*.cpp' 'tests/*.cpp' 'tests/*.hpp' 'bench/*.cpp')
if [ "${1:-}" = --fix ]; then
    # shellcheck disable=SC2086
    clang-format-19 -i $files
    exit 0
fi
status=0
# shellcheck disable=SC2086
clang-format-19 --dry-run --Werror $files || status=1
[ -f build/dev/compile_commands.json ] || cmake --preset dev >/dev/null
# A file is checked again only when it or anything it includes has changed: the stamp is the hash of its preprocessed text.
mkdir -p build/tidy
cat >build/tidy/one.py <<'ONE'
"""Runs clang-tidy on one file unless the same preprocessed text passed before."""
import hashlib, json, pathlib, shlex, subprocess, sys
source = sys.argv[1]
entry = next((e for e in json.load(open("build/dev/compile_commands.json")) if e["file"].endswith("/" + source)), None)
if entry is None:
    sys.exit(0)
words = [w for w in shlex.split(entry["command"]) if not w.endswith("ccache")]
out = words.index("-o")
text = subprocess.run(words[:out] + words[out + 2:] + ["-E", "-P"], cwd=entry["directory"], capture_output=True).stdout
digest = hashlib.sha256(text + pathlib.Path(".clang-tidy").read_bytes()).hexdigest()
stamp = pathlib.Path("build/tidy") / digest
if stamp.exists():
    sys.exit(0)
done = subprocess.run(["clang-tidy-19", "--quiet", "-p", "build/dev", "--extra-arg=-Wno-unknown-warning-option", source], capture_output=True, text=True)
if done.returncode != 0:
    print(done.stdout, end="")
    sys.exit(1)
stamp.touch()
ONE
git ls-files 'src/*/src/*.cpp' | xargs -P "$(nproc)" -n 1 python3 build/tidy/one.py || status=1
mkdir -p build/results
if [ $status = 0 ]; then result=; else result='<failure message="see above"/>'; fi
echo "<testsuite name=\"lint\"><testcase name=\"clang-format and clang-tidy\">$result</testcase></testsuite>" >build/results/lint.xml
exit $status
