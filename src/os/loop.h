/* SPDX-License-Identifier: Apache-2.0 */
/* loop.h - one event loop a thread (libuv), and the queue through which other threads reach it.
 *
 * Completions of storage, timers and sockets all run on the loop's thread, one at a time. loop_post
 * from the loop's own thread costs no system call: the task runs before the loop next waits, never
 * from inside the call. */
#pragma once

#include "base/err.h"

#include <stdbool.h>
#include <stdint.h>

struct loop;
struct uv_loop_s;

struct loop_task { /* lives in its owner's memory until run is called; all zero before posting */
    void (*run)(struct loop_task *task);
    struct loop_task *next;
};

MUST_USE enum err loop_open(struct loop **out_loop);
/* Thread: the loop's, not running. Tasks still queued are run first. */
void loop_close(struct loop *loop);
/* Runs until loop_stop. The first call binds the loop to the calling thread. */
void loop_run(struct loop *loop);
/* Runs until *is_done becomes true (set by a task on this loop): for commands and tests that wait. */
void loop_run_until(struct loop *loop, const bool *is_done);
/* Thread: any. */
void loop_stop(struct loop *loop);
/* Queues the task; in order of posting from one thread. Thread: any. Never fails. */
void loop_post(struct loop *loop, struct loop_task *task);
/* For http and timers. */
struct uv_loop_s *loop_uv(struct loop *loop);
