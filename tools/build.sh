#!/bin/sh
# Configures and builds a preset: tools/build.sh PRESET [TARGET...]. Incremental; prints only progress and errors.
set -eu
cd "$(dirname "$0")/.."
preset=$1
shift
[ -f "build/$preset/build.ninja" ] || cmake --preset "$preset" >"/tmp/jiaozi-configure.$$" 2>&1 || {
    cat "/tmp/jiaozi-configure.$$" >&2
    rm -f "/tmp/jiaozi-configure.$$"
    exit 1
}
rm -f "/tmp/jiaozi-configure.$$"
echo "jiaozi: building ($preset); the first time takes some minutes"
if [ $# -gt 0 ]; then
    cmake --build "build/$preset" --target "$@"
else
    cmake --build "build/$preset"
fi
