/* SPDX-License-Identifier: Apache-2.0 */
/* A coordinator, asked and judged, for the tools that stand on it. */
#ifndef TOOL_COMMON_MESH_H
#define TOOL_COMMON_MESH_H

#include <getopt.h>
#include <jansson.h>
#include <stdbool.h>

#include <pm/pm.h>

/* Whom to ask, and what must hold. */
struct tool_mesh {
	const char *url, *manifest; /* manifest: a file, or NULL with the hash */
	uint8_t manifest_hash[PM_MANIFEST_HASH_SIZE];
	bool has_manifest_hash;
	struct pm_coordinator_options options;
	bool allow_sealed;
	bool json;
};

/* What came of it; all is freed by tool_mesh_clear(). */
struct tool_mesh_result {
	int error;
	struct pm_manifest *manifest; /* of the file; NULL without one */
	struct pm_report *report;
	struct pm_verdict *verdict;
	struct pm_coordinator *coordinator;
	struct pm_deployment *deployment; /* NULL unless accepted */
};

enum {
	TOOL_MESH_MANIFEST = 1000,
	TOOL_MESH_HASH,
	TOOL_MESH_MEMORY,
	TOOL_MESH_CA,
	TOOL_MESH_JSON,
};

/* Rows of the verb's own table. */
#define TOOL_MESH_ROWS                                                                             \
	{"manifest", required_argument, NULL, TOOL_MESH_MANIFEST},                                 \
		{"manifest-hash", required_argument, NULL, TOOL_MESH_HASH},                        \
		{"memory", required_argument, NULL, TOOL_MESH_MEMORY},                             \
		{"ca", required_argument, NULL, TOOL_MESH_CA},                                     \
	{                                                                                          \
		"json", no_argument, NULL, TOOL_MESH_JSON                                          \
	}

#define TOOL_MESH_HELP                                                                             \
	"  --manifest FILE      the manifest that must hold, which you trust\n"                    \
	"  --manifest-hash HEX  its hash, beside the file or in its place\n"                       \
	"  --memory FILE        remember the history here, and refuse an older or another one\n"   \
	"  --ca FILE            certificate authorities for https (default: the system's)\n"

/* All zeros, and ready for options. */
void tool_mesh_init(struct tool_mesh *mesh);

/* One of the rows above. TOOL_OK; TOOL_USAGE when it said what is wrong, or it is none of them. */
int tool_mesh_option(struct tool_mesh *mesh, int id, const char *value);

/*
 * Reads the manifest and makes what is needed to ask, and says what went wrong. An exit status. The
 * result is to be cleared in each case.
 */
int tool_mesh_open(const struct tool_mesh *mesh, struct tool_mesh_result *ret);

/* Asks and judges; the error is in the result too. */
int tool_mesh_attest(const struct tool_mesh *mesh, struct tool_mesh_result *result);

/* Why not: the first failure of either. */
const char *tool_mesh_reason(const struct tool_mesh_result *result);

/* What was proved by what, and the checks before it; or why nothing was. */
void tool_mesh_print(const struct tool_mesh *mesh, const struct tool_mesh_result *result);

/* The same as one object, to which the caller may add. NULL without memory. */
json_t *tool_mesh_json(const struct tool_mesh *mesh, const struct tool_mesh_result *result);

/* Prints it, indented, and lets go of it. TOOL_OK, TOOL_USAGE. */
int tool_mesh_print_json(json_t *json);

void tool_mesh_clear(struct tool_mesh_result *result);

#endif
