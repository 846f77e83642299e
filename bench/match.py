#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Are the rows of a customer file matched well? `falun match` on the two recorded sets that have a truth, against their bars
(evaluation.md 7), with the same defaults for both.

    match.py [--only NAME]... [--json FILE]

Sets are looked for in $FALUN_DATA, else ../shared/data; absent ones are named and skipped. A command says which column is
what and nothing else. A bar that is missed ends it with 1."""
import argparse
import json
import os
import pathlib
import subprocess
import sys
import time

import harness

DATA = pathlib.Path(os.environ.get("FALUN_DATA", harness.TOP.parent / "shared/data"))

# name, file, columns, bars: (what, where in the last line, must, stretch)
SETS = [
    ("febrl3_people", "febrl3_people/dataset3.csv.gz",
     ["--id", "rec_id", "--truth", "rec_id", "--truth-digits", "--fields",
      "name=given_name,surname=surname,date=date_of_birth,id=soc_sec_id,place=suburb,postcode=postcode,"
      "address=address_1,address=address_2,text=street_number,text=state"], [
         ("F1 of pairs", ("beforeClosure", "f1"), .998, .9985),
         ("F1 after closure", ("afterClosure", "f1"), .998, .9995)]),
    ("people50k_match", "people50k_match/people.csv.gz",
     ["--id", "unique_id", "--truth", "cluster", "--fields",
      "name=first_name,surname=surname,date=dob,place=birth_place,postcode=postcode_fake,text=occupation"], [
         ("precision", ("afterClosure", "precision"), .98, None),
         ("recall", ("afterClosure", "recall"), .60, None),
         ("F1 after closure", ("afterClosure", "f1"), None, .85)]),
]


def run(path, columns):
    """Gives the last line's object with seconds and peakBytes."""
    began = time.monotonic()
    process = subprocess.Popen([str(harness.FALUN), "match", "--records", str(path), *columns], stdout=subprocess.PIPE,
                               stderr=subprocess.PIPE, text=True)
    text, said = process.stdout.read(), process.stderr.read()
    _, status, used = os.wait4(process.pid, 0)
    lines = text.strip().splitlines()
    if status != 0 or not lines or not lines[-1].startswith("{"):
        raise SystemExit(f"falun match failed: {(said.strip().splitlines() or [f'exit {status}'])[-1]}")
    return json.loads(lines[-1]) | {"seconds": round(time.monotonic() - began, 1), "peakBytes": used.ru_maxrss * 1024}


def mark(value, must, stretch):
    if stretch is not None and value >= stretch:
        return "stretch"
    return "" if must is None else "must" if value >= must else "MISSED"


def main():
    words = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    words.add_argument("--only", action="append", metavar="NAME", help="this set alone (may be said again)")
    words.add_argument("--json", metavar="FILE", help="all last lines, by set")
    asked = words.parse_args()
    results, missed = {}, 0
    print(f"{'set':<20}{'metric':<20}{'must':>8}{'stretch':>9}{'ours':>9}  reached")
    for name, file, columns, bars in SETS:
        if asked.only and name not in asked.only:
            continue
        if not (DATA / file).exists():
            print(f"{name:<20}skipped: no {DATA / file}")
            continue
        result = results[name] = run(DATA / file, columns)
        for what, (part, key), must, stretch in bars:
            value = result[part][key]
            missed += must is not None and value < must
            print(f"{name:<20}{what:<20}{must or '':>8}{stretch or '':>9}{value:>9.4f}  {mark(value, must, stretch)}")
        print(f"{'':<20}{result['rows']:,} rows, {result['pairs']:,} pairs looked at, handed over {result['doubtful']:,} doubtful, "
              f"{result['household']:,} household, {result['guarded']:,} guarded; {result['seconds']} s, "
              f"{result['peakBytes'] / 2**20:,.0f} MiB")
    if asked.json:
        pathlib.Path(asked.json).write_text(json.dumps(results, indent=1) + "\n")
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())
