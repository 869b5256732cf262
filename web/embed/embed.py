#!/usr/bin/env python3
"""Writes the built page into one C++ file: each file's bytes by the assembler's .incbin, plain and gzip-compressed.

Two runs over the same files give the same bytes: names are sorted and gzip's time stamp is zero.
"""
import argparse
import gzip
import hashlib
import pathlib

TYPES = {
    ".html": "text/html; charset=utf-8", ".js": "text/javascript; charset=utf-8", ".css": "text/css; charset=utf-8",
    ".svg": "image/svg+xml", ".png": "image/png", ".ico": "image/x-icon", ".json": "application/json",
    ".woff2": "font/woff2", ".txt": "text/plain; charset=utf-8", ".webmanifest": "application/manifest+json",
    ".wasm": "application/wasm",
}
# Workers that compile WebAssembly say so in their name; only they are served with the permission to.
WASM_WORKER = ".wasm.worker-"
BLOB = '''__asm__(".section .rodata\\n.global {name}\\n.global {name}_end\\n.balign 16\\n{name}:\\n.incbin \\"{path}\\"\\n{name}_end:\\n.byte 0\\n.previous\\n");
extern "C" const std::uint8_t {name}[];
extern "C" const std::uint8_t {name}_end[];
'''


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("dist", nargs="?", help="the folder Vite wrote; none writes an empty table")
    parser.add_argument("--out", required=True, type=pathlib.Path)
    options = parser.parse_args()
    packed = options.out / "packed"
    packed.mkdir(parents=True, exist_ok=True)
    blobs, rows = [], []
    root = pathlib.Path(options.dist) if options.dist else None
    files = sorted(path for path in root.rglob("*") if path.is_file()) if root else []
    for number, path in enumerate(files):
        content = path.read_bytes()
        squeezed = gzip.compress(content, 9, mtime=0)
        digest = hashlib.sha256(content).hexdigest()[:16]
        name = f"jiaozi_web_{number}"
        blobs.append(BLOB.format(name=name, path=path.resolve()))
        gz = "{}"
        if len(squeezed) < len(content) * 9 // 10:
            gz_path = packed / f"{number}.gz"
            gz_path.write_bytes(squeezed)
            blobs.append(BLOB.format(name=name + "_gz", path=gz_path.resolve()))
            gz = f"{{{name}_gz, static_cast<std::size_t>({name}_gz_end - {name}_gz)}}"
        relative = "/" + path.relative_to(root).as_posix()
        immutable = "true" if relative.startswith("/assets/") else "false"
        worker = "true" if WASM_WORKER in relative else "false"
        rows.append(f'    Asset{{"{relative}", "{TYPES.get(path.suffix, "application/octet-stream")}", "\\"{digest}\\"", '
                    f'{{{name}, static_cast<std::size_t>({name}_end - {name})}}, {gz}, {immutable}, {worker}}},')
    table = "\n".join(rows)
    body = (f"std::span<const Asset> assets() noexcept {{\n    static const Asset table[] = {{\n{table}\n    }};\n    return table;\n}}"
            if rows else "std::span<const Asset> assets() noexcept { return {}; }")
    (options.out / "assets.cpp").write_text(
        "// Written by web/embed/embed.py; do not edit.\n#include <jiaozi_web/assets.hpp>\n\n" + "".join(blobs) +
        "\nnamespace jiaozi::web {\n\n" + body + "\n\n}  // namespace jiaozi::web\n", encoding="utf-8")


if __name__ == "__main__":
    main()
