/* SPDX-License-Identifier: Apache-2.0 */
/* What the files of the verb "gpu" share. */
#ifndef PM_VERIFY_GPU_H
#define PM_VERIFY_GPU_H

#include <stdbool.h>

#include <pm/pm.h>

#define GPU_FILES_MAX 64

/* Names of files, as given. */
struct gpu_files {
	const char *names[GPU_FILES_MAX];
	size_t count;
};

/* The command line, read. */
struct gpu_options {
	const char *report, *certs;
	struct gpu_files rims, ocsp, rim_urls, ocsp_urls;
	const char *cache;
	int64_t now, rim_now;
	bool fetch, has_rim_now, has_nonce, no_rim, no_ocsp, json;
	unsigned int parse_flags, set_flags;
	size_t min_gpus;
	bool has_min_gpus;
};

/* A manifest that was looked at. */
struct gpu_rim {
	const char *file;
	struct pm_rim *rim; /* NULL unless verified */
	struct pm_report *report;
	int error;
};

/* What the command line gave beside the devices. */
struct gpu_collateral {
	struct pm_ocsp_set *ocsp;
	struct gpu_rim rims[GPU_FILES_MAX];
	const struct pm_rim *verified[GPU_FILES_MAX];
	size_t rim_count; /* looked at: the last of them may be a bad one */
};

/* A device that was looked at. */
struct gpu_device {
	char name[64];
	struct pm_gpu_evidence *ev;
	struct pm_report *report;
	const struct pm_gpu_facts *facts; /* NULL unless accepted */
	int error;
};

/* All devices of the input. */
struct gpu_devices {
	struct gpu_device list[PM_GPU_SET_MAX];
	size_t count;
	bool is_set;		  /* the input was a list */
	struct pm_report *report; /* about the set */
	int error;		  /* the first of a device, or the set's */
};

/*
 * Reads and verifies what was given. An exit status; what is wrong with a manifest stands with it,
 * everything else is printed.
 */
int gpu_collateral_load(const struct gpu_options *o, const struct pm_gpu_policy *policy,
	struct gpu_collateral *ret);
/* One more manifest. Its error, which stands with it too; PM_E_LIMIT for too many. */
int gpu_collateral_add_rim(const struct gpu_options *o, const struct pm_gpu_policy *policy,
	const char *name, const uint8_t *bytes, size_t len, struct gpu_collateral *c);

void gpu_collateral_free(struct gpu_collateral *c);

/* The error of the manifest that was refused, or PM_OK. */
int gpu_collateral_error(const struct gpu_collateral *c);

/* Reads the report, or the list of reports. An exit status; what is malformed stands with it. */
int gpu_devices_load(const struct gpu_options *o, struct gpu_devices *ret);
void gpu_devices_free(struct gpu_devices *d);

/*
 * Downloads what the devices need. The first error: of a download, which then stands with its
 * device, or of a manifest.
 */
int gpu_fetch(const struct gpu_options *o, const struct pm_gpu_policy *policy,
	struct gpu_devices *d, struct gpu_collateral *c);

/* Prints the verdict. error: of a manifest, a device, or the set. */
void gpu_print(const struct gpu_options *o, int error, const struct gpu_collateral *c,
	const struct gpu_devices *d);

#endif
