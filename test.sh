#!/bin/sh
# Installs what is missing, builds, and passes every test; ends with a plain count.
#   ./test.sh              everything a change must pass
#   ./test.sh --fuzz       also each fuzzer for 15 s
#   ./test.sh --all        also the fuzzers for a minute each, the sanitizers, clang-tidy and the format check
#   ./test.sh -R PATTERN   only the tests whose name matches (any ctest option)
set -eu
cd "$(dirname "$0")"
all=
fuzz=
case "${1:-}" in
    --all) all=yes fuzz=60; shift ;;
    --fuzz) fuzz=15; shift ;;
esac
tools/install.sh build test ${fuzz:+lint}
tools/build.sh dev
mkdir -p build/results
rm -f build/results/*.xml
failed=0
tools/run_tests.sh dev "$@" || failed=1
if [ -n "$all" ]; then
    tools/lint.sh || failed=1
    tools/sanitize.sh || failed=1
fi
if [ -n "$fuzz" ]; then
    tools/fuzz.sh "$fuzz" || failed=1
fi
# The attacks on offline purses, one line each; a choice of tests can't show all of them.
if [ $# -eq 0 ]; then python3 tools/attack_table.py build/results/*.xml || failed=1; fi
python3 tools/count_tests.py build/results/*.xml || failed=1
exit $failed
