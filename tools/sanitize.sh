#!/bin/sh
# Builds and runs the tests under the sanitizers: address and undefined behaviour for all unit tests, thread for the
# libraries that have threads. The long whole-system tests run without them.
set -eu
cd "$(dirname "$0")/.."
export ASAN_OPTIONS=detect_leaks=1:strict_string_checks=1 UBSAN_OPTIONS=print_stacktrace=1:halt_on_error=1
export TSAN_OPTIONS="halt_on_error=1:second_deadlock_stack=1:suppressions=$PWD/tools/tsan.supp"
tools/build.sh asan-ubsan
tools/run_tests.sh asan-ubsan -LE 'system|lint'
tools/build.sh tsan engine_test storage_test webhooks_test payments_test
tools/run_tests.sh tsan -R '^(Engine|Journal|Webhook|Projector)' -LE 'system|lint'
