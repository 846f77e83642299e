# SPDX-License-Identifier: Apache-2.0
"""Does each call of issue 3 do what product.md 7 says, once, from items to a decision with tickets?"""
import gzip
import json
import urllib.parse

from server import PUBLIC, SECRET, Case, events_of, main, row, shop


class Health(Case):
    def test_health_ready_metrics_need_no_key(self):
        self.ok(self.server.get("/healthz", key=None))
        self.ok(self.server.get("/readyz", key=None))
        metrics = self.ok(self.server.get("/metrics", key=None))
        self.assertTrue(metrics.headers.get_content_type() == "text/plain", metrics)
        lines = metrics.body.decode().splitlines()
        named = {line.split()[2] for line in lines if line.startswith("# TYPE ")}
        self.assertTrue(any(name.startswith("falun_") for name in named), lines)
        for line in lines:  # every sample is of a declared family and ends in a number
            if line and not line.startswith("#"):
                name, number = line.rsplit(" ", 1)
                float(number)
                family = name.split("{")[0]
                self.assertTrue(any(family == n or family in (n + "_bucket", n + "_sum", n + "_count") for n in named), line)

    def test_head_is_get_without_a_body(self):
        head = self.ok(self.server.call("HEAD", "/healthz", key=None))
        self.assertEqual(head.body, b"")

    def test_every_answer_has_a_request_id(self):
        ids = {self.server.get("/healthz", key=None).headers["Falun-Request-Id"] for _ in range(5)}
        self.assertEqual(len(ids), 5)


class Catalogue(Case):
    def test_item_put_get_delete(self):
        item = {"id": "åre-1", "title": {"nb": "Støvel", "en": "Boot"}, "category": ["Ski", "Boots"], "brand": "Alfa",
                "price": {"amount": "349.50", "currency": "NOK"}, "attributes": {"size": 42, "colour": "blå", "fits": ["a", "b"]}}
        path = "/v1/items/" + urllib.parse.quote("åre-1")
        self.assertIn(self.server.put(path, item).status, (200, 201))
        got = self.ok(self.server.get(path)).json
        self.assertEqual(got["id"], "åre-1")
        self.assertEqual(got["title"], {"nb": "Støvel", "en": "Boot"})
        self.assertEqual(got["price"], {"amount": "349.50", "currency": "NOK"})
        self.assertEqual(got["category"], ["Ski", "Boots"])
        self.assertEqual(got["attributes"], {"size": 42, "colour": "blå", "fits": ["a", "b"]})
        self.ok(self.server.put(path, item))
        self.assertIn(self.server.delete(path).status, (200, 204))
        self.assertEqual(self.server.get(path).status, 404)
        self.assertIn(self.server.delete(path).status, (200, 204), "a repeated DELETE is safe")

    def test_items_in_one_array_with_a_result_each(self):
        answer = self.ok(self.server.post("/v1/items", [{"id": "a-1", "title": "A"}, {"id": "a-2"}, {"title": "C"},
                                                        {"id": "a-4", "title": "D", "price": "much"}, {"id": "a-5", "title": "E"}]))
        results = answer.json["results"]
        self.assertEqual([one["index"] for one in results], [0, 1, 2, 3, 4])
        bad = [one["index"] for one in results if one["verdict"] != "accepted"]
        self.assertEqual(bad, [1, 2, 3], answer)
        self.assertTrue(all(results[i]["code"] and results[i]["detail"] for i in bad), answer)
        self.ok(self.server.get("/v1/items/a-1"))
        self.ok(self.server.get("/v1/items/a-5"))
        self.assertEqual(self.server.get("/v1/items/a-2").status, 404)

    def test_a_misspelt_field_names_its_neighbour(self):
        answer = self.problem(self.server.put("/v1/items/m-1", {"id": "m-1", "title": "M", "catgory": ["X"]}), 422, "unknown_field")
        self.assertIn("category", json.dumps(answer.json["errors"]))

    def test_store_and_stock(self):
        self.assertIn(self.server.put("/v1/stores/OSL", {
            "name": "Oslo", "address": {"postcode": "0155", "city": "Oslo", "country": "NO"}, "position": {"lat": 59.91, "lon": 10.75},
            "timeZone": "Europe/Oslo", "hours": {"mon": ["09:00", "20:00"]}, "closed": ["2026-12-25"], "collectMinutes": 45}).status, (200, 201))
        got = self.ok(self.server.get("/v1/stores/OSL")).json
        self.assertEqual((got["name"], got["collectMinutes"], got["address"]["postcode"]), ("Oslo", 45, "0155"))
        self.assertIn("OSL", json.dumps(self.ok(self.server.get("/v1/stores")).json["stores"]))
        self.ok(self.server.put("/v1/items/s-1", {"id": "s-1", "title": "S"}))
        change = {"store": "OSL", "item": "s-1", "quantity": 3, "at": "2026-10-01T10:00:00Z"}
        self.assertEqual(self.ok(self.server.post("/v1/stock", {"changes": [change]})).verdicts, ["accepted"])
        older = {**change, "quantity": 9, "at": "2026-10-01T09:00:00Z"}
        unknown = {"store": "OSL", "item": "nowhere", "quantity": 1, "at": "2026-10-01T10:00:00Z"}
        self.assertEqual(self.ok(self.server.post("/v1/stock", {"changes": [older, unknown]})).verdicts, ["stale", "unknown"])
        held = self.ok(self.server.get("/v1/stock?item=s-1&store=OSL"))
        self.assertIn('"quantity":3', held.body.decode().replace(" ", ""))
        self.assertIn(self.server.delete("/v1/stores/OSL").status, (200, 204))
        self.assertEqual(self.server.get("/v1/stores/OSL").status, 404)

    def test_public_keys_write_no_catalogue(self):
        self.problem(self.server.put("/v1/items/p-1", {"id": "p-1", "title": "P"}, key=PUBLIC), 403, "not_allowed")
        self.assertEqual(self.server.get("/v1/items/p-1").status, 404)


