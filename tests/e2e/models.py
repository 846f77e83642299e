# SPDX-License-Identifier: Apache-2.0
"""Model files over a shop's life: listed, gone back to, kept in number, refused when damaged, foreign or of another format; and a
training that would serve worse than the model in use is not published."""
import json
import pathlib
import random
import struct
import time

from server import Case, Server, main, seeded, shop

DAY = 86400
MANY = tuple(f"sku-{i}" for i in range(1, 61))


def stamp(seconds):
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(seconds))


def receipts(server, tag, sales):
    """sales: [(member, seconds, items)]."""
    made = [{"id": f"{tag}-{n}", "source": "till", "at": stamp(at), "currency": "NOK", "total": "10.00",
             "customer": {"ids": {"member": member}}, "lines": [{"item": item, "quantity": 1, "paid": "10.00"} for item in items]}
            for n, (member, at, items) in enumerate(sales)]
    for start in range(0, len(made), 500):
        told = server.post("/v1/receipts", made[start:start + 500])
        assert set(told.verdicts) == {"accepted"}, told


def current(server):
    return server.get("/v1/models").json["hash"]


def until(done, what, within=60):
    give_up = time.monotonic() + within
    while time.monotonic() < give_up:
        found = done()
        if found:
            return found
        time.sleep(0.05)
    raise AssertionError(f"no {what} within {within} s")


