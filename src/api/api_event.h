/* SPDX-License-Identifier: Apache-2.0 */
/* api_event.h - GET /v1/events?customer=|user= (S): stored events read back, oldest first; each read is
 * logged. */
#pragma once

#include "http/http_request.h"

void api_event_read(struct http_request *request);
