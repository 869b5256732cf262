#!/bin/sh
# Builds the fuzzers and runs each for some seconds, two at a time: tools/fuzz.sh SECONDS [NAME...].
# New inputs go to build/fuzz/corpus; the committed seeds are read, not changed.
set -eu
cd "$(dirname "$0")/.."
seconds=$1
shift
tools/build.sh fuzz fuzzers
[ $# -gt 0 ] || set -- $(cd build/fuzz/bin && ls -d fuzz_* 2>/dev/null)
[ $# -gt 0 ] || { echo "fuzz: no fuzzers were built" >&2; exit 1; }
mkdir -p build/fuzz/corpus build/results
cat >build/fuzz/one.sh <<'ONE'
#!/bin/sh
# Runs one fuzzer; prints its last line and leaves its log beside its corpus.
name=$1; seconds=$2
mkdir -p "build/fuzz/corpus/$name"
seeds=$(find fuzz -name corpus -type d -path "$(dirname "$(find fuzz -name "$name*.cpp" | head -n 1)")/*" | head -n 1)
if "build/fuzz/bin/$name" -max_total_time="$seconds" -rss_limit_mb=2048 -timeout=10 -print_final_stats=1 \
    -artifact_prefix="build/fuzz/$name-" "build/fuzz/corpus/$name" $seeds >"build/fuzz/$name.log" 2>&1; then
    echo "fuzz: $name: $(sed -n 's/^stat::number_of_executed_units: *//p' "build/fuzz/$name.log") inputs in $seconds s, nothing found"
    result=
else
    tail -n 40 "build/fuzz/$name.log"
    echo "fuzz: $name FAILED; its log is build/fuzz/$name.log"
    result='<failure message="the fuzzer found an input"/>'
fi
echo "<testcase name=\"$name\">$result</testcase>" >"build/fuzz/$name.case"
[ -z "$result" ]
ONE
rm -f build/fuzz/*.case
status=0
printf '%s\n' "$@" | xargs -P "$(nproc)" -I{} sh build/fuzz/one.sh {} "$seconds" || status=1
{ echo '<testsuite name="fuzz">'; cat build/fuzz/*.case; echo '</testsuite>'; } >build/results/fuzz.xml
exit $status
