/* SPDX-License-Identifier: Apache-2.0 */
/* api_trace.h - the last decisions, in memory: what was served and why, for GET /v1/decisions/{id}.
 *
 * A ring of API_TRACES fixed places (about 1 KiB each, 10 MiB in all), shared by the loops under a lock
 * that is held for one copy. Nothing of it reaches the disk; an erased customer's traces go with
 * api_traces_forget. */
#pragma once

#include "api/api.h"
#include "decide/decide.h"

struct api_trace_item {
    struct item_id id, because;
    float score;
    uint8_t reason, position;
    uint8_t row; /* which placement */
    bool is_personal;
};

struct api_trace { /* all zero: no decision */
    uint8_t id[16];
    struct tenant_id tenant;
    struct customer_id customer;
    int64_t at_ms;
    uint64_t picture, learned;
    char model[65];
    uint8_t mode, rows_n, items_n;
    uint32_t found_n, dropped_n;
    struct api_trace_item items[API_TRACE_ITEMS];
};

struct api_traces *api_traces_open(void); /* aborts when out of memory: made at start */
void api_traces_close(struct api_traces *traces);
void api_traces_add(struct api_traces *traces, const struct api_trace *trace);
bool api_traces_get(struct api_traces *traces, const uint8_t id[16], struct tenant_id tenant, struct api_trace *out_trace);
/* Forgets what the customer was served, also before its parts were joined (NULL: there is nothing to forget but its own). */
void api_traces_forget(struct api_traces *traces, struct tenant_id tenant, struct customer_id customer,
                       const struct storage_erased *erased);
