#!/bin/sh
# Tests under the sanitizers: address and undefined behaviour for all unit tests, thread for the libraries that have
# threads. The long whole-system tests run without them. The first build is the fuzzers' too (tools/fuzz.sh).
set -eu
cd "$(dirname "$0")/.."
export ASAN_OPTIONS=detect_leaks=1:strict_string_checks=1 UBSAN_OPTIONS=print_stacktrace=1:halt_on_error=1
export TSAN_OPTIONS="halt_on_error=1:second_deadlock_stack=1:suppressions=$PWD/tools/tsan.supp"
tools/build.sh fuzz
tools/run_tests.sh fuzz -LE 'system|lint'
tools/build.sh tsan storage_test engine_test settlement_test webhooks_test
tools/run_tests.sh tsan -R "$(tools/tests_of.sh tsan storage_test engine_test settlement_test webhooks_test)"
