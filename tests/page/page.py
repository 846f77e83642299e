#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Does the demo's page show real households, do its buttons change the row, does withdrawing empty it, and is it safe?

The standard library only; no script runs here, as none runs on the page."""
import csv
import html.parser
import io
import os
import pathlib
import re
import shutil
import subprocess
import sys
import time
import urllib.parse

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "e2e"))
import server  # noqa: E402
from server import FALUN, TOP, Case, Server, hits, main  # noqa: E402

RECORDED = TOP / "demo/recorded"
EVERY = 20  # one household of so many
MARKUP = "<script>alert(1)</script>"


def inflated(name):
    return subprocess.run(["zstd", "-dc", str(RECORDED / name)], check=True, capture_output=True).stdout.decode()


def subset(to):
    """A twentieth of the households with all their lines; the item bought most is called by markup."""
    to.mkdir(parents=True)
    shutil.copy(RECORDED / "complete_journey.map", to)
    shutil.copy(RECORDED / "demographics.csv.zst", to)
    head, *lines = inflated("transactions.csv.zst").splitlines()
    lines = [line for line in lines if int(line.split(",", 1)[0]) % EVERY == 0]
    (to / "transactions.csv").write_text("\n".join([head, *lines]) + "\n")
    item_at = head.split(",").index("product_id")
    counts = {}
    for line in lines:
        item = line.split(",")[item_at]
        counts[item] = counts.get(item, 0) + 1
    rows = list(csv.DictReader(io.StringIO(inflated("products.csv.zst"))))
    left_out = {"FUEL", "COUPON", "MISCELLANEOUS"}
    by_count = sorted((r for r in rows if r["department"] not in left_out and r["product_category"] != "COUPON/MISC ITEMS"),
                      key=lambda r: -counts.get(r["product_id"], 0))
    by_count[0]["product_type"] = MARKUP
    with open(to / "products.csv", "w", newline="") as file:
        writer = csv.DictWriter(file, rows[0].keys(), lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)


class Demo(Server):
    """`falun demo` instead of `falun serve`: ready when the page answers and something is learnt."""

    def start(self, within=240):
        if not (self.room / "recorded").exists():
            subset(self.room / "recorded")
        self.port, self.exit = server.free_port(), None
        began = time.monotonic()
        with open(self.log_file, "ab") as log:
            self.process = subprocess.Popen([FALUN, "demo", "--data", str(self.data), "--recorded", str(self.room / "recorded"),
                                             "--port", str(self.port), *self.args],
                                            stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        while True:
            if self.process.poll() is not None:
                code, self.process = self.process.returncode, None
                raise RuntimeError(f"falun demo ended with {code}:\n{self.log()[-3000:]}")
            try:
                page = self.get("/", key=None)
                if page.status == 200 and "Nothing is learnt yet" not in page.body.decode() and "member%3A" in page.body.decode():
                    return time.monotonic() - began
            except OSError:
                pass
            if time.monotonic() - began > within:
                raise RuntimeError(f"not ready after {within} s:\n{self.log()[-3000:]}")
            time.sleep(0.1)


class Page(html.parser.HTMLParser):
    """What a reader without scripts has: links, forms with their fields and buttons, text."""

    def __init__(self, answer):
        super().__init__()
        self.source = answer.body.decode("utf-8")
        self.links, self.forms, self.buttons, self.tags, self.words, self.style_attributes = [], [], [], [], [], 0
        self.feed(self.source)
        self.text = re.sub(r"\s+", " ", "".join(self.words))

    def handle_starttag(self, tag, attrs):
        fields = dict(attrs)
        self.tags.append(tag)
        self.style_attributes += "style" in fields
        if tag == "a":
            self.links.append(fields["href"])
        elif tag == "form":
            self.forms.append({"action": fields["action"], "method": fields["method"], "fields": []})
        elif tag == "input":
            self.forms[-1]["fields"].append((fields["name"], fields["value"]))
        elif tag == "button" and "name" in fields:
            self.buttons.append((fields["name"], fields["value"]))

    def handle_startendtag(self, tag, attrs):
        self.handle_starttag(tag, attrs)

    def handle_data(self, data):
        self.words.append(data)

    def form(self, action):
        return next(one for one in self.forms if one["action"] == action)

    @property
    def row(self):
        return [value for name, value in self.buttons if name == "look"]

    @property
    def households(self):
        return [link for link in self.links if "customer=member%3A" in link]


class Visit(Case):
    """One demo for all tests; each takes another household, so that none sees another's presses."""

    @classmethod
    def setUpClass(cls):
        cls.server = Demo(args=())
        cls.addClassCleanup(cls.server.__exit__)
        cls.households = cls.page("/").households

    @classmethod
    def page(cls, path):
        answer = cls.server.get(path.split("#")[0], key=None)
        assert answer.status == 200, answer
        return Page(answer)

    def press(self, page, action, button=None, origin=True, headers=None):
        form = page.form(action)
        fields = form["fields"] + ([button] if button else [])
        body = urllib.parse.urlencode(fields)
        own = {"Origin": f"http://127.0.0.1:{self.server.port}", "Sec-Fetch-Site": "same-origin"} if origin else {}
        return self.server.post(action, body, key=None,
                                headers={"Content-Type": "application/x-www-form-urlencoded", **own, **(headers or {})})

    def follow(self, answer):
        self.assertEqual(answer.status, 303, answer)
        return self.page(answer.headers["Location"])

    def test_the_page_shows_households_with_rows_of_their_own(self):
        self.assertGreaterEqual(len(self.households), 4)
        rows = []
        for link in self.households:
            page = self.page(link)
            self.assertEqual(len(page.row), 8, link)
            self.assertEqual(page.tags.count("h1"), 1)
            if link in self.households[:4]:
                self.assertNotIn("Nothing was bought twice yet", page.text, link)
            rows.append(tuple(page.row))
        self.assertEqual(len(set(rows)), len(rows), "two households got the same row")

    def test_a_look_changes_the_very_next_row(self):
        page = self.page("/?customer=")
        changed = self.follow(self.press(page, "/demo/event", ("buy", page.row[0])))
        self.assertIn("Bought ", changed.text)
        self.assertNotEqual(changed.row, page.row)
        self.assertIn("New in the row", changed.text)
        self.assertIn("1 visit with 1 line", changed.text)
        again = self.follow(self.press(changed, "/demo/event", ("look", changed.row[3])))
        self.assertIn("Looked at ", again.text)
        self.assertNotEqual(again.row, changed.row)

    def test_a_household_that_buys_sees_it_in_its_time_line(self):
        page = self.page(self.households[1])
        bought = self.follow(self.press(page, "/demo/event", ("buy", page.row[2])))
        self.assertIn(" · web · 1 item", bought.text)
        # The API knows it as well: the page has no way in of its own.
        member = urllib.parse.unquote(self.households[1]).split("customer=")[1].split("#")[0]
        known = self.server.get(f"/v1/customers/{member}")
        self.assertEqual(known.status, 200, known)
        self.assertEqual(known.json["baskets"][0]["lines"][0]["item"], page.row[2])

    def test_withdrawing_empties_the_time_line_and_nothing_new_is_kept(self):
        link = self.households[2]
        page = self.page(link)
        self.assertIn("This erases", page.text)
        gone = self.follow(self.press(page, "/demo/withdraw"))
        self.assertIn("Consent withdrawn, everything erased", gone.text)
        self.assertIn("Empty. Consent is withdrawn", gone.text)
        self.assertEqual(len(gone.row), 8)
        self.assertIn("A householdconsent withdrawn", gone.text)  # the survey's words about it are gone as well
        self.assertEqual(self.page("/?customer=").row, gone.row)  # the row of anybody unknown
        refused = self.follow(self.press(gone, "/demo/event", ("look", gone.row[0])))
        self.assertIn("Not kept: consent is withdrawn", refused.text)
        self.assertIn("Empty. Consent is withdrawn", self.page(link).text)

    def test_forms_of_other_sites_are_refused(self):
        page = self.page(self.households[0])
        button = ("look", page.row[0])
        for headers in ({"Origin": "http://evil.example"}, {"Origin": "null"}, {"Sec-Fetch-Site": "cross-site"},
                        {"Sec-Fetch-Site": "same-site"}, {"Origin": "http://evil.example", "Sec-Fetch-Site": "same-origin"}, {}):
            self.problem(self.press(page, "/demo/event", button, origin=False, headers=headers), 403, "not_allowed")
            self.problem(self.press(page, "/demo/withdraw", origin=False, headers=headers), 403, "not_allowed")
        self.assertEqual(self.page(self.households[0]).row, page.row)

    def test_a_name_that_another_site_points_here_reads_nothing(self):
        for host in ("evil.example", "127.0.0.1.evil.example", "localhost.evil.example:80"):
            self.assertEqual(self.server.get("/", key=None, headers={"Host": host}).status, 403, host)
        self.assertEqual(self.server.get("/", key=None, headers={"Host": f"localhost:{self.server.port}"}).status, 200)

    def test_markup_in_a_title_is_shown_and_not_obeyed(self):
        pages = [self.page(link) for link in ["/?customer=", *self.households]]
        self.assertTrue(any("&lt;script&gt;" in page.source for page in pages))
        for page in pages:
            self.assertNotIn("script", page.tags)
            self.assertEqual(page.style_attributes, 0)
        evil = self.page("/?customer=" + urllib.parse.quote('"><script>alert(1)</script>') + "&did=%3Cscript%3E&item=%22%3E&was=%3Cb%3E")
        self.assertNotIn("script", evil.tags)
        self.assertIn("A newcomer", evil.text)

    def test_headers_allow_nothing_but_the_page_itself(self):
        answer = self.server.get("/", key=None)
        policy = answer.headers["Content-Security-Policy"]
        for part in ("default-src 'none'", "style-src 'self'", "form-action 'self'", "frame-ancestors 'none'", "base-uri 'none'"):
            self.assertIn(part, policy)
        self.assertNotIn("script-src", policy)
        self.assertEqual(answer.headers["X-Content-Type-Options"], "nosniff")
        self.assertEqual(answer.headers["Cache-Control"], "no-store")
        style = self.server.get("/demo.css", key=None)
        self.assertEqual((style.status, style.headers.get_content_type()), (200, "text/css"))

    def test_bad_forms_get_a_reason(self):
        page = self.page(self.households[0])
        own = {"Origin": f"http://127.0.0.1:{self.server.port}"}
        for body in ("", "customer=", "customer=email%3Aa%40b.no&look=1", "customer=member%3A" + "9" * 300 + "&look=1", "=&=&&%%%",
                     f"customer={page.form('/demo/event')['fields'][0][1]}", "look=1&" * 1000):
            self.problem(self.server.post("/demo/event", body, key=None, headers=own), 422, "invalid_field")
        self.assertEqual(self.server.get("/demo/event", key=None).status, 405)

    def test_the_proof_comes(self):
        until = time.monotonic() + 120
        while "the proof is being computed" in self.page("/").text and time.monotonic() < until:
            time.sleep(1)
        text = self.page("/").text
        self.assertRegex(text, r"The one-to-one row finds \d+(\.\d)? times as much of the next basket as the best segment")
        self.assertIn("Show as table", text)


