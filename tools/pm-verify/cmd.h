/* SPDX-License-Identifier: Apache-2.0 */
/* The verbs of pm-verify. Each gets its own name as argv[0] and returns the exit status. */
#ifndef PM_VERIFY_CMD_H
#define PM_VERIFY_CMD_H

int cmd_bundle(int argc, char **argv);
int cmd_coordinator(int argc, char **argv);
int cmd_gpu(int argc, char **argv);
int cmd_measure(int argc, char **argv);
int cmd_snp(int argc, char **argv);
int cmd_token(int argc, char **argv);
int cmd_worker(int argc, char **argv);

#endif
