/* SPDX-License-Identifier: Apache-2.0 */
/* api_demo.h - the page at `/`, there under `falun demo` only: real households, their rows, and buttons
 * that send events through the same front door as a shop's.
 *
 *     GET /?customer=member:2375         the page (page.h); empty: a newcomer; absent: the first household
 *     GET /demo.css                      its style sheet
 *     POST /demo/event, /demo/withdraw   forms; 303 back to the page, which then says what changed
 *
 * The row before the press travels in the form and back in the query (`was`), so the server keeps nothing between
 * requests. Forms are taken from this page only: Host must be loopback, Origin and Sec-Fetch-Site must say the
 * same site. The page speaks as a gated secret caller of the shop's staff would; a browser's Sec-GPC is about
 * whoever looks at the demo, not about the households, and is not read here. */
#pragma once

#include "api/page.h"

#include "api/api.h"

struct api_demo;

enum { API_DEMO_KEY_BYTES = 80 };

/* Makes api->demo for the tenant and sets api->is_demo; also while the server runs. zone: the shop's, for dates; its arrays
 * live longer than api. Errors: ERR_NOMEM. */
struct zone;
MUST_USE enum err api_demo_open(struct api *api, struct api_tenant *tenant, const struct zone *zone);
/* api_close calls it: after the server was drained. */
void api_demo_close(struct api *api);
/* Walks all customers and events once: which households the page offers, what things cost, how stores are called.
 * Blocking, about a second for 150,000 receipts; a worker thread, also while the server runs. Until it is done the page
 * offers the newcomer only. Errors: what storage gave, ERR_NOMEM. */
MUST_USE enum err api_demo_survey(struct api *api, int64_t now_ms);
/* The key of the first household that the page offers, "member:1" while there is none. */
void api_demo_household(struct api *api, char out_key[API_DEMO_KEY_BYTES]);
/* The report that the page shows (api_demo_proof_read), copied. False: it is none, the page keeps what it had. Thread: any. */
bool api_demo_proof_put(struct api *api, struct bytes report);
/* Why there is no proof, a sentence: the page says it until there is a report. Text is copied, cut
 * at 200 bytes. Thread: any. */
void api_demo_proof_failed(struct api *api, const char *says);

/* Not among api_routes(): `falun demo` hands them to the server. */
extern const struct http_route api_demo_routes[];
extern const size_t api_demo_routes_n;

/* Reads a report of `train` or `evaluate` (one JSON object: cases, recall@10, ndcg@10, phr@10, against {name: ...}) into
 * a proof; bars live in `arena`, one-to-one first, then falling. False: it is none. */
bool api_demo_proof_read(struct bytes report, struct arena *arena, struct page_proof *out_proof);
