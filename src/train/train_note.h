/* SPDX-License-Identifier: Apache-2.0 */
/* train_note.h - what a training found, for people: as the NOTE section of the file, and as text. */
#pragma once

#include "train/report.h"
#include "train/train.h"

#include <stdio.h>

/* {"settings": .., "stages": [..], "changes": [..], "heads": [..], "parts": [..], the proof's members}. proof: may be NULL. Times are left out: the same
 * training gives the same bytes. */
struct bytes train_note(const struct train_report *report, const struct report *proof, struct arena *arena);
/* Members of an object the caller has begun: stages, changes, heads, parts, groups. */
void train_note_json(const struct train_report *report, struct json_write *w);
/* A page a merchandiser can read. */
void train_note_text(const struct train_report *report, FILE *to);
