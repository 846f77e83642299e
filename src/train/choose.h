/* SPDX-License-Identifier: Apache-2.0 */
/* choose.h - the settings of retrievers, each chosen by what that retriever alone finds (train/probe.h).
 *
 * In turn: how own purchases fade; TOGETHER's window, weights and ridge; then for each domain its W and its neighbours. Bases
 * see nothing of the cases. A matrix is learnt on a part of a large history while choosing: the newest looks, every k-th
 * customer's purchases; so much that a trial costs seconds. What is chosen then serves for all of it. */
#pragma once

#include "train/train.h"

/* Changes report->settings and adds what was tried to report->stages and ->changes. seconds_most 0: nothing is tried. */
void choose_retrievers(const struct history *history, const struct train_span *span, size_t threads, double seconds_most,
                       double (*seconds_now)(void), struct train_report *report);
