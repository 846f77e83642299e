#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Laws of the text: the house's words in our own names, a licence line in every file of code, no unfinished marks, no
paths of somebody's machine; the documents name files that exist, and a kept promise is cited in code and in a test.

Prints one line a fault, FILE:LINE: what is wrong; ends with 1 if there was any."""
import re
import subprocess
import sys

from rooms import TOP

# Names of functions, structs and files of ours may not use the words on the left; ours is on the right.
WRONG = {"visitor": "customer", "user": "customer, or who calls", "sku": "item", "widget": "placement",
         "recommendation": "decision", "touchpoint": "channel", "rating": "feedback",
         "attribute": "fact or feature", "cohort": "segment", "util": "a better word", "utils": "a better word",
         "helper": "a better word", "helpers": "a better word"}
# What a request carries for its server: a word of libuv and llhttp.
WRONG_BUT = {"http_server_set_user"}
UNFINISHED = re.compile(r"\b(TODO|FIXME|XXX)\b")
MACHINE = re.compile(r"(^|[^A-Za-z0-9_.])/(home|work|farm|Users)/[a-z]")
NAME = re.compile(r"^[A-Za-z_][\w \*]*?\b(\w+)\(|^(?:struct|enum|union) (\w+) \{")
CODE = (".c", ".h", ".cpp", ".py", ".sh", ".ts", ".tsx", ".js", ".mjs", ".css")
CODE_FILES = ("Makefile", "meson.build", "meson_options.txt", "tools/setup", ".ci/run")
# A file named in a document, between backticks: from the top, or from src/ as includes are written.
NAMED = re.compile(r"`([A-Za-z0-9_.\-]+(?:/[A-Za-z0-9_.\-]+)+/?|[A-Z]+\.md)`")
DOCUMENTS = ("README.md", "ARCHITECTURE.md", "HACKING.md", "STYLE.md", "NOTICE", "docs/", "bench/README.md", "tests/")


def tracked():
    """Gives the paths in git; of a tree without git (a tarball), every file outside build folders."""
    ran = subprocess.run(["git", "-c", "safe.directory=*", "ls-files"], cwd=TOP, capture_output=True, text=True, check=False)
    if ran.returncode == 0 and ran.stdout:
        return [name for name in ran.stdout.splitlines() if (TOP / name).is_file()]
    found = (path.relative_to(TOP) for path in sorted(TOP.rglob("*")) if path.is_file())
    return [str(path) for path in found if not path.parts[0].startswith(("build", ".git", "falun-")) and "node_modules" not in path.parts]


def check_code(name, text):
    faults = []
    if "SPDX-License-Identifier: Apache-2.0" not in text[:300]:
        faults.append(f"{name}:1: the licence line is missing")
    for number, line in enumerate(text.splitlines(), 1):
        if UNFINISHED.search(line) and name != "tools/check_words.py":
            faults.append(f"{name}:{number}: an unfinished mark; finish it or open an issue")
        found = NAME.match(line) if name.startswith("src/") else None
        symbol = (found[1] or found[2]) if found else ""
        for word in symbol.split("_") if symbol not in WRONG_BUT else []:
            if word in WRONG:
                faults.append(f"{name}:{number}: in {symbol}: our word for {word} is {WRONG[word]}")
    return faults


def check_document(name, text, names):
    faults = []
    folders = {"/".join(n.split("/")[:i]) for n in names for i in range(1, n.count("/") + 1)}
    roots = {n.split("/")[0] for n in names if "/" in n} | {n.split("/")[1] for n in names if n.startswith("src/") and n.count("/") == 2}
    for number, line in enumerate(text.splitlines(), 1):
        for said in NAMED.findall(line):
            path = said.rstrip("/")
            if "/" in path and path.split("/")[0] not in roots:
                continue # a path of the API, of the data directory, of a URL
            near = {path, f"src/{path}", f"{'/'.join(name.split('/')[:-1])}/{path}"}
            if not near & set(names) and not near & folders:
                faults.append(f"{name}:{number}: there is no {said}")
    return faults


def check_promises(texts):
    """docs/promises.md: a section `## P7. ...` that says **Kept** must be cited by code and by a test."""
    page = "docs/promises.md"
    faults = []
    if page not in texts:
        return [f"{page}: the page of promises is missing"]
    sections = re.split(r"^## (P\d+)\b", texts[page], flags=re.M)[1:]
    told = dict(zip(sections[::2], sections[1::2]))
    cited = {kind: set() for kind in ("code", "test")}
    for name, text in texts.items():
        is_test = name.startswith("tests/") or re.search(r"_(test|fuzz)\.c$", name)
        if name.startswith("src/") or is_test:
            cited["test" if is_test else "code"] |= set(re.findall(r"\bP(?:10|[1-9])\b", text))
    for promise in (f"P{n}" for n in range(1, 11)):
        if promise not in told:
            faults.append(f"{page}: {promise} has no section")
        elif "**Kept" in told[promise]:
            faults += [f"{page}: {promise} is said to be kept, but no {kind} cites it" for kind in cited if promise not in cited[kind]]
    return faults


def main():
    names = tracked()
    texts, faults = {}, []
    for name in names:
        if name.endswith(CODE) or name in CODE_FILES or name.endswith(".md") or name == "NOTICE":
            texts[name] = (TOP / name).read_text(errors="replace")
    for name, text in texts.items():
        if name.endswith(CODE) or name in CODE_FILES:
            faults += check_code(name, text)
        if name.startswith(DOCUMENTS):
            faults += check_document(name, text, names)
        faults += [f"{name}:{number}: a path of somebody's machine" for number, line in enumerate(text.splitlines(), 1)
                   if MACHINE.search(line) and name != "tools/check_words.py"]
    faults += check_promises(texts)
    print("\n".join(faults) if faults else f"{len(texts)} files, every word the house's own")
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
