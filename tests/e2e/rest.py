# SPDX-License-Identifier: Apache-2.0
"""Does a server at rest use no CPU? 20 seconds after some use; a minute with FALUN_FULL=1. At most 1 % of one core."""
import time

from server import FULL, Case, main, shop


class Rest(Case):
    def test_no_cpu_at_rest(self):
        ids = shop(self.server)
        for i in range(50):
            self.ok(self.server.post("/v1/events", [{"id": f"{i}-{j}", "kind": "view", "identifier": f"cookie:r-{i}", "item": ids[(i + j) % len(ids)]}
                                                    for j in range(10)]))
            self.ok(self.server.post("/v1/decide", {"identifier": f"cookie:r-{i}", "placement": "home-top", "n": 4}))
        time.sleep(2)
        seconds = 60 if FULL else 20
        used, began = self.server.cpu_seconds(), time.monotonic()
        time.sleep(seconds)
        used, passed = self.server.cpu_seconds() - used, time.monotonic() - began
        print(f"at rest: {used:.2f} s of CPU in {passed:.0f} s = {100 * used / passed:.2f} % of a core")
        self.assertLess(used / passed, 0.01)


if __name__ == "__main__":
    main()
