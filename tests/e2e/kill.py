# SPDX-License-Identifier: Apache-2.0
"""After kill -9 at random moments under load, is every acknowledged event there exactly once, and every counter equal to
the distinct ids?

Each round four threads send new and repeated events, singly and in batches, items, log-ins and withdrawals, until the server
dies at a moment drawn by lot. After the restart (timed), the round's customers are read back: what was acknowledged is there,
nothing twice, counters equal ids; who withdrew is gone, who was linked is one. What was sent without an answer is sent again,
as clients do: it is accepted or a duplicate, and then there once. FALUN_KILLS rounds (8), or 200 for the full run. At the end
all customers of all rounds are read again."""
import http.client
import os
import statistics
import threading
import time

from server import FULL, Case, events_of, main, seeded, shop

KILLS = int(os.environ.get("FALUN_KILLS") or (200 if FULL else 8))
THREADS, CUSTOMERS = 4, 6


class Sender(threading.Thread):
    """Its own connection, its own ids; remembers what was sent and what was acknowledged."""

    def __init__(self, server, round_number, index, rng, old):
        super().__init__()
        self.server, self.tag, self.rng, self.old = server, f"{round_number}-{index}", rng, old
        self.sent, self.acknowledged, self.items, self.faults, self.repeats = {}, {}, [], [], 0
        self.left, self.linked = [], []  # withdrawals and links that were answered

    def event(self, number):
        name = f"k{self.tag}-{number}"
        who = f"kill-{self.tag.split('-')[0]}-{self.rng.randrange(CUSTOMERS)}"
        kind = self.rng.choice(("view", "view", "purchase"))
        return {"id": name, "kind": kind, "identifier": f"cookie:{who}", "item": f"sku-{self.rng.randint(1, 24)}", "price": 10,
                "at": f"2026-11-{self.rng.randint(1, 20):02d}T10:{self.rng.randrange(60):02d}:00Z"}

    def batch(self, number):
        size = self.rng.choice((1, 1, 1, 2, 8, 40))
        batch = [self.event(f"{number}.{i}") for i in range(size)]
        if self.sent and self.rng.random() < 0.5:  # what was sent in this round, acknowledged or not
            batch += self.rng.sample(list(self.sent.values()), min(len(self.sent), 5))
        if self.old and self.rng.random() < 0.5:  # acknowledged before an earlier kill
            batch += self.rng.sample(self.old, min(len(self.old), 3))
        if self.rng.random() < 0.3:
            batch.append(batch[0])  # twice in one request
        self.rng.shuffle(batch)
        return batch

    def run(self):
        client, number = self.server.client(timeout=10), 0
        try:
            while True:
                number += 1
                if number % 10 == 0:
                    item = f"new-{self.tag}-{number}"
                    if client.put(f"/v1/items/{item}", {"id": item, "title": item}).status in (200, 201):
                        self.items.append(item)
                    continue
                if number % 30 == 5:
                    self.leave_or_link(client, f"{self.tag}-{number}")
                    continue
                batch = self.batch(number)
                self.sent.update((e["id"], e) for e in batch if e["id"].startswith(f"k{self.tag}-"))
                answer = client.post("/v1/events", batch if len(batch) > 1 else batch[0])
                if answer.status == 503:
                    continue
                if answer.status != 200 or len(answer.json["results"]) != len(batch):
                    self.faults.append(repr(answer))
                    return
                self.check(batch, answer.json["results"])
        except (OSError, http.client.HTTPException):
            pass  # the kill

    def leave_or_link(self, client, name):
        """One customer withdraws, another logs in: both answered once durable."""
        seen = [{"id": f"go-{name}-{i}", "kind": "view", "item": "sku-1", "identifier": f"cookie:go-{name}"} for i in range(3)]
        if client.post("/v1/events", seen).status != 200:
            return
        if self.rng.random() < 0.5:
            if client.put(f"/v1/customers/cookie:go-{name}/consents/store", {"state": "withdrawn"}).status == 200:
                self.left.append(name)
        elif client.post("/v1/events", {"id": f"in-{name}", "kind": "identify",
                                        "customer": {"ids": {"cookie": f"go-{name}", "member": f"in-{name}"}}}).status == 200:
            self.linked.append(name)

    def check(self, batch, results):
        for event, result in zip(batch, results):
            name, verdict = event["id"], result["verdict"]
            if verdict not in ("accepted", "duplicate"):
                self.faults.append(f"{name}: {result}")
            if name in self.acknowledged or not name.startswith(f"k{self.tag}-"):
                self.repeats += 1
                if verdict != "duplicate":
                    self.faults.append(f"{name} was acknowledged before, now {result}")
            else:
                self.acknowledged[name] = event


