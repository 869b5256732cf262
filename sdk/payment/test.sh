#!/bin/sh
# Two purses pay each other on another machine: sdk/payment/test.sh host|cortex-m|big-endian BUILD_FOLDER.
# Builds the core, libsodium's files and the program with that machine's compiler; looks at what they ask for; runs the program,
# under QEMU where it is not for this machine; and holds what it said against docs/protocol/offline.md, section 14.
# Ends with 77, loudly, where a tool or libsodium's sources are missing.
set -eu
cd "$(dirname "$0")/../.."
target=$1
build=$2
toolchain=
quick='-DCMAKE_C_FLAGS_RELEASE=-O1 -DCMAKE_CXX_FLAGS_RELEASE=-O1'
case $target in
    host) prefix= run= kind="Release $quick" ;;
    cortex-m)
        prefix=arm-none-eabi- kind=MinSizeRel
        run="qemu-system-arm -machine mps2-an386 -nographic -monitor none -serial none -chardev stdio,id=out -semihosting-config enable=on,target=native,chardev=out -kernel" ;;
    big-endian) prefix=s390x-linux-gnu- run=qemu-s390x kind="Release $quick" ;;
    *) echo "sdk/payment/test.sh: no target '$target'; there are host, cortex-m and big-endian" >&2; exit 2 ;;
esac
for tool in "${prefix}g++" "${prefix}nm" "${prefix}size" ${run%% *} cmake ninja python3; do
    command -v "$tool" >/dev/null 2>&1 || { echo "SKIPPED: $tool is missing; run tools/install.sh test"; exit 77; }
done
sdk/sodium/fetch.sh "$build/libsodium"
sources=$(CDPATH= cd -- "$build/libsodium/source" && pwd)
build=$build/$target
mkdir -p "$build"
quietly() {
    "$@" >"$build/log" 2>&1 || { cat "$build/log"; exit 1; }
}
[ "$target" = host ] || toolchain="--toolchain $PWD/sdk/$target/toolchain.cmake"
# shellcheck disable=SC2086  # no toolchain is no argument
quietly cmake -G Ninja -S sdk/payment -B "$build" $toolchain -DCMAKE_BUILD_TYPE=$kind -DLIBSODIUM_SOURCES="$sources" \
    -DCMAKE_C_COMPILER_LAUNCHER="$(command -v ccache || true)" -DCMAKE_CXX_COMPILER_LAUNCHER="$(command -v ccache || true)"
quietly nice ninja -C "$build"

python3 src/purse/tests/check_symbols.py "$build/libpurse.a" src/purse/tests/symbols.txt "${prefix}nm"
# The cryptography around it does not allocate, throw, unwind or compute with floating point either.
forbidden='malloc|calloc|realloc|free|_Zn[wa].*|_Zd[la].*|__cxa_.*|_Unwind_.*|__gxx_.*|_ZSt.*|__aeabi_(unwind.*|[df](add|sub|mul|div|2.*))'
for library in portable sodium_part; do
    if "${prefix}nm" -u "$build/lib$library.a" | awk '$1 == "U" { print $2 }' | grep -Ex "$forbidden"; then
        echo "FAILED: lib$library.a asks for what a purse must not use (above)"
        exit 1
    fi
done
echo "sizes in bytes: text, data, bss"
for library in purse portable sodium_part; do
    "${prefix}size" -t "$build/lib$library.a" | awk -v n="lib$library.a" '/TOTALS/ { print n ": " $1 ", " $2 ", " $3 }'
done
"${prefix}size" "$build/payment" | awk 'NR == 2 { print "the linked program: " $1 ", " $2 ", " $3 }'
# shellcheck disable=SC2086  # the emulator and its options
timeout 100 $run "$build/payment" >"$build/said" || { cat "$build/said"; echo "FAILED: the program"; exit 1; }
grep -v '^= ' "$build/said"
grep -qx "PAYMENT COMPLETE" "$build/said"
python3 sdk/payment/check_page.py "$build/said" docs/protocol/offline.md
if [ "$target" = cortex-m ]; then
    # What a product plans with: 48 KiB of code for the core, 8 KiB of stack for everything.
    code=$(arm-none-eabi-size -t "$build/libpurse.a" | awk '/TOTALS/ { print $1 }')
    stack=$(awk '/^stack, / { if ($(NF - 1) > most) most = $(NF - 1) } END { print most }' "$build/said")
    [ "$code" -le 49152 ] && [ "$stack" -le 8192 ] || { echo "FAILED: code $code of 49152, stack $stack of 8192 bytes"; exit 1; }
    exit 0
fi
# What needs an operating system: the C interface's own test, and the verifier asked other people's vectors.
# shellcheck disable=SC2086
$run "$build/c_interface"
# shellcheck disable=SC2086
python3 sdk/sodium/tests/vectors.py tests/vectors/strict/signatures.json $run "$build/answer"
