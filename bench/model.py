#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""How long does the model's part of one decision take on one core, stage by stage, at 10 thousand, 100 thousand and a million
items? The shop is made up (src/decide/decide_bench.c); how good the rows are is quality.py's question. A million items take
about 4 GiB and a minute."""
import subprocess
import sys

import harness


def main():
    program = harness.FALUN.parent / "decide_bench"
    if not program.exists():
        sys.exit(f"no {program}: run ninja in {program.parent}")
    subprocess.run([str(program), *sys.argv[1:]], check=True)


if __name__ == "__main__":
    main()
