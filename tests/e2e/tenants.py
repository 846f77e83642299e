# SPDX-License-Identifier: Apache-2.0
"""Two retailers on one server, with the same ids for everything: is nothing seen across the wall?"""
from server import PUBLIC, Case, Server, events_of, main, row


class Tenants(Case):
    @classmethod
    def prepare(cls):
        server = cls.server
        server.add_tenant("other")
        cls.keys = {"a": server.add_key("shop"), "b": server.add_key("shop", tenant="other")}
        cls.public = {"a": server.add_key("web", secret=False), "b": server.add_key("web", tenant="other", secret=False)}
        cls.a, cls.b = server.client(cls.keys["a"]), server.client(cls.keys["b"])
        for name, client in (("A", cls.a), ("B", cls.b)):
            told = client.post("/v1/items", [{"id": f"sku-{i}", "title": f"{name} {i}"} for i in range(1, 9)])
            assert told.status == 200, told

    def test_keys_differ_and_open_their_own_tenant(self):
        self.assertEqual(len({*self.keys.values(), *self.public.values()}), 4)
        self.assertEqual(self.ok(self.a.get("/v1/items/sku-1")).json["title"], "A 1")
        self.assertEqual(self.ok(self.b.get("/v1/items/sku-1")).json["title"], "B 1")

    def test_items_stores_stock(self):
        self.ok(self.a.put("/v1/items/only-a", {"id": "only-a", "title": "A only"}), self.a.put("/v1/items/only-a", {"id": "only-a", "title": "A only"}).status)
        self.assertEqual(self.b.get("/v1/items/only-a").status, 404)
        self.a.put("/v1/stores/S", {"name": "A's"})
        self.assertEqual(self.b.get("/v1/stores/S").status, 404)
        self.assertNotIn(b"A's", self.b.get("/v1/stores").body)
        self.ok(self.a.post("/v1/stock", {"changes": [{"store": "S", "item": "sku-1", "quantity": 7}]}))
        self.assertNotIn(b"7", self.b.get("/v1/stock?item=sku-1&store=S").body.replace(b'"status"', b""))
        self.b.delete("/v1/items/sku-8")
        self.ok(self.a.get("/v1/items/sku-8"))
        shown = self.ok(self.b.post("/v1/decide", {"placement": "home-top", "budgetMs": 5000, "n": 50}))
        self.assertNotIn("only-a", row(shown))
        self.assertTrue(all(one["title"].startswith("B ") for one in shown.json["placements"]["home-top"]["items"]))
        candidates = self.ok(self.b.post("/v1/decide", {"placements": [{"name": "home-top", "n": 5, "candidates": ["only-a", "sku-1"]}]}))
        self.assertEqual(row(candidates), ["sku-1"])
        self.assertEqual(candidates.json["unknown"]["items"], ["only-a"])

    def test_a_model_is_its_tenants_own(self):
        self.ok(self.a.post("/v1/receipts", [
            {"id": f"taught-{i}", "at": f"2026-10-{1 + i % 28:02d}T10:00:00Z", "identifier": f"member:taught-{i % 6}",
             "lines": [{"item": f"sku-{1 + (i + j) % 4}", "quantity": 1, "paid": 10} for j in range(2)],
             "consent": {"store": True}} for i in range(60)]))
        self.server.falun("train", "--once")
        model = self.ok(self.a.get("/v1/models")).json["hash"]
        self.assertTrue(model)
        self.problem(self.b.post("/v1/models", {"hash": model}), 404, "unknown_model")
        self.assertIsNone(self.ok(self.b.get("/v1/models")).json["hash"])
        self.ok(self.a.post("/v1/models", {"hash": model}))

    def test_events_and_customers(self):
        event = {"id": "same-id", "kind": "view", "item": "sku-2", "identifier": "cookie:same", "at": "2026-11-01T10:00:00Z"}
        self.assertEqual(self.ok(self.a.post("/v1/events", event)).verdicts, ["accepted"])
        self.assertEqual(events_of(self.b, "cookie:same"), [])
        self.problem(self.b.get("/v1/customers/cookie:same"), 404, "unknown_customer")
        self.assertEqual(self.ok(self.b.get("/v1/events?user=same")).json["events"], [])
        self.assertEqual(self.ok(self.b.post("/v1/events", {**event, "item": "sku-3"})).verdicts, ["accepted"], "the same id is another event")
        a, b = self.ok(self.a.get("/v1/customers/cookie:same")).json, self.ok(self.b.get("/v1/customers/cookie:same")).json
        self.assertNotEqual(a["id"], b["id"])
        self.assertEqual([look["item"] for look in a["looks"]], ["sku-2"])
        self.assertEqual([look["item"] for look in b["looks"]], ["sku-3"])
        self.problem(self.b.get(f"/v1/customers/{a['id']}"), 404, "unknown_customer")
        self.problem(self.b.post("/v1/decide", {"customer": {"id": a["id"]}, "placement": "home-top", "budgetMs": 5000}), 422)

    def test_receipts(self):
        receipt = {"id": "r-1", "source": "till", "at": "2026-11-01T12:00:00Z", "store": "S", "currency": "NOK", "total": "10.00",
                   "customer": {"ids": {"member": "M-same"}}, "lines": [{"item": "sku-1", "quantity": 1, "paid": "10.00"}]}
        self.assertEqual(self.ok(self.a.post("/v1/receipts", receipt)).verdicts, ["accepted"])
        self.assertEqual(self.ok(self.b.post("/v1/receipts", receipt)).verdicts, ["accepted"])
        self.assertEqual(self.ok(self.b.post("/v1/receipts", {**receipt, "lines": [{"item": "sku-4", "quantity": 1, "paid": "10.00"}]})).status, 200)
        self.assertEqual([line["item"] for one in self.ok(self.a.get("/v1/customers/member:M-same")).json["baskets"] for line in one["lines"]], ["sku-1"])

    def test_tickets_decisions_and_links(self):
        for client in (self.a, self.b):
            self.ok(client.post("/v1/events", [{"id": "t-1", "kind": "view", "item": "sku-1", "identifier": "cookie:t"},
                                               {"id": "t-2", "kind": "view", "item": "sku-1", "identifier": "member:t"}]))
        answer = self.ok(self.a.post("/v1/decide", {"identifier": "cookie:t", "placement": "home-top", "budgetMs": 5000, "n": 1}))
        self.ok(self.a.get(f"/v1/decisions/{answer.json['decisionId']}"))
        self.problem(self.b.get(f"/v1/decisions/{answer.json['decisionId']}"), 404)
        ticket = answer.json["placements"]["home-top"]["items"][0]["ticket"]
        told = self.ok(self.b.post("/v1/events", {"id": "t-3", "kind": "clicked", "identifier": "cookie:t", "ticket": ticket}))
        self.assertIn("ticket", told.body.decode())
        self.ok(self.a.post("/v1/customers/cookie:t/identifiers", {"kind": "member", "value": "t"}))
        self.assertNotEqual(self.b.get("/v1/customers/cookie:t").json["id"], self.b.get("/v1/customers/member:t").json["id"])

    def test_withdrawal_is_of_one_tenant(self):
        for client in (self.a, self.b):
            self.ok(client.post("/v1/events", {"id": "w-1", "kind": "view", "item": "sku-1", "identifier": "cookie:w"}))
        self.ok(self.a.put("/v1/customers/cookie:w/consents/store", {"state": "withdrawn"}))
        self.assertEqual(events_of(self.a, "cookie:w"), [])
        self.assertEqual(len(events_of(self.b, "cookie:w")), 1)
        self.assertEqual(self.ok(self.b.post("/v1/decide", {"identifier": "cookie:w", "placement": "home-top", "budgetMs": 5000})).json["mode"], "personal")
        self.assertEqual(self.ok(self.a.post("/v1/decide", {"identifier": "cookie:w", "placement": "home-top", "budgetMs": 5000})).json["mode"], "anonymous")

    def test_the_samples_keys_are_the_default_tenants(self):
        self.assertEqual(self.ok(self.server.get("/v1/items/sku-1")).json["title"], "A 1")
        self.assertEqual(row(self.ok(self.server.post("/v1/decide", {"placement": "home-top", "budgetMs": 5000, "n": 3}, key=PUBLIC))),
                         row(self.ok(self.a.post("/v1/decide", {"placement": "home-top", "budgetMs": 5000, "n": 3}))))

    def test_the_wall_stands_after_a_restart(self):
        self.ok(self.a.post("/v1/events", {"id": "re-1", "kind": "view", "item": "sku-1", "identifier": "cookie:re"}))
        for client in (self.a, self.b):
            client.close()
        self.assertEqual(self.server.stop(), 0)
        self.server.start()
        self.a.port = self.b.port = self.server.port
        self.assertEqual(len(events_of(self.a, "cookie:re")), 1)
        self.assertEqual(events_of(self.b, "cookie:re"), [])
        self.assertEqual(self.ok(self.b.get("/v1/items/sku-1")).json["title"], "B 1")

    def test_a_revoked_key_opens_nothing(self):
        key = self.server.add_key("leaver", tenant="other")
        for client in (self.a, self.b):
            client.close()
            client.port = self.server.port
        self.ok(self.server.get("/v1/items/sku-1", key=key))
        listed = self.server._offline("key", "list", "--tenant", "other")
        self.assertNotIn(key, listed, "keys are kept hashed")
        name = next(line.split()[0] for line in listed.splitlines() if "leaver" in line)
        self.server._offline("key", "revoke", "--tenant", "other", "--id", name)
        for client in (self.a, self.b):
            client.close()
            client.port = self.server.port
        self.problem(self.server.get("/v1/items/sku-1", key=key), 401)
        self.ok(self.b.get("/v1/items/sku-1"))


class Commands(Case):
    @classmethod
    def setUpClass(cls):
        cls.shop = Server(start=False)
        cls.addClassCleanup(cls.shop.__exit__)

    def refused(self, *command):
        ran = self.shop.falun(*command, check=False)
        self.assertIn(ran.returncode, (1, 2), ran)
        self.assertTrue(ran.stderr.startswith(f"falun {command[0]}: "), ran)

    def test_what_the_server_could_not_hold_is_refused(self):
        for name in ("", "x" * 64, "a b", "a\nb", 'a"b'):
            self.refused("tenant", "add", "--tenant", name)
            self.refused("key", "add", "--source", name)
        for country in ("NORWAY", "no", "N"):
            self.refused("tenant", "add", "--tenant", "t", "--country", country)
        self.refused("tenant", "add", "--tenant", "t", "--currency", "kr")
        for i in range(63):
            self.shop.falun("tenant", "add", "--tenant", f"t{i}")
        self.refused("tenant", "add", "--tenant", "one-more")
        self.shop.start()
        self.assertEqual(self.shop.stop(), 0)


if __name__ == "__main__":
    main()
