#!/usr/bin/env python3
"""Puts docs/openapi.yaml (as JSON) and docs/errors.md into the program.

Writes one C++ file. String literals are cut into pieces because compilers limit their length.
"""
import argparse
import json
import pathlib

import yaml


def literal(text):
    data = text.encode("utf-8")
    pieces = []
    for start in range(0, len(data), 8000):
        piece = data[start:start + 8000]
        escaped = "".join(chr(b) if 32 <= b < 127 and b not in (34, 92, 63) else f"\\{b:03o}" for b in piece)
        pieces.append(f'    "{escaped}"')
    return "\n".join(pieces)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--openapi", required=True, type=pathlib.Path)
    parser.add_argument("--errors", required=True, type=pathlib.Path)
    parser.add_argument("--out", required=True, type=pathlib.Path)
    options = parser.parse_args()
    document = json.dumps(yaml.safe_load(options.openapi.read_text(encoding="utf-8")), ensure_ascii=False, separators=(",", ":"))
    errors = options.errors.read_text(encoding="utf-8")
    options.out.write_text(f"""// Made by src/http/embed/embed.py.
#include <jiaozi/http/api.hpp>

namespace jiaozi::http {{
namespace {{
constexpr char openapi[] =
{literal(document)};
constexpr char errors[] =
{literal(errors)};
}}  // namespace

std::string_view openapi_json() noexcept {{ return {{openapi, sizeof openapi - 1}}; }}
std::string_view errors_page() noexcept {{ return {{errors, sizeof errors - 1}}; }}
}}  // namespace jiaozi::http
""", encoding="utf-8")


if __name__ == "__main__":
    main()