class Kill(Case):
    @classmethod
    def prepare(cls):
        cls.rng = seeded()
        shop(cls.server)

    def customers_of(self, number):
        return [f"kill-{number}-{i}" for i in range(CUSTOMERS)]

    def read(self, number, wanted, possible):
        """wanted: {id: event} that must be there once; possible: {id: event} that may be, once."""
        for who in self.customers_of(number):
            kept = [e["messageId"] for e in events_of(self.server, f"cookie:{who}")]
            mine = {n for n, e in wanted.items() if e["identifier"] == f"cookie:{who}"}
            self.assertEqual(len(kept), len(set(kept)), f"{who}: something is there twice")
            self.assertLessEqual(mine, set(kept), f"{who}: acknowledged and lost")
            self.assertLessEqual(set(kept), mine | {n for n, e in possible.items() if e["identifier"] == f"cookie:{who}"}, f"{who}: never sent")
            if not kept:
                continue
            page = self.ok(self.server.get(f"/v1/customers/cookie:{who}")).json
            bought = [n for n in kept if possible[n]["kind"] == "purchase"]
            self.assertEqual(page["seen"]["events"], len(kept), f"{who}: the counter equals the distinct ids")
            self.assertEqual(sum(m["purchases"] for m in page["months"]), len(bought), who)
            self.assertEqual(sum(m["looks"] for m in page["months"]), len(kept) - len(bought), who)
            self.assertEqual(sum(float(m["paid"]["amount"]) for m in page["months"]), 10.0 * len(bought), who)

    def resend(self, number, events):
        for start in range(0, len(events), 200):
            answer = self.ok(self.server.post("/v1/events", events[start:start + 200]))
            self.assertLessEqual(set(answer.verdicts), {"accepted", "duplicate"}, number)

    def test_kill_9(self):
        old, rounds, restarts, acknowledged, repeats, moves = [], {}, [], 0, 0, 0
        for number in range(KILLS):
            senders = [Sender(self.server, number, i, self.rng.__class__(self.rng.random()), old) for i in range(THREADS)]
            for one in senders:
                one.start()
            time.sleep(self.rng.choice((self.rng.uniform(0.01, 0.2), self.rng.uniform(0.1, 0.6))))
            self.server.kill()
            for one in senders:
                one.join()
            restarts.append(self.server.start())
            self.assertEqual([f for one in senders for f in one.faults][:5], [], f"kill {number}")
            sent = {n: e for one in senders for n, e in one.sent.items()}
            known = {n: e for one in senders for n, e in one.acknowledged.items()}
            self.read(number, known, sent)
            self.resend(number, [e for n, e in sent.items() if n not in known])
            self.read(number, sent, sent)
            for item in [item for one in senders for item in one.items]:
                self.ok(self.server.get(f"/v1/items/{item}"))
            for name in [name for one in senders for name in one.left]:
                self.assertEqual(events_of(self.server, f"cookie:go-{name}"), [], "withdrawn, and there again")
                again = self.server.post("/v1/events", {"id": f"go-{name}-0", "kind": "view", "item": "sku-1", "identifier": f"cookie:go-{name}"})
                self.assertEqual(self.ok(again).verdicts, ["refused"])
            for name in [name for one in senders for name in one.linked]:
                ids = {self.ok(self.server.get(f"/v1/customers/{who}")).json["id"] for who in (f"cookie:go-{name}", f"member:in-{name}")}
                self.assertEqual(len(ids), 1, "linked, and two again")
            moves += sum(len(one.left) + len(one.linked) for one in senders)
            rounds[number] = sent
            old = self.rng.sample(list(sent.values()), min(len(sent), 50)) + old[:200]
            acknowledged += len(known)
            repeats += sum(one.repeats for one in senders)
        for number, sent in rounds.items():
            self.read(number, sent, sent)
        print(f"{KILLS} kills; {acknowledged} events acknowledged before a kill, {repeats} repeats met, "
              f"{moves} withdrawals and links; restart median "
              f"{statistics.median(restarts):.3f} s, longest {max(restarts):.3f} s")
        self.assertGreater(acknowledged, 20 * KILLS, "there was load")
        self.assertLess(max(restarts), 2 if os.getloadavg()[0] < 2 * os.cpu_count() else 6, "restart under 2 s")


if __name__ == "__main__":
    main()
