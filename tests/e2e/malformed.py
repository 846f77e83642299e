# SPDX-License-Identifier: Apache-2.0
"""Does each line of product.md 7.10 get what it should, and is nothing personal echoed or logged?

Values that may never come back carry the word "secretvalue"; at the end of each class neither an error nor the log of
the server may hold it."""
import base64
import datetime
import gzip
import json
import socket

from server import PUBLIC, SECRET, Case, events_of, main, row, shop

MARK = "secretvalue"


class Told(Case):
    """Every answer that is a problem is kept, to be searched for the mark."""

    @classmethod
    def prepare(cls):
        cls.told = []
        shop(cls.server, 6)

    def problem(self, answer, status, code=None):
        self.told.append(answer.body)
        return super().problem(answer, status, code)

    @classmethod
    def tearDownClass(cls):
        echoes = [body for body in cls.told if MARK.encode() in body.lower()]
        assert not echoes, f"an error echoes what was sent: {echoes[:3]}"
        lines = [line for line in cls.server.log().splitlines() if MARK in line.lower()]
        assert not lines, f"the log tells: {lines[:3]}"
        assert cls.server.get("/readyz", key=None).status == 200, "the server is well"

    def pointers(self, answer):
        return {one["pointer"] for one in answer.json["errors"]}


BROKEN = [b"", b" ", b"{", b"[1,]", b'{"a":1,}', b"{'a':1}", b"nul", b'{"a":01}', b'{"a":NaN}', b'{"a":1} x', b"\xef\xbb\xbf{}",
          b'{"a":"' + b"\xff\xfe" + b'"}', b'{"a":"\xc0\xaf"}', b'{"a":"\xed\xa0\x80"}', b'{"a":"unfinished', b'{"a":"\x01"}',
          b"[" * 33 + b"]" * 33, b"[" * 20000, b'{"a":' * 33 + b"1" + b"}" * 33, b"<xml/>", b"\x00\x01\x02"]
OWN_CALLS = [("POST", "/v1/decide"), ("PUT", "/v1/items/j-1"), ("PUT", "/v1/stores/j-1"), ("POST", "/v1/stock"),
             ("PUT", "/v1/customers/cookie:j/consents/store"), ("POST", "/v1/customers/cookie:j/identifiers")]


class NotJson(Told):
    def test_every_call_says_where(self):
        for method, path in OWN_CALLS + [("POST", "/v1/events"), ("POST", "/v1/receipts"), ("POST", "/v1/items")]:
            for body in BROKEN:
                with self.subTest(call=path, body=body[:40]):
                    answer = self.server.call(method, path, body)
                    if body in (b"[1,]", b"[" * 33 + b"]" * 33) and path in ("/v1/events", "/v1/receipts", "/v1/items"):
                        # an element could be made out: the fault is its own
                        self.assertIn(answer.status, (200, 400, 422), answer)
                        if answer.status == 200:
                            self.assertTrue(all(one["verdict"] == "quarantined" for one in answer.json["results"]), answer)
                        continue
                    self.problem(answer, 400, "malformed_json")
                    self.assertRegex(answer.json["detail"], r"byte (offset )?\d+", answer)

    def test_duplicate_key_in_the_envelope(self):
        self.problem(self.server.post("/v1/decide", b'{"placement":"home-top","n":1,"n":2}'), 400, "malformed_json")
        self.problem(self.server.post("/v1/decide", b'{"placements":[{"name":"a","exclude":[],"exclude":["b"]}]}'), 400, "malformed_json")
        self.problem(self.server.post("/v1/events", b'{"events":[],"events":[{"kind":"page"}]}'), 400, "malformed_json")
        self.problem(self.server.put("/v1/items/d-1", b'{"id":"d-1","title":"a","title":"b"}'), 400, "malformed_json")
        self.problem(self.server.post("/v1/decide", '{"placement":"home-top","\\u006e":1,"n":2}'.encode()), 400, "malformed_json")

    def test_the_document_of_the_wrong_shape(self):
        for body in (b"[]", b"1", b'"text"', b"null", b"true"):
            answer = self.server.post("/v1/decide", body)
            self.assertIn(answer.status, (400, 422), answer)
            self.problem(answer, answer.status)

    def test_nesting_of_32_is_read(self):
        deep = "[" * 30 + "]" * 30
        event = f'{{"id":"deep","kind":"view","item":"sku-1","identifier":"cookie:deep","properties":{{"a":{deep}}}}}'
        self.assertEqual(self.ok(self.server.post("/v1/events", event)).verdicts, ["accepted"])


