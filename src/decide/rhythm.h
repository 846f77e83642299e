/* SPDX-License-Identifier: Apache-2.0 */
/* rhythm.h - when a customer will want the same again (models.md 5), from their own gaps and the item's.
 *
 * ln of the days between two purchases of an item by one customer is taken as normal: mean mu, the item's counting as three
 * own gaps; spread of the item, shrunk to the shop's. With t days since the last purchase and z = (ln t - mu) / spread,
 *     h(t) = phi(z) / (t * spread * (1 - Phi(z)))     chance a day of the next purchase, given none until now
 * What was bought in a larger amount than usual lasts longer: the gap is scaled by units bought / usual units.
 * Pure functions over what evidence counted. */
#pragma once

#include "decide/evidence.h"

/* mu of one item for its buyer. */
float rhythm_gap(const struct evidence_own *own, const struct model_item *stat);
/* ln h, clipped to [-12, 4]; 0 where the model knows no spread. days > 0. */
float rhythm_hazard(float gap, float spread, float days);
/* FEATURE_DUE and its square, FEATURE_HAZARD, FEATURE_EARLY, FEATURE_AMOUNT_DUE. Cost: 40 ns. */
void rhythm_value(const struct evidence_own *own, const struct model_item *stat, int64_t now_ms, float value[FEATURES]);
/* FEATURE_ALIVE: the same for all items; 0 where nothing was bought or nothing learnt. */
float rhythm_alive(const struct model *model, const struct part *life, int64_t now_ms);
