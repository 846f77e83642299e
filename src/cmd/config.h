/* SPDX-License-Identifier: Apache-2.0 */
/* config.h - settings of the server: flag, then FALUN_NAME in the environment, then falun.ini; what comes
 * first holds. The table in config.c names every setting with its unit, default and prose: it is what
 * --help and --print-config show. An unknown key in the file refuses the start and names the nearest. */
#pragma once

#include "base/err.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum setting {
    SETTING_DATA,
    SETTING_LISTEN,
    SETTING_THREADS,
    SETTING_CACHE,
    SETTING_CONNECTIONS,
    SETTING_PER_ADDRESS,
    SETTING_PROXY,
    SETTING_ORIGINS,
    SETTING_TRAIN_EVERY,
    SETTING_TEST_KEYS,
    SETTING_TEST_CLOCK,
    SETTINGS_
};

struct config { /* values as text; origin: where each came from */
    char value[SETTINGS_][256];
    const char *origin[SETTINGS_]; /* "default", "falun.ini", "environment", "flag" */
};

/* Reads flags (argv from its first option on), environment and file (--config FILE, else falun.ini where there is
 * one). Errors: ERR_INVALID with why naming the option or key, the reason and the nearest name. */
MUST_USE enum err config_read(int argc, char **argv, struct config *out_config, bool *out_help, bool *out_print,
                              struct why *why);
int64_t config_int(const struct config *config, enum setting setting); /* checked while reading */
bool config_bool(const struct config *config, enum setting setting);
/* Milliseconds of a duration such as 24h, 30m, 10s; 0: never. */
int64_t config_ms(const struct config *config, enum setting setting);
void config_print(const struct config *config);
void config_help(void);
