/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One round: every GPU is asked for evidence, what is needed to verify it is fetched, each is
 * verified, and only then the ready state is set. It runs in a process of its own, so that a driver
 * that hangs or crashes takes nobody with it.
 */
#ifndef PM_AGENT_ROUND_H
#define PM_AGENT_ROUND_H

#include <jansson.h>
#include <pm/pm.h>

#include "pm-agent/note.h"
#include "pm-agent/options.h"

/* A GPU or switch that is looked at. */
struct device {
	char name[160];			 /* "GPU 0 (GPU-...)", "switch 0" */
	const struct pm_gpu_device *gpu; /* NULL for a switch */
	uint8_t nonce[PM_GPU_NONCE_SIZE];
	uint8_t *report_bytes, *certs;
	size_t report_size, certs_size;
	struct pm_gpu_evidence *evidence;
	const struct pm_gpu_facts *facts; /* NULL unless verified */
	struct pm_report *report;
	int error;
};

struct round {
	struct agent_options *o;
	int64_t now;
	struct pm_gpu_host *host;
	struct pm_gpu_host_state state;
	bool has_state;
	struct pm_gpu_policy *policy;
	size_t min_count;
	uint8_t epoch_nonce[PM_GPU_NONCE_SIZE];
	struct device devices[PM_GPU_SET_MAX];
	size_t count, gpu_count;
	struct pm_gpu_collateral *collateral;
	struct pm_report *report; /* of the host as a whole */
	struct note note;
	int ready; /* as it is now; -1: not known */
	bool cuda_checked, test_root;
	bool cleared; /* a round_clear() that succeeded */
	int64_t valid_until;
};

/* Takes place, and is judged: r->note tells. */
void round_run(struct agent_options *o, struct round *r);

/* Sets the GPUs not ready, and nothing else. */
void round_clear(struct agent_options *o, struct round *r);

void round_free(struct round *r);

/* What is told of it; NULL without memory. */
json_t *round_json(const struct round *r);

/* A further device, or NULL when there are too many; noted. */
struct device *round_add_device(struct round *r, const char *name);

/* Copies of the evidence into the device, parsed. Noted with the device. */
int device_take(struct round *r, struct device *d, const uint8_t *report_bytes, size_t report_size,
	const uint8_t *certs, size_t certs_size);

/* --- parts ----------------------------------------------------------------------------------- */

/* Golden measurements and responses, and each device's verdict. Noted. */
int judge_devices(struct round *r);

/* Switches, out of files or from the command. Noted. */
int switches_collect(struct round *r);

/*
 * Are the GPUs that CUDA sees those that were verified? PM_E_STATE while CUDA does not answer since
 * they are not ready, which is not noted.
 */
int cuda_check(struct round *r);

/* What a process of ourselves prints for cuda_check(). An exit status. */
int cuda_list(const struct agent_options *o);

/* The folder for bundles. Noted. */
int evidence_write(struct round *r);
void evidence_remove(const struct agent_options *o);

#endif
