#!/bin/sh
# Prints a ctest -R pattern for exactly the tests of some GoogleTest programs: tools/tests_of.sh PRESET PROGRAM...
set -eu
cd "$(dirname "$0")/.."
preset=$1
shift
names=
for program in "$@"; do
    names="$names$("build/$preset/bin/$program" --gtest_list_tests | awk '/^[^ ]/ {suite = $1} /^ / {print suite $1}' | sed 's/[.[\*^$()+?{|\\]/\\&/g' | paste -sd '|')|"
done
printf '^(%s)$\n' "${names%|}"