class Fields(Told):
    def test_unknown_field_names_the_nearest(self):
        for body, wrong, nearest in (({"placement": "a", "explan": "outer"}, "/explan", "explain"),
                                     ({"placements": [{"name": "a", "exlude": ["b"]}]}, "/placements/0/exlude", "exclude"),
                                     ({"placement": "a", "consnt": {"personalise": False}}, "/consnt", "consent"),
                                     ({"placement": "a", "context": {"chanel": "web"}}, "/context/chanel", "channel")):
            with self.subTest(wrong=wrong):
                answer = self.problem(self.server.post("/v1/decide", body), 422, "unknown_field")
                fault = next(one for one in answer.json["errors"] if one["pointer"] == wrong)
                self.assertIn(nearest, fault["detail"])

    def test_misspelt_purpose_is_refused(self):
        self.problem(self.server.post("/v1/decide", {"placement": "a", "consent": {"personalize": False}}), 422, "unknown_field")

    def test_an_own_event_with_an_unknown_field_is_quarantined_a_segment_event_is_not(self):
        answer = self.ok(self.server.post("/v1/events", [
            {"id": "u-1", "kind": "view", "item": "sku-1", "identifier": "cookie:u", "quantty": 2},
            {"type": "track", "event": "Product Viewed", "messageId": "u-2", "anonymousId": "u", "properties": {"product_id": "sku-1", "any": [1]},
             "madeUp": True},
            {"id": "u-3", "kind": "view", "item": "sku-1", "identifier": "cookie:u", "properties": {"whatever": {"deep": True}}}]))
        self.assertEqual(answer.verdicts, ["quarantined", "accepted", "accepted"], answer)
        self.assertEqual(answer.json["results"][0]["code"], "unknown_field")
        self.assertIn("quantity", answer.json["results"][0]["detail"])

    def test_all_errors_at_once(self):
        answer = self.problem(self.server.post("/v1/decide", {
            "mode": 5, "explain": True, "budgetMs": "soon", "session": "", "context": {"channel": "moon", "at": "noon", "store": 4},
            "placements": [{"name": "a", "n": 0}, {"name": "b", "exclude": "sku-1"}, {"n": 3}]}), 422, "invalid_field")
        self.assertLessEqual({"/mode", "/explain", "/context/channel", "/context/at", "/context/store", "/placements/0/n",
                              "/placements/1/exclude"}, self.pointers(answer), answer)
        self.assertTrue({"/placements/2/name", "/placements/2"} & self.pointers(answer), answer)
        for one in answer.json["errors"]:
            self.assertTrue(one["code"] and one["detail"], one)

    def test_at_most_twenty_errors(self):
        answer = self.problem(self.server.post("/v1/decide", {"placements": [{"name": f"p-{i}", "n": 0, "exclude": 1} for i in range(20)]}), 422)
        self.assertEqual(len(answer.json["errors"]), 20)

    def test_items_stores_stock_consents(self):
        answer = self.problem(self.server.put("/v1/items/x-1", {"id": "x-1", "title": 5, "price": {"amount": "1,50", "currency": "kr"},
                                                                "category": "Ski", "attributes": [], "available": "yes"}), 422, "invalid_field")
        for wanted in ("/title", "/price", "/category", "/attributes", "/available"):
            self.assertTrue(any(p.startswith(wanted) for p in self.pointers(answer)), f"{wanted}: {answer}")
        self.problem(self.server.put("/v1/items/x-1", {"id": "x-2", "title": "other than the path"}), 422)
        self.problem(self.server.put("/v1/items/x-1", {"id": "x-1"}), 422, "invalid_field")
        self.problem(self.server.put("/v1/stores/x-1", {"name": 1, "position": {"lat": 91, "lon": 10}, "timeZone": 4}), 422)
        self.assertNotEqual(self.server.post("/v1/stock", {"changes": [{"store": "TRD", "item": "sku-1", "quantity": -4}]}).json, None)
        self.problem(self.server.post("/v1/stock", {"changes": {}}), 422)
        path = "/v1/customers/cookie:fields/consents"
        self.problem(self.server.put(f"{path}/store", {"state": "maybe", "textVersion": "1"}), 422)
        self.problem(self.server.put(f"{path}/everything", {"state": "granted", "textVersion": "1"}), 422)
        self.assertEqual(self.server.get("/v1/items/x-1").status, 404, "nothing of a refused item is kept")

    def test_unknown_query_parameters(self):
        self.problem(self.server.get("/v1/events?user=a&limt=3"), 422)
        self.problem(self.server.get("/v1/events?user=a&limit=0"), 422)
        self.problem(self.server.get("/v1/events?user=a&limit=1001"), 422)
        self.problem(self.server.get("/v1/events"), 422)


