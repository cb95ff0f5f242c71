/* SPDX-License-Identifier: Apache-2.0 */
#include "pm-ctl/remote.h"

#include <err.h>
#include <stdio.h>
#include <string.h>

#include "common/file.h"

bool remote_is_url(const char *text)
{
	return !strncmp(text, "http://", 7) || !strncmp(text, "https://", 8);
}

bool remote_has_manifest(const struct remote *remote)
{
	return remote->mesh.manifest || remote->mesh.has_manifest_hash;
}

static int set_option(struct remote *remote, int id, const char *value)
{
	switch (id) {
	case REMOTE_OUTPUT:
		remote->output = value;
		return TOOL_OK;
	case REMOTE_SIGNATURES:
		remote->signatures = value;
		return TOOL_OK;
	case REMOTE_SHARES:
		remote->shares = value;
		return TOOL_OK;
	case REMOTE_SHARE:
		remote->share = value;
		return TOOL_OK;
	case REMOTE_SHARE_KEY:
		remote->share_key = value;
		return TOOL_OK;
	case REMOTE_KEY:
		remote->key = value;
		return TOOL_OK;
	default:
		return tool_mesh_option(&remote->mesh, id, value);
	}
}

/* getopt moves the words behind the options. */
static int parse(int argc, char **argv, const struct remote_verb *verb, struct remote *remote,
	bool *ret_help)
{
	int id, r = TOOL_OK;

	while (r == TOOL_OK && !*ret_help &&
		(id = getopt_long(argc, argv, verb->letters, verb->rows, NULL)) != -1) {
		if (id == 'h')
			*ret_help = true;
		else
			r = set_option(remote, id, optarg);
	}
	if (r != TOOL_OK || *ret_help)
		return r;
	if ((size_t)(argc - optind) == verb->words) {
		remote->mesh.url = argv[optind];
		if (verb->words == 2)
			remote->mesh.manifest = argv[optind + 1];
		if (verb->is_complete(remote))
			return TOOL_OK;
	}
	warnx("%s; try --help", verb->needs);
	return TOOL_USAGE;
}

int remote_run(int argc, char **argv, const struct remote_verb *verb)
{
	struct tool_mesh_result result;
	struct remote remote = {0};
	bool help = false;
	int r;

	tool_mesh_init(&remote.mesh);
	remote.mesh.allow_sealed = verb->allow_sealed;
	r = parse(argc, argv, verb, &remote, &help);
	if (r != TOOL_OK)
		return r;
	if (help) {
		fputs(verb->help, stdout);
		return TOOL_OK;
	}
	r = tool_mesh_open(&remote.mesh, &result);
	if (r == TOOL_OK)
		r = verb->run(&remote, &result);
	tool_mesh_clear(&result);
	return r;
}
