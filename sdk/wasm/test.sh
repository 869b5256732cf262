#!/bin/sh
# The purse as a WebAssembly module and npm package: sdk/wasm/test.sh BUILD_FOLDER PEER. Builds it, looks at what it asks for,
# and runs its tests in Node; PEER is the host program's purse (tests/peer.cpp). Ends with 77, loudly, where a tool or a network is missing.
set -eu
cd "$(dirname "$0")"
build=$1
for tool in clang++-19 wasm-ld-19 llvm-ar-19 llvm-nm-19 node npm python3; do
    command -v "$tool" >/dev/null 2>&1 || { echo "SKIPPED: $tool is missing; run tools/install.sh test"; exit 77; }
done
[ -e /usr/include/wasm32-wasi/string.h ] && [ -e /usr/lib/llvm-19/include/wasm32-wasi/c++/v1/span ] ||
    { echo "SKIPPED: wasi-libc or libc++-19-dev-wasm32 is missing; run tools/install.sh test"; exit 77; }
mkdir -p "$build"
stamp=$build/packages
if ! sha256sum package.json package-lock.json | cmp -s - "$stamp" || [ ! -d node_modules ]; then
    npm ci --no-audit --no-fund --loglevel=error >"$build/log" 2>&1 || {
        cat "$build/log"
        echo "SKIPPED: npm could not install the packages of package-lock.json (above); connect to a registry"
        exit 77
    }
    sha256sum package.json package-lock.json >"$stamp"
fi
npx --no-install tsc
./build.sh "$build"
python3 ../../src/purse/tests/check_symbols.py "$build/libpurse.a" ../../src/purse/tests/symbols.txt llvm-nm-19
echo "purse.wasm: $(stat -c %s dist/purse.wasm) bytes"
JIAOZI_PURSE_PEER=$2 node --test tests/*.test.mjs
