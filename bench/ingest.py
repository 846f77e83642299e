#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""How many durable events a second? Each is answered after the fsync that holds it. Single events at 64 and 256
connections, batches of 100 at 8; known visitors (1,000 cookies), new ids all the time. Against the disk's fdatasync
rate and the server's own /healthz rate in the same run."""
import pathlib
import shutil
import sys
import tempfile

import harness

SINGLE = """
local at = 0
local run = "%s"
local thread = 0
setup = function(t) t:set("id", thread); thread = thread + 1 end
wrk.method = "POST"
wrk.headers["Authorization"] = "Bearer %s"
wrk.headers["Content-Type"] = "application/json"
request = function()
  at = at + 1
  return wrk.format(nil, "/v1/events", nil, '{"id":"' .. run .. "-" .. id .. "-" .. at .. '","kind":"view","identifier":"cookie:bench-' .. at %% 1000
    .. '","item":"sku-' .. at %% 5000 .. '","channel":"web","session":"s-' .. at %% 1000 .. '","properties":{"page":"/product/' .. at .. '","referrer":"https://example.com/"}}')
end
"""

BATCH = """
local at = 0
local run = "%s"
local thread = 0
setup = function(t) t:set("id", thread); thread = thread + 1 end
wrk.method = "POST"
wrk.headers["Authorization"] = "Bearer %s"
wrk.headers["Content-Type"] = "application/json"
request = function()
  local events = {}
  for i = 1, 100 do
    at = at + 1
    events[i] = '{"id":"' .. run .. "-" .. id .. "-" .. at .. '","kind":"view","identifier":"cookie:bench-' .. at %% 1000 .. '","item":"sku-' .. at %% 5000 .. '","channel":"web"}'
  end
  return wrk.format(nil, "/v1/events", nil, "[" .. table.concat(events, ",") .. "]")
end
"""


def main():
    data = pathlib.Path(tempfile.mkdtemp(prefix="falun-bench-"))
    fsyncs = harness.fsyncs_per_second(data)
    table = []
    with harness.Server(data) as server:
        for first in range(0, 1000, 100):
            server.post("/v1/events", [{"id": f"known-{i}", "kind": "view", "identifier": f"cookie:bench-{i}", "item": "sku-1"}
                                       for i in range(first, first + 100)])
        http = harness.wrk(server.url, 'request = function() return wrk.format("GET", "/healthz") end', 64, 4)["perSecond"]
        for connections in (64, 256):
            figures = harness.wrk(server.url, SINGLE % (f"s{connections}", harness.SECRET), connections, 10)
            if figures["errors"] or figures["bad"]:
                sys.exit(f"{figures['errors']} failed and {figures['bad']} refused events: not a measurement")
            table.append((f"single, {connections} connections",
                          f"{figures['perSecond']:,.0f}/s p50 {figures['p50Ms']:.1f} p99 {figures['p99Ms']:.1f} ms",
                          f"/healthz {http:,.0f}/s; disk {fsyncs:,.0f} fdatasync/s", f"{figures['perSecond'] / http:.0%}"))
        figures = harness.wrk(server.url, BATCH % ("b", harness.SECRET), 8, 10)
        if figures["errors"] or figures["bad"]:
            sys.exit(f"{figures['errors']} failed and {figures['bad']} refused batches: not a measurement")
        table.append(("batches of 100, 8 connections", f"{figures['perSecond'] * 100:,.0f} events/s p99 {figures['p99Ms']:.0f} ms",
                      "250,000/s appends by customer (stack.md 4)", f"{figures['perSecond'] * 100 / 250000:.0%}"))
        harness.show("durable events", table)
        print(f"  resident memory {server.resident_bytes() / 2**20:,.0f} MiB")
    shutil.rmtree(data, ignore_errors=True)


if __name__ == "__main__":
    main()
