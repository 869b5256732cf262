#!/usr/bin/env python3
"""Puts docs/openapi.yaml (as JSON) and docs/errors.md into the program.

Writes one C++ file, with the documents as numbers: compilers need not take string literals over 65,536 bytes.
"""
import argparse
import json
import pathlib

import yaml


def numbers(text):
    data = text.encode("utf-8")
    return "\n".join("    " + ",".join(map(str, data[at:at + 40])) + "," for at in range(0, len(data), 40))


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
constexpr unsigned char openapi[] = {{
{numbers(document)}
}};
constexpr unsigned char errors[] = {{
{numbers(errors)}
}};
}}  // namespace

std::string_view openapi_json() noexcept {{ return {{reinterpret_cast<const char*>(openapi), sizeof openapi}}; }}
std::string_view errors_page() noexcept {{ return {{reinterpret_cast<const char*>(errors), sizeof errors}}; }}
}}  // namespace jiaozi::http
""", encoding="utf-8")


if __name__ == "__main__":
    main()