def from_now(**ahead):
    return (datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(**ahead)).strftime("%Y-%m-%dT%H:%M:%S.000Z")


def good(number, **more):
    return {"id": f"good-{number}", "kind": "view", "item": "sku-1", "identifier": "cookie:batch", **more}


class BadAmongGood(Told):
    def among(self, bad, code=None, verdict="quarantined"):
        """Sends `bad` (JSON text) between two good ones; the good ones are kept whatever it is."""
        self.number = getattr(self, "number", 0) + 1
        tag = f"{self.id().rpartition('.')[2]}-{self.number}"
        first, last = json.dumps(good(f"{tag}-a")), json.dumps(good(f"{tag}-b"))
        for form in (f"[{first},{bad},{last}]", f'{{"events":[{first},{bad},{last}]}}', f"{first}\n{bad}\n{last}\n"):
            answer = self.ok(self.server.post("/v1/events", form.encode("utf-8", "surrogateescape")))
            self.assertEqual([one["index"] for one in answer.json["results"]], [0, 1, 2], answer)
            self.assertIn(answer.verdicts[0], ("accepted", "duplicate"), answer)
            self.assertIn(answer.verdicts[2], ("accepted", "duplicate"), answer)
            self.assertIn(answer.verdicts[1], verdict if isinstance(verdict, tuple) else (verdict,), answer)
            one = answer.json["results"][1]
            if one["verdict"] == "quarantined":
                self.assertTrue(one["code"] and one["detail"], answer)
                if code is not None:
                    self.assertEqual(one["code"], code, answer)
                self.assertNotIn(MARK, json.dumps(one))
        kept = [e["messageId"] for e in events_of(self.server, "cookie:batch")]
        self.assertEqual(sorted(k for k in kept if k.startswith(f"good-{tag}")), [f"good-{tag}-a", f"good-{tag}-b"])

    def test_what_javascript_writes_and_strict_parsers_refuse(self):
        self.among('{"id":"lone","kind":"view","item":"sku-1","identifier":"cookie:js","properties":{"a":"\\ud800"}}',
                   verdict=("accepted", "duplicate"))
        self.among('{"id":"big","kind":"view","item":"sku-1","identifier":"cookie:js","properties":{"a":1000000000000000000000000000000}}',
                   verdict=("accepted", "duplicate"))
        self.among('{"id":"bigq","kind":"view","item":"sku-1","identifier":"cookie:js","quantity":1000000000000000000000000000000}')

    def test_too_big(self):
        self.among(json.dumps(good("big", identifier=f"cookie:{MARK}", properties={"a": "x" * 70 * 1024})))
        self.among(json.dumps(good("props", properties={"a": "x" * 20 * 1024})))

    def test_broken_in_itself(self):
        self.among('{"id":"dup","kind":"view","kind":"page","item":"sku-1","identifier":"cookie:d"}')
        self.among('{"id":"deep","kind":"view","item":"sku-1","identifier":"cookie:d","properties":' + '{"a":' * 40 + "1" + "}" * 41)
        self.among("17")
        self.among('"text"')
        self.among("null")
        self.among("[]")
        self.among("{}")

    def test_values(self):
        for bad, code in ((good("p", price="much"), None), (good("p", price={"amount": "1.234", "currency": "NOK"}), None),
                          (good("p", price={"amount": 12, "currency": "kroner"}), None), (good("q", quantity="two"), None),
                          (good("k", kind="vieww"), "unknown_kind"), (good("k", kind=7), None), (good("i", item=""), None),
                          (good("i", item=5), None), (good("t", at="yesterday"), None), (good("t", at=1764000000), None),
                          (good("c", channel="moon"), None), (good("f", at=from_now(hours=25)), "future_time"), (good("f", at="2099-01-01T00:00:00Z"), "future_time"),
                          (good("f", at="2999-01-01T00:00:00Z"), None), (good("f", at="1850-01-01T00:00:00Z"), None),
                          ({"id": "noitem", "kind": "view", "identifier": "cookie:batch"}, None),
                          (good("c", consent={"stor": False}), "unknown_field"), (good("c", consent="yes"), None)):
            with self.subTest(bad=bad):
                self.among(json.dumps(bad), code)

    def test_identifiers(self):
        for who in (f"cookie{MARK}", f"robot:{MARK}", "cookie:", f"cookie:{MARK}\x00", f"cookie:{MARK}\n", "member:01010750160",
                    "userId:811228-9874", "erp:131052-308T", "x-own:010190-1234", "member:" + MARK * 40, f"email:{MARK}", f"phone:{MARK}"):
            with self.subTest(who=who):
                self.among(json.dumps(good("who", identifier=who)))
        self.among(json.dumps(good("ids", identifier=None, customer={"ids": {"member": "01010750160", "cookie": "batch2"}})))
        self.assertEqual(self.ok(self.server.get("/v1/events?customer=cookie:batch2")).json["events"], [])

    def test_ids(self):
        for bad in ("", "x" * 257, "a\x00b", "a\nb", 7):
            with self.subTest(bad=bad):
                self.among(json.dumps(good("id", **{"id": bad})))

    def test_all_bad_is_still_an_answer_for_each(self):
        answer = self.ok(self.server.post("/v1/events", [{"kind": "vieww"}, {"kind": "view"}, 5]))
        self.assertEqual((answer.json["accepted"], answer.verdicts), (0, ["quarantined"] * 3))

    def test_a_clock_ten_minutes_ahead_is_clamped_and_the_original_kept(self):
        at = from_now(minutes=10)
        self.assertEqual(self.ok(self.server.post("/v1/events", good("ahead", identifier="cookie:ahead", at=at))).verdicts, ["accepted"])
        event, = events_of(self.server, "cookie:ahead")
        self.assertEqual(event["originalTimestamp"], at)
        self.assertLess(event["timestamp"], at)

    def test_items_bad_among_good(self):
        body = b'[{"id":"ok-1","title":"A"},{"id":"lone","title":"\\ud800"},{"id":"dup","title":"a","title":"b"},{"id":"ok-2","title":"B"}]'
        answer = self.ok(self.server.post("/v1/items", body))
        self.assertEqual((answer.verdicts[0], answer.verdicts[3]), ("accepted", "accepted"), answer)
        self.assertEqual(answer.verdicts[2], "quarantined", answer)
        self.ok(self.server.get("/v1/items/ok-2"))

    def test_a_bad_event_never_stops_the_decision(self):
        answer = self.ok(self.server.post("/v1/decide", {"identifier": "cookie:batch", "placement": "home-top", "n": 2, "events": [
            good("decide"), {"kind": "view", "item": "sku-1", "identifier": f"robot:{MARK}"}, {"kind": "vieww"}]}))
        self.assertEqual([one["verdict"] for one in answer.json["events"]], ["pending", "quarantined", "quarantined"], answer)
        self.assertEqual(len(row(answer)), 2)


