/* SPDX-License-Identifier: Apache-2.0 */
/* What pm-ctl asks a coordinator, as verbs of other groups. Each returns the exit status. */
#ifndef PM_CTL_REMOTE_H
#define PM_CTL_REMOTE_H

#include <stdbool.h>

/* Is it an address, and not a file? */
bool remote_is_url(const char *text);

/* history URL */
int remote_history(int argc, char **argv);

/* log fetch URL */
int remote_log(int argc, char **argv);

/* manifest set URL MANIFEST */
int remote_set(int argc, char **argv);

#endif
