#!/bin/sh
# install.sh FOLDER: puts the pinned packages there, if they are not yet, and says where the node is. 77: they can't be had.
set -eu
out=$1
here=$(CDPATH= cd -- "$(dirname -- "$0")" && pwd)
command -v npm >/dev/null || { echo "SKIPPED: npm is not installed (./test.sh installs it)" >&2; exit 77; }
mkdir -p "$out"
cd "$out"
if ! cmp -s "$here/package-lock.json" node_modules/.installed 2>/dev/null; then
    cp "$here/package.json" "$here/package-lock.json" .
    npm ci --no-audit --no-fund --ignore-scripts --loglevel=error >&2 ||
        { echo "SKIPPED: the packages of tests/anchors can't be installed" >&2; exit 77; }
    cp "$here/package-lock.json" node_modules/.installed
fi
# The program itself: the package's own starter wants a newer Node than Debian has.
anvil=$(ls node_modules/@foundry-rs/anvil-*/bin/anvil 2>/dev/null | head -n 1)
[ -n "$anvil" ] && "$anvil" --version >/dev/null 2>&1 || { echo "SKIPPED: there is no anvil for this machine" >&2; exit 77; }
echo "$out/$anvil"