class Sizes(Told):
    def test_bodies(self):
        self.problem(self.server.post("/v1/events", b'{"kind":"' + b"x" * (1024 * 1024 + 1) + b'"}'), 413)
        bomb = gzip.compress(b'[{"kind":"page","query":"' + b"0" * (5 * 1024 * 1024) + b'"}]')
        self.assertLess(len(bomb), 100000)
        self.problem(self.server.post("/v1/events", bomb, headers={"Content-Encoding": "gzip"}), 413)
        self.problem(self.server.post("/v1/events", b"no gzip at all", headers={"Content-Encoding": "gzip"}), 400)
        self.problem(self.server.post("/v1/events", gzip.compress(b"[]")[:-4], headers={"Content-Encoding": "gzip"}), 400)
        self.problem(self.server.post("/v1/events", b"[]", headers={"Content-Encoding": "br"}), 415)

    def test_a_batch_between_one_and_four_megabytes_inflated(self):
        events = [good(f"zip-{i}", identifier="cookie:zip", properties={"fill": f"{i:04d}" * 2500}) for i in range(250)]
        body = gzip.compress(json.dumps(events).encode())
        answer = self.ok(self.server.post("/v1/events", body, headers={"Content-Encoding": "gzip"}))
        self.assertEqual(answer.json["accepted"], 250)

    def test_long_names(self):
        long = "n" * 1000 * 1000
        self.problem(self.server.post("/v1/decide", {"placement": long}), 422)
        self.problem(self.server.put("/v1/items/l-1", {"id": "l-1", "title": long}), 422)
        self.problem(self.server.put("/v1/items/l-1", {"id": "l-1", "title": "A", long: 1}), 422)
        answer = self.ok(self.server.post("/v1/events", {"kind": long}))
        self.assertEqual(answer.verdicts, ["quarantined"])
        self.assertLess(len(answer.body), 2000)
        self.assertIn(self.server.get("/v1/items/" + "n" * 300).status, (404, 422))
        self.problem(self.server.get("/v1/items/" + "n" * 20000), 414)
        self.problem(self.server.get("/healthz", headers={"X-Long": "n" * 20000}), 431)


