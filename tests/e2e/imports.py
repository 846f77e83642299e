# SPDX-License-Identifier: Apache-2.0
"""`falun import` on a directory and beside the server that has it: the same lines, the same events, the same consent."""
import pathlib

from server import Case, Server, events_of, main

LINES = "r,w,i,q,p,m\n" + "".join(
    f"r{i},2026-09-{1 + i % 28:02d} 10:{i % 60:02d}:00,item-{i % 7},{1 + i % 3},{i}.50,m{i % 5}\n" for i in range(90))
COLUMNS = "id = r\nat = w\nitem = i\nquantity = q\npaid = p\ncustomer.member = m\n"


class Imports(Case):
    @classmethod
    def setUpClass(cls):
        cls.shops = Server(start=False), Server(start=False)
        for one in cls.shops:
            cls.addClassCleanup(one.__exit__)

    def both(self, name, settings, columns=COLUMNS):
        """Imports beside no server and beside a running one; gives the two servers."""
        still, running = self.shops
        for shop in self.shops:
            room = pathlib.Path(shop.room)
            (room / f"{name}.map").write_text(f"source = {name}\n{settings}{columns}")
            (room / f"{name}.csv").write_text(LINES)
            if shop is running and shop.process is None:
                shop.start()
            if shop is still and shop.process is not None:
                shop.stop()
            ran = shop.falun("import", "--kind", "receipts", "--map", str(room / f"{name}.map"), str(room / f"{name}.csv"))
            self.assertIn(" 0 rejected", ran.stdout, ran)
        still.start()
        return still, running

    def events(self, shop, source):
        return [{key: value for key, value in event.items() if key != "receivedAt"}
                for event in events_of(shop, "member:m3") if event["source"] == source]

    def test_the_same_events_either_way(self):
        for name, settings in (("till", "currency = NOK\nconsent = store personalise measure\n"),
                               ("online", "currency = SEK\nchannel = web\nconsent = store personalise measure\n"),
                               ("narrow", "currency = NOK\nconsent = store\n")):
            with self.subTest(name):
                still, running = self.both(name, settings)
                self.assertEqual(len(self.events(still, name)), 18)
                self.assertEqual(self.events(running, name), self.events(still, name))
        self.assertEqual(self.events(running, "narrow")[0]["purposes"], ["store"])

    def test_without_what_was_paid(self):
        still, running = self.both("bare", "consent = store personalise measure\n", COLUMNS.replace("paid = p\n", ""))
        self.assertEqual(len(self.events(still, "bare")), 18)
        self.assertEqual(len(self.events(running, "bare")), 18)


if __name__ == "__main__":
    main()
