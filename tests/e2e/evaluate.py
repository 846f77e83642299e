# SPDX-License-Identifier: Apache-2.0
"""`falun evaluate` on small planted files: every protocol finds what was planted, hostile files give a clear line each, and a running
server gives the same lists as the program itself."""
import json
import pathlib
import random
import subprocess

from server import FALUN, SECRET, Case, Server, main

SESSIONS, CHAINS, LINKS = 1200, 12, 6


def chains(rng, first, n, seconds=None):
    """Sessions that walk along chains of items: what follows is certain. With seconds: a column ts in place of seq."""
    rows = ["session_id,seq,item_id" if seconds is None else "session_id,item_id,ts"]
    for s in range(first, first + n):
        chain, at = rng.randrange(CHAINS), rng.randrange(LINKS - 2)
        for k in range(rng.randint(2, 4)):
            item = f"c{chain}-{(at + k) % LINKS}"
            rows.append(f"{s},{k + 1},{item}" if seconds is None else f"{s},{item},{seconds + s * 60 + k * 10}")
    return "\n".join(rows) + "\n"


class Evaluate(Case):
    @classmethod
    def setUpClass(cls):
        cls.shop = Server(start=False)
        cls.addClassCleanup(cls.shop.__exit__)
        cls.room = pathlib.Path(cls.shop.room)

    def put(self, name, text):
        (self.room / name).write_text(text)
        return str(self.room / name)

    def evaluate(self, *words, code=0):
        """Gives (the last line's object, all text)."""
        ran = subprocess.run([FALUN, "evaluate", *map(str, words), "--minutes", "0.05", "--threads", "1"], capture_output=True,
                             text=True, timeout=180)
        self.assertEqual(ran.returncode, code, ran.stdout[-2000:] + ran.stderr)
        return json.loads(ran.stdout.strip().splitlines()[-1]) if code in (0, 3) else None, ran.stdout + ran.stderr

    def refused(self, *words):
        _, said = self.evaluate(*words, code=1)
        self.assertTrue(said.strip().splitlines()[-1].startswith("falun evaluate: "), said)
        return said.strip().splitlines()[-1]

    # ---- what was planted is found ----

    def test_next_item_by_order(self):
        rng = random.Random(1)
        train, test = self.put("t1", chains(rng, 1, SESSIONS)), self.put("u1", chains(rng, SESSIONS + 1, 100))
        cases = sum(1 for _ in open(test)) - 1 - 100
        result, said = self.evaluate("--protocol", "next-item", "--train", train, "--test", test)
        self.assertEqual((result["protocol"], result["cases"]), ("next-item", cases))
        self.assertGreater(result["hr@20"], .98)
        self.assertGreater(result["mrr@20"], .9, "the next of a chain is certain")
        self.assertLess(result["against"]["popular"]["mrr@20"], .4)
        low, high = result["hr@20Interval"]
        self.assertTrue(low <= result["hr@20"] <= high, result)
        self.assertLessEqual(result["mrr@20"], result["hr@20"])
        groups = {(g["kind"], g["name"]): g for g in result["groups"]}
        self.assertEqual(groups["clicks before", "1"]["cases"], 100)
        self.assertIn("coverage@20", said)
        again, _ = self.evaluate("--protocol", "next-item", "--train", train, "--test", test, "--minutes", "0")
        once_more, _ = self.evaluate("--protocol", "next-item", "--train", train, "--test", test, "--minutes", "0", "--threads", "2")
        self.assertEqual(again["model"], once_more["model"], "the same file, on any number of threads")

    def test_next_item_online_asks_again_while_it_learns(self):
        """Topics of thirty things, looked at in any order. In the test part topics have got ten new companions each."""
        rng = random.Random(2)
        train, rows = ["session_id,item_id,ts"], ["session_id,item_id,ts"]
        for s in range(6000):
            topic = rng.randrange(160)
            for k, item in enumerate(rng.sample(range(30), 5)):
                train.append(f"{s},t{topic}-{item},{1500000000 + s * 60 + k}")
        for s in range(300):
            topic = rng.randrange(8)
            for k, item in enumerate(rng.sample(range(30), 3) + rng.sample(range(30), 3)):
                rows.append(f"{9000 + s},t{topic + (20 if k > 2 else 0)}-{item},{1500400000 + s * 600 + k}")
        train = self.put("t2", "\n".join(train) + "\n")
        test = self.put("u2", "\n".join(rows) + "\n")
        result, said = self.evaluate("--protocol", "next-item", "--online", "--train", train, "--test", test)
        self.assertEqual(result["cases"], 1500)
        self.assertNotEqual(result["online"]["mrr@20"], result["mrr@20"], said)
        self.assertGreater(result["online"]["hr@20"], result["hr@20"] - .02, said)
        self.assertAlmostEqual(result["freshness"]["mrr@20"], result["online"]["mrr@20"] - result["mrr@20"], 3)
        self.assertEqual([q["cases"] for q in result["freshness"]["quarters"]], [375] * 4)
        self.assertIn("learning on minus off", said)

    def test_last_out_masks_what_was_had(self):
        rng, rows = random.Random(3), ["user_id,seq,item_id"]
        for user in range(900):  # rings of twelve, five in a row
            chain, at = rng.randrange(CHAINS), rng.randrange(12)
            rows += [f"{user},{k + 1},c{chain}-{(at + k) % 12}" for k in range(5)]
        result, _ = self.evaluate("--protocol", "last-out", "--sequences", self.put("s3", "\n".join(rows) + "\n"))
        self.assertEqual(result["cases"], 900)
        self.assertGreater(result["hr@10"], .9)
        self.assertGreater(result["ndcg@10"], .7)
        self.assertLess(result["against"]["popular"]["hr@10"], .2)

    def test_held_out_by_user(self):
        rng, train, test = random.Random(4), ["user_id,item_id"], ["user_id,item_id"]
        for user in range(800):
            group = user % 20
            for item in rng.sample(range(20), 12):
                (test if rng.random() < .2 else train).append(f"{user},g{group}-{item}")
        result, _ = self.evaluate("--protocol", "held-out", "--train", self.put("t4", "\n".join(train) + "\n"),
                                  "--test", self.put("u4", "\n".join(test) + "\n"))
        self.assertEqual(result["cases"], len({row.split(",")[0] for row in test[1:]}))
        self.assertGreater(result["recall@20"], .9)
        self.assertGreater(result["ndcg@20"], result["against"]["popular"]["ndcg@20"])

    # ---- a running server ----

    def test_a_server_gives_the_same_lists_and_learns(self):
        rng = random.Random(5)
        train = self.put("t5", chains(rng, 1, SESSIONS, 1500000000))
        test = self.put("u5", chains(rng, SESSIONS + 1, 150, 1500000000))
        shop = Server(start=False, args=("--test-keys", "--test-clock", "2017-07-15T00:00:00Z"))
        self.addCleanup(shop.__exit__)
        words = ["--protocol", "next-item", "--train", train, "--test", test]
        filled, _ = self.evaluate(*words, "--data", shop.data)
        shop.start()
        model = shop.data / "models" / filled["model"]
        result, said = self.evaluate(*words, "--model", model, "--through", f"http://127.0.0.1:{shop.port}", "--key", SECRET)
        self.assertEqual(result["through"]["same"], result["through"]["asked"], said)
        self.assertEqual(result["model"], filled["model"])
        result, said = self.evaluate(*words, "--model", model, "--online", "--through", f"http://127.0.0.1:{shop.port}", "--key",
                                     SECRET)
        self.assertGreater(shop.client().get("/v1/models").json["learned"], 0)
        self.assertGreater(result["online"]["hr@20"], .95)

    # ---- hostile files ----

    def test_files_that_cannot_teach(self):
        good = self.put("t6", chains(random.Random(6), 1, 50))
        words = "--protocol", "next-item", "--train"
        for text, word in (("", "name the columns"), ("session_id,seq,item_id\n", "no row"), ("a,b\n1,2\n", "session_id"),
                           ("session_id,item_id\n1,2\n", "seq or ts"), ("session_id,seq,item_id\n1,x,2\n", "seq"),
                           ("session_id,item_id,ts\n1,2,99999999999\n", "later than tomorrow"), ('session_id,seq,item_id\n"1,1', "quote")):
            with self.subTest(text):
                self.assertIn(word, self.refused(*words, self.put("bad", text), "--test", good))
                self.assertIn(word, self.refused(*words, good, "--test", self.put("bad", text)))
        self.assertIn("/nowhere", self.refused(*words, "/nowhere", "--test", good))
        single = self.put("single", "session_id,seq,item_id\n1,1,a\n2,1,b\n")
        self.assertIn("second click", self.refused(*words, good, "--test", single))

    def test_little_and_odd_training_is_no_crash(self):
        test = self.put("u7", "session_id,seq,item_id\n1,1,a\n1,2,b\n1,3,c\n")
        for name, text in (("one session", "session_id,seq,item_id\n1,1,a\n1,2,b\n"), ("one click", "session_id,seq,item_id\n1,1,a\n"),
                           ("one item", "session_id,seq,item_id\n" + "".join(f"{s},{k},a\n" for s in range(30) for k in range(3))),
                           ("twice", "session_id,seq,item_id\n" + "1,1,a\n1,2,b\n" * 20),
                           ("a bot", "session_id,seq,item_id\n" + "".join(f"1,{k},i{k % 9}\n" for k in range(5000))),
                           ("same time", "session_id,seq,item_id\n" + "".join(f"{s},1,i{k}\n" for s in range(20) for k in range(5)))):
            with self.subTest(name):
                ran = subprocess.run([FALUN, "evaluate", "--protocol", "next-item", "--train", self.put("odd", text), "--test", test,
                                      "--minutes", "0"], capture_output=True, text=True, timeout=120)
                self.assertIn(ran.returncode, (0, 1), ran)
                self.assertIn("{" if ran.returncode == 0 else "falun evaluate: ", (ran.stdout + ran.stderr).splitlines()[-1])

    def test_rejected_rows_are_said_and_the_rest_counts(self):
        text = chains(random.Random(8), 1, 200)
        train = self.put("t8", text + "7,,a\n8,x,b\n9,1\n")
        _, said = self.evaluate("--protocol", "next-item", "--train", train, "--test", self.put("u8", text), code=3)
        self.assertIn("3 rows are left out", said)
        self.assertIn("line 608, seq", said)

    def test_one_customer_with_a_million_steps(self):
        rows = ["user_id,seq,item_id"] + [f"1,{k},i{k % 50}" for k in range(1000000)]
        rows += [f"{user},{k},i{(user + k) % 50}" for user in range(2, 60) for k in range(5)]
        result, _ = self.evaluate("--protocol", "last-out", "--sequences", self.put("s9", "\n".join(rows) + "\n"))
        self.assertEqual(result["cases"], 59)

    def test_help_and_wrong_use(self):
        ran = subprocess.run([FALUN, "evaluate", "--help"], capture_output=True, text=True)
        self.assertEqual(ran.returncode, 0)
        for word in ("next-item", "last-out", "held-out", "next-basket", "--online", "--through", "--sequences", "--customers-min"):
            self.assertIn(word, ran.stdout)
        for words in ((), ("--protocol", "next"), ("--protocol", "next-item", "--train", "x"), ("--protocol", "last-out"),
                      ("--protocol", "held-out", "--train", "x", "--test", "y", "--through", "http://127.0.0.1:1", "--key", "k"),
                      ("--protocol", "next-item", "--train", "x", "--test", "y", "--through", "http://127.0.0.1:1")):
            self.assertEqual(subprocess.run([FALUN, "evaluate", *words], capture_output=True).returncode, 2, words)


if __name__ == "__main__":
    main()
