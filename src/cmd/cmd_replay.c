/* SPDX-License-Identifier: Apache-2.0 */
/* falun replay: drops every folded state and folds it again from the log (house.md 4.1). Exit 1 when a part came out
 * with other bytes than before: that would be a bug of ours. */
#include "cmd/cmd.h"
#include "cmd/data.h"
#include "storage/storage_wait.h"

#include <getopt.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

int cmd_replay(int argc, char **argv)
{
    static const struct option options[] = {{"data", required_argument, NULL, 'd'}, {"tenant-number", required_argument, NULL, 't'},
                                            {NULL, 0, NULL, 0}};
    struct data_options data_options = {0};
    struct data data;
    struct why why = {0};
    const char *path = "./falun-data";
    struct tenant_id tenant = {1};
    uint64_t folded_n, parts_n = 0, differing_n = 0;
    int c;
    enum err err;

    while ((c = getopt_long(argc, argv, "", options, NULL)) != -1) {
        if (c == 'd') {
            path = optarg;
        } else if (c == 't') {
            tenant.v = (uint32_t)strtoul(optarg, NULL, 10);
        } else {
            fprintf(stderr, "falun replay [--data DIR] [--tenant-number N]    folds all parts again from the log\n");
            return 2;
        }
    }
    err = data_open(path, &data_options, &data, &why);
    if (err != ERR_OK) {
        fprintf(stderr, "falun replay: %s\n", why.says);
        return 1;
    }
    err = storage_wait_fold(data.storage, data.loop, &folded_n);
    err = err == ERR_OK ? storage_replay(data.storage, tenant, &parts_n, &differing_n) : err;
    data_close(&data);
    if (err != ERR_OK) {
        fprintf(stderr, "falun replay: %s\n", err_name(err));
        return 1;
    }
    printf("%" PRIu64 " parts folded again, %" PRIu64 " differ\n", parts_n, differing_n);
    return differing_n > 0;
}