class Doors(Told):
    def test_no_key_and_wrong_key(self):
        for key in (None, "sk_" + MARK, "wk_" + MARK, "", SECRET + "x", SECRET[:-1], SECRET.upper()):
            with self.subTest(key=key):
                answer = self.problem(self.server.post("/v1/decide", {"placement": "a"}, key=key), 401)
                self.assertTrue(answer.headers["WWW-Authenticate"])

    def test_basic_is_taken_as_well(self):
        word = base64.b64encode(f"{SECRET}:".encode()).decode()
        self.ok(self.server.get("/v1/events?user=a", key=None, headers={"Authorization": f"Basic {word}"}))
        wrong = base64.b64encode(f"{MARK}:".encode()).decode()
        self.problem(self.server.get("/v1/events?user=a", key=None, headers={"Authorization": f"Basic {wrong}"}), 401)
        self.problem(self.server.get("/v1/events?user=a", key=None, headers={"Authorization": "Basic !!!"}), 401)
        self.problem(self.server.get("/v1/events?user=a", key=None, headers={"Authorization": "Negotiate abc"}), 401)

    def test_public_key_may_not(self):
        for method, path, body in (("GET", "/v1/events?user=a", None), ("POST", "/v1/receipts", {}), ("PUT", "/v1/items/a", {"id": "a", "title": "A"}),
                                   ("DELETE", "/v1/items/sku-1", None), ("POST", "/v1/stock", {"changes": []}),
                                   ("PUT", "/v1/stores/a", {"name": "A"}), ("GET", "/v1/customers/cookie:a", None),
                                   ("POST", "/v1/customers/cookie:a/identifiers", {"kind": "member", "value": "M"})):
            with self.subTest(path=path):
                answer = self.problem(self.server.call(method, path, body, key=PUBLIC), 403, "not_allowed")
                self.assertIn("secret", answer.json["detail"].lower(), "it names the kind of key")
        self.ok(self.server.get("/v1/items/sku-1"))

    def test_unknown_paths_and_methods(self):
        for path in ("/", "/v1", "/v1/", "/v2/events", "/v1/event", "/v1/events/", "//v1/events", "/v1//events", "/v1/./events",
                     "/v1/items/../events", "/v1/EVENTS", "/v1/events/a/b/c/d/e/f/g/h/i/j/k/l", "/v1/items/", f"/{MARK}"):
            with self.subTest(path=path):
                answer = self.server.get(path)
                self.problem(answer, 404)
        for method, path in (("DELETE", "/v1/events"), ("PUT", "/v1/decide"), ("GET", "/v1/decide"), ("PATCH", "/v1/stock"), ("POST", "/healthz")):
            with self.subTest(method=method, path=path):
                answer = self.problem(self.server.call(method, path, b"{}"), 405)
                self.assertTrue(answer.headers["Allow"])
        self.assertIn("POST", self.server.get("/v1/decide").headers["Allow"])
        self.problem(self.server.call("BREW", "/v1/events", b"{}"), 501)

    def test_tricks_in_paths(self):
        for name in ("..%2f..%2fetc%2fpasswd", "%2e%2e", "a%00b", "a%0d%0aSet-Cookie:x", "%zz", "%", "%c0%af", "%ff", "a%7f"):
            with self.subTest(name=name):
                answer = self.server.get(f"/v1/items/{name}")
                self.assertIn(answer.status, (400, 404, 422), answer)
                self.problem(answer, answer.status)
                self.assertNotIn("Set-Cookie", answer.headers)
        self.assertIn(self.server.put("/v1/items/..%2f..%2fa", {"id": "../../a", "title": "an id is no path"}).status, (200, 201))
        self.ok(self.server.get("/v1/items/..%2f..%2fa"))
        for name in ("a%00b", "a%0ab", "%01"):
            answer = self.server.put(f"/v1/items/{name}", {"title": "control"})
            self.assertIn(answer.status, (400, 422), answer)
            self.problem(answer, answer.status)

    def test_targets_only_a_raw_socket_can_send(self):
        for target in (b"/v1/items/a b", b"*", b"http://127.0.0.1/v1/events", b"/v1/\x01", b"v1/events", b"/\xff\xfe"):
            with self.subTest(target=target), socket.create_connection(("127.0.0.1", self.server.port), timeout=10) as raw:
                raw.sendall(b"GET " + target + b" HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer " + SECRET.encode() + b"\r\nConnection: close\r\n\r\n")
                head = raw.makefile("rb").readline()
                self.assertRegex(head, rb"^HTTP/1\.1 4\d\d ")


