/* SPDX-License-Identifier: Apache-2.0 */
/* model.h - what was learnt of items, mapped read-only from an immutable file (model_file.h).
 *
 * Models hold items, never customers: a customer is the events at request time (README 5 of the
 * design). Dense item numbers (u32) exist inside one file only; ids stand beside them. */
#pragma once

#include "base/bytes.h"
#include "base/err.h"
#include "base/id.h"

struct model;

#define MODEL_NONE UINT32_MAX

uint32_t model_items_n(const struct model *model);
/* Gives the dense number, or MODEL_NONE. Cost: one probe of an open table, about 50 to 200 ns. */
uint32_t model_item_find(const struct model *model, struct item_id id);
struct item_id model_item_id(const struct model *model, uint32_t item);
struct bytes model_item_text(const struct model *model, uint32_t item);
/* 64 lower-case hex digits: the BLAKE2b-256 of the file. */
struct bytes model_hash(const struct model *model);
int64_t model_trained_ms(const struct model *model); /* newest event it learnt from */
/* Whose model it is: another tenant's must never be published for one. */
struct tenant_id model_tenant(const struct model *model);
/* JSON: the settings it chose for itself and what they scored; may be empty. */
struct bytes model_note(const struct model *model);
/* Begins to fetch what model_item_find(id) will read: for loops over many ids. */
void model_item_find_soon(const struct model *model, struct item_id id);
