/* SPDX-License-Identifier: Apache-2.0 */
#ifndef PROXY_OPTIONS_H
#define PROXY_OPTIONS_H

#include "pm-proxy/proxy.h"

/* OPTIONS_RUN, or the exit status when all is said. */
int options_parse(int argc, char **argv, struct proxy_options *ret);

#endif
