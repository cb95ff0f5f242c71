/* SPDX-License-Identifier: Apache-2.0 */
/* The verbs of pm-ctl. Each gets its own name as argv[0] and returns the exit status. */
#ifndef PM_CTL_CMD_H
#define PM_CTL_CMD_H

int cmd_collect(int argc, char **argv);
int cmd_field(int argc, char **argv);
int cmd_history(int argc, char **argv);
int cmd_key(int argc, char **argv);
int cmd_log(int argc, char **argv);
int cmd_manifest(int argc, char **argv);
int cmd_recover(int argc, char **argv);
int cmd_sealed(int argc, char **argv);
int cmd_secrets(int argc, char **argv);
int cmd_shard_key(int argc, char **argv);
int cmd_status(int argc, char **argv);

#endif
