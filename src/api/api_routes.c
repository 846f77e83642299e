/* SPDX-License-Identifier: Apache-2.0 */
#include "api/api.h"

#include <assert.h>
#include <string.h>

enum { ROUTES_MAX = 128 };

const struct http_route *api_routes(size_t *out_n)
{
    static struct http_route all[ROUTES_MAX];
    const struct {
        const struct http_route *routes;
        size_t n;
    } tables[] = {{api_event_routes, api_event_routes_n},       {api_receipt_routes, api_receipt_routes_n},
                  {api_item_routes, api_item_routes_n},         {api_store_routes, api_store_routes_n},
                  {api_stock_routes, api_stock_routes_n},       {api_customer_routes, api_customer_routes_n},
                  {api_decide_routes, api_decide_routes_n},     {api_health_routes, api_health_routes_n},
                  {api_model_routes, api_model_routes_n}};
    size_t n = 0;

    for (size_t i = 0; i < sizeof(tables) / sizeof(tables[0]); i++) {
        assert(n + tables[i].n <= ROUTES_MAX);
        memcpy(all + n, tables[i].routes, tables[i].n * sizeof(*all));
        n += tables[i].n;
    }
    *out_n = n;
    return all;
}
