#!/bin/sh
# Puts the sources of libsodium 1.0.18 into FOLDER: sdk/sodium/fetch.sh FOLDER. Does nothing when they are there.
# They are Debian's source tarball, pinned by hash and brought by apt itself (its mirror, its proxy; no deb-src line and
# no root needed), with one correction. Ends with 77, and says so, where they can't be had.
set -eu
folder=${1:?usage: sdk/sodium/fetch.sh FOLDER}
here=$(CDPATH= cd -- "$(dirname -- "$0")" && pwd)
archive=libsodium_1.0.18.orig.tar.gz
sha256=d59323c6b712a1519a5daf710b68f5e7fde57040845ffec53850911f10a5d4f4
mkdir -p "$folder"
folder=$(CDPATH= cd -- "$folder" && pwd)
exec 9>"$folder/.lock"
flock 9
wanted=$(cat "$here/fetch.sh" "$here/main-subgroup.patch" | sha256sum)
[ "$(cat "$folder/.complete" 2>/dev/null)" != "$wanted" ] || exit 0

good() {
    echo "$sha256  $folder/$archive" | sha256sum --check --status 2>/dev/null
}
# Where this machine has its Debian packages from, and where everybody can have them.
mirror=$(apt-get download --print-uris libsodium-dev 2>/dev/null | sed -n "s|^'\(.*\)/[^/]*' .*|\1|p")
for place in $mirror http://deb.debian.org/debian/pool/main/libs/libsodium; do
    good && break
    /usr/lib/apt/apt-helper download-file "$place/$archive" "$folder/$archive" "SHA256:$sha256" >"$folder/log" 2>&1 || true
done
good || {
    tail -n 5 "$folder/log" >&2
    echo "SKIPPED: libsodium's sources could not be fetched; connect to a network, or put $archive into $folder"
    exit 77
}
rm -rf "$folder/source"
mkdir "$folder/source"
tar -xzf "$folder/$archive" -C "$folder/source" --strip-components=3 libsodium-1.0.18/src/libsodium
patch --quiet -p1 -d "$folder/source" <"$here/main-subgroup.patch"
# What configure would make of version.h.in.
sed -e 's/@VERSION@/1.0.18/' -e 's/@SODIUM_LIBRARY_VERSION_MAJOR@/10/' -e 's/@SODIUM_LIBRARY_VERSION_MINOR@/3/' \
    -e 's/@SODIUM_LIBRARY_MINIMAL_DEF@//' "$folder/source/include/sodium/version.h.in" >"$folder/source/include/sodium/version.h"
echo "$wanted" >"$folder/.complete"
