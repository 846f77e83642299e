#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""A law: the house's words (house.md 1) in our own names, no unfinished marks, a licence line in every file of code."""
import re
import subprocess
import sys

from rooms import TOP

# Names of functions, structs and files of ours may not use the words on the right of house.md 1.
WRONG = {"visitor": "customer", "sku": "item", "widget": "placement", "touchpoint": "channel", "rating": "feedback",
         "util": "a better word", "utils": "a better word", "helper": "a better word", "helpers": "a better word"}
UNFINISHED = re.compile(r"\b(TODO|FIXME|XXX)\b")
NAME = re.compile(r"^[A-Za-z_][\w \*]*?\b(\w+)\(|^(?:struct|enum) (\w+) \{")


def main():
    faults = []
    listed = subprocess.run(["git", "ls-files"], cwd=TOP, capture_output=True, text=True, check=True).stdout.split()
    for name in listed:
        if not name.startswith(("src/", "tools/", "web/", "tests/", "bench/")) or not name.endswith((".c", ".h", ".cpp", ".py")):
            continue
        path = TOP / name
        if not path.exists():
            continue
        text = path.read_text(errors="replace")
        if "SPDX-License-Identifier: Apache-2.0" not in text[:200]:
            faults.append(f"{name}:1: the licence line is missing")
        for number, line in enumerate(text.splitlines(), 1):
            if UNFINISHED.search(line) and name not in ("tools/check_words.py",):
                faults.append(f"{name}:{number}: an unfinished mark; finish it or open an issue")
            found = NAME.match(line) if name.startswith("src/") else None
            for word in (found[1] or found[2] or "").split("_") if found else []:
                if word in WRONG:
                    faults.append(f"{name}:{number}: our word for {word} is {WRONG[word]}")
    print("\n".join(faults) if faults else f"{len(listed)} files, every word the house's own")
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
