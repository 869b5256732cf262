#!/usr/bin/env python3
"""Holds a build of the purse, for this machine or another, to the device profile and to its C interface.

    check_symbols.py LIBRARY SYMBOLS [NM]

What the library needs from outside may only be the memory functions that every C compiler may call by itself: no
allocation, no exceptions, no RTTI, no input or output, no floating point. What it offers under C names is exactly the
list.
"""
import pathlib
import subprocess
import sys

# The last three: what GCC's position-independent code and clang's WebAssembly name by themselves.
ALLOWED = {"memcpy", "memmove", "memset", "memcmp", "__stack_chk_fail",
           "_GLOBAL_OFFSET_TABLE_", "__stack_pointer", "__indirect_function_table"}


def names(nm, library, *options):
    lines = subprocess.run([nm, *options, library], check=True, capture_output=True, text=True).stdout.splitlines()
    return {line.split()[-1] for line in lines if line.strip() and not line.endswith(":")}


def main():
    library, listed = sys.argv[1], set(pathlib.Path(sys.argv[2]).read_text(encoding="utf-8").split())
    nm = sys.argv[3] if len(sys.argv) > 3 else "nm"
    defined = names(nm, library, "--defined-only")
    needed = names(nm, library, "-u") - defined
    offered = {name for name in defined if name.startswith("jz_")}
    wrong = [f"needs {name}, which a device may not have" for name in sorted(needed - ALLOWED)]
    wrong += [f"defines {name}: RTTI or exceptions" for name in sorted(defined) if name.startswith(("_ZTI", "_ZTS", "DW.ref"))]
    wrong += [f"offers {name}, which {sys.argv[2]} does not list" for name in sorted(offered - listed)]
    wrong += [f"does not offer {name}" for name in sorted(listed - offered)]
    if not listed or not defined:
        wrong.append("nothing to compare")
    print("\n".join(wrong) if wrong else f"{len(offered)} symbols as listed; needs only {', '.join(sorted(needed))}")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
