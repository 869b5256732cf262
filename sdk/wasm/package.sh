#!/bin/sh
# Makes the npm package in place: sdk/wasm/package.sh BUILD_FOLDER [--or-without]. Installs what package-lock.json names, compiles the
# TypeScript and the module; does nothing while nothing has changed. What the page (web/) and the tests use is this package.
# Ends with 77 and a loud line where a tool or a registry is missing. --or-without: where only the C++ side is missing, the package is made
# with an empty module, which the page then says; for systems that have no WebAssembly libraries.
set -eu
cd "$(dirname "$0")"
mkdir -p "$1"
build=$(cd "$1" && pwd)
for tool in node npm; do
    command -v "$tool" >/dev/null 2>&1 || { echo "SKIPPED: $tool is missing; run tools/install.sh build"; exit 77; }
done
missing=
for tool in clang++-19 wasm-ld-19 llvm-ar-19; do command -v "$tool" >/dev/null 2>&1 || missing="$missing $tool"; done
[ -e /usr/include/wasm32-wasi/string.h ] || missing="$missing wasi-libc"
[ -e /usr/lib/llvm-19/include/wasm32-wasi/c++/v1/span ] || missing="$missing libc++-19-dev-wasm32"
if [ -n "$missing" ] && [ "${2:-}" != --or-without ]; then
    echo "SKIPPED: missing:$missing; run tools/install.sh build"
    exit 77
fi

inputs=$(find src ../../src/purse/src ../../src/purse/include -type f | LC_ALL=C sort | xargs sha256sum package.json package-lock.json tsconfig.json module.cpp build.sh package.sh | sha256sum)
if [ -z "$missing" ] && [ -d node_modules ] && [ -s dist/purse.wasm ] && [ -e "$build/libpurse.a" ] && [ "$(cat .inputs 2>/dev/null)" = "$inputs" ]; then exit 0; fi
rm -f .inputs
stamp=$build/packages
if [ ! -d node_modules ] || ! sha256sum package.json package-lock.json | cmp -s - "$stamp"; then
    npm ci --no-audit --no-fund --loglevel=error >"$build/log" 2>&1 || {
        cat "$build/log"
        echo "SKIPPED: npm could not install the packages of package-lock.json (above); connect to a registry"
        exit 77
    }
    sha256sum package.json package-lock.json >"$stamp"
fi
npx --no-install tsc
if [ -n "$missing" ]; then
    echo "******** jiaozi: the page is built WITHOUT the offline purse: missing:$missing (Debian 12: tools/install.sh build) ********" >&2
    : >dist/purse.wasm
    exit 0
fi
./build.sh "$build"
echo "$inputs" >.inputs
