#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""How many decisions a second, and how soon each? Full path on the recorded data: identity, consent, profile, model,
reasons; 500 households drawn at random; 8 items. Against the limit of the same server, generator and cores: /healthz.

Two states are measured: histories folded, and with 64 events in each customer's tail (settled.md 6)."""
import sys
import time

import harness

SCRIPT = """
local members = {%s}
local at = %d
wrk.method = "POST"
wrk.headers["Authorization"] = "Bearer %s"
wrk.headers["Content-Type"] = "application/json"
request = function()
  at = at + 1
  local member = members[at %% #members + 1]
  return wrk.format(nil, "/v1/decide", nil, '{"identifier":"member:' .. member .. '","placement":"home-top","n":8}')
end
"""


def rows(server, members, state, limits):
    script = SCRIPT % (",".join(f'"{m}"' for m in members), 0, harness.SECRET)
    out = []
    for connections in (16, 64):
        figures = harness.wrk(server.url, script, connections)
        if figures["errors"] or figures["bad"]:
            sys.exit(f"{figures['errors']} failed and {figures['bad']} refused decisions: not a measurement")
        limit = limits[connections]
        out.append((f"{state}, {connections} connections",
                    f"{figures['perSecond']:,.0f}/s p50 {figures['p50Ms']:.2f} p99 {figures['p99Ms']:.2f} p99.9 {figures['p999Ms']:.2f} ms",
                    f"/healthz {limit:,.0f}/s", f"{figures['perSecond'] / limit:.0%}"))
    return out


def main():
    data, is_temporary = harness.recorded_data()
    members = harness.households()
    with harness.Server(data) as server:
        limits = {c: harness.wrk(server.url, 'request = function() return wrk.format("GET", "/healthz") end', c, 4)["perSecond"]
                  for c in (16, 64)}
        table = rows(server, members, "folded", limits)
        for k in range(64):
            for first in range(0, len(members), 100):
                server.post("/v1/events", [{"id": f"tail-{k}-{m}", "kind": "view", "identifier": f"member:{m}", "item": "1082185"}
                                           for m in members[first:first + 100]])
        table += rows(server, members, "64 fresh views each", limits)
        harness.show("decisions (8 items of about 68,000, one placement)", table)
        print(f"  resident memory {server.resident_bytes() / 2**20:,.0f} MiB")
        time.sleep(75)  # what has been quiet for a minute is folded: that is work, not rest
        began, used = time.monotonic(), server.cpu_seconds()
        time.sleep(60)
        print(f"  at rest over {time.monotonic() - began:.0f} s: {server.cpu_seconds() - used:.2f} s of processor time")
    harness.clean(data, is_temporary)


if __name__ == "__main__":
    main()
