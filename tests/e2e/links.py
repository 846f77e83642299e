# SPDX-License-Identifier: Apache-2.0
"""Do identifiers join by event and by call, and does a cut give both sides back (P2, G15)?"""
from server import Case, events_of, main, row, shop


def event(name, item="sku-1", kind="view", **ids):
    """The last digit of the name is its day."""
    return {"id": name, "kind": kind, "item": item, "customer": {"ids": ids}, "at": f"2026-11-0{name[-1]}T10:00:00Z"}


# What a customer page says that belongs to the behaviour and not to the moment of linking.
LIFE = ("seen", "repeats", "baskets", "looks", "months", "consents")


class Links(Case):
    @classmethod
    def prepare(cls):
        shop(cls.server, 12)

    def customer(self, who):
        return self.ok(self.server.get(f"/v1/customers/{who}")).json

    def life(self, who):
        page = self.customer(who)
        return {part: page[part] for part in LIFE if part in page}

    def kinds(self, who):
        return sorted(f"{one['kind']}:{one['value']}" for one in self.customer(who)["identifiers"])

    def send(self, *events):
        return self.ok(self.server.post("/v1/events", list(events))).verdicts

    def cut(self, customer, who):
        return self.server.delete(f"/v1/customers/{customer}/identifiers/{who}")

    def test_one_event_that_names_two(self):
        self.send(event("one-1", cookie="one-c"))
        self.send(event("one-2", "sku-2", member="one-m"))
        self.assertNotEqual(self.customer("cookie:one-c")["id"], self.customer("member:one-m")["id"])
        self.send(event("one-3", "sku-3", member="one-m", cookie="one-c"))
        self.assertEqual(self.customer("cookie:one-c")["id"], self.customer("member:one-m")["id"])
        self.assertEqual(self.kinds("cookie:one-c"), ["cookie:one-c", "member:one-m"])
        for one in self.customer("cookie:one-c")["identifiers"]:
            self.assertTrue(one["source"] and one["strength"], one)
            self.assertRegex(one["time"], r"^20\d\d-")
        self.assertEqual(sorted(e["messageId"] for e in events_of(self.server, "cookie:one-c")), ["one-1", "one-2", "one-3"])

    def test_a_log_in_without_an_item(self):
        self.send(event("log-1", app="log-a"), event("log-2", "sku-2", userId="log-u"))
        self.send({"id": "log-3", "kind": "identify", "customer": {"ids": {"app": "log-a", "userId": "log-u"}}})
        self.assertEqual(self.kinds("app:log-a"), ["app:log-a", "userId:log-u"])

    def test_segment_identify(self):
        self.send({"type": "track", "event": "Product Viewed", "messageId": "seg-1", "anonymousId": "seg-a", "properties": {"product_id": "sku-1"}},
                  {"type": "identify", "messageId": "seg-2", "anonymousId": "seg-a", "userId": "seg-u", "traits": {"plan": "gold"}})
        self.assertEqual(self.kinds("userId:seg-u"), ["anonymousId:seg-a", "userId:seg-u"])

    def test_the_story_of_p2(self):
        """Cookie, till card, app and member become one time line over three channels."""
        self.send({**event("p2-1", "sku-1", cookie="p2-c"), "channel": "web"})
        self.ok(self.server.post("/v1/receipts", {"id": "p2-r", "source": "till", "at": "2026-11-02T10:00:00Z", "store": "TRD", "currency": "NOK",
                                                  "total": "90.00", "customer": {"ids": {"cardToken": "p2-k"}},
                                                  "lines": [{"item": "sku-2", "quantity": 1, "paid": "90.00"}]}))
        self.send({**event("p2-3", "sku-3", "add", app="p2-a"), "channel": "app"})
        self.send({"id": "p2-4", "kind": "identify", "customer": {"ids": {"member": "P2", "cookie": "p2-c"}}, "channel": "web"},
                  {"id": "p2-5", "kind": "identify", "customer": {"ids": {"member": "P2", "app": "p2-a"}}, "channel": "app"})
        linked = self.ok(self.server.post("/v1/customers/member:P2/identifiers", {"kind": "cardToken", "value": "p2-k", "strength": "strong"}))
        self.assertTrue(linked.json["linkId"])
        self.assertEqual(self.kinds("member:P2"), ["app:p2-a", "cardToken:p2-k", "cookie:p2-c", "member:P2"])
        line = events_of(self.server, "member:P2")
        self.assertLessEqual({"web", "app", "till"}, {e["channel"] for e in line} | {"till"})
        self.assertEqual([e["timestamp"] for e in line], sorted(e["timestamp"] for e in line))
        self.assertLessEqual({"p2-1", "p2-3", "p2-r"}, {e["messageId"] for e in line})
        page = self.customer("app:p2-a")
        self.assertEqual([line["item"] for basket in page["baskets"] for line in basket["lines"]], ["sku-2"], "bought")
        self.assertIn("sku-1", [look["item"] for look in page["looks"]], "only looked at")
        answers = [self.ok(self.server.post("/v1/decide", {"identifier": who, "placement": "home-top", "budgetMs": 5000, "n": 6}))
                   for who in ("cookie:p2-c", "cardToken:p2-k", "app:p2-a", "member:P2")]
        self.assertEqual(len({a.json["picture"] for a in answers}), 1, "one picture on all channels")
        self.assertEqual(len({tuple(row(a)) for a in answers}), 1)

    def test_a_link_by_call_can_be_repeated(self):
        self.send(event("rep-1", cookie="rep-c"))
        for _ in range(2):
            self.ok(self.server.post("/v1/customers/cookie:rep-c/identifiers", {"kind": "member", "value": "rep-m"}))
        self.assertEqual(self.kinds("member:rep-m"), ["cookie:rep-c", "member:rep-m"])

    def test_a_link_to_nobody(self):
        self.problem(self.server.post("/v1/customers/cookie:nobody-here/identifiers", {"kind": "member", "value": "x"}), 404, "unknown_customer")
        self.problem(self.server.get("/v1/customers/member:x"), 404, "unknown_customer")

    def twin(self, tag):
        """The same life for `tag`, never linked in the twin; gives the two identifiers."""
        c, m = f"{tag}-c", f"{tag}-m"
        lone = [event(f"{tag}-1", "sku-1", cookie=c), event(f"{tag}-2", "sku-2", "add", cookie=c), event(f"{tag}-3", "sku-3", "purchase", cookie=c),
                event(f"{tag}-4", "sku-4", member=m), event(f"{tag}-5", "sku-5", "purchase", member=m), event(f"{tag}-6", "sku-5", "purchase", member=m)]
        self.assertEqual(self.send(*lone), ["accepted"] * 6)
        return c, m

    def test_a_cut_gives_both_sides_back(self):
        c, m = self.twin("cut")
        c_apart, m_apart = self.twin("apart")
        before = {who: self.life(who) for who in (f"cookie:{c}", f"member:{m}")}
        self.send({"id": "cut-link", "kind": "identify", "at": "2026-11-09T10:00:00Z", "customer": {"ids": {"member": m, "cookie": c}}})
        self.send({"id": "apart-link", "kind": "identify", "at": "2026-11-09T10:00:00Z", "customer": {"ids": {"member": m_apart}}})  # the log-in is the member's
        self.assertEqual(self.customer(f"cookie:{c}")["id"], self.customer(f"member:{m}")["id"])
        # while joined, both act on
        self.send(event("cut-7", "sku-7", cookie=c), event("cut-8", "sku-8", member=m))
        self.send(event("apart-7", "sku-7", cookie=c_apart), event("apart-8", "sku-8", member=m_apart))
        both = self.ok(self.cut(f"member:{m}", f"cookie:{c}"))
        self.assertNotEqual(both.json["kept"], both.json["cut"])
        self.assertEqual({self.customer(f"member:{m}")["id"], self.customer(f"cookie:{c}")["id"]}, {both.json["kept"], both.json["cut"]})
        self.assertEqual(self.kinds(f"cookie:{c}"), [f"cookie:{c}"])
        self.assertEqual(self.kinds(f"member:{m}"), [f"member:{m}"])
        self.assertEqual(self.life(f"cookie:{c}"), self.life(f"cookie:{c_apart}"), "as if never linked")
        self.assertEqual(self.life(f"member:{m}"), self.life(f"member:{m_apart}"), "as if never linked")
        self.assertNotEqual(before[f"cookie:{c}"], self.life(f"cookie:{c}"), "it did act on")
        mine = {e["messageId"] for e in events_of(self.server, f"cookie:{c}")}
        self.assertEqual(mine, {"cut-1", "cut-2", "cut-3", "cut-7"})

    def test_a_retry_after_the_cut_does_not_link_again(self):
        c, m = self.twin("retry")
        link = {"id": "retry-link", "kind": "view", "item": "sku-9", "customer": {"ids": {"member": m, "cookie": c}}}
        self.assertEqual(self.send(link), ["accepted"])
        self.ok(self.cut(f"member:{m}", f"cookie:{c}"))
        self.assertEqual(self.send(link), ["duplicate"])
        self.assertNotEqual(self.customer(f"cookie:{c}")["id"], self.customer(f"member:{m}")["id"])
        again = self.cut(f"member:{m}", f"cookie:{c}")
        self.assertIn(again.status, (200, 404, 409), "a repeated DELETE does no harm")
        self.assertEqual(self.kinds(f"cookie:{c}"), [f"cookie:{c}"])

    def test_the_only_identifier_cannot_be_cut(self):
        self.send(event("only-1", cookie="only-c"))
        self.problem(self.cut("cookie:only-c", "cookie:only-c"), 409)
        self.problem(self.cut("cookie:only-c", "cookie:not-of-it"), 404, "unknown_customer")

    def test_a_cut_survives_a_restart(self):
        c, m = self.twin("boot")
        self.send({"id": "boot-link", "kind": "identify", "customer": {"ids": {"member": m, "cookie": c}}})
        self.ok(self.cut(f"cookie:{c}", f"cookie:{c}"))
        apart = self.life(f"cookie:{c}"), self.life(f"member:{m}")
        self.assertEqual(self.server.stop(), 0)
        self.server.start()
        self.assertEqual((self.life(f"cookie:{c}"), self.life(f"member:{m}")), apart)
        self.assertNotEqual(self.customer(f"cookie:{c}")["id"], self.customer(f"member:{m}")["id"])

    def test_a_shared_tablet_joins_nobody(self):
        self.send(event("tab-1", "sku-1", cookie="tablet"))
        self.send(event("tab-2", "sku-2", member="anne", cookie="tablet"))
        self.assertEqual(self.customer("member:anne")["id"], self.customer("cookie:tablet")["id"])
        self.send(event("tab-3", "sku-3", member="bo", cookie="tablet"))
        anne, bo = self.customer("member:anne"), self.customer("member:bo")
        self.assertNotEqual(anne["id"], bo["id"], "two members never become one")
        self.assertNotIn("cookie:tablet", self.kinds("member:anne") + self.kinds("member:bo"), "the device belongs to neither")
        self.assertEqual([look["item"] for look in bo["looks"]], ["sku-3"], "each log-in's events are the member's own")
        self.assertEqual([look["item"] for look in anne["looks"]], ["sku-2"])
        self.problem(self.server.post("/v1/customers/member:anne/identifiers", {"kind": "cookie", "value": "tablet"}), 409, "shared_device")
        self.assertEqual(self.send(event("tab-4", "sku-4", member="bo", cookie="tablet")), ["accepted"])
        self.assertNotIn("cookie:tablet", self.kinds("member:bo"))

    def test_two_members_cannot_be_linked_over_a_device_by_call(self):
        self.send(event("dev-1", member="dev-m1", cookie="dev-c"), event("dev-2", member="dev-m2"))
        self.problem(self.server.post("/v1/customers/member:dev-m2/identifiers", {"kind": "cookie", "value": "dev-c"}), 409, "shared_device")
        self.assertNotEqual(self.customer("member:dev-m1")["id"], self.customer("member:dev-m2")["id"])

    def test_two_in_a_decide_call_are_told_and_not_linked(self):
        self.send(event("two-1", cookie="two-c"), event("two-2", member="two-m"))
        answer = self.ok(self.server.post("/v1/decide", {"customer": {"ids": {"member": "two-m", "cookie": "two-c"}}, "placement": "home-top", "budgetMs": 5000, "n": 2}))
        self.assertEqual(answer.json["identity"], "notLinked")
        self.assertNotEqual(self.customer("cookie:two-c")["id"], self.customer("member:two-m")["id"])


if __name__ == "__main__":
    main()
