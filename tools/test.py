#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Runs every test and ends with one line: `N passed, N failed, N skipped`.

    tools/test.py            laws, units, conformance, end to end; then ASan+UBSan, TSan and a fuzz smoke
    tools/test.py --quick    laws, units, conformance, end to end with gcc only
    tools/test.py --fuzz     the fuzz targets alone

Each test program prints `cases: P passed, F failed, S skipped`; these are summed. A program that dies, times out or
prints no such line counts as one failed. FALUN_FUZZ_SECONDS sets the seconds a fuzz target runs (60)."""
import json
import os
import pathlib
import re
import subprocess
import sys
import tempfile
import time

TOP = pathlib.Path(__file__).resolve().parent.parent
CASES = re.compile(r"^cases: (\d+) passed, (\d+) failed, (\d+) skipped$", re.M)
# Programs with threads of their own, worth the cost of ThreadSanitizer.
THREADED = ["storage_conform", "publish_test", "ingest_conform", "catalog_test", "loop_test", "http_rules"]
total = {"passed": 0, "failed": 0, "skipped": 0}
began = time.monotonic()


def say(text):
    print(f"[{time.monotonic() - began:5.0f} s] {text}", flush=True)


def count(passed, failed, skipped=0):
    total["passed"] += passed
    total["failed"] += failed
    total["skipped"] += skipped


def run(command, **more):
    return subprocess.run(command, cwd=TOP, text=True, capture_output=True, **more)


def build(folder, *options, environment=None, targets=()):
    """Configures once and builds; a failed build is one failed test. Gives whether it stands."""
    env = {**os.environ, **(environment or {})}
    if not (TOP / folder / "build.ninja").exists():
        made = run(["meson", "setup", folder, *options], env=env)
        if made.returncode:
            say(f"{folder}: meson setup failed\n{made.stdout[-3000:]}{made.stderr[-3000:]}")
            count(0, 1)
            return False
    made = run(["ninja", "-C", folder, *targets], env=env)
    if made.returncode:
        say(f"{folder}: the build failed\n{made.stdout[-4000:]}")
        count(0, 1)
        return False
    say(f"{folder} is built")
    return True


def meson_tests(folder, *names, suites=(), multiplier=1, environment=None):
    env = {**os.environ, **(environment or {})}
    log = TOP / folder / "meson-logs/testlog.json"
    log.unlink(missing_ok=True)
    command = ["meson", "test", "-C", folder, "--num-processes", "2", "--timeout-multiplier", str(multiplier), "--no-suite", "law"]
    for suite in suites:
        command += ["--suite", suite]
    ran = run([*command, *names], env=env)
    if not log.exists():
        say(f"{folder}: no test ran\n{ran.stdout[-2000:]}{ran.stderr[-2000:]}")
        count(0, 1)
        return
    for line in log.read_text().splitlines():
        test = json.loads(line)
        out = test.get("stdout", "")
        cases = [tuple(map(int, c)) for c in CASES.findall(out)]
        passed, failed, skipped = (sum(c[i] for c in cases) for i in range(3))
        is_bad = test["result"] not in ("OK", "SKIP") or not cases
        count(passed, max(failed, 1) if is_bad else failed, skipped)
        for reason in re.findall(r"^skipped: .*$", out, re.M):
            say(f"{test['name']}: {reason}")
        if is_bad or failed:
            say(f"{folder} {test['name']}: {test['result']}\n{out[-6000:]}\n{test.get('stderr', '')[-3000:]}")
    say(f"{folder}: tests ran")


def laws():
    for script in ("check_rooms.py", "check_words.py"):
        ran = run([sys.executable, f"tools/{script}"])
        count(int(ran.returncode == 0), int(ran.returncode != 0))
        say(f"{script}: {ran.stdout.strip()[-3000:]}{ran.stderr[-1000:]}")


def fuzz(seconds):
    if not build("build-fuzz", "-Dfuzz=true", "-Db_sanitize=address,undefined", "-Db_lundef=false", "--buildtype=debugoptimized",
                 environment={"CC": "clang", "CXX": "clang++"}):
        return
    targets = sorted(p for p in (TOP / "build-fuzz").glob("*_fuzz") if p.is_file())
    env = {**os.environ, "UBSAN_OPTIONS": "halt_on_error=1:print_stacktrace=1"}
    running = []

    def finish(entry):
        target, process, out = entry
        try:
            process.wait(seconds + 120)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        out.seek(0)
        text = out.read()
        count(int(process.returncode == 0), int(process.returncode != 0))
        runs = re.findall(r"Done (\d+) runs", text)
        say(f"{target.name}: {runs[-1] + ' runs clean' if process.returncode == 0 and runs else text[-4000:]}")

    for target in targets:
        corpus = TOP / "build-fuzz/corpus" / target.name
        corpus.mkdir(parents=True, exist_ok=True)
        seeds = TOP / "tests/corpus" / target.name
        out = tempfile.TemporaryFile("w+", errors="replace")
        command = [str(target), f"-max_total_time={seconds}", "-timeout=10", "-rss_limit_mb=2048", "-print_final_stats=0",
                   f"-artifact_prefix={TOP}/build-fuzz/", str(corpus)] + ([str(seeds)] if seeds.is_dir() else [])
        running.append((target, subprocess.Popen(command, stdout=out, stderr=out, env=env), out))
        if len(running) == 2:
            finish(running.pop(0))
    for entry in running:
        finish(entry)


def main():
    quick = "--quick" in sys.argv[1:]
    if "--fuzz" in sys.argv[1:]:
        fuzz(int(os.environ.get("FALUN_FUZZ_SECONDS", "60")))
        print(f"{total['passed']} passed, {total['failed']} failed, {total['skipped']} skipped")
        return 1 if total["failed"] else 0
    laws()
    if build("build-test", "-Dwerror=true", "--buildtype=debugoptimized"):
        meson_tests("build-test")
        meson_tests("build-test", suites=["e2e"])
    if not quick:
        if build("build-asan", "-Db_sanitize=address,undefined", "-Db_lundef=false", "--buildtype=debugoptimized",
                 environment={"CC": "clang", "CXX": "clang++"}):
            meson_tests("build-asan", suites=["unit", "conform", "http"], multiplier=5,
                        environment={"ASAN_OPTIONS": "detect_leaks=1", "UBSAN_OPTIONS": "halt_on_error=1:print_stacktrace=1",
                                     "FALUN_SEEDS": "200"})
        if build("build-tsan", "-Db_sanitize=thread", "-Db_lundef=false", "--buildtype=debugoptimized",
                 environment={"CC": "clang", "CXX": "clang++"}):
            known = json.loads(run(["meson", "introspect", "--tests", "build-tsan"]).stdout)
            names = [t["name"] for t in known if t["name"] in THREADED]
            if names:
                meson_tests("build-tsan", *names, multiplier=10,
                            environment={"TSAN_OPTIONS": f"halt_on_error=1:ignore_noninstrumented_modules=1:suppressions={TOP}/tools/tsan.txt",
                                         "FALUN_SEEDS": "50"})
        fuzz(int(os.environ.get("FALUN_FUZZ_SECONDS", "60")))
    say("done")
    print(f"{total['passed']} passed, {total['failed']} failed, {total['skipped']} skipped")
    return 1 if total["failed"] or not total["passed"] else 0


if __name__ == "__main__":
    sys.exit(main())
