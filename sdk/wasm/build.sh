#!/bin/sh
# Builds dist/purse.wasm: sdk/wasm/build.sh [OBJECTS_FOLDER]. clang, lld and the WebAssembly libraries of Debian's clang-19.
# No start function, no heap: the memory has a fixed size, and what the module asks for is looked at after it is linked.
set -eu
cd "$(dirname "$0")/../.."
out=${1:-build/purse-wasm}
mkdir -p "$out" sdk/wasm/dist
flags="--target=wasm32-wasi -mbulk-memory -std=c++23 -Os -fno-exceptions -fno-rtti -ffunction-sections -fdata-sections -Isrc/purse/include -Isrc/purse/src
    -stdlib=libc++ -Wall -Wextra -Wconversion -Wshadow -Werror"
objects=
for source in src/purse/src/*.cpp sdk/wasm/module.cpp; do
    object=$out/$(basename "$source" .cpp).o
    objects="$objects $object"
    # shellcheck disable=SC2086  # the list is meant to be split
    $(command -v ccache || true) clang++-19 $flags -c "$source" -o "$object"
done
rm -f "$out/libpurse.a"
# shellcheck disable=SC2086
llvm-ar-19 rc "$out/libpurse.a" $(echo "$objects" | tr ' ' '\n' | grep -v 'module\.o')
# The stack is lowest, so that an overflow is a trap and not somebody's purse. Two pages in all, and never more.
# shellcheck disable=SC2046
clang++-19 --target=wasm32-wasi -nostartfiles -nodefaultlibs -o sdk/wasm/dist/purse.wasm "$out/module.o" "$out/libpurse.a" -lc \
    -Wl,--no-entry,--gc-sections,--strip-all,--stack-first,-z,stack-size=16384,--initial-memory=131072,--max-memory=131072 \
    $(sed 's/^/-Wl,--export=/' src/purse/tests/symbols.txt) \
    -Wl,--export=jz_wasm_platform,--export=jz_wasm_purse,--export=jz_wasm_in,--export=jz_wasm_out,--export=jz_wasm_struct
