#!/bin/sh
# The purse as a WebAssembly module and npm package: sdk/wasm/test.sh BUILD_FOLDER PEER. Makes it, looks at what it asks for,
# and runs its tests in Node; PEER is the host program's purse (tests/peer.cpp). Ends with 77, loudly, where a tool or a network is missing.
set -eu
cd "$(dirname "$0")"
build=$1
./package.sh "$build"
for tool in llvm-nm-19 python3; do
    command -v "$tool" >/dev/null 2>&1 || { echo "SKIPPED: $tool is missing; run tools/install.sh test"; exit 77; }
done
python3 ../../src/purse/tests/check_symbols.py "$build/libpurse.a" ../../src/purse/tests/symbols.txt llvm-nm-19
echo "purse.wasm: $(stat -c %s dist/purse.wasm) bytes"
JIAOZI_PURSE_PEER=$2 node --test tests/*.test.mjs
