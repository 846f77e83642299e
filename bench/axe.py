#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Can everybody use the demo's page? axe-core in Chromium on a demo of a twentieth of the households: bench/axe/run.mjs.

    python3 bench/axe.py [URL]          a demo that runs already; FALUN_AXE_SHOTS=DIR keeps pictures of what was looked at

Needs Chromium, Node 18 or newer and npm (tools/setup bench); what is missing is told and the look skipped."""
import os
import pathlib
import shutil
import subprocess
import sys
import time

TOP = pathlib.Path(__file__).resolve().parent.parent
AXE = TOP / "bench/axe"
sys.path.insert(0, str(TOP / "tests/page"))


def missing():
    if not any(shutil.which(name) for name in ("chromium", "chromium-browser", "google-chrome")):
        return "Chromium is not installed"
    return next((f"{name} is not installed" for name in ("node", "npm") if not shutil.which(name)), None)


def look(url):
    shots = os.environ.get("FALUN_AXE_SHOTS")
    return subprocess.run(["node", str(AXE / "run.mjs"), url.rstrip("/"), *([shots] if shots else [])], timeout=600).returncode


def main():
    reason = missing()
    if reason:
        print(f"axe: skipped: {reason}; `tools/setup bench` installs it")
        return 0
    if not (AXE / "node_modules/axe-core").exists():
        made = subprocess.run(["npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund"], cwd=AXE, capture_output=True, text=True)
        if made.returncode:
            print(f"axe: skipped: npm ci failed (no network?): {made.stderr.strip().splitlines()[-1:]}")
            return 0
    if len(sys.argv) > 1:
        return look(sys.argv[1])
    from page import Demo
    with Demo(args=()) as demo:
        until = time.monotonic() + 180  # the proof is part of what is looked at
        while b"the proof is being computed" in demo.get("/", key=None).body and time.monotonic() < until:
            time.sleep(1)
        return look(f"http://127.0.0.1:{demo.port}")


if __name__ == "__main__":
    sys.exit(main())
