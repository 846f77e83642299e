# SPDX-License-Identifier: Apache-2.0
"""Does one event change the very next answer, asked on another identifier of the customer as well? None stale in 1,000.

Each case draws a customer of one to four linked identifiers, an event (view, basket, purchase) of an item, the identifier and
the connection it comes by, and another identifier and connection to ask by. The next decision must have another picture and
count exactly one event more; the customer's page must hold the item. With a model learnt from toy receipts, in which items
are bought in fixed pairs, the partner of a bought item must stand in the next row for that very reason."""
import json
import time

from server import Case, main, row, seeded, shop

CASES, CUSTOMERS, PAIRS = 1000, 60, 12
KINDS = ("view", "view", "add", "purchase")


def partner(item):
    number = int(item.partition("-")[2])
    return f"sku-{number + 1 if number % 2 else number - 1}"


class Fresh(Case):
    @classmethod
    def prepare(cls):
        cls.rng = seeded()
        cls.items = shop(cls.server, 2 * PAIRS)
        cls.connections = [cls.server.client() for _ in range(6)]  # they lie on both loop threads
        cls.customers = []
        for number in range(CUSTOMERS):
            ids = [("cookie", f"fresh-c{number}"), ("app", f"fresh-a{number}"), ("member", f"fresh-m{number}"),
                   ("x-card", f"fresh-x{number}")][:1 + number % 4]
            told = cls.server.post("/v1/events", {"id": f"log-in-{number}", "kind": "identify", "customer": {"ids": dict(ids)}})
            assert told.verdicts == ["accepted"], told
            cls.customers.append({"ids": [f"{kind}:{value}" for kind, value in ids], "events": 1, "names": 0, "number": number})

    def any(self):
        return self.rng.choice(self.connections)

    def decide(self, who, **more):
        return self.ok(self.any().post("/v1/decide", {"identifier": who, "placements": [{"name": "home-top", "n": 4, **more.pop("placement", {})}],
                                                      "explain": "inner", "budgetMs": 5000, **more}))

    def inner(self, answer):
        return answer.json["placements"]["home-top"]["inner"]

    def draw(self):
        customer = self.rng.choice(self.customers)
        customer["names"] += 1
        kind, item = self.rng.choice(KINDS), self.rng.choice(self.items)
        event = {"id": f"fresh-{customer['number']}-{customer['names']}", "kind": kind, "item": item}
        if kind == "purchase":
            event["price"] = 50
        return customer, event

    def page_has(self, customer, event):
        page = self.ok(self.any().get("/v1/customers/" + self.rng.choice(customer["ids"]))).json
        if event["kind"] == "purchase":
            newest = [basket for basket in page["baskets"] if basket["at"] == page["baskets"][0]["at"]]
            held = [line["item"] for basket in newest for line in basket["lines"]]
        else:  # two events of one millisecond stand in the order of their ids
            held = [look["item"] for look in page["looks"] if look["at"] == page["looks"][0]["at"]]
        self.assertIn(event["item"], held, f"the newest on the page is another: {event}")
        self.assertEqual(page["seen"]["events"], customer["events"], event)

    def stale(self, cases, check=None):
        stale = []
        for _ in range(cases):
            customer, event = self.draw()
            tell, ask = self.rng.choice(customer["ids"]), self.rng.choice(customer["ids"])
            before = self.decide(ask)
            self.assertEqual(self.inner(before)["events"], customer["events"], "counted so far")
            sent = self.ok(self.any().post("/v1/events", {**event, "identifier": tell}))
            self.assertEqual(sent.verdicts, ["accepted"], sent)
            customer["events"] += 1
            after = self.decide(ask)
            if after.json["picture"] == before.json["picture"] or self.inner(after)["events"] != customer["events"]:
                stale.append((event, tell, ask))
            self.page_has(customer, event)
            if check is not None:
                check(customer, event, ask, after)
        return stale

    def test_1_a_posted_event_is_in_the_next_answer(self):
        self.assertEqual(self.stale(CASES), [])

    def test_2_events_of_the_call_count_in_its_reply(self):
        for _ in range(200):
            customer, event = self.draw()
            ask = self.rng.choice(customer["ids"])
            answer = self.decide(ask, events=[event])
            self.assertEqual(answer.json["events"], [{"index": 0, "id": event["id"], "verdict": "pending"}])
            self.assertEqual(self.inner(answer)["callEvents"], 1)
            self.assertEqual(self.inner(answer)["events"], customer["events"] + 1, "it counts in this very reply")
            customer["events"] += 1
            again = self.ok(self.any().post("/v1/events", {**event, "identifier": ask}))
            self.assertIn(again.verdicts, (["accepted"], ["duplicate"]))
            both = self.decide(ask, events=[event])
            self.assertEqual(self.inner(both)["events"], customer["events"], "sent twice it counts once")

    def test_2b_what_was_folded_meanwhile_counts_once(self):
        events = [{"id": f"fold-{i}", "kind": ("view", "purchase")[i % 2], "item": "sku-1", "identifier": "cookie:folded"} for i in range(100)]
        self.assertEqual(self.ok(self.server.post("/v1/events", events)).json["accepted"], 100)
        time.sleep(0.5)  # above 64 the writer folds at once
        self.assertEqual(self.inner(self.decide("cookie:folded"))["events"], 100)
        for sent_along in (events[-8:], events[-1:] * 2):
            self.assertEqual(self.inner(self.decide("cookie:folded", events=sent_along))["events"], 100)

    def test_2c_an_event_of_somebody_else_is_kept_for_them_and_not_counted_here(self):
        for name in ("one", "two"):
            self.ok(self.server.post("/v1/events", {"id": f"own-{name}", "kind": "page", "identifier": f"cookie:own-{name}"}))
        event = {"id": "others", "kind": "view", "item": self.items[0], "identifier": "cookie:own-two"}
        mine = {**event, "id": "mine", "identifier": "cookie:own-one"}
        self.assertEqual(self.inner(self.decide("cookie:own-one", events=[event]))["callEvents"], 0)
        self.assertEqual(self.inner(self.decide("cookie:own-one", events=[mine]))["callEvents"], 1)
        self.assertEqual(self.inner(self.decide("cookie:own-one", events=[{**mine, "id": "silent", "identifier": None}]))["callEvents"], 1)
        deadline = time.monotonic() + 10
        while time.monotonic() < deadline:
            looks = self.ok(self.server.get("/v1/customers/cookie:own-two")).json["looks"]
            if looks:
                break
            time.sleep(0.05)
        self.assertEqual([look["item"] for look in looks], [self.items[0]])

    def test_3_a_row_follows_when_there_is_a_model(self):
        self.learn()
        reasons = {"repeat": 0, "together": 0}

        def check(customer, event, ask, after):
            if event["kind"] != "purchase":
                return
            answer = self.decide(ask, placement={"n": 2, "candidates": [event["item"], partner(event["item"])]})
            by = {item["id"]: item for item in answer.json["placements"]["home-top"]["items"]}
            own = {a["code"]: a for a in by[event["item"]]["addends"]}
            near = {a["code"]: a for a in by[partner(event["item"])]["addends"]}
            self.assertEqual(own["repeat"].get("because"), event["item"], answer)
            reasons["repeat"] += 1
            reasons["together"] += event["item"] in [a.get("because") for a in near.values()]
            self.assertTrue(answer.json["placements"]["home-top"]["personal"], answer)

        self.assertEqual(self.stale(200, check), [])
        for kind in ("purchase", "view"):
            changed = 0
            for number in range(100):  # the first thing ever known of somebody moves the row
                who, item = f"cookie:newcomer-{kind}-{number}", self.rng.choice(self.items)
                blank = self.decide(who, placement={"candidates": self.items})
                self.assertFalse(blank.json["placements"]["home-top"]["personal"])
                self.ok(self.any().post("/v1/events", {"id": f"new-{kind}-{number}", "kind": kind, "item": item, "identifier": who}))
                told = self.decide(who, placement={"candidates": self.items})
                # Whether what it moved reaches a row of four is the model's to say: asked for all items, it must be there.
                whole = self.decide(who, placement={"n": len(self.items), "candidates": self.items})
                self.assertTrue(whole.json["placements"]["home-top"]["personal"], whole)
                self.assertTrue(self.speaks(who, item, "together" if kind == "purchase" else "looked"), f"{kind} of {item}")
                changed += row(told) != row(blank)
            print(f"with a model: {changed} of 100 newcomers' rows changed by their first {kind}")
            self.assertGreater(changed, 80)
        self.assertGreater(reasons["together"], 0)

    def speaks(self, who, item, code):
        """Whether the partner's score holds an addend of that code because of `item`."""
        answer = self.decide(who, placement={"n": 1, "candidates": [partner(item)]})
        near, = answer.json["placements"]["home-top"]["items"]
        return any(a["code"] == code and a.get("because") == item for a in near["addends"])

    def learn(self):
        """A year of toy receipts, pairs bought together, then `falun train` beside the running server."""
        day, number = 86400, 0
        now = int(time.time())
        for batch in range(8):
            receipts = []
            for _ in range(300):
                number += 1
                member = self.rng.randrange(150)
                first = 2 * ((member + self.rng.choice((0, 0, 0, 1, 5))) % PAIRS) + 1
                at = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(now - day * self.rng.randint(1, 300) - self.rng.randrange(day)))
                receipts.append({"id": f"toy-{number}", "source": "till", "at": at, "store": "TRD", "currency": "NOK", "total": "20.00",
                                 "customer": {"ids": {"member": f"toy-{member}"}},
                                 "lines": [{"item": f"sku-{one}", "quantity": 1, "paid": "10.00"} for one in (first, first + 1)]})
            told = self.ok(self.server.post("/v1/receipts", receipts))
            self.assertEqual(set(told.verdicts), {"accepted"})
        self.server.falun("train", "--once")
        give_up = time.monotonic() + 30
        while time.monotonic() < give_up:
            answer = self.server.post("/v1/decide", {"placement": "home-top", "n": 4})
            if answer.json["placements"]["home-top"]["fallback"] != "modelNotReady":
                return
            time.sleep(0.1)
        self.fail(f"no model after training: {json.dumps(answer.json)[:1000]}\n{self.server.log()[-2000:]}")


if __name__ == "__main__":
    main()
