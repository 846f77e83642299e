# SPDX-License-Identifier: Apache-2.0
"""P7 on disk: absent, refused, withdrawn. Nothing of the visitor may be in any file, and the row is still good.

A raw scan reads every file of the data directory, while the server runs and after it stopped, for the identifier as sent,
normalised and hashed (SHA-256, as bytes and as hex), and for the ids, sessions and words of the visitor's events. That
the scan can see is shown each time with a neighbour who has consented."""
import hashlib
import socket
import time

from server import Case, events_of, hits, main, row, shop

PURPOSES = ("store", "personalise", "measure")


def forms(*values):
    """The byte forms under which a value could lie in a file."""
    found = set()
    for value in values:
        for text in {value, value.strip(), value.strip().lower()}:
            digest = hashlib.sha256(text.encode())
            found |= {text.encode(), digest.digest(), digest.hexdigest().encode(), digest.hexdigest().upper().encode()}
    return sorted(found)


def tale(who, tag, identifiers=None):
    """What a visitor does: a view with a session, a search, a basket, a purchase."""
    base = {"customer": {"ids": identifiers or {"cookie": who}}, "session": f"session-{tag}-of-it", "channel": "web"}
    return [{**base, "id": f"msg-{tag}-view", "kind": "view", "item": "sku-1", "properties": {"note": f"note-{tag}-free"}},
            {**base, "id": f"msg-{tag}-search", "kind": "search", "query": f"query-{tag}-words"},
            {**base, "id": f"msg-{tag}-add", "kind": "add", "item": "sku-2"},
            {**base, "id": f"msg-{tag}-buy", "kind": "purchase", "order": f"order-{tag}-number", "item": "sku-3", "price": 120, "currency": "NOK"}]


def traces(tag):
    return [f"{word}-{tag}-{rest}".encode() for word, rest in (
        ("msg", "view"), ("msg", "search"), ("msg", "add"), ("msg", "buy"), ("session", "of-it"), ("query", "words"),
        ("note", "free"), ("order", "number"))]


class Scanned(Case):
    """A server, a neighbour who consented, and a key whose source is not gated."""

    @classmethod
    def prepare(cls):
        shop(cls.server, 12)
        cls.plain = cls.server.add_key("plain", gated=False, trusted=True)
        said = cls.server.post("/v1/events", tale("neighbour-cookie", "neighbour"))
        assert said.verdicts == ["accepted"] * 4, said
        cls.neighbour = events_of(cls.server, "cookie:neighbour-cookie")

    def grant(self, who):
        for purpose in PURPOSES:
            self.ok(self.server.put(f"/v1/customers/{who}/consents/{purpose}", {"state": "granted", "textVersion": "v1", "source": "web"}))

    def row_is_good(self, answer, n=4):
        self.ok(answer)
        placement = answer.json["placements"]["home-top"]
        self.assertEqual(len(row(answer)), n, answer)
        self.assertEqual(len(set(row(answer))), n)
        self.assertFalse(placement["personal"], answer)
        self.assertIn(placement["fallback"], ("noConsent", "unknownCustomer"), answer)
        for item in placement["items"]:
            self.assertTrue(item["title"] and item["ticket"], item)

    def nothing_on_disk(self, needles, patience=0):
        """Scans with the server running, stops it, scans again, and starts it anew. patience: seconds for the files'
        rewriting, which a withdrawal begins before it answers."""
        give_up = time.monotonic() + patience
        while hits(self.server.data, needles) and time.monotonic() < give_up:
            time.sleep(0.1)
        self.assertEqual(hits(self.server.data, needles), [], "while it runs")
        self.assertEqual(self.server.stop(), 0)
        self.assertEqual(hits(self.server.data, needles), [], "after it stopped")
        log = self.server.log()
        self.assertEqual([n for n in needles if n.decode("latin-1") in log], [], "in the log")
        self.server.start()
        self.assertEqual(hits(self.server.data, needles), [], "after it started again")

    def neighbour_is_untouched(self):
        self.assertEqual(events_of(self.server, "cookie:neighbour-cookie"), self.neighbour)

    def decide(self, identifier, key=True, headers=None, **more):
        return self.server.post("/v1/decide", {"identifier": identifier, "placement": "home-top", "n": 4, "budgetMs": 5000, **more}, key=key, headers=headers)


