#!/bin/sh
# Runs the tests of one preset: tools/run_tests.sh PRESET [ctest options]. Results go to build/results/PRESET.xml.
set -eu
cd "$(dirname "$0")/.."
preset=$1
shift
mkdir -p build/results
ctest --test-dir "build/$preset" --output-on-failure --no-tests=error -j "$(nproc)" \
    --output-junit "$PWD/build/results/$preset.xml" "$@"