def view(number, who="c1", item="sku-1", **more):
    return {"id": f"{who}-{number}", "kind": "view", "identifier": f"cookie:{who}", "item": item, **more}


class Events(Case):
    @classmethod
    def prepare(cls):
        shop(cls.server)

    def test_four_forms(self):
        events = [view(i, "forms") for i in range(8)]
        one = self.ok(self.server.post("/v1/events", events[0]))
        self.assertEqual(one.json["accepted"], 1)
        self.assertEqual(one.json["results"], [{"index": 0, "id": "forms-0", "verdict": "accepted"}])
        self.assertEqual(self.ok(self.server.post("/v1/events", events[1:3])).verdicts, ["accepted"] * 2)
        self.assertEqual(self.ok(self.server.post("/v1/events", {"events": events[3:5]})).verdicts, ["accepted"] * 2)
        lines = "\n".join(json.dumps(e) for e in events[5:8]) + "\n"
        self.assertEqual(self.ok(self.server.post("/v1/events", lines)).verdicts, ["accepted"] * 3)
        again = self.ok(self.server.post("/v1/events", events))
        self.assertEqual((again.json["accepted"], again.verdicts), (8, ["duplicate"] * 8), "`accepted`: how many need not be sent again")
        self.assertEqual(sorted(e["messageId"] for e in events_of(self.server, "cookie:forms")), [e["id"] for e in events])

    def test_content_type_says_nothing_and_gzip_is_undone(self):
        body = gzip.compress(json.dumps([view(1, "zip"), view(2, "zip")]).encode())
        answer = self.ok(self.server.post("/v1/events", body, headers={"Content-Encoding": "gzip", "Content-Type": "text/plain"}))
        self.assertEqual(answer.verdicts, ["accepted"] * 2)

    def test_an_event_without_id_is_never_a_duplicate(self):
        event = {"kind": "view", "identifier": "cookie:noid", "item": "sku-1", "at": "2026-11-01T10:00:00Z"}
        for _ in range(2):
            answer = self.ok(self.server.post("/v1/events", event))
            self.assertEqual(answer.verdicts, ["accepted"])
            self.assertTrue(answer.json["results"][0]["id"])
        self.assertEqual(len(events_of(self.server, "cookie:noid")), 2)

    def test_read_back_oldest_first_with_what_was_sent(self):
        for number, at in ((3, "2026-11-03T10:00:00Z"), (1, "2026-11-01T10:00:00+01:00"), (2, "2026-11-02T10:00:00Z")):
            self.ok(self.server.post("/v1/events", view(number, "back", at=at, channel="web", properties={"note": "æøå"})))
        events = events_of(self.server, "cookie:back")
        self.assertEqual([e["messageId"] for e in events], ["back-1", "back-2", "back-3"])
        self.assertEqual(events[0]["timestamp"], "2026-11-01T09:00:00.000Z")
        self.assertEqual(events[0]["channel"], "web")
        self.assertEqual(events[0]["properties"]["note"], "æøå")
        self.assertTrue(events[0]["receivedAt"] and events[0]["source"])
        self.assertIn("store", events[0]["purposes"])
        middle = self.ok(self.server.get("/v1/events?customer=cookie:back&from=2026-11-02T00:00:00Z&to=2026-11-03T00:00:00Z"))
        self.assertEqual([e["messageId"] for e in middle.json["events"]], ["back-2"])
        by_value = self.ok(self.server.get("/v1/events?user=back"))
        self.assertEqual(len(by_value.json["events"]), 3)

    def test_pages(self):
        self.ok(self.server.post("/v1/events", [view(i, "pages", at=f"2026-11-01T10:00:{i:02d}Z") for i in range(7)]))
        seen, cursor, pages = [], "", 0
        while cursor is not None:
            page = self.ok(self.server.get(f"/v1/events?customer=cookie:pages&limit=3{cursor}")).json
            self.assertLessEqual(len(page["events"]), 3)
            seen += [e["messageId"] for e in page["events"]]
            cursor, pages = page["next"] and f"&cursor={page['next']}", pages + 1
        self.assertEqual((seen, pages), ([f"pages-{i}" for i in range(7)], 3))

    def test_nobody_there_is_an_empty_list(self):
        answer = self.ok(self.server.get("/v1/events?user=nobody-at-all"))
        self.assertEqual(answer.json, {"events": [], "next": None})

    def test_public_keys_read_nothing(self):
        self.problem(self.server.get("/v1/events?user=c1", key=PUBLIC), 403, "not_allowed")
        self.problem(self.server.get("/v1/customers/cookie:forms", key=PUBLIC), 403, "not_allowed")

    def test_segment_form(self):
        answer = self.ok(self.server.post("/v1/events", {
            "type": "track", "event": "Product Viewed", "messageId": "seg-1", "anonymousId": "anon-1",
            "properties": {"product_id": "sku-3"}, "timestamp": "2026-11-01T10:00:00Z"}))
        self.assertEqual(answer.verdicts, ["accepted"])
        event, = events_of(self.server, "anonymousId:anon-1")
        self.assertEqual((event["messageId"], event["anonymousId"]), ("seg-1", "anon-1"))


