#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""How good are the rows? `falun evaluate` on every recorded set with a bar (evaluation.md 7), settings chosen by itself.

    quality.py [--only NAME]... [--minutes N] [--json FILE]

Prints a table: set, metric, must, stretch, ours with its 95 % interval; then per set the settings that were chosen, seconds and
peak memory. Sets are looked for in $FALUN_DATA, else ../shared/data; absent ones are named and skipped. Nothing in here says a
setting: every command is the protocol, its files and its dates."""
import argparse
import json
import os
import pathlib
import subprocess
import sys
import time

import harness

DATA = pathlib.Path(os.environ.get("FALUN_DATA", harness.TOP.parent / "shared/data"))


def sessions(name, *more):
    return ["--protocol", "next-item", "--train", f"{name}/train.csv.gz", "--test", f"{name}/test.csv.gz", *more]


def baskets(name, lines, mapping, start, end):
    return ["--protocol", "next-basket", "--lines", f"{name}/{lines}.csv.gz", "--map", str(mapping),
            "--test-from", start, "--test-to", end]


def of(*keys):
    """Reads a value out of the last line's object: of("against", "online", "hr@20")."""
    def read(result):
        for key in keys:
            result = result.get(key, {}) if isinstance(result, dict) else {}
        return result if isinstance(result, (int, float)) else None
    return read


def interval(key):
    return lambda result: (result.get("intervals") or {}).get(key) or result.get(key + "Interval")


# name, command, bars: (what, reader, interval, must, stretch)
SETS = [
    ("sessions_diginetica", sessions("sessions_diginetica", "--online"), [
        ("HR@20", of("hr@20"), interval("hr@20"), .540, .557),
        ("MRR@20", of("mrr@20"), interval("mrr@20"), .202, .206),
        ("freshness, HR@20", of("freshness", "hr@20"), lambda r: (r.get("freshness") or {}).get("hr@20Interval"), .012, .020)]),
    ("sessions_yoochoose64", sessions("sessions_yoochoose64"), [
        ("HR@20", of("hr@20"), interval("hr@20"), .714, .7206),
        ("MRR@20", of("mrr@20"), interval("mrr@20"), .325, .3261)]),
    ("sessions_yoochoose100k", sessions("sessions_yoochoose100k", "--online"), [
        ("HR@20", of("hr@20"), interval("hr@20"), None, None),
        ("MRR@20", of("mrr@20"), interval("mrr@20"), None, None),
        ("freshness, HR@20", of("freshness", "hr@20"), lambda r: (r.get("freshness") or {}).get("hr@20Interval"), None, None)]),
    ("sessions_serenade_toy", sessions("sessions_serenade_toy", "--online"), [
        ("HR@20", of("hr@20"), interval("hr@20"), None, None),
        ("MRR@20", of("mrr@20"), interval("mrr@20"), .3401, .350)]),
    ("gowalla", ["--protocol", "held-out", "--train", "gowalla/train.csv.gz", "--test", "gowalla/test.csv.gz"], [
        ("R@20", of("recall@20"), interval("recall@20"), .182, .187),
        ("N@20", of("ndcg@20"), interval("ndcg@20"), .150, .158)]),
    ("amazon_beauty", ["--protocol", "last-out", "--sequences", "amazon_beauty/sequences.csv.gz"], [
        ("HR@5", of("hr@5"), interval("hr@5"), None, None),
        ("HR@10", of("hr@10"), interval("hr@10"), .084, .090),
        ("N@10", of("ndcg@10"), interval("ndcg@10"), .052, .054)]),
    ("amazon_sports", ["--protocol", "last-out", "--sequences", "amazon_sports/sequences.csv.gz"], [
        ("HR@5", of("hr@5"), interval("hr@5"), None, None),
        ("HR@10", of("hr@10"), interval("hr@10"), .047, .050),
        ("N@10", of("ndcg@10"), interval("ndcg@10"), .029, .030)]),
    ("online_retail", baskets("online_retail", "lines", harness.TOP / "demo/online_retail.map", "2011-11-01", "2011-12-10"), [
        ("R@10", of("recall@10"), interval("recall@10"), .189, .205),
        ("N@10", of("ndcg@10"), interval("ndcg@10"), .309, .330),
        ("PHR@10", of("phr@10"), interval("phr@10"), .813, .830)]),
    ("complete_journey", baskets("complete_journey", "transactions", harness.RECORDED / "complete_journey.map",
                                 "2017-11-01", "2017-12-01"), [
        ("R@10", of("recall@10"), interval("recall@10"), .156, .165),
        ("N@10", of("ndcg@10"), interval("ndcg@10"), .218, .230),
        ("PHR@10", of("phr@10"), interval("phr@10"), .605, .625),
        ("times best segment", of("timesBestSegment"), interval("timesBestSegment"), 2.2, 2.4)]),
    ("cdnow", ["--protocol", "lifetime", "--lines", "cdnow/sample.csv.gz", "--fit-to", "1997-09-30", "--at",
               ".243,4.414,.793,2.426"], [
        ("log-likelihood", of("logLikelihood"), lambda r: None, -9582.435, None),
        ("at the paper's own", of("logLikelihoodAt"), lambda r: None, -9582.435, None),
        ("holdout MAE, mean", of("maeMean"), lambda r: None, None, .78),
        ("holdout MAE, median", of("maeMedian"), lambda r: None, None, .78)]),
]


