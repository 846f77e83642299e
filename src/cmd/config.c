/* SPDX-License-Identifier: Apache-2.0 */
#include "cmd/config.h"

#include "base/bytes.h"
#include "base/json_form.h"

#include <assert.h>
#include <ini.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum kind { KIND_TEXT, KIND_INT, KIND_SWITCH, KIND_DURATION };

static const struct {
    const char *flag;        /* --flag, FALUN_FLAG */
    const char *section_key; /* "section.key" of the file */
    enum kind kind;
    int64_t least, most;
    const char *standard;
    const char *says;
} table[SETTINGS_] = {
    [SETTING_DATA] = {"data", "server.data", KIND_TEXT, 0, 0, "./falun-data", "DIR   where everything is kept (made, 0700)"},
    [SETTING_LISTEN] = {"listen", "server.listen", KIND_TEXT, 0, 0, "127.0.0.1:7474", "HOST:PORT"},
    [SETTING_THREADS] = {"threads", "server.threads", KIND_INT, 1, 64, "2", "N   loop threads; as many as cores"},
    [SETTING_CACHE] = {"cache", "limits.cache", KIND_INT, 8, 1048576, "256", "MiB   of storage's blocks kept in memory"},
    [SETTING_CONNECTIONS] = {"connections", "limits.connections", KIND_INT, 16, 65536, "4096", "N   at once, all together"},
    [SETTING_PER_ADDRESS] = {"per-address", "limits.per_address", KIND_INT, 1, 65536, "256",
                             "N   connections of one address; trusted proxies are exempt"},
    [SETTING_PROXY] = {"proxy", "server.proxy", KIND_TEXT, 0, 0, "", "ADDRESS   of the trusted proxy in front, if any"},
    [SETTING_ORIGINS] = {"origins", "server.origins", KIND_TEXT, 0, 0, "*", "pages that may call, separated by spaces; * is all"},
    [SETTING_TRAIN_EVERY] = {"train-every", "train.every", KIND_DURATION, 0, 0, "24h", "24h 30m 10s   between trainings; 0 is never"},
    [SETTING_TEST_KEYS] = {"test-keys", "", KIND_SWITCH, 0, 0, "", "give tenant default the samples' keys (127.0.0.1 only)"},
    [SETTING_TEST_CLOCK] = {"test-clock", "", KIND_TEXT, 0, 0, "", "TIME   a clock that /v1/test/clock moves"},
};

static const char *names[SETTINGS_ + 4];

static const char *const *all_names(void)
{
    size_t n = 0;

    for (size_t i = 0; i < SETTINGS_; i++) {
        names[n++] = table[i].flag;
    }
    names[n++] = "help";
    names[n++] = "print-config";
    names[n++] = "config";
    names[n] = NULL;
    return names;
}

static bool duration(const char *text, int64_t *out_ms)
{
    char *end;
    long long v = strtoll(text, &end, 10);

    if (end == text || v < 0 || v > 100000) {
        return false;
    }
    *out_ms = v * (*end == 'h' ? 3600000 : *end == 'm' ? 60000 : *end == 's' ? 1000 : *end == 'd' ? 86400000 : 0);
    return v == 0 || (*out_ms > 0 && end[1] == '\0');
}

static enum err put(struct config *config, enum setting setting, const char *value, const char *origin, struct why *why)
{
    char *end;
    long long v;
    int64_t ms;

    if (strlen(value) >= sizeof(config->value[0])) {
        return why_say(why, ERR_INVALID, "too_long", table[setting].flag, "a value has at most 255 bytes");
    }
    if (table[setting].kind == KIND_INT) {
        v = strtoll(value, &end, 10);
        if (end == value || *end != '\0' || v < table[setting].least || v > table[setting].most) {
            return why_say(why, ERR_INVALID, "out_of_range", table[setting].flag, "%s must be %lld to %lld", table[setting].flag,
                           (long long)table[setting].least, (long long)table[setting].most);
        }
    }
    if (table[setting].kind == KIND_DURATION && !duration(value, &ms)) {
        return why_say(why, ERR_INVALID, "out_of_range", table[setting].flag, "%s is a duration such as 24h, 30m, 10s or 0",
                       table[setting].flag);
    }
    snprintf(config->value[setting], sizeof(config->value[setting]), "%s", value);
    config->origin[setting] = origin;
    return ERR_OK;
}

/* ---- the file ---- */

struct file_reading {
    struct config *config;
    struct why *why;
    enum err err;
};

static int on_key(void *ctx, const char *section, const char *name, const char *value)
{
    struct file_reading *reading = ctx;
    char full[160];
    const char *keys[SETTINGS_ + 1];
    const char *nearest;
    size_t n = 0;

    snprintf(full, sizeof(full), "%s.%s", section, name);
    for (size_t i = 0; i < SETTINGS_; i++) {
        if (table[i].section_key[0] != '\0' && strcmp(table[i].section_key, full) == 0) {
            enum err err = put(reading->config, (enum setting)i, value, "falun.ini", reading->why);

            reading->err = reading->err == ERR_OK ? err : reading->err;
            return 1;
        }
        if (table[i].section_key[0] != '\0') {
            keys[n++] = table[i].section_key;
        }
    }
    keys[n] = NULL;
    nearest = json_form_nearest(bytes_of(full), keys);
    if (reading->err == ERR_OK) {
        reading->err = why_say(reading->why, ERR_INVALID, "unknown_key", full, "falun.ini has the unknown key %s; %s%s", full,
                               nearest ? "did you mean " : "see `falun serve --help`", nearest ? nearest : "");
    }
    return 1;
}

