/* SPDX-License-Identifier: Apache-2.0 */
/* One round after the other, until SIGTERM. */
#ifndef PM_AGENT_WATCH_H
#define PM_AGENT_WATCH_H

#include "pm-agent/options.h"

/* An exit status. */
int watch_run(const struct agent_options *o);

#endif
