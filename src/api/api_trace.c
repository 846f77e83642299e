/* SPDX-License-Identifier: Apache-2.0 */
#include "api/api_trace.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

struct api_traces {
    pthread_mutex_t lock;
    size_t next; /* under lock */
    struct api_trace ring[API_TRACES];
};

struct api_traces *api_traces_open(void)
{
    struct api_traces *traces = calloc(1, sizeof(*traces));

    if (traces == NULL) {
        abort();
    }
    pthread_mutex_init(&traces->lock, NULL);
    return traces;
}

void api_traces_close(struct api_traces *traces)
{
    if (traces != NULL) {
        pthread_mutex_destroy(&traces->lock);
        free(traces);
    }
}

void api_traces_add(struct api_traces *traces, const struct api_trace *trace)
{
    pthread_mutex_lock(&traces->lock);
    traces->ring[traces->next] = *trace;
    traces->next = (traces->next + 1) % API_TRACES;
    pthread_mutex_unlock(&traces->lock);
}

bool api_traces_get(struct api_traces *traces, const uint8_t id[16], struct tenant_id tenant, struct api_trace *out_trace)
{
    bool is_found = false;

    pthread_mutex_lock(&traces->lock);
    for (size_t i = 0; i < API_TRACES && !is_found; i++) {
        const struct api_trace *trace = &traces->ring[i];

        if (trace->tenant.v == tenant.v && memcmp(trace->id, id, sizeof(trace->id)) == 0) {
            *out_trace = *trace;
            is_found = true;
        }
    }
    pthread_mutex_unlock(&traces->lock);
    return is_found;
}

static bool is_of(const struct api_trace *trace, struct customer_id customer, const struct storage_erased *erased)
{
    bool is = trace->customer.v == customer.v;

    for (size_t i = 0; erased != NULL && i < erased->parts_n && !is; i++) {
        is = trace->customer.v == erased->parts[i].v;
    }
    return is;
}

void api_traces_forget(struct api_traces *traces, struct tenant_id tenant, struct customer_id customer,
                       const struct storage_erased *erased)
{
    pthread_mutex_lock(&traces->lock);
    for (size_t i = 0; i < API_TRACES; i++) {
        struct api_trace *trace = &traces->ring[i];

        if (trace->tenant.v == tenant.v && is_of(trace, customer, erased)) {
            memset(trace, 0, sizeof(*trace));
        }
    }
    pthread_mutex_unlock(&traces->lock);
}
