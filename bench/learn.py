#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""How long do import and training take on the recorded year, and how much memory? Import against the bare reading of
the same file (zstd -dc), training as it is: it has no limit but the processor's."""
import os
import pathlib
import shutil
import subprocess
import tempfile
import time

import harness


def main():
    data = pathlib.Path(tempfile.mkdtemp(prefix="falun-bench-"))
    lines_file = harness.RECORDED / "transactions.csv.zst"
    began = time.monotonic()
    read = subprocess.run(["zstd", "-dcq", str(lines_file)], capture_output=True, check=True).stdout
    lines, bare = read.count(b"\n") - 1, time.monotonic() - began
    mapping = harness.RECORDED / "complete_journey.map"
    items = harness.timed([harness.FALUN, "import", "--data", data, "--kind", "items", "--map", mapping,
                           harness.RECORDED / "products.csv.zst"])
    receipts = harness.timed([harness.FALUN, "import", "--data", data, "--kind", "receipts", "--map", mapping,
                              "--shift-to", harness.yesterday(), lines_file])
    train = harness.timed([harness.FALUN, "train", "--once", "--data", data])
    disk = sum(f.stat().st_size for f in data.rglob("*") if f.is_file())
    rate = lines / receipts["seconds"]
    harness.show("import and training (complete_journey, one year of tills)", [
        ("catalogue", f"{items['seconds']:.1f} s", "", ""),
        (f"{lines:,} till lines", f"{rate:,.0f} lines/s, {receipts['seconds']:.1f} s", f"zstd -dc {lines / bare:,.0f} lines/s",
         f"{rate * bare / lines:.0%}"),
        ("peak memory of import", f"{receipts['peakBytes'] / 2**20:,.0f} MiB", "", ""),
        ("on disk after import", f"{disk / 2**20:,.0f} MiB", f"{len(read) / 2**20:,.0f} MiB as CSV", f"{disk / len(read):.0%}"),
        ("training", f"{train['seconds']:.1f} s", f"{os.cpu_count()} cores", ""),
        ("peak memory of training", f"{train['peakBytes'] / 2**20:,.0f} MiB", "", ""),
    ])
    shutil.rmtree(data, ignore_errors=True)


if __name__ == "__main__":
    main()
