#!/bin/sh
# Runs one functional test in a Python environment of its own: run.sh PROGRAM TEST [ARGUMENT...]. 77: skipped.
set -eu
here=$(CDPATH= cd -- "$(dirname -- "$0")" && pwd)
program=$(realpath "$1") test=$2
shift 2
for tool in curl mosquitto_pub mosquitto_sub mosquitto python3; do
    PATH=$PATH:/usr/sbin command -v "$tool" >/dev/null || { echo "SKIPPED: $tool is not installed (./test.sh installs it)"; exit 77; }
done
venv=$here/../../build/venv
# Two tests may start at once; the one that gets the lock makes the environment.
mkdir -p "$(dirname "$venv")"
(
    flock 9
    if ! cmp -s "$here/requirements.txt" "$venv/requirements.txt"; then
        /usr/bin/python3 -m venv --clear "$venv"
        "$venv/bin/pip" install --quiet --disable-pip-version-check -r "$here/requirements.txt"
        cp "$here/requirements.txt" "$venv/requirements.txt"
    fi
) 9>"$venv.lock"
cd "$here"
exec "$venv/bin/python" -B "$test" "$program" "$@"
