#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Reads src/rooms.txt and lists rooms, their arrows and their files: what meson.build asks.

    rooms.py rooms            the rooms, in the order of the street
    rooms.py arrows ROOM      the rooms that ROOM may include
    rooms.py sources ROOM     its code;  tests ROOM, fuzz ROOM, bench ROOM likewise
    rooms.py conform          the programs in tests/conform
"""
import pathlib
import sys

TOP = pathlib.Path(__file__).resolve().parent.parent


def read_rooms():
    """Gives {room: [rooms it may include]} in the order of the file; raises ValueError on a bad line."""
    rooms = {}
    for number, line in enumerate((TOP / "src/rooms.txt").read_text().splitlines(), 1):
        line = line.split("#")[0].strip()
        if not line:
            continue
        room, colon, arrows = line.partition(":")
        if not colon:
            raise ValueError(f"src/rooms.txt:{number}: write `room: rooms it may include`")
        arrows = arrows.split()
        for arrow in arrows:
            if arrow not in rooms:
                raise ValueError(f"src/rooms.txt:{number}: {room} names {arrow}, which is not written above it")
        rooms[room.strip()] = arrows
    return rooms


def files(room, kind):
    """Gives the room's files of one kind, sorted, as paths from the top."""
    special = ("_test", "_fuzz", "_bench")
    found = []
    for path in sorted((TOP / "src" / room).glob("*.c*")):
        if path.suffix not in (".c", ".cpp") or path.name == "test.c":
            continue
        ending = next((s for s in special if path.stem.endswith(s)), "")
        if ending == {"sources": "", "tests": "_test", "fuzz": "_fuzz", "bench": "_bench"}[kind]:
            found.append(str(path.relative_to(TOP)))
    return found


def main(words):
    if words[:1] == ["rooms"]:
        print("\n".join(read_rooms()))
    elif words[:1] == ["arrows"]:
        print(" ".join(read_rooms()[words[1]]))
    elif words[:1] == ["conform"]:
        print(" ".join(str(p.relative_to(TOP)) for p in sorted((TOP / "tests/conform").glob("*.c"))))
    elif len(words) == 2 and words[0] in ("sources", "tests", "fuzz", "bench"):
        print(" ".join(files(words[1], words[0])))
    else:
        sys.exit(__doc__)


if __name__ == "__main__":
    main(sys.argv[1:])