class Claims(Told):
    serve_args = ("--test-keys",)

    def test_bad_identifiers_in_paths(self):
        for who in (f"{MARK}", f"robot:{MARK}", "cookie:", "member:01010750160", f"cookie:{MARK}%00", "cus_", f"cus_{MARK}",
                    "cookie:" + MARK * 40, "email:nobody", "phone:abc"):
            with self.subTest(who=who):
                answer = self.server.get(f"/v1/customers/{who}")
                self.assertIn(answer.status, (400, 404, 422), answer)
                self.problem(answer, answer.status)
                self.assertNotIn("01010750160", answer.body.decode())

    def test_unknown_customers(self):
        self.problem(self.server.get(f"/v1/customers/cookie:{MARK}"), 404, "unknown_customer")
        self.problem(self.server.get(f"/v1/customers/member:{MARK}"), 404, "unknown_customer")
        self.assertEqual(self.ok(self.server.get(f"/v1/events?customer=member:{MARK}")).json["events"], [])

    def test_bad_identifiers_in_decide(self):
        for who in ({"identifier": f"robot:{MARK}"}, {"identifier": MARK}, {"customer": {"ids": {"robot": MARK}}}, {"customer": {"ids": {"cookie": 5}}},
                    {"customer": MARK}, {"customer": {"ids": {"cookie": ""}}}, {"identifier": "member:01010750160"},
                    {"customer": {"id": f"cus_{MARK}", "name": MARK}}):
            with self.subTest(who=who):
                answer = self.problem(self.server.post("/v1/decide", {"placement": "home-top", "n": 1, **who}), 422)
                self.assertNotIn("01010750160", answer.body.decode())

    def test_personal_numbers_are_in_no_log(self):
        self.server.post("/v1/events", good("fnr", identifier="member:01010750160"))
        self.server.get("/v1/customers/member:01010750160")
        self.assertNotIn("01010750160", self.server.log())

    def test_ordinary_use_leaves_no_identifier_in_the_log(self):
        self.ok(self.server.post("/v1/events", good("log", identifier=f"cookie:{MARK}-ok", session=f"{MARK}-session")))
        self.ok(self.server.post("/v1/decide", {"identifier": f"cookie:{MARK}-ok", "placement": "home-top", "n": 1}))
        self.ok(self.server.get(f"/v1/customers/cookie:{MARK}-ok"))


