# SPDX-License-Identifier: Apache-2.0
"""What a running server learns, keeps and forgets without a training.

A young shop's receipts and visits are learnt from once. Then: looks of one customer move the very next row of another within
seconds; `kill -9` loses nothing of it; a withdrawal takes it back at once and for the next start; an item the model never saw
is shown once five people have met it, not before; model files that hold somebody who left are deleted at the next training."""
import json
import time

from server import Case, main, row, seeded, shop

PAIRS, DAY = 12, 86400


def stamp(seconds):
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(seconds))


class Learning(Case):
    @classmethod
    def prepare(cls):
        cls.rng = seeded()
        cls.known = shop(cls.server, 2 * PAIRS)
        cls.serial = 0
        cls.history()
        cls.train()
        cls.new = "sku-new"  # sold since: what the catalogue held at the training is in the model, looked at or not
        put = cls.server.post("/v1/items", [{"id": cls.new, "title": "New", "price": {"amount": "99.00", "currency": "NOK"}}])
        assert put.status == 200, put

    @classmethod
    def history(cls):
        """A young shop: too little to choose settings by, so that the first guesses serve, neighbours among them."""
        now = int(time.time())
        receipts, looks = [], []
        for number in range(40):
            member, days = number, cls.rng.randint(1, 200)
            at = now - DAY * days - cls.rng.randrange(DAY)
            first = 2 * cls.rng.randrange(PAIRS)
            receipts.append({"id": f"toy-{number}", "source": "till", "at": stamp(at), "currency": "NOK", "total": "20.00",
                             "customer": {"ids": {"member": f"toy-{member}"}},
                             "lines": [{"item": cls.known[one], "quantity": 1, "paid": "10.00"} for one in (first, first + 1)]})
            one, two = cls.rng.randrange(5), cls.rng.randrange(5)
            for step, item in enumerate((one, 5 + two, 10 + (one + two) % 5) if number < 12 else ()):
                looks.append({"id": f"toy-{number}-{step}", "kind": "view", "identifier": f"cookie:toy-{number}",
                              "at": stamp(at - 3600 + 20 * step), "item": cls.known[item]})
        for item in cls.known[15:]:
            looks.append({"id": f"seen-{item}", "kind": "view", "identifier": f"cookie:seen-{item}", "at": stamp(now - 9 * DAY), "item": item})
        assert set(cls.server.post("/v1/receipts", receipts).verdicts) == {"accepted"}
        assert set(cls.server.post("/v1/events", looks).verdicts) == {"accepted"}

    @classmethod
    def train(cls):
        cls.server.falun("train", "--once", "--minutes", "0.1")
        cls.until(lambda: cls.server.get("/v1/models").json["hash"], "a model")

    @classmethod
    def until(cls, done, what, within=20):
        give_up = time.monotonic() + within
        while time.monotonic() < give_up:
            found = done()
            if found:
                return found
            time.sleep(0.02)
        raise AssertionError(f"no {what} within {within} s:\n{cls.server.log()[-3000:]}")

    def learned(self):
        return self.ok(self.server.get("/v1/models")).json["learned"]

    def visit(self, who, items):
        type(self).serial += 1
        now = time.time()  # one after another: of one moment their order would be that of their ids
        told = self.server.post("/v1/events", [{"id": f"visit-{self.serial}-{n}", "kind": "view", "item": item, "identifier": who,
                                                "at": stamp(now)[:-1] + f".{int(now * 1000 % 1000 / 10) * 10 + n:03d}Z"}
                                               for n, item in enumerate(items)])
        self.assertEqual(set(self.ok(told).verdicts), {"accepted"})

    def scores(self, who, items):
        """Every item's score for one customer."""
        answer = self.ok(self.server.post("/v1/decide", {"identifier": who, "explain": "inner", "placements": [
            {"name": "home-top", "n": len(items), "candidates": items}]}))
        return {item["id"]: item["score"] for item in answer.json["placements"]["home-top"]["items"]}, answer

    def test_1_a_visit_moves_the_next_row_of_another_customer(self):
        one, two, far = self.known[0], self.known[5], self.known[20]
        self.visit("cookie:reader", [one, two])
        before, answer = self.scores("cookie:reader", self.known)
        was = self.learned()
        self.assertEqual(answer.json["learned"], was, "a decision names what it has learnt")
        for n in range(12):
            self.visit(f"cookie:walker-{n}", [one, two, far])
        began = time.monotonic()
        self.until(lambda: self.learned() >= was + 12, "visits taken in")
        print(f"learnt {time.monotonic() - began:.3f} s after the answer")
        after, answer = self.scores("cookie:reader", self.known)
        self.assertEqual(answer.json["learned"], self.learned())
        self.assertEqual(answer.json["model"], self.server.get("/v1/models").json["hash"], "the file is the same")
        trace = self.ok(self.server.get(f"/v1/decisions/{answer.json['decisionId']}")).json
        self.assertEqual((trace["model"], trace["learned"]), (answer.json["model"], answer.json["learned"]))
        self.assertGreater(after[far], before[far], "twelve visits led there")

    def test_2_kill_9_loses_nothing_learnt(self):
        before, answer = self.scores("cookie:reader", self.known)
        was = self.learned()
        self.assertGreater(was, 0)
        self.server.kill()
        self.server.start()
        self.until(lambda: self.learned() >= was, "the log learnt again")
        after, answer = self.scores("cookie:reader", self.known)
        for item in self.known:
            self.assertAlmostEqual(before[item], after[item], 4, item)

    def test_3_a_withdrawal_empties_at_once_and_for_good(self):
        one, two, far = self.known[2], self.known[8], self.known[21]
        self.visit("cookie:asks", [one, two])
        blank, _ = self.scores("cookie:asks", self.known)
        was = self.learned()
        for n in range(12):
            self.visit(f"cookie:leaves-{n}", [one, two, far])
        self.until(lambda: self.learned() >= was + 12, "visits taken in")
        full, _ = self.scores("cookie:asks", self.known)
        self.assertGreater(full[far], blank[far])
        for n in range(12):
            purpose = ("store", "personalise")[n % 2]
            self.ok(self.server.put(f"/v1/customers/cookie:leaves-{n}/consents/{purpose}", {"state": "withdrawn"}))
        gone, _ = self.scores("cookie:asks", self.known)
        self.assertAlmostEqual(gone[far], blank[far], 3, "the answer to a withdrawal comes after it")
        self.server.kill()
        self.server.start()
        time.sleep(2)
        again, _ = self.scores("cookie:asks", self.known)
        self.assertAlmostEqual(again[far], blank[far], 3, "and a restart does not bring it back")

    def test_4_a_new_item_waits_for_five_people(self):
        new, beside = self.new, self.known[6]
        for n in range(5):
            was = self.learned()
            answer = self.scores("cookie:curious", self.known + [new])[0]
            self.visit(f"cookie:early-{n}", [beside, new, beside, beside])
            self.until(lambda: self.learned() > was, "the visit")
        self.until(lambda: "falun_learn_new_items 1" in self.server.get("/metrics").body.decode(), "the new item")
        self.visit("cookie:curious", [beside])
        before, _ = self.scores("cookie:curious", self.known + [new])
        for n in range(8):
            self.visit(f"cookie:later-{n}", [beside, new, beside, new])
        was = self.learned()
        self.until(lambda: self.scores("cookie:curious", self.known + [new])[0][new] > before[new], "a higher score of the new item")

    def test_5_no_file_to_go_back_to_holds_somebody_who_left(self):
        def files():
            return [one["hash"] for one in json.loads(self.server.falun("model", "list", "--json").stdout)["models"]]

        old = files()
        self.assertEqual(len(old), 1)
        self.visit("cookie:one-more", self.known[:4])
        self.server.falun("train", "--minutes", "0.1")
        self.until(lambda: len(files()) == 2, "two files: nobody the first one holds has left")
        self.ok(self.server.put("/v1/customers/cookie:toy-3/consents/store", {"state": "withdrawn"}))
        self.visit("cookie:and-more", self.known[:4])
        self.server.falun("train", "--minutes", "0.1")
        self.until(lambda: old[0] not in files(), "the first one deleted")
        self.assertIn(self.ok(self.server.get("/v1/models")).json["hash"], files())


if __name__ == "__main__":
    main()
