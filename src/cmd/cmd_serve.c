/* SPDX-License-Identifier: Apache-2.0 */
#include "cmd/cmd.h"
#include "cmd/serve.h"

#include <stdio.h>

int cmd_serve(int argc, char **argv)
{
    struct config config;
    struct serve *serve;
    struct why why = {0};
    bool wants_help = false, wants_print = false;

    serve_block_signals();
    if (config_read(argc - 1, argv + 1, &config, &wants_help, &wants_print, &why) != ERR_OK) {
        fprintf(stderr, "falun serve: %s\n", why.says);
        return 2;
    }
    if (wants_help || wants_print) {
        if (wants_help) {
            config_help();
        } else {
            config_print(&config);
        }
        return 0;
    }
    if (serve_open(&config, NULL, NULL, 0, &serve, &why) != ERR_OK) {
        fprintf(stderr, "falun serve: %s\n", why.says[0] ? why.says : "the start failed; see the log above");
        return 1;
    }
    printf("Falun serves on http://%s (data in %s)\n", config.value[SETTING_LISTEN], config.value[SETTING_DATA]);
    fflush(stdout);
    return serve_until_signal(serve);
}
