/* SPDX-License-Identifier: Apache-2.0 */
/* What pm-ctl asks a coordinator, as verbs of other groups. Each returns the exit status. */
#ifndef PM_CTL_REMOTE_H
#define PM_CTL_REMOTE_H

#include <stdbool.h>
#include <stddef.h>

#include "common/mesh.h"

/* Is it an address, and not a file? */
bool remote_is_url(const char *text);

/* history URL */
int remote_history(int argc, char **argv);

/* log fetch URL */
int remote_log(int argc, char **argv);

/* manifest set URL MANIFEST */
int remote_set(int argc, char **argv);

/* --- how such a verb is made ------------------------------------------------------------------ */

/* The options of all of them; a verb's rows name those that it has. */
enum {
	REMOTE_OUTPUT = 'o',
	REMOTE_SIGNATURES = 2000,
	REMOTE_SHARES,
	REMOTE_SHARE,
	REMOTE_SHARE_KEY,
	REMOTE_KEY,
};

/* What the command line said; NULL: nothing of it. */
struct remote {
	struct tool_mesh mesh;
	const char *output, *signatures, *shares, *share, *share_key, *key;
};

struct remote_verb {
	const char *help;
	const char *letters;	   /* of short options, for getopt */
	const struct option *rows; /* with {"help", ..., 'h'} */
	size_t words;		   /* an URL, and perhaps a manifest */
	bool allow_sealed;
	/* Is all there that it needs? If not, or with other words, this is said. */
	bool (*is_complete)(const struct remote *remote);
	const char *needs;
	int (*run)(const struct remote *remote, struct tool_mesh_result *result);
};

/* From the command line, of which argv[0] is the verb. */
int remote_run(int argc, char **argv, const struct remote_verb *verb);

/* --manifest, or its hash: what those need who believe what was proved. */
bool remote_has_manifest(const struct remote *remote);

#endif
