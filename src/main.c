/* SPDX-License-Identifier: Apache-2.0 */
/* main.c - a table of commands and nothing else. */
#include "base/hash.h"
#include "cmd/cmd.h"

#include <stdio.h>
#include <string.h>

static const struct {
    const char *word;
    int (*run)(int argc, char **argv);
    const char *says;
} commands[] = {
    {"serve", cmd_serve, "the server"},
    {"import", cmd_import, "history in: receipts, items, stores from CSV files by a map"},
    {"demo", cmd_demo, "recorded till lines, learnt and served with a page to look at"},
    {"train", cmd_train, "a model from what was bought, published"},
    {"model", cmd_model, "lists models, goes back to one"},
    {"evaluate", cmd_evaluate, "how good rows are, on recorded lines"},
    {"match", cmd_match, "which rows of a customer file are one person"},
    {"key", cmd_key, "add, list, revoke keys"},
    {"tenant", cmd_tenant, "add, list tenants"},
    {"replay", cmd_replay, "folds everything derived again from the log"},
};

int main(int argc, char **argv)
{
    hash_start();
    for (size_t i = 0; argc > 1 && i < sizeof(commands) / sizeof(commands[0]); i++) {
        if (strcmp(argv[1], commands[i].word) == 0) {
            return commands[i].run(argc - 1, argv + 1);
        }
    }
    fprintf(argc > 1 && strcmp(argv[1], "--help") != 0 ? stderr : stdout, "falun COMMAND [options]; every command has --help\n\n");
    for (size_t i = 0; i < sizeof(commands) / sizeof(commands[0]); i++) {
        printf("  %-10s %s\n", commands[i].word, commands[i].says);
    }
    return argc > 1 && strcmp(argv[1], "--help") != 0 ? 2 : 0;
}