def receipt(number, amount="200.00", items=("sku-1", "sku-2"), **more):
    each = f"{float(amount) / len(items):.2f}"
    return {"id": f"r-{number}", "source": "till-7", "at": "2026-11-01T12:00:00+01:00", "store": "TRD", "register": "2",
            "currency": "NOK", "total": amount, "customer": {"ids": {"member": f"M-{number}"}},
            "lines": [{"item": one, "quantity": 1, "paid": each} for one in items],
            "payments": [{"kind": "card", "amount": amount}], **more}


class Receipts(Case):
    @classmethod
    def prepare(cls):
        shop(cls.server)

    def owned(self, number):
        """{item: pieces bought} by the customer's own read-back."""
        bought = {}
        for event in events_of(self.server, f"member:M-{number}"):
            for line in event["properties"].get("lines") or event["properties"].get("products") or []:
                item = line.get("item") or line.get("product_id") or line.get("productId")
                bought[item] = bought.get(item, 0) + float(line.get("quantity", 1))
        return bought

    def send(self, *receipts):
        return self.ok(self.server.post("/v1/receipts", receipts[0] if len(receipts) == 1 else list(receipts))).verdicts

    def test_same_body_changed_body_and_back(self):
        first, second = receipt("aba"), receipt("aba", "90.00", ("sku-5",))
        self.assertEqual(self.send(first), ["accepted"])
        self.assertEqual(self.send(first), ["duplicate"])
        bought = self.server.get("/v1/customers/member:M-aba").body
        self.assertIn(self.send(second)[0], ("accepted", "replaced"))
        self.assertEqual(self.send(second), ["duplicate"])
        changed = self.server.get("/v1/customers/member:M-aba").body
        self.assertIn(b"sku-5", changed)
        self.assertNotIn(b"sku-2", changed, "the old receipt's effect is gone")
        self.assertIn(self.send(first)[0], ("accepted", "replaced"))
        again = self.server.get("/v1/customers/member:M-aba").body
        self.assertIn(b"sku-2", again)
        self.assertNotIn(b"sku-5", again)
        self.assertEqual(self.server.get("/v1/customers/member:M-aba").status, 200)
        self.assertIn(b"sku-2", bought)

    def test_many_at_once(self):
        self.assertEqual(self.send(receipt("m1"), receipt("m2"), receipt("m1")), ["accepted", "accepted", "duplicate"])

    def test_return_of_everything(self):
        self.assertEqual(self.send(receipt("ret")), ["accepted"])
        self.assertIn(b"sku-1", self.server.get("/v1/customers/member:M-ret").body)
        back = receipt("ret2", "-200.00", customer={"ids": {"member": "M-ret"}},
                       lines=[{"item": one, "quantity": -1, "paid": "-100.00", "returnOf": "r-ret"} for one in ("sku-1", "sku-2")],
                       payments=[{"kind": "card", "amount": "-200.00"}])
        self.assertEqual(self.send(back), ["accepted"])
        self.assertEqual(len(events_of(self.server, "member:M-ret")), 2)
        inner = self.ok(self.server.post("/v1/decide", {"identifier": "member:M-ret", "placement": "home-top", "n": 4, "explain": "inner", "budgetMs": 5000}))
        self.assertNotIn('"code":"repeat"', inner.body.decode().replace(" ", ""), "what was returned is not bought again and again")

    def test_a_voided_receipt_takes_its_effect_back(self):
        self.assertEqual(self.send(receipt("void")), ["accepted"])
        self.assertIn(self.send(receipt("void", voided=True))[0], ("accepted", "replaced"))
        self.assertNotIn(b"sku-1", self.server.get("/v1/customers/member:M-void").body)
        self.assertEqual(self.send(receipt("void")), ["accepted"])  # and counts once when the till takes that back
        month, = self.server.get("/v1/customers/member:M-void").json["months"]
        self.assertEqual((month["purchases"], month["lines"]), (1, 2))

    def test_receipts_of_nobody_count_anonymously(self):
        nobody = receipt("nobody")
        del nobody["customer"]
        self.assertEqual(self.send(nobody), ["anonymous"])

    def test_faults_are_told_all_at_once(self):
        answer = self.server.post("/v1/receipts", {"id": "bad", "at": "yesterday", "lines": [{"quantity": "two"}], "pyments": []})
        text = answer.body.decode()
        self.assertIn(answer.status, (200, 422), answer)
        for word in ("at", "lines"):
            self.assertIn(word, text)

    def test_a_receipt_is_for_a_secret_key(self):
        self.problem(self.server.post("/v1/receipts", receipt("pub"), key=PUBLIC), 403, "not_allowed")


