# SPDX-License-Identifier: Apache-2.0
"""Under --test-clock: is the request's now the test's, by the calendar, and does it exist only there?"""
from server import Case, Server, main, row, shop


class Clock(Case):
    serve_args = ("--test-keys", "--test-clock", "2024-02-29T08:00:00Z")

    @classmethod
    def prepare(cls):
        shop(cls.server)

    def now(self, **change):
        answer = self.server.post("/v1/test/clock", change) if change else self.server.get("/v1/test/clock")
        return self.ok(answer).json["now"]

    def test_1_advances_by_the_calendar(self):
        self.assertEqual(self.now(), "2024-02-29T08:00:00.000Z")
        self.assertEqual(self.now(advance="P3Y"), "2027-02-28T08:00:00.000Z")
        self.assertEqual(self.now(advance="P1M2DT3H"), "2027-03-30T11:00:00.000Z")
        self.assertEqual(self.now(advance="PT90S"), "2027-03-30T11:01:30.000Z")
        self.assertEqual(self.now(set="2026-10-01T10:00:00+02:00"), "2026-10-01T08:00:00.000Z")
        for bad in ({"advance": "3 years"}, {"advance": "P"}, {"advance": "PT"}, {"set": "tomorrow"}, {"advance": "P900Y"}, {}):
            self.problem(self.server.post("/v1/test/clock", bad), 422)
        self.assertEqual(self.now(), "2026-10-01T08:00:00.000Z")

    def test_2_an_event_without_a_time_happens_now(self):
        self.now(set="2026-10-01T08:00:00Z")
        self.ok(self.server.post("/v1/events", {"id": "now-1", "kind": "view", "item": "sku-1", "identifier": "cookie:now"}))
        page = self.ok(self.server.get("/v1/customers/cookie:now")).json
        self.assertEqual(page["seen"]["last"], "2026-10-01T08:00:00.000Z")
        late = {"id": "now-2", "kind": "view", "item": "sku-1", "identifier": "cookie:now", "at": "2026-10-02T08:00:01Z"}
        answer = self.ok(self.server.post("/v1/events", late))
        self.assertEqual((answer.verdicts, answer.json["results"][0]["code"]), (["quarantined"], "future_time"))
        self.now(advance="PT1S")
        self.assertEqual(self.ok(self.server.post("/v1/events", late)).verdicts, ["accepted"])

    def test_3_deadlines_are_of_the_real_clock(self):
        for now in ("2020-01-01T00:00:00Z", "2050-01-01T00:00:00Z"):
            self.now(set=now)
            answer = self.ok(self.server.post("/v1/decide", {"identifier": "cookie:now", "placement": "home-top", "n": 4}))
            self.assertEqual((answer.json["mode"], len(row(answer))), ("personal", 4))

    def test_4_a_consent_ends_at_its_end(self):
        self.now(set="2030-01-01T00:00:00Z")
        path = "/v1/customers/member:ends/consents"
        for purpose in ("store", "personalise"):
            self.ok(self.server.put(f"{path}/{purpose}", {"state": "granted", "textVersion": "1", "until": "2030-02-01T00:00:00Z"}))
        self.ok(self.server.post("/v1/events", {"id": "ends-1", "kind": "view", "item": "sku-1", "identifier": "member:ends"}))
        plain = self.server.add_key("plain", gated=False, trusted=True)  # no record is a refusal there

        def asked():
            answer = self.ok(self.server.post("/v1/decide", {"identifier": "member:ends", "placement": "home-top"}, key=plain)).json
            return answer["mode"], answer["consents"]["personalise"]
        self.now(set="2030-01-31T23:59:59Z")
        self.assertEqual(asked(), ("personal", "granted"))
        self.now(advance="PT1S")
        self.assertEqual(asked(), ("anonymous", "refused"))
        late = {"id": "ends-2", "kind": "view", "item": "sku-2", "identifier": "member:ends"}
        self.assertEqual(self.ok(self.server.post("/v1/events", late, key=plain)).verdicts, ["refused"])


class NoClock(Case):
    def test_without_the_option_there_is_none(self):
        self.problem(self.server.get("/v1/test/clock"), 404)
        self.problem(self.server.post("/v1/test/clock", {"advance": "P1D"}), 404)
        with self.assertRaises(RuntimeError):
            Server(args=("--test-keys", "--test-clock", "soon"))


if __name__ == "__main__":
    main()
