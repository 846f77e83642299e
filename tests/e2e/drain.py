# SPDX-License-Identifier: Apache-2.0
"""Does SIGTERM under load cut no answer? Every answer that begins is whole, exit 0 within 10 s, and what was acknowledged
is there after the next start."""
import http.client
import json
import signal
import threading
import time

from server import SECRET, Case, events_of, main, shop


class Drain(Case):
    def load(self, index, stop, acknowledged, faults, counts):
        client, number = self.server.client(timeout=15), 0
        while not stop.is_set():
            number += 1
            name = f"d{index}-{number}"
            try:
                if number % 3 == 0:
                    answer = client.post("/v1/decide", {"identifier": f"cookie:drain-{index}", "placement": "home-top", "n": 4})
                else:
                    answer = client.post("/v1/events", {"id": name, "kind": "view", "identifier": f"cookie:drain-{index}", "item": "sku-1"})
            except http.client.IncompleteRead as e:
                faults.append(f"half an answer: {e}")
                return
            except (ConnectionRefusedError, ConnectionResetError, BrokenPipeError, http.client.RemoteDisconnected):
                return  # it stopped listening, or the connection ended between two requests
            counts[answer.status] = counts.get(answer.status, 0) + 1
            if answer.status not in (200, 503) or answer.json is None:
                faults.append(repr(answer))
            elif number % 3 and answer.status == 200:
                acknowledged.append((index, name))

    def test_sigterm_under_load(self):
        shop(self.server)
        for turn in range(3):
            stop, acknowledged, faults, counts = threading.Event(), [], [], {}
            threads = [threading.Thread(target=self.load, args=(f"{turn}{i}", stop, acknowledged, faults, counts)) for i in range(8)]
            for one in threads:
                one.start()
            time.sleep(0.7)
            began = time.monotonic()
            code = self.server.stop()
            took = time.monotonic() - began
            stop.set()
            for one in threads:
                one.join()
            print(f"drained in {took:.2f} s; answers {counts}")
            self.assertEqual(faults, [])
            self.assertEqual(code, 0, self.server.log()[-2000:])
            self.assertLess(took, 10)
            self.assertGreater(len(acknowledged), 50, "there was load")
            self.server.start()
            for i in range(8):
                kept = [e["messageId"] for e in events_of(self.server, f"cookie:drain-{turn}{i}")]
                self.assertEqual(len(kept), len(set(kept)))
                self.assertLessEqual({name for who, name in acknowledged if who == f"{turn}{i}"}, set(kept))

    def test_what_was_read_is_answered_and_idle_connections_end(self):
        idle = [self.server.client() for _ in range(10)]
        for one in idle:
            one.get("/healthz", key=None)
        late = http.client.HTTPConnection("127.0.0.1", self.server.port, timeout=15)
        body = json.dumps([{"id": f"late-{i}", "kind": "view", "identifier": "cookie:late", "item": "sku-1", "properties": {"fill": "x" * 500}}
                           for i in range(500)]).encode()
        late.request("POST", "/v1/events", body, {"Authorization": f"Bearer {SECRET}"})
        time.sleep(0.005)
        self.server.process.send_signal(signal.SIGTERM)
        response = late.getresponse()
        answer = json.loads(response.read())
        self.assertEqual((response.status, answer["accepted"]), (200, 500))
        self.assertEqual(self.server.ended(), 0)
        self.server.close()
        self.server.start()
        self.assertEqual(len(events_of(self.server, "cookie:late")), 500)

    def test_a_signal_at_the_first_answer_drains_too(self):
        """It comes before the main thread waits for it: another thread must not end the process there."""
        for _ in range(12):
            self.assertEqual(self.server.stop(), 0)
            self.server.start()


if __name__ == "__main__":
    main()
