/* SPDX-License-Identifier: Apache-2.0 */
/* profile.h - reading single sealed texts of a customer with its pass (house.md 4.5). */
#pragma once

#include "consent/pass.h"
#include "event/sealed.h"

/* The text, or empty where the pass is another customer's or none. Borrowed from the customer. */
struct bytes profile_text(const struct pass *pass, const struct sealed_customer *customer, struct sealed text);
