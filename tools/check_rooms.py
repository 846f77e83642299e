#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The first test: every include follows the arrows of src/rooms.txt, and sealed bytes stay sealed.

Prints one line a fault, FILE:LINE: what is wrong and what to do; ends with 1 if there was any."""
import re
import sys

from rooms import TOP, read_rooms

INCLUDE = re.compile(r'^\s*#\s*include\s+"([^"/]+)/([^"]+)"')
# Only these may look inside sealed bytes (house.md 4.5).
MAY_UNSEAL = ("storage", "consent", "profile", "picture")
# No weather indoors (house.md 4.3): rooms from event to decide, storage apart, ask the system for nothing.
PURE = ("event", "catalog", "identity", "consent", "profile", "picture", "model", "decide", "ingest", "learn")
WEATHER = re.compile(r"\b(malloc|calloc|realloc|time|clock_gettime|gettimeofday|fopen|open|printf|fprintf|rand|random|"
                     r"pthread_create|getenv)\s*\(")
# The one exception: the catalogue's records outlive every request (base/publish.h frees them), so no arena can hold them.
OWNS_MEMORY = {"src/catalog/catalog.c": ("malloc",)}


def check(path, room, rooms):
    faults = []
    is_test = path.stem.endswith(("_test", "_fuzz", "_bench")) or path.name in ("test.c", "test.h")
    for number, line in enumerate(path.read_text().splitlines(), 1):
        where = f"{path.relative_to(TOP)}:{number}"
        found = INCLUDE.match(line)
        if found and found[1] != room and found[1] not in rooms.get(room, []):
            faults.append(f"{where}: {room} may not include {found[1]}: see src/rooms.txt, redraw before adding an arrow")
        if found and not (TOP / "src" / found[1] / found[2]).exists():
            faults.append(f"{where}: there is no src/{found[1]}/{found[2]}")
        code = re.sub(r"/\*.*?\*/|\"(\\.|[^\"])*\"", "", line)
        if is_test or line.lstrip().startswith(("*", "/*")):
            continue
        if re.search(r"(\.|->)hidden\b", code) and room not in MAY_UNSEAL:
            faults.append(f"{where}: sealed bytes are opened by profile_open and a pass only")
        weather = room in PURE and WEATHER.search(code)
        if weather and weather[1] not in OWNS_MEMORY.get(str(path.relative_to(TOP)), ()):
            faults.append(f"{where}: no weather indoors: {weather[1]} is an argument in room {room}")
    return faults


def main():
    rooms = read_rooms()
    faults = []
    for folder in sorted(p for p in (TOP / "src").iterdir() if p.is_dir()):
        if folder.name not in rooms:
            faults.append(f"src/{folder.name}: no such room in src/rooms.txt")
            continue
        for path in sorted(folder.iterdir()):
            if path.suffix in (".c", ".h", ".cpp"):
                if "SPDX-License-Identifier: Apache-2.0" not in path.read_text()[:200]:
                    faults.append(f"{path.relative_to(TOP)}:1: the licence line is missing")
                faults += check(path, folder.name, rooms)
    print("\n".join(faults) if faults else f"{len(rooms)} rooms, every arrow points one way")
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
