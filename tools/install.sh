#!/bin/sh
# Installs what is missing: tools/install.sh build [test] [lint]. Quiet and fast when nothing is.
# Needs Debian 12 and root or sudo; asks for neither when everything is there.
set -eu
here=$(CDPATH= cd -- "$(dirname -- "$0")" && pwd)

missing=
for need in "$@"; do
    for package in $(sed -n "s/^$need //p" "$here/packages.txt"); do
        dpkg-query -W -f='${db:Status-Status}\n' "$package" 2>/dev/null | grep -qx installed || missing="$missing $package"
    done
done
# Node may come from elsewhere; Debian's own is used only where there is none.
command -v node >/dev/null 2>&1 || missing="$missing nodejs"
command -v npm >/dev/null 2>&1 || missing="$missing npm"
# So may cargo, if it is not too old; Debian's is the one that its browsers are built with.
cargo_is_new() {
    version=$(cargo --version 2>/dev/null | sed -n 's/^cargo \([0-9]*\)\.\([0-9]*\).*/\1 \2/p')
    [ -n "$version" ] && [ "${version% *}" -ge 1 ] && { [ "${version% *}" -gt 1 ] || [ "${version#* }" -ge 85 ]; }
}
cargo_is_new || missing="$missing cargo-web rustc-web"
[ -n "$missing" ] || exit 0

as_root=
if [ "$(id -u)" -ne 0 ]; then
    command -v sudo >/dev/null 2>&1 || {
        echo "jiaozi: these packages are missing and neither root nor sudo is here to install them:$missing" >&2
        exit 1
    }
    as_root=sudo
fi
command -v apt-get >/dev/null 2>&1 || {
    echo "jiaozi: this is not a Debian system; install the equivalents of:$missing" >&2
    exit 1
}
echo "jiaozi: installing$missing"
log=$(mktemp)
trap 'rm -f "$log"' EXIT
# shellcheck disable=SC2086  # the list is meant to be split
if ! { $as_root apt-get update && $as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends $missing; } >"$log" 2>&1; then
    tail -n 30 "$log" >&2
    echo "jiaozi: installing packages failed; the lines above are apt-get's" >&2
    exit 1
fi
