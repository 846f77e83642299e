/* SPDX-License-Identifier: Apache-2.0 */
/* cmd.h - the commands, as main.c lists them. argv[0] is the command's own word. Exit codes: 0 done, 1
 * failed, 2 wrong use, 3 done with rejected rows. */
#pragma once

int cmd_serve(int argc, char **argv);
int cmd_demo(int argc, char **argv);
int cmd_import(int argc, char **argv);
int cmd_model(int argc, char **argv);
int cmd_train(int argc, char **argv);
int cmd_evaluate(int argc, char **argv);
int cmd_match(int argc, char **argv);
int cmd_key(int argc, char **argv);
int cmd_tenant(int argc, char **argv);
int cmd_replay(int argc, char **argv);