class Customers(Case):
    @classmethod
    def prepare(cls):
        shop(cls.server)

    def test_what_is_known_with_source_and_time(self):
        self.ok(self.server.post("/v1/events", [view(1, "known", "sku-7"), view(2, "known", "sku-9")]))
        self.ok(self.server.post("/v1/receipts", receipt("known", customer={"ids": {"member": "M-known", "cookie": "known"}})))
        known = self.ok(self.server.get("/v1/customers/member:M-known"))
        kinds = {one["kind"]: one for one in known.json["identifiers"]}
        self.assertEqual(set(kinds), {"member", "cookie"}, known)
        for one in kinds.values():
            self.assertTrue(one["source"] and one["time"], known)
        for item in ("sku-7", "sku-9", "sku-1", "sku-2"):
            self.assertIn(f'"{item}"', known.body.decode(), "looked at or bought, and listed")
        same = self.ok(self.server.get("/v1/customers/cookie:known"))
        self.assertEqual(same.json.get("id"), known.json.get("id"))
        self.assertTrue(known.json["id"].startswith("cus_"), known)
        self.assertEqual(self.ok(self.server.get(f"/v1/customers/{known.json['id']}")).json.get("id"), known.json["id"])

    def test_unknown_customer(self):
        self.problem(self.server.get("/v1/customers/cookie:never-seen"), 404, "unknown_customer")
        self.problem(self.server.get("/v1/customers/cus_" + "a" * 20), 404, "unknown_customer")

    def test_e_mail_and_phone_are_known_by_their_hash(self):
        self.ok(self.server.post("/v1/events", {"id": "mail-1", "kind": "view", "item": "sku-1",
                                                "customer": {"ids": {"email": " Kari.Nordmann@Example.NO ", "phone": "+47 912 34 567"}}}))
        known = self.ok(self.server.get("/v1/customers/" + urllib.parse.quote("email:kari.nordmann@example.no", safe="")))
        self.assertNotIn(b"kari", known.body.lower())
        self.assertNotIn(b"91234567", known.body)
        self.assertEqual({one["kind"] for one in known.json["identifiers"]}, {"emailHash", "phoneHash"}, known)

    def test_consents_are_read_and_written(self):
        path = "/v1/customers/cookie:consenting/consents"
        self.problem(self.server.put(f"{path}/mail", {"state": "granted"}), 422)
        for purpose in ("store", "personalise"):
            answer = self.ok(self.server.put(f"{path}/{purpose}", {"state": "granted", "textVersion": "2026-1", "source": "web"}))
            self.assertEqual((answer.json["purpose"], answer.json["state"]), (purpose, "granted"))
            self.assertTrue(answer.json["receiptId"])
        held = self.ok(self.server.get(path))
        self.assertIn('"granted"', held.body.decode())
        self.ok(self.server.put(f"{path}/personalise", {"state": "withdrawn"}))
        self.assertIn('"withdrawn"', self.ok(self.server.get(path)).body.decode())


