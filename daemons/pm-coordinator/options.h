/* SPDX-License-Identifier: Apache-2.0 */
#ifndef COORDINATOR_OPTIONS_H
#define COORDINATOR_OPTIONS_H

#include "pm-coordinator/coordinator.h"

/* OPTIONS_RUN, or the exit status when all is said. */
int options_parse(int argc, char **argv, struct coordinator_options *ret);

#endif