class Models(Case):
    @classmethod
    def prepare(cls):
        cls.rng = seeded()
        cls.items = shop(cls.server)
        cls.trained = [cls.train(n) for n in range(3)]

    @classmethod
    def train(cls, n):
        now = int(time.time())
        receipts(cls.server, f"round-{n}", [(f"m{i}", now - DAY * (40 - n) - i, cls.rng.sample(cls.items, 2)) for i in range(30)])
        cls.server.falun("train", "--minutes", "0")
        return current(cls.server)

    def file(self, hash):
        return pathlib.Path(self.server.data) / "models" / hash

    def list(self):
        return json.loads(self.server.falun("model", "list", "--json").stdout)["models"]

    def refused(self, hash, *words):
        """`model use` and the call both refuse; the one in use stays."""
        was = current(self.server)
        ran = self.server.falun("model", "use", hash, check=False)
        self.assertEqual(ran.returncode, 1, ran)
        for word in words:
            self.assertIn(word, ran.stderr)
        self.assertGreaterEqual(self.server.post("/v1/models", {"hash": hash}).status, 400)
        self.assertEqual(current(self.server), was)
        self.assertEqual(self.ok(self.server.post("/v1/decide", {"placement": "home-top"})).json["model"], was)

    def test_1_list_and_go_back(self):
        self.assertEqual(len(set(self.trained)), 3)
        listed = self.list()
        self.assertEqual([one["hash"] for one in listed], self.trained[::-1], "newest first")
        self.assertEqual([one["inUse"] for one in listed], [True, False, False])
        self.assertTrue(all(one["usable"] for one in listed))
        told = self.server.falun("model", "use", self.trained[0][:12])
        self.assertIn("answers now", told.stdout)
        self.assertEqual(current(self.server), self.trained[0])
        self.server.stop()
        self.server.start()
        self.assertEqual(current(self.server), self.trained[0], "after a restart as well")
        self.server.stop()
        told = self.server.falun("model", "use", self.trained[2])
        self.assertIn("next start", told.stdout)
        shown = self.server.falun("model", "list").stdout.splitlines()
        self.assertTrue(shown[0].startswith(f"* {self.trained[2][:12]}"), shown)
        self.server.start()
        self.assertEqual(current(self.server), self.trained[2])

    def test_2_damaged_files_are_refused(self):
        whole = self.file(self.trained[1]).read_bytes()
        for name, content, word in (("cut short", whole[:len(whole) // 2], "cut short"),
                                    ("changed", whole[:300] + bytes([whole[300] ^ 1]) + whole[301:], ""),
                                    ("empty", b"", ""),
                                    ("older", whole[:8] + struct.pack("<I", 1) + whole[12:], "older"),
                                    ("newer", whole[:8] + struct.pack("<I", 99) + whole[12:], "newer")):
            with self.subTest(name):
                self.file(self.trained[1]).write_bytes(content)
                self.refused(self.trained[1], word)
                kept = {one["hash"]: one for one in self.list()}[self.trained[1]]
                self.assertFalse(kept["usable"])
                self.assertTrue(kept["why"])
        self.file(self.trained[1]).write_bytes(self.file(self.trained[0]).read_bytes())  # a model, but not of this name
        self.refused(self.trained[1], "not the one it is named")
        self.file(self.trained[1]).write_bytes(whole)
        self.refused("ab" * 32, "no model")
        self.assertEqual(self.server.falun("model", "use", "xyz", check=False).returncode, 1)

    def test_3_five_are_kept(self):
        made = self.trained + [self.train(n) for n in range(3, 8)]
        until(lambda: [one["hash"] for one in self.list()] == made[:-6:-1], "five files")

    def test_4_a_model_of_an_older_release_is_trained_anew_at_once(self):
        was = current(self.server)
        self.server.stop()
        whole = self.file(was).read_bytes()
        self.file(was).write_bytes(whole[:8] + struct.pack("<I", 1) + whole[12:])
        self.server.start()
        self.ok(self.server.post("/v1/decide", {"placement": "home-top"}))
        self.assertIn("does not open", self.server.log())
        self.assertIn("older", self.server.log())
        try:
            until(lambda: current(self.server), "a model of this release", 60)
        except AssertionError:
            print(self.server.log()[-3000:])
            raise

    def test_5_no_tenant_answers_with_the_model_of_another(self):
        self.server.add_tenant("north")
        key = self.server.add_key("till", tenant="north")
        north = self.server.client(key)
        receipts(north, "north", [("n", int(time.time()) - DAY * 20 - i, ["sku-1", "sku-2"]) for i in range(20)])
        self.server.falun("train", "--tenant", "north", "--minutes", "0")
        foreign = north.get("/v1/models").json["hash"]
        north.close()
        self.assertTrue(foreign)
        self.assertNotIn(foreign, [one["hash"] for one in self.list()])
        self.refused(foreign, "no model")


class Worse(Case):
    """In use is a model that learnt that 2k + 1 follows 2k. The shop's own past says that another thing does, and only its newest
    week that the model is right: what a training makes of that past would find less of the week."""

    @staticmethod
    def sales(rng, stride, days):
        now, sold = int(time.time()), []
        for member in range(260):
            for day in range(0, days, 3):
                if day % 2 == 0:
                    item = 2 * rng.randrange(30)
                else:
                    item = (item + (stride if day < 46 else 1)) % 60
                sold.append((f"m{member}", now - DAY * (60 - day) - member, [MANY[item]]))
        return sold

    def test_it_is_not_published(self):
        rng = random.Random(5)
        with Server() as other:
            shop(other, len(MANY))
            receipts(other, "good", self.sales(rng, 1, 49))
            other.falun("train", "--minutes", "0.2")
            good = current(other)
            content = (pathlib.Path(other.data) / "models" / good).read_bytes()
        shop(self.server, len(MANY))
        receipts(self.server, "else", self.sales(rng, 21, 58))
        (pathlib.Path(self.server.data) / "models").mkdir(exist_ok=True)
        (pathlib.Path(self.server.data) / "models" / good).write_bytes(content)
        self.server.falun("model", "use", good)
        ran = self.server.falun("train", "--minutes", "0.2", check=False)
        print(*[line for line in ran.stderr.splitlines() if "in use" in line], sep="\n")
        self.assertEqual(ran.returncode, 1, ran)
        self.assertRegex(ran.stderr, r"the new one finds \d\.\d+, the one in use \d\.\d+ .* not published and the one in use stays")
        self.assertEqual(current(self.server), good)


if __name__ == "__main__":
    main()
