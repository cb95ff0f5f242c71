/* SPDX-License-Identifier: Apache-2.0 */
/* The command line of pm-agent. */
#ifndef PM_AGENT_OPTIONS_H
#define PM_AGENT_OPTIONS_H

#include <pm/gpu_policy.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The command line contract of every program. */
enum { AGENT_OK = 0, AGENT_REJECTED = 1, AGENT_USAGE = 2 };

#define AGENT_LIST_MAX 32

enum agent_action {
	AGENT_ATTEST,	 /* one round, or with watch one after the other */
	AGENT_CLEAR,	 /* set the GPUs not ready */
	AGENT_LIST_CUDA, /* of ourselves: print what CUDA sees */
	AGENT_HELP,
	AGENT_VERSION,
};

/* What is to be done about the GPUs that CUDA sees. */
enum agent_cuda { AGENT_CUDA_AUTO, AGENT_CUDA_REQUIRE, AGENT_CUDA_OFF };

struct agent_list {
	const char *items[AGENT_LIST_MAX];
	size_t count;
};

struct agent_options {
	enum agent_action action;
	int argc;
	char **argv;

	/* Demands. */
	struct pm_gpu_policy *policy; /* of the options; NULL once a manifest gives one */
	bool has_demands;	      /* some option spoke of the policy */
	const char *manifest, *role;
	size_t count;		/* exactly so many GPUs; 0: not said */
	unsigned int set_flags; /* of pm_gpu_verify_set() */
	enum agent_cuda cuda;

	/* Nonce. */
	bool has_epoch_nonce;
	uint8_t epoch_nonce[PM_GPU_NONCE_SIZE];
	const char *key;

	/* Golden measurements and revocation. */
	struct agent_list rims, ocsp, rim_urls, ocsp_urls;
	const char *rim_token, *ocsp_token, *cache, *ca_file;
	bool no_rim, no_ocsp, offline, ocsp_nonce;
	uint64_t fetch_time; /* milliseconds for one fetch */

	/* Switches. */
	struct agent_list switches;
	const char *switch_command;

	/* Where. */
	const char *nvml, *cuda_library, *status, *evidence, *lock, *metrics, *metrics_file;
	struct agent_list metrics_hosts;
	bool no_ready, json;

	/* How. */
	uint64_t watch;	  /* seconds between rounds; 0: one round */
	uint64_t retry;	  /* seconds after a round that was not accepted, where watch is more */
	uint64_t timeout; /* seconds for a round */
	bool log_json;
	int log_level;
	int worker_fd; /* of ourselves: where the supervisor reads; -1: we are the supervisor */
};

/* An exit status; what is wrong has been said. agent_options_free() in any case. */
int agent_options_parse(int argc, char **argv, struct agent_options *ret);
void agent_options_free(struct agent_options *o);

void agent_help(void);

#endif