class ScanSees(Scanned):
    def test_the_neighbour_is_found(self):
        seen = {needle for _, needle in hits(self.server.data, traces("neighbour"))}
        self.assertEqual(seen, set(traces("neighbour")), "a scan that cannot see proves nothing")

    def test_an_identifiers_text_is_sealed_even_with_consent(self):
        self.assertEqual(hits(self.server.data, forms("neighbour-cookie")), [])


class Absent(Scanned):
    def test_no_statement_from_a_source_without_gate(self):
        who = "absent-Cookie-7Q"
        sent = self.ok(self.server.post("/v1/events", tale(who, "absent"), key=self.plain))
        self.assertEqual(sent.verdicts, ["refused", "refused", "refused", "anonymous"], sent)
        self.row_is_good(self.decide(f"cookie:{who}", key=self.plain, events=[
            {"id": "msg-absent-call", "kind": "view", "item": "sku-5", "identifier": f"cookie:{who}"}]))
        receipt = {"id": "msg-absent-till", "source": "till-absent", "at": "2026-11-01T12:00:00Z", "store": "TRD", "currency": "NOK", "total": "10.00",
                   "customer": {"ids": {"member": "absent-Member-8W"}}, "lines": [{"item": "sku-1", "quantity": 1, "paid": "10.00"}]}
        self.assertEqual(self.ok(self.server.post("/v1/receipts", receipt, key=self.plain)).verdicts, ["anonymous"])
        mail = " Absent.Mail9@Example.NO "
        self.assertEqual(self.ok(self.server.post("/v1/events", tale(who, "absent", {"email": mail, "phone": "+4791234599"}), key=self.plain)).verdicts[:3],
                         ["refused"] * 3)
        self.nothing_on_disk(forms(who, "absent-Member-8W", mail, "absent.mail9@example.no", "+4791234599", "4791234599") + traces("absent") +
                             [b"msg-absent-call", b"msg-absent-till"])
        self.row_is_good(self.decide(f"cookie:{who}", key=self.plain))
        self.problem(self.server.get(f"/v1/customers/cookie:{who}"), 404, "unknown_customer")
        self.neighbour_is_untouched()

    def test_personalising_without_keeping_has_no_profile_to_use(self):
        self.ok(self.server.put("/v1/customers/cookie:half/consents/personalise", {"state": "granted", "textVersion": "1"}))
        self.assertEqual(self.ok(self.server.post("/v1/events", tale("half", "half"), key=self.plain)).verdicts[0], "refused")
        answer = self.decide("cookie:half", key=self.plain)
        self.row_is_good(answer)
        self.assertEqual(answer.json["mode"], "anonymous")

    def test_a_known_customer_of_the_gated_source_is_nobody_to_the_other(self):
        """settled.md 1.9: no record counts as granted at the gated key's own requests only."""
        self.ok(self.server.post("/v1/events", tale("gate-cookie", "gate")))
        mine = self.ok(self.decide("cookie:gate-cookie"))
        self.assertEqual(mine.json["mode"], "personal")
        self.row_is_good(self.decide("cookie:gate-cookie", key=self.plain))


