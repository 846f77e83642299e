# SPDX-License-Identifier: Apache-2.0
"""What the benchmarks share: a server of their own on the recorded data, wrk, and one way to print.

Every figure is printed with the limit it is measured against in the same run and our share of it: machines are shared
and noisy, ratios travel. Nothing here decides a test."""
import json
import os
import pathlib
import random
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request

TOP = pathlib.Path(__file__).resolve().parent.parent
FALUN = pathlib.Path(os.environ.get("FALUN", TOP / "build/falun"))
RECORDED = TOP / "demo/recorded"
SECRET = "sk_test_0123456789"
PUBLIC = "wk_test_0123456789"


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


def recorded_data():
    """Gives a data directory with the recorded till lines imported and a model trained; made once a run folder.

    FALUN_BENCH_DATA names one to use (and keep); else a temporary one is made: about a minute."""
    kept = os.environ.get("FALUN_BENCH_DATA")
    data = pathlib.Path(kept) if kept else pathlib.Path(tempfile.mkdtemp(prefix="falun-bench-"))
    if not (data / "bench-whole").exists():
        data.mkdir(parents=True, exist_ok=True)
        made = {}
        made["import"] = timed([FALUN, "import", "--data", data, "--kind", "items", "--map",
                                RECORDED / "complete_journey.map", RECORDED / "products.csv.zst"])
        made["receipts"] = timed([FALUN, "import", "--data", data, "--kind", "receipts", "--map",
                                  RECORDED / "complete_journey.map", "--shift-to", yesterday(),
                                  RECORDED / "transactions.csv.zst"])
        made["train"] = timed([FALUN, "train", "--once", "--data", data])
        (data / "bench-whole").write_text(json.dumps(made))
    return data, not kept


def yesterday():
    return time.strftime("%Y-%m-%d", time.gmtime(time.time() - 86400))


def timed(command):
    """Runs a command; gives {seconds, peakBytes, lastLine}; its failure ends the benchmark with its output."""
    began = time.monotonic()
    run = subprocess.Popen([str(c) for c in command], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    text = run.stdout.read()
    _, status, used = os.wait4(run.pid, 0)
    if status != 0:
        sys.exit(f"{command[0]} {command[1]} failed:\n{text[-2000:]}")
    lines = text.strip().splitlines()
    return {"seconds": time.monotonic() - began, "peakBytes": used.ru_maxrss * 1024, "lastLine": lines[-1] if lines else ""}


class Server:
    """A falun server on a free port of 127.0.0.1, ended by process id."""

    def __init__(self, data, *more):
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.log = tempfile.NamedTemporaryFile(prefix="falun-bench-log-", delete=False)
        self.process = subprocess.Popen([str(FALUN), "serve", "--data", str(data), "--listen", f"127.0.0.1:{self.port}",
                                         "--test-keys", *more], stdout=self.log, stderr=self.log)
        for _ in range(600):
            try:
                urllib.request.urlopen(self.url + "/readyz", timeout=1).read()
                return
            except OSError:
                if self.process.poll() is not None:
                    break
                time.sleep(0.05)
        sys.exit("the server did not come up:\n" + pathlib.Path(self.log.name).read_text()[-2000:])

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.send_signal(signal.SIGTERM)
        try:
            self.process.wait(20)
        except subprocess.TimeoutExpired:
            self.process.kill()
        os.unlink(self.log.name)

    def resident_bytes(self):
        for line in pathlib.Path(f"/proc/{self.process.pid}/status").read_text().splitlines():
            if line.startswith("VmRSS:"):
                return int(line.split()[1]) * 1024
        return 0

    def cpu_seconds(self):
        fields = pathlib.Path(f"/proc/{self.process.pid}/stat").read_text().rsplit(")", 1)[1].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def post(self, path, body, key=SECRET):
        request = urllib.request.Request(self.url + path, json.dumps(body).encode(), {
            "Authorization": f"Bearer {key}", "Content-Type": "application/json"})
        return json.loads(urllib.request.urlopen(request, timeout=30).read())


DONE = """
done = function(summary, latency, requests)
  io.write(string.format('FALUN {"requests":%d,"seconds":%.3f,"errors":%d,"bad":%d,"p50Ms":%.3f,"p99Ms":%.3f,"p999Ms":%.3f,"maxMs":%.3f}\\n',
    summary.requests, summary.duration / 1e6, summary.errors.connect + summary.errors.read + summary.errors.write + summary.errors.timeout,
    summary.errors.status, latency:percentile(50) / 1000, latency:percentile(99) / 1000, latency:percentile(99.9) / 1000, latency.max / 1000))
end
"""


def wrk(url, script, connections, seconds=8, threads=1):
    """Runs wrk with a Lua script that makes the requests; gives the figures of DONE plus perSecond."""
    with tempfile.NamedTemporaryFile("w", suffix=".lua", delete=False) as lua:
        lua.write(script + DONE)
    try:
        out = subprocess.run(["wrk", f"-t{threads}", f"-c{connections}", f"-d{seconds}s", "--timeout", "10s", "-s", lua.name, url],
                             capture_output=True, text=True, timeout=seconds + 60)
    finally:
        os.unlink(lua.name)
    found = [line for line in out.stdout.splitlines() if line.startswith("FALUN ")]
    if not found:
        sys.exit("wrk said nothing of use:\n" + out.stdout + out.stderr)
    figures = json.loads(found[0][6:])
    figures["perSecond"] = figures["requests"] / figures["seconds"]
    return figures


def households(n=500, seed=7):
    """Household numbers of the recorded data, drawn at random with a fixed seed."""
    text = subprocess.run(["zstd", "-dcq", str(RECORDED / "transactions.csv.zst")], capture_output=True, text=True, check=True)
    seen = sorted({line.split(",", 1)[0] for line in text.stdout.splitlines()[1:]})
    return random.Random(seed).sample(seen, min(n, len(seen)))


def fsyncs_per_second(directory, seconds=2.0):
    """The disk's own limit: 4 KiB writes to one file, each followed by fdatasync."""
    path = pathlib.Path(directory) / "bench-fsync"
    with open(path, "wb") as f:
        f.write(b"\0" * (1 << 20))
        f.flush()
        os.fsync(f.fileno())
        began, n = time.monotonic(), 0
        while time.monotonic() - began < seconds:
            f.seek((n % 200) * 4096)
            f.write(b"x" * 4096)
            f.flush()
            os.fdatasync(f.fileno())
            n += 1
    path.unlink()
    return n / (time.monotonic() - began)


def show(title, rows):
    """Prints a table: rows of (what, figure, limit it is held against, our share)."""
    print(f"\n{title}")
    width = max(len(r[0]) for r in rows)
    for what, figure, limit, share in rows:
        print(f"  {what:<{width}}  {figure:>32}  {limit:>40}  {share:>7}", flush=True)


def clean(data, is_temporary):
    if is_temporary:
        shutil.rmtree(data, ignore_errors=True)