def run(name, command, minutes):
    """Gives the last line's object with seconds and peakBytes, or {"skipped" or "failed": why}."""
    files = [DATA / word for word in command if word.endswith(".csv.gz")]
    absent = [str(path) for path in files if not path.exists()]
    if absent:
        return {"skipped": "no " + ", ".join(absent)}
    words = [str(DATA / word) if word.endswith(".csv.gz") else word for word in command]
    extra = [] if "lifetime" in command else ["--minutes", str(minutes)]
    began = time.monotonic()
    process = subprocess.Popen([str(harness.FALUN), "evaluate", *words, *extra], stdout=subprocess.PIPE,
                               stderr=subprocess.PIPE, text=True)
    text, said = process.stdout.read(), process.stderr.read()
    _, status, used = os.wait4(process.pid, 0)
    lines = text.strip().splitlines()
    if status != 0 or not lines or not lines[-1].startswith("{"):
        return {"failed": (said.strip().splitlines() or [f"exit {status}"])[-1]}
    result = json.loads(lines[-1])
    result["seconds"], result["peakBytes"] = round(time.monotonic() - began, 1), used.ru_maxrss * 1024
    result["command"] = "falun evaluate " + " ".join(command + extra)
    return result


def mark(value, must, stretch, low_is_good):
    if value is None:
        return "not given"
    better = (lambda bar: value <= bar) if low_is_good else (lambda bar: value >= bar)
    if stretch is not None and better(stretch):
        return "stretch"
    if must is None:
        return ""
    return "must" if better(must) else "MISSED"


def show(name, bars, result):
    for what, read, between, must, stretch in bars:
        value, ends = read(result), between(result)
        ends = f"{ends[0]:.4f}-{ends[1]:.4f}" if ends else ""
        print(f"{name:<24}{what:<20}{'' if must is None else must:>10}{'' if stretch is None else stretch:>10}"
              f"{'' if value is None else f'{value:.4f}':>12}  {ends:<18}{mark(value, must, stretch, 'MAE' in what)}", flush=True)


def main():
    words = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    words.add_argument("--only", action="append", metavar="NAME", help="this set alone (may be said again)")
    words.add_argument("--minutes", type=float, default=3, help="for choosing settings, per set (3)")
    words.add_argument("--json", metavar="FILE", help="all last lines, by set")
    asked = words.parse_args()
    unknown = set(asked.only or []) - {name for name, *_ in SETS}
    if unknown:
        words.error(f"no such set: {', '.join(sorted(unknown))}; there are {', '.join(name for name, *_ in SETS)}")
    results = {}
    print(f"{'set':<24}{'metric':<20}{'must':>10}{'stretch':>10}{'ours':>12}  {'95 %':<18}reached")
    for name, command, bars in SETS:
        if asked.only and name not in asked.only:
            continue
        result = results[name] = run(name, command, asked.minutes)
        if "skipped" in result or "failed" in result:
            print(f"{name:<24}{'skipped: ' + result['skipped'] if 'skipped' in result else 'FAILED: ' + result['failed']}")
            continue
        show(name, bars, result)
    for name, result in results.items():
        if "seconds" in result:
            print(f"\n{name}: {result['seconds']:.0f} s, training {result.get('trainSeconds', 0):.0f} s, "
                  f"{result['peakBytes'] / 2**20:,.0f} MiB, pairs of at least {result.get('customersMin', 5)}, "
                  f"decide p50 {result.get('p50Us', 0)} us, p99 {result.get('p99Us', 0)} us\n  {json.dumps(result.get('settings', {}))}")
    if asked.json:
        pathlib.Path(asked.json).write_text(json.dumps(results, indent=1) + "\n")
    return 1 if any("failed" in result for result in results.values()) else 0


if __name__ == "__main__":
    sys.exit(main())