class Refused(Scanned):
    def test_the_event_says_so(self):
        who = "refused-Cookie-1A"
        events = [{**event, "consent": {"store": False}} for event in tale(who, "refevent")]
        self.assertEqual(self.ok(self.server.post("/v1/events", events)).verdicts, ["refused", "refused", "refused", "anonymous"])
        self.nothing_on_disk(forms(who) + traces("refevent"))
        self.neighbour_is_untouched()

    def test_the_call_says_so(self):
        who = "refused-Cookie-2B"
        self.row_is_good(self.decide(f"cookie:{who}", consent={"store": False, "personalise": False}, events=tale(who, "refcall")))
        time.sleep(0.3)  # events of a call are offered after the reply
        self.nothing_on_disk(forms(who) + traces("refcall"))

    def test_a_statement_of_somebody_unknown(self):
        who = "refused-Cookie-3C"
        for purpose in PURPOSES:
            for state in ("refused", "withdrawn"):
                self.ok(self.server.put(f"/v1/customers/cookie:{who}/consents/{purpose}", {"state": state, "source": "banner"}))
        self.nothing_on_disk(forms(who))
        self.problem(self.server.get(f"/v1/customers/cookie:{who}"), 404, "unknown_customer")

    def test_global_privacy_control(self):
        who, gpc = "refused-Cookie-4D", {"Sec-GPC": "1"}
        self.assertEqual(self.ok(self.server.post("/v1/events", tale(who, "gpc"), headers=gpc)).verdicts,
                         ["refused", "refused", "refused", "anonymous"])
        self.row_is_good(self.decide(f"cookie:{who}", headers=gpc, events=tale(who, "gpc")))
        time.sleep(0.3)
        self.nothing_on_disk(forms(who) + traces("gpc"))

    def test_global_privacy_control_wins_over_a_known_customer(self):
        self.ok(self.server.post("/v1/events", tale("gpc-known", "gpcknown")))
        self.row_is_good(self.decide("cookie:gpc-known", headers={"Sec-GPC": "1"}))
        sent = self.ok(self.server.post("/v1/events", {**tale("gpc-known", "later")[0], "id": "gpc-later"}, headers={"Sec-GPC": "1"}))
        self.assertEqual(sent.verdicts, ["refused"])
        self.assertEqual(len(events_of(self.server, "cookie:gpc-known")), 4)
        self.assertEqual(self.ok(self.decide("cookie:gpc-known")).json["mode"], "personal", "the signal is of one request")

    def test_a_known_customers_refusal_stops_what_comes_after(self):
        self.grant("cookie:halts-Cookie-9J")
        self.ok(self.server.post("/v1/events", tale("halts-Cookie-9J", "stops")))
        self.assertEqual(self.ok(self.decide("cookie:halts-Cookie-9J", key=self.plain)).json["mode"], "personal")
        time.sleep(0.01)
        self.ok(self.server.put("/v1/customers/cookie:halts-Cookie-9J/consents/store", {"state": "refused"}))
        sent = self.ok(self.server.post("/v1/events", [{**e, "id": e["id"] + "-2"} for e in tale("halts-Cookie-9J", "stopped")]))
        self.assertEqual(sent.verdicts, ["refused", "refused", "refused", "anonymous"])
        answer = self.decide("cookie:halts-Cookie-9J", key=self.plain)
        self.row_is_good(answer)
        self.assertEqual(answer.json["consents"]["personalise"], "refused", "what may not be kept may not be used")
        self.assertEqual(events_of(self.server, "cookie:halts-Cookie-9J"), [])
        self.nothing_on_disk(forms("halts-Cookie-9J") + traces("stopped") + traces("stops"), patience=15)
        self.row_is_good(self.decide("cookie:halts-Cookie-9J"))

    def test_personalise_refused_keeps_events_and_gives_the_anonymous_row(self):
        self.ok(self.server.post("/v1/events", tale("halfway", "halfway")))
        self.ok(self.server.put("/v1/customers/cookie:halfway/consents/personalise", {"state": "refused"}))
        answer = self.decide("cookie:halfway")
        self.row_is_good(answer)
        self.assertNotEqual(answer.json["mode"], "personal")
        self.assertEqual(self.ok(self.server.post("/v1/events", {**tale("halfway", "x")[0], "id": "halfway-2"})).verdicts, ["accepted"])
        self.assertEqual(len(events_of(self.server, "cookie:halfway")), 5)