class Decide(Case):
    @classmethod
    def prepare(cls):
        cls.items = shop(cls.server)
        cls.server.post("/v1/events", [view(i, "dora", f"sku-{i}") for i in (1, 2, 3)])

    def decide(self, status=200, key=SECRET, headers=None, **body):
        answer = self.server.post("/v1/decide", {"budgetMs": 5000, **body}, key=key, headers=headers)
        return self.ok(answer, status)

    def test_long_and_short_form_answer_alike(self):
        short = self.decide(identifier="cookie:dora", placement="home-top", n=4)
        long = self.decide(customer={"ids": {"cookie": "dora"}}, placements=[{"name": "home-top", "n": 4}])
        self.assertEqual(row(short), row(long))
        self.assertEqual(short.json["picture"], long.json["picture"])
        self.assertEqual(set(short.json), set(long.json))

    def test_shape(self):
        answer = self.decide(customer={"ids": {"cookie": "dora"}}, session="s-81", mode="personal",
                             context={"channel": "web", "page": {"type": "product", "item": "sku-1", "locale": "nb-NO"}, "store": "TRD",
                                      "device": "phone"}, placements=[{"name": "home-top", "n": 3}], explain="outer", budgetMs=50).json
        self.assertTrue(answer["decisionId"].startswith("dec_"))
        self.assertIsInstance(answer["picture"], str)
        self.assertIsInstance(answer["took"], (int, float))
        self.assertEqual(answer["mode"], "personal")
        self.assertIn(answer["action"], ("offer", "ask", "help", "care", "silent"))
        self.assertIn("question", answer)
        self.assertEqual(answer["consents"]["personalise"], "granted")
        self.assertEqual(answer["unknown"], {"items": [], "placements": []})
        placement = answer["placements"]["home-top"]
        self.assertIsInstance(placement["personal"], bool)
        self.assertIn("fallback", placement)
        self.assertEqual(len(placement["items"]), 3)
        for item in placement["items"]:
            self.assertIsInstance(item["score"], (int, float))
            self.assertTrue(item["ticket"].startswith("tk_"), item)
            self.assertTrue(item["title"].startswith("Thing "), item)
            self.assertEqual(item["price"]["currency"], "NOK")
            for reason in item["reasons"]:
                self.assertTrue(reason["code"] and reason["text"], item)
        self.assertNotIn("sku-1", [item["id"] for item in placement["items"]], "the page's own item is not offered on it")

    def test_explain(self):
        none = self.decide(identifier="cookie:dora", placement="home-top", n=2, explain="none")
        outer = self.decide(identifier="cookie:dora", placement="home-top", n=2, explain="outer")
        inner = self.decide(identifier="cookie:dora", placement="home-top", n=2, explain="inner")
        self.assertEqual(row(none), row(outer))
        self.assertEqual(row(outer), row(inner))
        self.assertFalse([i for i in none.json["placements"]["home-top"]["items"] if i.get("reasons")], none)
        self.assertGreater(len(inner.body), len(outer.body))
        self.problem(self.server.post("/v1/decide", {"placement": "home-top", "explain": "inner"}, key=PUBLIC), 403, "not_allowed")
        self.problem(self.server.post("/v1/decide", {"placement": "home-top", "explain": "all"}), 422, "invalid_field")

    def test_exclude(self):
        every = row(self.decide(identifier="cookie:dora", placement="home-top", n=4))
        without = row(self.decide(identifier="cookie:dora", placements=[{"name": "home-top", "n": 4, "exclude": every[:2]}]))
        self.assertEqual(len(without), 4)
        self.assertFalse(set(every[:2]) & set(without))
        self.assertEqual(without[:2], every[2:])

    def test_candidates_are_re_ranked_and_nothing_else_comes(self):
        asked = ["sku-5", "sku-17", "sku-2"]
        got = row(self.decide(identifier="cookie:dora", placements=[{"name": "home-top", "n": 10, "candidates": asked}]))
        self.assertEqual(sorted(got), sorted(asked))
        two = row(self.decide(identifier="cookie:dora", placements=[{"name": "home-top", "n": 2, "candidates": asked}]))
        self.assertEqual(two, got[:2])
        out = row(self.decide(identifier="cookie:dora", placements=[{"name": "home-top", "n": 10, "candidates": asked, "exclude": ["sku-17"]}]))
        self.assertEqual(sorted(out), ["sku-2", "sku-5"])

    def test_bounds_of_n(self):
        for n in (0, 101, -1, 2.5, "4"):
            self.problem(self.server.post("/v1/decide", {"placement": "home-top", "n": n}), 422, "invalid_field")
        self.assertEqual(len(row(self.decide(identifier="cookie:dora", placement="home-top", n=100))), len(self.items))
        self.assertEqual(len(row(self.decide(identifier="cookie:dora", placement="home-top", n=1))), 1)
        self.assertEqual(len(row(self.decide(identifier="cookie:dora", placement="home-top"))), 4, "the placement's default")

    def test_bounds_of_the_call(self):
        placements = [{"name": f"p-{i}", "n": 1} for i in range(21)]
        self.problem(self.server.post("/v1/decide", {"placements": placements}), 422, "invalid_field")
        self.decide(placements=placements[:20])
        self.problem(self.server.post("/v1/decide", {"placements": []}), 422)
        self.problem(self.server.post("/v1/decide", {}), 422)
        self.problem(self.server.post("/v1/decide", {"placements": [{"name": "a", "n": 1}, {"name": "a", "n": 1}]}), 422)
        self.problem(self.server.post("/v1/decide", {"placements": [{"name": "a", "exclude": ["x"] * 1001}]}), 422)
        self.problem(self.server.post("/v1/decide", {"placements": [{"name": "a", "candidates": ["x"] * 501}]}), 422)
        self.problem(self.server.post("/v1/decide", {"placement": "a", "events": [view(i, "many") for i in range(101)]}), 422)

    def test_nothing_twice_over_all_placements(self):
        answer = self.decide(identifier="cookie:dora", placements=[{"name": "home-top", "n": 6}, {"name": "product-together", "n": 6},
                                                                   {"name": "cart-bottom", "n": 6}])
        shown = [item["id"] for placement in answer.json["placements"].values() for item in placement["items"]]
        self.assertEqual((len(shown), len(set(shown))), (18, 18))

    def test_unknown_ids_and_placements_are_told(self):
        answer = self.decide(identifier="cookie:dora", placements=[{"name": "never-named", "n": 4, "exclude": ["no-such-item"]}])
        self.assertEqual(answer.json["unknown"], {"items": ["no-such-item"], "placements": ["never-named"]})
        self.assertEqual(len(row(answer, "never-named")), 4)

    def test_unknown_visitor(self):
        for body in ({}, {"identifier": "cookie:brand-new"}):
            answer = self.decide(placement="home-top", n=4, **body)
            self.assertEqual(len(row(answer)), 4)
            self.assertFalse(answer.json["placements"]["home-top"]["personal"])
            self.assertIn(answer.json["placements"]["home-top"]["fallback"], ("unknownCustomer", "modelNotReady"))
        self.problem(self.server.get("/v1/customers/cookie:brand-new"), 404, "unknown_customer")

    def test_modes(self):
        for mode in ("personal", "session", "anonymous", "synthetic"):
            answer = self.decide(identifier="cookie:dora", placement="home-top", n=4, mode=mode)
            self.assertEqual(answer.json["mode"], mode)
            self.assertEqual(len(row(answer)), 4)
            if mode == "anonymous":
                self.assertFalse(answer.json["placements"]["home-top"]["personal"])
        self.problem(self.server.post("/v1/decide", {"placement": "home-top", "mode": "intense"}), 422, "invalid_field")
        self.decide(identifier="cookie:synth", placement="home-top", mode="synthetic", events=[view(1, "synth")])
        self.decide(identifier="cookie:synth", placement="home-top", mode="anonymous", events=[view(2, "synth")])
        self.problem(self.server.get("/v1/customers/cookie:synth"), 404, "unknown_customer")

    def test_consent_in_the_call_narrows(self):
        answer = self.decide(identifier="cookie:dora", placement="home-top", n=4, consent={"personalise": False})
        self.assertFalse(answer.json["placements"]["home-top"]["personal"])
        self.assertEqual(answer.json["placements"]["home-top"]["fallback"], "noConsent")
        self.assertNotEqual(answer.json["mode"], "personal")
        self.assertEqual(len(row(answer)), 4)
        self.assertEqual(answer.json["consents"]["personalise"], "refused")

    def test_ticket_comes_back(self):
        answer = self.decide(identifier="cookie:tess", placement="home-top", n=2, events=[view(0, "tess")])
        first = answer.json["placements"]["home-top"]["items"][0]
        tale = [{"id": f"tess-{kind}", "kind": kind, "identifier": "cookie:tess", "ticket": first["ticket"]} for kind in ("shown", "clicked")]
        sent = self.ok(self.server.post("/v1/events", tale))
        self.assertEqual(sent.verdicts, ["accepted", "accepted"])
        kept = {e["messageId"]: e for e in events_of(self.server, "cookie:tess")}
        for one in ("tess-shown", "tess-clicked"):
            self.assertIn(first["id"], json.dumps(kept[one]), "the ticket names the item")

    def test_ticket_of_another_customer_and_a_forged_one_are_ignored_and_told(self):
        self.ok(self.server.post("/v1/events", [view(0, "tim"), view(0, "tina")]))
        answer = self.decide(identifier="cookie:tim", placement="home-top", n=1)
        ticket = answer.json["placements"]["home-top"]["items"][0]["ticket"]
        forged = ticket[:-4] + ("AAAA" if ticket[-4:] != "AAAA" else "BBBB")
        for number, (who, one) in enumerate((("tina", ticket), ("tim", forged), ("tim", "tk_nonsense"))):
            sent = self.ok(self.server.post("/v1/events", {"id": f"forge-{number}", "kind": "clicked", "identifier": f"cookie:{who}", "ticket": one}))
            self.assertIn("ticket", json.dumps({k: v for k, v in sent.json["results"][0].items() if k != "id"}), sent)

    def test_events_in_the_call_are_pending_and_kept_afterwards(self):
        answer = self.decide(identifier="cookie:pen", placement="home-top", n=2, events=[view(1, "pen"), {"id": "bad", "kind": "vieww"}])
        self.assertEqual([e["verdict"] for e in answer.json["events"]], ["pending", "quarantined"], answer)
        self.assertIn(self.ok(self.server.post("/v1/events", view(1, "pen"))).verdicts[0], ("accepted", "duplicate"))
        self.assertEqual(len(events_of(self.server, "cookie:pen")), 1)

    def test_events_of_a_customer_without_an_identifier_are_not_pending(self):
        self.ok(self.server.post("/v1/events", {"id": "cus-1", "kind": "view", "item": "sku-1", "identifier": "member:by-id"}))
        customer = self.ok(self.server.get("/v1/customers/member:by-id")).json["id"]
        answer = self.decide(customer={"id": customer}, placement="home-top", events=[{"id": "cus-2", "kind": "view", "item": "sku-2"},
            {"id": "cus-3", "kind": "view", "item": "sku-3", "identifier": "member:by-id"}])
        self.assertEqual([e["verdict"] for e in answer.json["events"]], ["refused", "pending"], answer)

    def test_what_is_not_built_is_said(self):
        self.problem(self.server.post("/v1/decide", {"placements": [{"name": "a", "filter": "price < 100"}]}), 422, "unsupported")
        self.problem(self.server.post("/v1/decide", {"placements": [{"name": "a", "compare": True}]}), 422, "unsupported")
        self.problem(self.server.post("/v1/decide?dryRun=true", {"placement": "a"}), 422, "unsupported")

    def test_trace_of_a_decision(self):
        answer = self.decide(identifier="cookie:dora", placement="home-top", n=2, explain="inner")
        trace = self.ok(self.server.get(f"/v1/decisions/{answer.json['decisionId']}"))
        self.assertIn(row(answer)[0], trace.body.decode())
        self.assertEqual(self.server.get("/v1/decisions/dec_nothing").status, 404)

    def test_hidden_and_deleted_items_are_not_shown(self):
        self.ok(self.server.put("/v1/items/hid-1", {"id": "hid-1", "title": "Hidden", "hidden": True, "added": "2026-11-01T10:00:00Z"}))
        self.assertIn(self.server.put("/v1/items/gone-1", {"id": "gone-1", "title": "Gone", "added": "2026-11-01T10:00:00Z"}).status, (200, 201))
        self.assertIn("gone-1", row(self.decide(placement="home-top", n=100)))
        self.server.delete("/v1/items/gone-1")
        shown = row(self.decide(placement="home-top", n=100))
        self.assertNotIn("gone-1", shown)
        self.assertNotIn("hid-1", shown)


