/* SPDX-License-Identifier: Apache-2.0 */
/* publish.h - published pointers: readers never wait, writers swap, the old thing is freed when no
 * reader can still see it (epochs; origin: K. Fraser, "Practical lock-freedom", 2004, 5.2.3).
 *
 *     reader (a loop thread):  publish_enter(p, slot); x = atomic load ...; publish_leave(p, slot);
 *     writer (any thread):     swap the pointer, then publish_retire(p, old, free_it);
 * A slot belongs to one thread. Retired things are freed by later writers, at the latest at close. */
#pragma once

#include <stddef.h>
#include <stdint.h>

enum { PUBLISH_SLOTS = 64 };

struct publish;

struct publish *publish_open(void); /* aborts when out of memory: made at start */
void publish_close(struct publish *publish); /* frees all that is retired; no reader may be inside */
/* Gives a free slot for the calling thread; aborts over PUBLISH_SLOTS. */
unsigned publish_slot(struct publish *publish);
void publish_slot_free(struct publish *publish, unsigned slot);
void publish_enter(struct publish *publish, unsigned slot);
void publish_leave(struct publish *publish, unsigned slot);
void publish_retire(struct publish *publish, void *old, void (*free_it)(void *old));