class Unproved(Told):
    """A public key whose source is no server: its claims beyond the device's own are not believed."""

    @classmethod
    def prepare(cls):
        cls.open = cls.server.add_key("tag", secret=False, trusted=False)
        super().prepare()
        told = cls.server.post("/v1/events", {"id": "m", "kind": "view", "item": "sku-3", "identifier": "member:owned"})
        assert told.verdicts == ["accepted"], told

    def test_decide_ignores_the_claim_and_says_so(self):
        answer = self.ok(self.server.post("/v1/decide", {"identifier": "member:owned", "placement": "home-top", "n": 2}, key=self.open))
        self.assertEqual(answer.json["identity"], "unproved")
        self.assertFalse(answer.json["placements"]["home-top"]["personal"])
        mine = self.ok(self.server.post("/v1/decide", {"identifier": "member:owned", "placement": "home-top", "n": 2}))
        self.assertNotEqual(answer.json["picture"], mine.json["picture"])

    def test_events_neither_load_nor_link(self):
        answer = self.ok(self.server.post("/v1/events", {"id": "u-1", "kind": "view", "item": "sku-1",
                                                         "customer": {"ids": {"member": "owned", "cookie": "thief"}}}, key=self.open))
        self.assertEqual(answer.verdicts, ["accepted"])
        self.assertEqual(answer.json["results"][0].get("identity") or answer.json.get("identity"), "unproved", answer)
        self.assertEqual(len(events_of(self.server, "member:owned")), 1)
        self.assertEqual(len(events_of(self.server, "cookie:thief")), 1)
        self.assertNotEqual(self.server.get("/v1/customers/cookie:thief").json["id"], self.server.get("/v1/customers/member:owned").json["id"])

    def test_other_calls_refuse(self):
        self.problem(self.server.put("/v1/customers/member:owned/consents/store", {"state": "withdrawn"}, key=self.open), 403, "identity_unproved")
        self.ok(self.server.put("/v1/customers/cookie:thief/consents/mail", {"state": "refused"}, key=self.open))
        self.assertEqual(len(events_of(self.server, "member:owned")), 1)


class Clocks(Case):
    def test_a_clock_that_is_centuries_off_spoils_nothing(self):
        shop(self.server, 4)
        for i, (at, sent) in enumerate((("1900-01-01T00:00:00Z", "2199-12-31T00:00:00Z"), ("1971-01-01T00:00:00Z", "2199-12-31T00:00:00Z"),
                                        ("1900-01-01T00:00:00Z", "1900-01-01T00:00:00Z"))):
            self.ok(self.server.post("/v1/events", {"type": "track", "event": "Product Viewed", "anonymousId": "off", "messageId": f"off-{i}",
                                                    "timestamp": at, "sentAt": sent, "properties": {"product_id": "sku-1"}}))
        self.assertEqual(self.ok(self.server.get("/v1/customers/anonymousId:off")).json["seen"]["events"], 3)
        self.assertEqual(len(self.ok(self.server.get("/v1/events?customer=anonymousId:off")).json["events"]), 3)
        row = self.ok(self.server.post("/v1/decide", {"identifier": "anonymousId:off", "placement": "home-top"})).json["placements"]["home-top"]
        self.assertNotEqual(row["fallback"], "late", row)

    def test_a_month_before_1970(self):
        self.ok(self.server.post("/v1/receipts", {"id": "old", "at": "1969-12-31T23:00:00Z", "identifier": "member:old",
                                                  "lines": [{"item": "sku-1", "quantity": 1, "paid": 1}]}))
        self.assertEqual(self.ok(self.server.get("/v1/customers/member:old")).json["months"][0]["month"], "1969-12")


if __name__ == "__main__":
    main()
