#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Makes demo/recorded/*.csv.zst from the data set complete_journey: the columns that the demo needs,
rows in their original order, nothing else changed.

    tools/make_demo_data.py [FOLDER]

FOLDER holds transactions.csv.gz, products.csv.gz and demographics.csv.gz; default:
$FALUN_DATA/complete_journey. Needs the command `zstd`. The files are kept in the tree, so this is run
only to make them again; the same input gives the same rows."""
import csv
import gzip
import os
import pathlib
import subprocess
import sys

TOP = pathlib.Path(__file__).resolve().parent.parent
COLUMNS = {
    "transactions": ("household_id", "store_id", "basket_id", "product_id", "quantity", "sales_value",
                     "transaction_timestamp"),
    "products": ("product_id", "department", "brand", "product_category", "product_type", "package_size"),
    "demographics": ("household_id", "age", "income", "home_ownership", "marital_status", "household_size",
                     "household_comp", "kids_count"),
}


def make(folder, name):
    """Writes one file; gives the number of its rows."""
    target = TOP / "demo/recorded" / f"{name}.csv.zst"
    target.parent.mkdir(parents=True, exist_ok=True)
    # --long: receipts of one household lie far apart; a window of 128 MiB is the most that readers
    # accept without an option.
    command = ["zstd", "-q", "-f", "-19", "--long=27", "-o", str(target)]
    rows = 0
    with gzip.open(folder / f"{name}.csv.gz", "rt", encoding="utf-8", newline="") as came, \
            subprocess.Popen(command, stdin=subprocess.PIPE, text=True, encoding="utf-8") as packer:
        reader = csv.reader(came)
        heads = next(reader)
        absent = [column for column in COLUMNS[name] if column not in heads]
        if absent:
            sys.exit(f"{folder / name}.csv.gz has no column {', '.join(absent)}: is this complete_journey?")
        places = [heads.index(column) for column in COLUMNS[name]]
        writer = csv.writer(packer.stdin, lineterminator="\n")
        writer.writerow(COLUMNS[name])
        for row in reader:
            writer.writerow([row[place] for place in places])
            rows += 1
        packer.stdin.close()
        if packer.wait():
            sys.exit(f"zstd failed with {packer.returncode}: is the package zstd installed and the disk not full?")
    print(f"{target.relative_to(TOP)}: {rows} rows, {target.stat().st_size} bytes")
    return rows


def main(words):
    data = os.environ.get("FALUN_DATA")
    if len(words) > 1 or (not words and not data):
        sys.exit(__doc__)
    folder = pathlib.Path(words[0]) if words else pathlib.Path(data) / "complete_journey"
    if not (folder / "transactions.csv.gz").exists():
        sys.exit(f"{folder}/transactions.csv.gz is not there: give the folder of complete_journey")
    for name in COLUMNS:
        make(folder, name)


if __name__ == "__main__":
    main(sys.argv[1:])