static enum err read_file(struct config *config, const char *path, bool is_asked, struct why *why)
{
    struct file_reading reading = {config, why, ERR_OK};
    int line;

    if (access(path, R_OK) != 0) {
        return is_asked ? why_say(why, ERR_INVALID, "no_file", "--config", "%s cannot be read; give a file that exists", path) : ERR_OK;
    }
    line = ini_parse(path, on_key, &reading);
    if (reading.err == ERR_OK && line != 0) {
        return why_say(why, ERR_INVALID, "bad_file", path, "line %d is no [section], key = value or ; comment (at most 200 bytes)", line);
    }
    return reading.err;
}

static enum err read_environment(struct config *config, struct why *why)
{
    for (size_t i = 0; i < SETTINGS_; i++) {
        char name[64] = "FALUN_";
        const char *value;
        size_t n = 6;

        for (const char *p = table[i].flag; *p; p++) {
            name[n++] = *p == '-' ? '_' : (char)(*p >= 'a' && *p <= 'z' ? *p - 32 : *p);
        }
        value = getenv(name);
        if (value != NULL && table[i].section_key[0] != '\0') {
            enum err err = put(config, (enum setting)i, value, "environment", why);

            if (err != ERR_OK) {
                return err;
            }
        }
    }
    return ERR_OK;
}

/* ---- flags ---- */

static enum err unknown_flag(const char *word, struct why *why)
{
    const char *nearest = json_form_nearest(bytes_of(word), all_names());

    return why_say(why, ERR_INVALID, "unknown_option", word, "--%s is no option of this command; %s%s", word,
                   nearest ? "did you mean --" : "see --help", nearest ? nearest : "");
}

static enum err read_flag(struct config *config, char **argv, int argc, int *at, const char **file, bool *out_help,
                          bool *out_print, struct why *why)
{
    const char *word = argv[*at];
    char name[64];
    const char *value = strchr(word, '=');

    if (strncmp(word, "--", 2) != 0) {
        return why_say(why, ERR_INVALID, "unexpected", word, "%s is not an option; options begin with --", word);
    }
    snprintf(name, sizeof(name), "%.*s", (int)(value ? value - word - 2 : (long)strlen(word) - 2), word + 2);
    if (strcmp(name, "help") == 0 || strcmp(name, "print-config") == 0) {
        *(name[0] == 'h' ? out_help : out_print) = true;
        return ERR_OK;
    }
    for (size_t i = 0; i <= SETTINGS_; i++) {
        bool is_file = i == SETTINGS_;

        if (strcmp(name, is_file ? "config" : table[i].flag) != 0) {
            continue;
        }
        if (!is_file && table[i].kind == KIND_SWITCH) {
            return put(config, (enum setting)i, "yes", "flag", why);
        }
        if (value == NULL && *at + 1 >= argc) {
            return why_say(why, ERR_INVALID, "missing", name, "--%s needs a value", name);
        }
        value = value ? value + 1 : argv[++*at];
        if (is_file) {
            *file = value;
            return ERR_OK;
        }
        return put(config, (enum setting)i, value, "flag", why);
    }
    return unknown_flag(name, why);
}

enum err config_read(int argc, char **argv, struct config *out_config, bool *out_help, bool *out_print, struct why *why)
{
    struct config flags = {0}, config = {0};
    const char *file = NULL;
    enum err err = ERR_OK;

    for (int i = 0; i < argc && err == ERR_OK; i++) {
        err = read_flag(&flags, argv, argc, &i, &file, out_help, out_print, why);
    }
    for (size_t i = 0; i < SETTINGS_; i++) {
        snprintf(config.value[i], sizeof(config.value[i]), "%s", table[i].standard);
        config.origin[i] = "default";
    }
    err = err == ERR_OK ? read_file(&config, file ? file : "falun.ini", file != NULL, why) : err;
    err = err == ERR_OK ? read_environment(&config, why) : err;
    for (size_t i = 0; i < SETTINGS_; i++) {
        if (flags.origin[i] != NULL) {
            memcpy(config.value[i], flags.value[i], sizeof(config.value[i]));
            config.origin[i] = flags.origin[i];
        }
    }
    if (err == ERR_OK) {
        *out_config = config;
    }
    return err;
}

int64_t config_int(const struct config *config, enum setting setting)
{
    return strtoll(config->value[setting], NULL, 10);
}

bool config_bool(const struct config *config, enum setting setting)
{
    return config->value[setting][0] != '\0';
}

int64_t config_ms(const struct config *config, enum setting setting)
{
    int64_t ms = 0;

    (void)duration(config->value[setting], &ms);
    return ms;
}

void config_print(const struct config *config)
{
    for (size_t i = 0; i < SETTINGS_; i++) {
        printf("%-12s %-24s %s\n", table[i].flag, config->value[i][0] ? config->value[i] : "-", config->origin[i]);
    }
}

void config_help(void)
{
    printf("falun serve [options]    the server; settings also from FALUN_NAME and falun.ini\n\n");
    for (size_t i = 0; i < SETTINGS_; i++) {
        printf("  --%-14s %s%s%s%s\n", table[i].flag, table[i].says, table[i].standard[0] ? "  (" : "", table[i].standard,
               table[i].standard[0] ? ")" : "");
    }
    printf("  --%-14s FILE   settings file (falun.ini where there is one)\n", "config");
    printf("  --%-14s show all settings and where each came from\n", "print-config");
}
