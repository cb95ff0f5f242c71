/* SPDX-License-Identifier: Apache-2.0 */
/* The options that say what GPUs must be like, and the manifest that says so instead. */
#ifndef PM_AGENT_DEMANDS_H
#define PM_AGENT_DEMANDS_H

#include <getopt.h>

#include "pm-agent/note.h"
#include "pm-agent/options.h"

enum {
	DEMAND_FIRST = 3000,
	DEMAND_ARCH,
	DEMAND_MODE,
	DEMAND_DRIVER,
	DEMAND_VBIOS,
	DEMAND_MIN_DRIVER,
	DEMAND_MIN_VBIOS,
	DEMAND_ALLOW_HOLD,
	DEMAND_ALLOW_UNKNOWN,
	DEMAND_ALLOW_OPAQUE,
	DEMAND_ALLOW_TOPOLOGY,
	DEMAND_REQUIRE_FWID,
	DEMAND_REQUIRE_GOLDEN,
	DEMAND_REQUIRE_LOCK,
	DEMAND_TEST_ROOT,
	DEMAND_TEST_RIM_ROOT,
	DEMAND_LAST,
};

/* Rows of the program's table. */
/* clang-format off */
#define DEMAND_ROWS                                                                                \
	{"arch", required_argument, NULL, DEMAND_ARCH},                                            \
	{"mode", required_argument, NULL, DEMAND_MODE},                                            \
	{"driver", required_argument, NULL, DEMAND_DRIVER},                                        \
	{"vbios", required_argument, NULL, DEMAND_VBIOS},                                          \
	{"min-driver", required_argument, NULL, DEMAND_MIN_DRIVER},                                \
	{"min-vbios", required_argument, NULL, DEMAND_MIN_VBIOS},                                  \
	{"allow-hold", required_argument, NULL, DEMAND_ALLOW_HOLD},                                \
	{"allow-unknown", no_argument, NULL, DEMAND_ALLOW_UNKNOWN},                                \
	{"allow-opaque", no_argument, NULL, DEMAND_ALLOW_OPAQUE},                                  \
	{"allow-topology", no_argument, NULL, DEMAND_ALLOW_TOPOLOGY},                              \
	{"require-fwid", no_argument, NULL, DEMAND_REQUIRE_FWID},                                  \
	{"require-golden", no_argument, NULL, DEMAND_REQUIRE_GOLDEN},                              \
	{"require-lock", no_argument, NULL, DEMAND_REQUIRE_LOCK},                                  \
	{"test-root", required_argument, NULL, DEMAND_TEST_ROOT},                                  \
	{"test-rim-root", required_argument, NULL, DEMAND_TEST_RIM_ROOT}
/* clang-format on */

bool demand_is(int id);

/* An exit status; what is wrong has been said. */
int demand_set(struct agent_options *o, int id, const char *value);

/*
 * What is demanded of each device, without a nonce, freed by the caller, and of their number: at
 * least min_count. From the manifest where there is one. A negative enum pm_error, noted.
 */
int demands_load(struct agent_options *o, int64_t now, struct note *note,
	struct pm_gpu_policy **ret_policy, size_t *ret_min_count);

#endif
