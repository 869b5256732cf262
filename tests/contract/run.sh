#!/bin/sh
# run.sh lint|webhook BUILD_FOLDER: installs the pinned packages there if they are not yet, and runs one check.
set -eu
check=$1
out=$2
here=$(cd "$(dirname "$0")" && pwd)
mkdir -p "$out"
cd "$out"
if ! cmp -s "$here/package-lock.json" node_modules/.installed 2>/dev/null; then
    cp "$here/package.json" "$here/package-lock.json" .
    npm ci --no-audit --no-fund --ignore-scripts --loglevel=error
    cp "$here/package-lock.json" node_modules/.installed
fi
case $check in
lint)
    REDOCLY_SUPPRESS_UPDATE_NOTICE=true REDOCLY_TELEMETRY=off \
        node_modules/.bin/redocly lint --config "$here/redocly.yaml" "$here/../../docs/openapi.yaml"
    ;;
webhook)
    cp "$here/verify_webhook.cjs" .
    node verify_webhook.cjs
    ;;
*)
    echo "usage: run.sh lint|webhook BUILD_FOLDER" >&2
    exit 2
    ;;
esac