class EmptyShop(Case):
    def test_an_empty_catalogue_answers(self):
        answer = self.ok(self.server.post("/v1/decide", {"placement": "home-top", "n": 4}))
        self.assertEqual(row(answer), [])
        self.assertEqual(answer.json["placements"]["home-top"]["fallback"], "emptyCatalogue")

    def test_restart_forgets_nothing(self):
        items = shop(self.server, 6)
        self.ok(self.server.post("/v1/events", [view(1, "rest"), view(2, "rest", "sku-2")]))
        known = self.server.get("/v1/customers/cookie:rest").json
        before = self.ok(self.server.post("/v1/decide", {"identifier": "cookie:rest", "placement": "home-top", "n": 4, "budgetMs": 5000}))
        self.assertEqual(self.server.stop(), 0)
        self.server.start()
        self.assertEqual(len(events_of(self.server, "cookie:rest")), 2)
        self.assertEqual(self.server.get("/v1/customers/cookie:rest").json["identifiers"], known["identifiers"])
        after = self.ok(self.server.post("/v1/decide", {"identifier": "cookie:rest", "placement": "home-top", "n": 4, "budgetMs": 5000}))
        self.assertEqual((row(before), before.json["picture"]), (row(after), after.json["picture"]))
        self.assertEqual(len(items), 6)

    def test_a_second_server_on_the_same_directory_is_refused(self):
        ran = self.server.falun("serve", "--listen", "127.0.0.1:0", check=False)
        self.assertEqual(ran.returncode, 1, ran)
        self.assertIn(str(self.server.process.pid), ran.stderr)


class Heavy(Case):
    def test_a_catalogue_of_long_texts_is_there_after_a_restart(self):
        text = {f"l{i}": "d" * 60000 for i in range(15)}
        for i in range(300):
            self.ok(self.server.put(f"/v1/items/heavy-{i}", {"title": f"Heavy {i}", "description": text}))
        self.assertEqual(self.server.stop(), 0)
        self.server.start()
        for i in (0, 299):
            self.assertEqual(self.ok(self.server.get(f"/v1/items/heavy-{i}")).json["title"], f"Heavy {i}")


if __name__ == "__main__":
    main()
