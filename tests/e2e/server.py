# SPDX-License-Identifier: Apache-2.0
"""A real `falun serve` for tests: started on a free port of 127.0.0.1, spoken to over HTTP, stopped or killed.

    with Server() as shop:
        answer = shop.post("/v1/events", {"id": "e1", "kind": "view", ...})
        answer.status, answer.json, answer.headers["Retry-After"]

The program is $FALUN, else build/falun. Data lies in a temporary directory, removed at the end ($FALUN_KEEP=1 leaves it);
the log is a file beside it. A test program ends with `main()`, which prints the line that tools/test.py sums."""
import http.client
import json
import os
import pathlib
import random
import re
import resource
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import unittest

TOP = pathlib.Path(__file__).resolve().parents[2]
FALUN = os.path.abspath(os.environ.get("FALUN") or TOP / "build/falun")
PUBLIC, SECRET = "wk_test_0123456789", "sk_test_0123456789"
FULL = os.environ.get("FALUN_FULL") == "1"


class Answer:
    """status, headers (any case), body (bytes), json (None when it is none)."""

    def __init__(self, response, body):
        self.status, self.headers, self.body = response.status, response.headers, body
        try:
            self.json = json.loads(body) if body else None
        except ValueError:
            self.json = None

    @property
    def code(self):
        return self.json.get("code") if isinstance(self.json, dict) else None

    @property
    def verdicts(self):
        return [one["verdict"] for one in self.json["results"]]

    def __repr__(self):
        return f"{self.status} {self.body[:2000]!r}"


