#!/bin/sh
# Format check and clang-tidy over the C++ code. tools/lint.sh --fix formats in place instead of checking.
set -eu
cd "$(dirname "$0")/.."
files=$(git ls-files 'src/*.cpp' 'src/*.hpp' 'src/*.h' 'cmake/*.hpp' 'fuzz/*.cpp' 'fuzz/*.hpp' 'sim/*.cpp' 'sim/*.hpp' 'tests/*.cpp' 'tests/*.hpp' 'bench/*.cpp' 'sdk/*.cpp' 'sdk/*.hpp')
if [ "${1:-}" = --fix ]; then
    # shellcheck disable=SC2086
    clang-format-19 -i $files
    exit 0
fi
status=0
# shellcheck disable=SC2086
clang-format-19 --dry-run --Werror $files || status=1
tools/build.sh dev
tools/tidy.py || status=1
mkdir -p build/results
if [ $status = 0 ]; then result=; else result='<failure message="see above"/>'; fi
echo "<testsuite name=\"lint\"><testcase name=\"clang-format and clang-tidy\">$result</testcase></testsuite>" >build/results/lint.xml
exit $status
