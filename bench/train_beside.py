#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Do decisions get slower while a training runs? They may, by a fifth at p99, not more.

The server answers decisions on the recorded data, in turn without and with `falun train` on the same machine and directory;
both with 16 connections, as fast as they come (the processor is full: what the trainer gets, decisions lose), and with 2
(cores are free: what the trainer disturbs is caches and memory). Medians of ROUNDS turns each; the trainer's peak memory."""
import glob
import pathlib
import shutil
import statistics
import subprocess
import sys
import time

import decide
import harness

ROUNDS, SECONDS = 3, 6


def begin_training(data):
    """A trainer that is past reading and still choosing settings."""
    trainer = subprocess.Popen([str(harness.FALUN), "train", "--data", str(data), "--minutes", "60"], stdout=subprocess.DEVNULL,
                               stderr=subprocess.PIPE, text=True)
    for line in trainer.stderr:
        if line.startswith("learning from"):
            return trainer
    sys.exit(f"the trainer ended with {trainer.wait()} before it began")


def end_training(trainer, data):
    peak = 0
    for line in pathlib.Path(f"/proc/{trainer.pid}/status").read_text().splitlines():
        peak = int(line.split()[1]) * 1024 if line.startswith("VmHWM:") else peak
    was_running = trainer.poll() is None
    trainer.terminate()
    trainer.wait(30)
    for left in glob.glob(f"{data}/spool/checkpoint-*"):
        shutil.rmtree(left, ignore_errors=True)
    if not was_running:
        sys.exit("the trainer ended while it was measured beside: not a measurement")
    return peak


def main():
    data, is_temporary = harness.recorded_data()
    script = decide.SCRIPT % (",".join(f'"{m}"' for m in harness.households()), 0, harness.SECRET)
    figures, peak = {}, 0
    with harness.Server(data, "--train-every", "0") as server:
        harness.wrk(server.url, script, 16, 3)
        for _ in range(ROUNDS):
            for state in ("without", "with"):
                trainer = begin_training(data) if state == "with" else None
                time.sleep(2 if trainer else 0)
                for connections in (2, 16):
                    one = harness.wrk(server.url, script, connections, SECONDS)
                    if one["errors"] or one["bad"]:
                        sys.exit(f"{one['errors']} failed and {one['bad']} refused decisions: not a measurement")
                    figures.setdefault((state, connections), []).append(one)
                peak = max(peak, end_training(trainer, data)) if trainer else peak
    table, worst = [], 0
    for connections in (2, 16):
        middle = {state: {key: statistics.median(one[key] for one in figures[state, connections]) for key in ("perSecond", "p50Ms", "p99Ms")}
                  for state in ("without", "with")}
        ratio = middle["with"]["p99Ms"] / middle["without"]["p99Ms"]
        worst = max(worst, ratio)
        for state in ("without", "with"):
            m = middle[state]
            table.append((f"{state} a training, {connections} connections", f"{m['perSecond']:,.0f}/s p50 {m['p50Ms']:.2f} p99 {m['p99Ms']:.2f} ms",
                          f"p99 {ratio:.2f} times" if state == "with" else "", f"{m['perSecond'] / middle['without']['perSecond']:.0%}"))
    harness.show("decisions beside a training", table)
    print(f"  the trainer's peak memory {peak / 2**20:,.0f} MiB; p99 beside it {worst:.2f} times at worst, the bar is 1.20")
    harness.clean(data, is_temporary)


if __name__ == "__main__":
    main()