class Client:
    """One keep-alive connection. Nothing is ever sent twice by itself: a broken connection raises OSError."""

    def __init__(self, port, key=SECRET, timeout=30):
        self.port, self.key, self.timeout, self.connection = port, key, timeout, None

    def call(self, method, path, body=None, key=True, headers=None):
        """body: bytes and text as they are, else as JSON. key: True is the client's own, None is none."""
        if self.connection is None:
            self.connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=self.timeout)
            self.connection.connect()
            self.connection.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        fields = {}
        key = self.key if key is True else key
        if key is not None:
            fields["Authorization"] = f"Bearer {key}"
        if body is not None and not isinstance(body, (bytes, str)):
            body = json.dumps(body, ensure_ascii=False)
        if isinstance(body, str):
            body = body.encode("utf-8")
        if body is None and method in ("POST", "PUT", "PATCH"):
            body = b""
        fields.update(headers or {})
        try:
            self.connection.request(method, path, body, fields)
            response = self.connection.getresponse()
            answer = Answer(response, response.read())
        except (OSError, http.client.HTTPException):
            self.close()
            raise
        if response.will_close:
            self.close()
        return answer

    def get(self, path, **more):
        return self.call("GET", path, **more)

    def post(self, path, body, **more):
        return self.call("POST", path, body, **more)

    def put(self, path, body, **more):
        return self.call("PUT", path, body, **more)

    def delete(self, path, **more):
        return self.call("DELETE", path, **more)

    def close(self):
        if self.connection is not None:
            self.connection.close()
            self.connection = None


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class Server(Client):
    """limits: {resource.RLIMIT_...: n} for the server alone; a file beyond RLIMIT_FSIZE then fails, it kills nobody."""

    def __init__(self, data=None, args=("--test-keys",), limits=None, start=True):
        super().__init__(None)
        self.room = pathlib.Path(tempfile.mkdtemp(prefix="falun-e2e-"))
        self.data = pathlib.Path(data) if data else self.room / "data"
        self.args, self.limits, self.process, self.exit = list(args), limits or {}, None, None
        self.log_file = self.room / "log"
        if start:
            try:
                self.start()
            except BaseException:
                self.__exit__()
                raise

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()
        if self.process is not None:
            self.kill()
        if os.environ.get("FALUN_KEEP") == "1":
            print(f"kept: {self.room}")
        else:
            shutil.rmtree(self.room, ignore_errors=True)

    def _limit(self):
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        for what, most in self.limits.items():
            resource.setrlimit(what, (most, most))

    def start(self, within=20):
        """Gives the seconds from starting the program to its first 200 of /readyz."""
        self.port, self.exit = free_port(), None
        with open(self.log_file, "ab") as log:
            began = time.monotonic()
            self.process = subprocess.Popen(
                [FALUN, "serve", "--data", str(self.data), "--listen", f"127.0.0.1:{self.port}", *self.args],
                stdin=subprocess.DEVNULL, stdout=log, stderr=log, preexec_fn=self._limit if self.limits else None)
        while True:
            if self.process.poll() is not None:
                code, self.process = self.process.returncode, None
                raise RuntimeError(f"falun serve ended with {code}:\n{self.log()[-3000:]}")
            try:
                if self.get("/readyz", key=None).status == 200:
                    return time.monotonic() - began
            except OSError:
                pass
            if time.monotonic() - began > within:
                raise RuntimeError(f"not ready after {within} s:\n{self.log()[-3000:]}")
            time.sleep(0.005)

    def stop(self, within=15):
        """SIGTERM; gives the exit code. Later than `within` seconds is a failure."""
        self.close()
        self.process.send_signal(signal.SIGTERM)
        return self.ended(within)

    def ended(self, within=15):
        """Waits for the end that somebody asked for; gives the exit code."""
        try:
            self.exit = self.process.wait(within)
        finally:
            if self.process.poll() is None:
                self.kill()
            self.process = None
        return self.exit

    def kill(self):
        self.close()
        self.process.kill()
        self.process.wait()
        self.process = None

    def log(self):
        return self.log_file.read_text(errors="replace") if self.log_file.exists() else ""

    def client(self, key=SECRET, timeout=30):
        return Client(self.port, key, timeout)

    def falun(self, *command, check=True, **more):
        """Another command of the program on this data directory."""
        ran = subprocess.run([FALUN, *command, "--data", str(self.data)], capture_output=True, text=True, timeout=120, **more)
        if check and ran.returncode:
            raise RuntimeError(f"falun {' '.join(command)} ended with {ran.returncode}:\n{ran.stdout}{ran.stderr}")
        return ran

    def _offline(self, *command):
        """Keys and tenants are made while no server holds the directory."""
        is_running = self.process is not None
        if is_running:
            self.stop()
        ran = self.falun(*command)
        if is_running:
            self.start()
        return ran.stdout

    def add_tenant(self, name):
        self._offline("tenant", "add", "--tenant", name)

    def add_key(self, source, tenant="default", secret=True, gated=True, trusted=True):
        """Gives the new key. trusted: its claims of identity are believed (--server)."""
        told = self._offline("key", "add", "--tenant", tenant, "--source", source, *(["--secret"] if secret else []),
                             *(["--gated"] if gated else []), *(["--server"] if trusted else []))
        key, = re.findall(r"\b[ws]k_\w+", told)
        return key

    def cpu_seconds(self):
        fields = pathlib.Path(f"/proc/{self.process.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def shop(server, items=24, store="TRD"):
    """A tiny shop: items sku-1.. (newest last), one store, ten of each in stock. Gives the ids."""
    ids = [f"sku-{i}" for i in range(1, items + 1)]
    stock = server.post("/v1/items", [
        {"id": one, "title": f"Thing {i}", "category": ["Ski", "Boots"] if i % 2 else ["Dresses"], "brand": f"B{i % 3}",
         "price": {"amount": f"{100 + i}.00", "currency": "NOK"}, "added": f"2026-01-{1 + i % 28:02d}T10:00:00Z"}
        for i, one in enumerate(ids)])
    assert stock.status == 200, stock
    made = server.put(f"/v1/stores/{store}", {"name": "Trondheim", "address": {"postcode": "7013", "city": "Trondheim", "country": "NO"},
                                              "timeZone": "Europe/Oslo", "collectMinutes": 60})
    assert made.status in (200, 201), made
    counted = server.post("/v1/stock", {"changes": [{"store": store, "item": one, "quantity": 10} for one in ids]})
    assert counted.status == 200, counted
    return ids


def row(answer, placement="home-top"):
    """The item ids of one placement."""
    return [item["id"] for item in answer.json["placements"][placement]["items"]]


def events_of(server, customer, **query):
    """All stored events of a customer, over all pages. customer: kind:value."""
    events, cursor = [], None
    while True:
        path = f"/v1/events?customer={customer}&limit=1000" + "".join(f"&{k}={v}" for k, v in query.items())
        answer = server.get(path + (f"&cursor={cursor}" if cursor else ""))
        if answer.status != 200:
            raise AssertionError(f"{path}: {answer}")
        events += answer.json["events"]
        cursor = answer.json.get("next")
        if not cursor:
            return events


def hits(folder, needles):
    """[(file, needle)] of every file under folder that holds one of the byte strings; the file's name counts too."""
    found = []
    for file in sorted(p for p in pathlib.Path(folder).rglob("*") if p.is_file()):
        try:
            held = file.read_bytes() + b"\n" + str(file.relative_to(folder)).encode()
        except FileNotFoundError:  # rewritten meanwhile: its successor is listed next time
            continue
        found += [(str(file.relative_to(folder)), needle) for needle in needles if needle in held]
    return found


def seeded():
    """A random source whose seed is printed, so that a failing run can be had again."""
    seed = int(os.environ.get("FALUN_SEED") or random.SystemRandom().randrange(1 << 32))
    print(f"seed: FALUN_SEED={seed}", flush=True)
    return random.Random(seed)


class Case(unittest.TestCase):
    """A class has one server for all its tests unless it makes its own; longer differences are shown."""
    maxDiff = None
    server = None
    serve_args = ("--test-keys",)

    @classmethod
    def setUpClass(cls):
        cls.server = Server(args=cls.serve_args)
        cls.addClassCleanup(cls.server.__exit__)
        cls.prepare()

    @classmethod
    def prepare(cls):
        """What all tests of the class need."""

    def ok(self, answer, status=200):
        self.assertEqual(answer.status, status, answer)
        return answer

    def problem(self, answer, status, code=None):
        """Problem Details as product.md 7.10 has them."""
        self.assertEqual(answer.status, status, answer)
        self.assertEqual(answer.headers.get_content_type(), "application/problem+json", answer)
        self.assertIsInstance(answer.json, dict, answer)
        self.assertEqual(answer.json["status"], status, answer)
        for member in ("type", "title", "detail", "requestId"):
            self.assertTrue(answer.json.get(member), f"{member} is missing: {answer}")
        if code is not None:
            self.assertEqual(answer.json.get("code"), code, answer)
            self.assertEqual(answer.json["type"], f"urn:falun:problem:{code}", answer)
        return answer


def main():
    """Runs the calling program's tests and prints the counted line. Exit 1 when one failed."""
    if not os.path.exists(FALUN):
        print(f"{FALUN} is not there: build it, or name it in FALUN")
        print("cases: 0 passed, 1 failed, 0 skipped")
        sys.exit(1)
    program = unittest.main(module="__main__", exit=False, verbosity=1)
    result = program.result
    failed = len(result.failures) + len(result.errors) + len(result.unexpectedSuccesses)
    for test, reason in result.skipped:
        print(f"skipped: {test}: {reason}")
    print(f"cases: {max(result.testsRun - failed - len(result.skipped), 0)} passed, {failed} failed, {len(result.skipped)} skipped")
    sys.exit(1 if failed else 0)
