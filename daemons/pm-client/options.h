/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CLIENT_OPTIONS_H
#define CLIENT_OPTIONS_H

#include "pm-client/client.h"

/* OPTIONS_RUN, or the exit status when all is said. */
int options_parse(int argc, char **argv, struct client_options *ret);

/* 64 hexadecimal digits: 0, or 2 when it said what is wrong. */
int option_hash(const char *value, struct client_options *o);

/* Both files or none: 0, or 2 when it said what is wrong. */
int option_owners(const struct client_options *o);

#endif