class Withdrawn(Scanned):
    def test_all_goes_but_the_neighbours_stays(self):
        cookie, member, mail = "withdrawn-Cookie-5E", "withdrawn-Member-6F", "Withdrawn.Mail@Example.no"
        self.grant(f"cookie:{cookie}")
        ids = {"member": member, "cookie": cookie, "email": mail}
        self.assertEqual(self.ok(self.server.post("/v1/events", tale(cookie, "gone") + [{**e, "id": e["id"] + "-m"} for e in tale(cookie, "gone", ids)],
                                                  key=self.plain)).verdicts[:4], ["accepted"] * 4)
        self.ok(self.server.post("/v1/receipts", {
            "id": "msg-gone-till", "source": "till-1", "at": "2026-11-01T12:00:00Z", "store": "TRD", "currency": "NOK", "total": "10.00",
            "customer": {"ids": {"member": member}}, "lines": [{"item": "sku-1", "quantity": 1, "paid": "10.00"}]}))
        before = self.ok(self.server.get(f"/v1/customers/member:{member}"))
        self.assertEqual({one["kind"] for one in before.json["identifiers"]}, {"cookie", "member", "emailHash"}, before)
        self.assertTrue(hits(self.server.data, traces("gone")), "it is on disk before")
        self.assertEqual(self.ok(self.decide(f"member:{member}", key=self.plain)).json["mode"], "personal")

        self.ok(self.server.put(f"/v1/customers/cookie:{cookie}/consents/store", {"state": "withdrawn"}))
        for who in (f"cookie:{cookie}", f"member:{member}", f"email:{mail}"):  # on every channel, at once
            for key in (True, self.plain):
                self.row_is_good(self.decide(who, key=key))
            self.assertEqual(events_of(self.server, who), [], who)
            sent = self.ok(self.server.post("/v1/events", {"id": f"after-{who[:4]}", "kind": "view", "item": "sku-1", "identifier": who}))
            self.assertEqual(sent.verdicts, ["refused"], who)
        self.nothing_on_disk(forms(cookie, member, mail, mail.lower()) + traces("gone") + [b"msg-gone-till", b"after-cook", b"after-memb", b"after-emai"], patience=15)
        self.neighbour_is_untouched()
        for who in (f"cookie:{cookie}", f"member:{member}"):  # and it is remembered over a restart
            self.row_is_good(self.decide(who))
            again = self.ok(self.server.post("/v1/events", {**tale(cookie, "gone")[0], "id": "msg-again"}))
            self.assertEqual(again.verdicts, ["refused"], "the hash alone remembers the withdrawal")
        read = self.server.get(f"/v1/customers/member:{member}")
        self.assertNotIn(b"sku-", read.body)
        self.assertNotIn(cookie.encode(), read.body)

    def test_a_view_that_a_killed_trainer_left_goes_at_the_next_start(self):
        who = "viewed-Cookie-3V"
        word = hashlib.sha256(b"viewed").hexdigest()  # so long a word of chance survives the files' compression
        self.ok(self.server.post("/v1/events", {"id": "viewed", "kind": "view", "item": "sku-1", "session": word, "identifier": f"cookie:{who}"}))
        with socket.socket(socket.AF_UNIX) as by_file:
            by_file.connect(str(self.server.data / "socket"))
            by_file.sendall(b"POST /v1/checkpoints HTTP/1.1\r\nHost: falun\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
            self.assertIn(b" 200 ", by_file.recv(65536))
        self.ok(self.server.put(f"/v1/customers/cookie:{who}/consents/store", {"state": "withdrawn"}))
        self.assertTrue(hits(self.server.data / "spool", [word.encode()]), "the view was made before")
        self.server.kill()
        self.server.start()
        self.nothing_on_disk(forms(who) + [word.encode()], patience=15)

    def test_what_was_served_before_a_link_is_forgotten_too(self):
        ids = {"cookie": "traced-Cookie-5T", "member": "traced-Member-5T"}
        for kind, value in ids.items():
            self.grant(f"{kind}:{value}")
            self.ok(self.server.post("/v1/events", tale("", f"traced-{kind}", {kind: value}), key=self.plain))
        shown = [self.ok(self.decide(f"{kind}:{value}", key=self.plain)) for kind, value in ids.items()]
        self.ok(self.server.post("/v1/events", {"id": "traced-login", "kind": "identify", "customer": {"ids": ids}}, key=self.plain))
        shown.append(self.ok(self.decide(f"cookie:{ids['cookie']}", key=self.plain)))
        for one in shown:
            self.assertEqual(one.json["mode"], "personal")
            self.ok(self.server.get(f"/v1/decisions/{one.json['decisionId']}"))
        self.ok(self.server.put(f"/v1/customers/member:{ids['member']}/consents/store", {"state": "withdrawn"}))
        for one in shown:
            self.problem(self.server.get(f"/v1/decisions/{one.json['decisionId']}"), 404, "unknown_decision")

    def test_a_new_grant_begins_anew(self):
        who = "anew-Cookie-7G"
        self.grant(f"cookie:{who}")
        self.ok(self.server.post("/v1/events", tale(who, "anew"), key=self.plain))
        self.ok(self.server.put(f"/v1/customers/cookie:{who}/consents/store", {"state": "withdrawn"}))
        time.sleep(0.01)
        self.grant(f"cookie:{who}")
        sent = self.ok(self.server.post("/v1/events", {**tale(who, "anew2")[0]}, key=self.plain))
        self.assertEqual(sent.verdicts, ["accepted"])
        self.assertEqual([e["messageId"] for e in events_of(self.server, f"cookie:{who}")], ["msg-anew2-view"])
        page = self.ok(self.server.get(f"/v1/customers/cookie:{who}")).json
        self.assertEqual([(i["kind"], i["value"]) for i in page["identifiers"]], [("cookie", who)])

    def test_a_withdrawal_older_than_the_grant_changes_nothing(self):
        who = "late-Cookie-8H"
        self.grant(f"cookie:{who}")
        self.ok(self.server.post("/v1/events", tale(who, "late"), key=self.plain))
        self.ok(self.server.put(f"/v1/customers/cookie:{who}/consents/store", {"state": "withdrawn", "at": "2026-01-01T00:00:00Z"}))
        sent = self.ok(self.server.post("/v1/events", {**tale(who, "later")[0]}, key=self.plain))
        self.assertEqual(sent.verdicts, ["accepted"], "the newer grant stands")
        self.assertEqual(len(events_of(self.server, f"cookie:{who}")), 5)

    def test_one_purpose_withdrawn_on_one_channel_is_obeyed_on_all(self):
        ids = {"member": "chan-M", "cookie": "chan-c", "app": "chan-a"}
        for kind, value in ids.items():
            self.grant(f"{kind}:{value}")
        self.ok(self.server.post("/v1/events", tale("", "chan", ids), key=self.plain))
        for kind, value in ids.items():
            self.assertEqual(self.ok(self.decide(f"{kind}:{value}", key=self.plain)).json["mode"], "personal")
        self.ok(self.server.put("/v1/customers/app:chan-a/consents/personalise", {"state": "withdrawn"}))
        for kind, value in ids.items():
            self.row_is_good(self.decide(f"{kind}:{value}", key=self.plain))
        self.assertEqual(len(events_of(self.server, "member:chan-M")), 4, "store is still granted")

    def test_withdrawal_never_fails_for_a_missing_field(self):
        self.ok(self.server.post("/v1/events", tale("bare", "bare")))
        self.ok(self.server.put("/v1/customers/cookie:bare/consents/measure", {"state": "withdrawn"}))
        self.ok(self.server.put("/v1/customers/cookie:bare/consents/store", {"state": "withdrawn"}))
        self.ok(self.server.put("/v1/customers/cookie:bare/consents/store", {"state": "withdrawn"}))

    def test_killed_right_after_the_answer(self):
        """What was promised gone is gone, though the files were about to be rewritten when the server died."""
        for turn in range(3):
            tag, who = f"killed{turn}", f"killed-Cookie-{turn}"
            self.ok(self.server.post("/v1/events", tale(who, tag)))
            self.ok(self.server.post("/v1/events", [{"id": f"fill-{turn}-{i}", "kind": "view", "item": "sku-1", "identifier": f"cookie:fill-{i}",
                                                     "properties": {"fill": "x" * 300}} for i in range(500)]))
            self.ok(self.server.post("/v1/events", tale(f"other-{turn}", f"other{turn}")))  # whose withdrawal puts all into tables
            self.ok(self.server.put(f"/v1/customers/cookie:other-{turn}/consents/store", {"state": "withdrawn"}))
            self.ok(self.server.put(f"/v1/customers/cookie:{who}/consents/store", {"state": "withdrawn"}))
            self.server.kill()
            self.server.start()
            self.nothing_on_disk(forms(who) + traces(tag) + traces(f"other{turn}"), patience=15)
        self.neighbour_is_untouched()


class Ended(Scanned):
    """A grant with an end, and the clock of the stories."""
    serve_args = ("--test-keys", "--test-clock", "2026-10-01T08:00:00Z")

    def test_a_grant_ends_at_its_second(self):
        for purpose in PURPOSES:
            self.ok(self.server.put(f"/v1/customers/cookie:ends/consents/{purpose}", {
                "state": "granted", "textVersion": "1", "until": "2026-10-02T08:00:00Z"}))
        self.assertEqual(self.ok(self.server.post("/v1/events", tale("ends", "ends"), key=self.plain)).verdicts, ["accepted"] * 4)
        self.ok(self.server.post("/v1/test/clock", {"set": "2026-10-02T07:59:59Z"}))
        self.assertEqual(self.ok(self.decide("cookie:ends", key=self.plain)).json["mode"], "personal")
        self.ok(self.server.post("/v1/test/clock", {"advance": "PT2S"}))
        answer = self.decide("cookie:ends", key=self.plain)
        self.row_is_good(answer)
        self.assertEqual(answer.json["consents"]["personalise"], "refused")
        sent = self.ok(self.server.post("/v1/events", [{**e, "id": e["id"] + "-2"} for e in tale("ends", "ended")], key=self.plain))
        self.assertEqual(sent.verdicts, ["refused", "refused", "refused", "anonymous"])
        self.assertEqual(hits(self.server.data, traces("ended")), [])
        self.ok(self.server.put("/v1/customers/cookie:ends/consents/store", {"state": "granted", "textVersion": "2"}))
        self.assertEqual(self.ok(self.server.post("/v1/events", {**tale("ends", "x")[0], "id": "ends-3"}, key=self.plain)).verdicts, ["accepted"])

    def test_the_end_of_one_grant_ends_no_other(self):
        path = "/v1/customers/cookie:other/consents"
        now = self.ok(self.server.get("/v1/test/clock")).json["now"]
        for purpose in PURPOSES:
            self.ok(self.server.put(f"{path}/{purpose}", {"state": "granted", "textVersion": "1"}))
        self.ok(self.server.put(f"{path}/mail", {"state": "granted", "textVersion": "1", "until": now[:17] + "59.999Z"}))
        self.ok(self.server.post("/v1/test/clock", {"advance": "PT5M"}))
        sent = self.ok(self.server.post("/v1/events", tale("other", "otherend"), key=self.plain))
        self.assertEqual(sent.verdicts, ["accepted"] * 4, sent)
        self.assertEqual(self.ok(self.decide("cookie:other", key=self.plain)).json["consents"]["mail"], "refused")
        self.assertEqual({tuple(e["purposes"]) for e in events_of(self.server, "cookie:other")}, {("store", "personalise", "measure")})


if __name__ == "__main__":
    main()