class Again(Case):
    def test_a_second_start_reuses_the_data_and_fresh_starts_over(self):
        with Demo(args=()) as demo:
            first = Page(demo.get("/", key=None))
            withdraw = urllib.parse.urlencode(first.form("/demo/withdraw")["fields"])
            own = {"Origin": f"http://127.0.0.1:{demo.port}"}
            self.assertEqual(demo.post("/demo/withdraw", withdraw, key=None, headers=own).status, 303)
            demo.stop()
            demo.start(within=60)
            self.assertNotIn("importing", demo.log().split("\n\n")[-1].lower())
            key = urllib.parse.quote(dict(first.form("/demo/withdraw")["fields"])["customer"])
            self.assertIn("Consent is withdrawn", Page(demo.get(f"/?customer={key}", key=None)).text)
            demo.stop()
            demo.args = ["--fresh"]
            demo.start()
            self.assertNotIn("Consent is withdrawn", Page(demo.get(f"/?customer={key}", key=None)).text)

    def test_other_addresses_and_foreign_directories_are_refused(self):
        with Server(start=False) as room:
            ran = room.falun("demo", "--listen", "0.0.0.0:7474", check=False)
            self.assertEqual(ran.returncode, 2, ran)
            (room.data / "keep").mkdir(parents=True)
            (room.data / "keep" / "me").write_text("not ours")
            ran = room.falun("demo", "--fresh", check=False)
            self.assertEqual(ran.returncode, 1, ran)
            self.assertTrue((room.data / "keep" / "me").exists())


class Serve(Case):
    def test_the_page_is_not_there_under_serve(self):
        for call in (self.server.get("/", key=None), self.server.get("/demo.css", key=None),
                     self.server.post("/demo/event", "customer=member%3A1&look=1", key=None,
                                      headers={"Origin": f"http://127.0.0.1:{self.server.port}"})):
            self.assertEqual(call.status, 404, call)


if __name__ == "__main__":
    main()
