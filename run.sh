#!/bin/sh
# Installs what is missing, builds, and starts the platform with a live demo. Arguments go to `jiaozi serve`:
#   ./run.sh                     the demo on http://127.0.0.1:8080, data in ./data
#   ./run.sh --port 9000         another port; `./run.sh --help` lists the rest
set -eu
cd "$(dirname "$0")"
tools/install.sh build
tools/build.sh release jiaozi
exec build/release/bin/jiaozi serve --demo "$@"
