# SPDX-License-Identifier: Apache-2.0
"""With no room on disk: 507 or 503 and an answer for each, decisions go on, and nothing acknowledged is lost once there is
room again. Twice: a small tmpfs that really fills (needs root), and a limit on file size, whose writes fail with EFBIG."""
import http.client
import os
import pathlib
import resource
import subprocess
import tempfile

from server import Case, Server, events_of, main, shop

FILL = "x" * 8000


class Full(Case):
    @classmethod
    def setUpClass(cls):
        pass  # each test has its own server

    def fill(self, server, batches):
        """Sends until a write is refused; gives {customer: ids acknowledged} and the refusals."""
        acknowledged, refused, dead = {}, [], False
        for number in range(batches):
            who = f"full-{number % 7}"
            batch = [{"id": f"f{number}-{i}", "kind": "view", "identifier": f"cookie:{who}", "item": "sku-1",
                      "properties": {"fill": f"{number}-{i}" + FILL}} for i in range(20)]
            try:
                answer = server.post("/v1/events", batch)
            except (OSError, http.client.HTTPException):
                dead = True
                break
            if answer.status == 200:
                for one in answer.json["results"]:
                    self.assertIn(one["verdict"], ("accepted", "failed"), answer)
                    if one["verdict"] == "accepted":
                        acknowledged.setdefault(who, []).append(one["id"])
                failed = [one for one in answer.json["results"] if one["verdict"] == "failed"]
                refused += [200] if failed else []
            else:
                self.problem(answer, answer.status)
                self.assertIn(answer.status, (503, 507), answer)
                if answer.status == 503:
                    self.assertTrue(answer.headers["Retry-After"].isdigit(), answer)
                else:
                    self.assertEqual(answer.code, "storage_full", answer)
                refused.append(answer.status)
            if len(refused) == 3:
                break
        self.assertFalse(dead, server.log()[-2000:])
        return acknowledged, refused

    def holds(self, server, acknowledged):
        for who, names in acknowledged.items():
            kept = [e["messageId"] for e in events_of(server, f"cookie:{who}")]
            self.assertEqual(len(kept), len(set(kept)), "nothing twice")
            self.assertLessEqual(set(names), set(kept), "acknowledged and lost")

    def run_out(self, server, batches, make_room):
        shop(server)
        acknowledged, refused = self.fill(server, batches)
        self.assertTrue(refused, "the disk never filled")
        print(f"refused with {refused} after {sum(map(len, acknowledged.values()))} events")
        decided = self.ok(server.post("/v1/decide", {"identifier": "cookie:full-1", "placement": "home-top", "n": 4}))
        self.assertEqual(len(decided.json["placements"]["home-top"]["items"]), 4, "decisions go on")
        self.ok(server.get("/healthz", key=None))
        self.assertIn(server.put("/v1/items/no-room", {"id": "no-room", "title": "No room", "description": FILL}).status, (200, 201, 503, 507))
        server.kill()
        make_room()
        server.start()
        self.holds(server, acknowledged)
        again = self.ok(server.post("/v1/events", [{"id": f"after-{i}", "kind": "view", "identifier": "cookie:full-0", "item": "sku-1",
                                                    "properties": {"fill": FILL}} for i in range(50)]))
        self.assertEqual(again.verdicts, ["accepted"] * 50)
        self.assertEqual(server.stop(), 0)
        server.start()
        self.holds(server, {**acknowledged, "full-0": acknowledged.get("full-0", []) + [f"after-{i}" for i in range(50)]})
        return refused

    def test_writes_fail(self):
        """A limit on the size of a file: the log can grow no further."""
        with Server(limits={resource.RLIMIT_FSIZE: 2 * 1024 * 1024}) as server:
            self.run_out(server, 200, server.limits.clear)

    def test_the_disk_fills(self):
        if os.geteuid() != 0:
            self.skipTest("mounting a small disk needs root")
        room = pathlib.Path(tempfile.mkdtemp(prefix="falun-e2e-disk-"))
        mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=96m", "tmpfs", str(room)], capture_output=True, text=True)
        if mounted.returncode:
            room.rmdir()
            self.skipTest(f"no small disk could be mounted: {mounted.stderr.strip()}")
        try:
            with Server(data=room / "data") as server:
                self.run_out(server, 2000, lambda: subprocess.run(["mount", "-o", "remount,size=512m", str(room)], check=True))
        finally:
            subprocess.run(["umount", str(room)], check=True)
            room.rmdir()


if __name__ == "__main__":
    main()
