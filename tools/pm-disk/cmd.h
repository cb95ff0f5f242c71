/* SPDX-License-Identifier: Apache-2.0 */
/* The verbs of pm-disk. Each gets its own name as argv[0] and returns the exit status. */
#ifndef PM_DISK_CMD_H
#define PM_DISK_CMD_H

int cmd_build(int argc, char **argv);
int cmd_format(int argc, char **argv);
int cmd_verify(int argc, char **argv);
int cmd_info(int argc, char **argv);
int cmd_entry(int argc, char **argv);

#endif
