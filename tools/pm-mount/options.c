/* SPDX-License-Identifier: Apache-2.0 */
#include "pm-mount/options.h"

#include <err.h>
#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/file.h"

/* Longer than any device takes to appear. */
#define WAIT_MAX 86400

/* Active disks of ours, among those of others in /dev/mapper. */
#define NAME_PREFIX "pm-"

enum {
	OPT_MANIFEST = 256,
	OPT_MODEL,
	OPT_DEVICE,
	OPT_TARGET,
	OPT_STATUS,
	OPT_WAIT,
	OPT_ON_CORRUPTION,
	OPT_UMOUNT,
	OPT_CHECK,
	OPT_VERSION,
};

static const struct option long_options[] = {
	{"manifest", required_argument, NULL, OPT_MANIFEST},
	{"model", required_argument, NULL, OPT_MODEL},
	{"device", required_argument, NULL, OPT_DEVICE},
	{"target", required_argument, NULL, OPT_TARGET},
	{"status", required_argument, NULL, OPT_STATUS},
	{"wait", required_argument, NULL, OPT_WAIT},
	{"on-corruption", required_argument, NULL, OPT_ON_CORRUPTION},
	{"umount", no_argument, NULL, OPT_UMOUNT},
	{"check", no_argument, NULL, OPT_CHECK},
	{"version", no_argument, NULL, OPT_VERSION},
	{"help", no_argument, NULL, 'h'},
	{0},
};

static const char *const on_corruption_names[] = {
	[PM_VERITY_FAIL] = "fail",
	[PM_VERITY_PANIC] = "panic",
	[PM_VERITY_RESTART] = "restart",
};

#define ON_CORRUPTION_COUNT (sizeof(on_corruption_names) / sizeof(on_corruption_names[0]))

const char *options_on_corruption_name(int on_corruption)
{
	if (on_corruption < 0 || (size_t)on_corruption >= ON_CORRUPTION_COUNT)
		return "unknown";
	return on_corruption_names[on_corruption];
}

static int set_on_corruption(struct options *o, const char *text)
{
	for (size_t i = 0; i < ON_CORRUPTION_COUNT; i++) {
		if (!strcmp(text, on_corruption_names[i])) {
			o->on_corruption = (enum pm_verity_on_corruption)i;
			return TOOL_OK;
		}
	}
	warnx("--on-corruption: '%s' is not fail, panic or restart", text);
	return TOOL_USAGE;
}

static int set_wait(struct options *o, const char *text)
{
	char *end;
	unsigned long value;

	errno = 0;
	value = strtoul(text, &end, 10);
	if (errno || end == text || *end || *text < '0' || *text > '9' || value > WAIT_MAX) {
		warnx("--wait: '%s' is not a number of seconds, at most %d", text, WAIT_MAX);
		return TOOL_USAGE;
	}
	o->wait = (unsigned int)value;
	return TOOL_OK;
}

static int set_action(struct options *o, enum action action)
{
	if (o->action != ACTION_MOUNT && o->action != action) {
		warnx("only one of --umount and --check");
		return TOOL_USAGE;
	}
	o->action = action;
	return TOOL_OK;
}

static int set_option(struct options *o, int id)
{
	switch (id) {
	case OPT_MANIFEST:
		o->manifest = optarg;
		return TOOL_OK;
	case OPT_MODEL:
		o->model = optarg;
		return TOOL_OK;
	case OPT_DEVICE:
		o->device = optarg;
		return TOOL_OK;
	case OPT_TARGET:
		o->target = optarg;
		return TOOL_OK;
	case OPT_STATUS:
		o->status = optarg;
		return TOOL_OK;
	case OPT_WAIT:
		return set_wait(o, optarg);
	case OPT_ON_CORRUPTION:
		return set_on_corruption(o, optarg);
	case OPT_UMOUNT:
		return set_action(o, ACTION_UMOUNT);
	case OPT_CHECK:
		return set_action(o, ACTION_CHECK);
	case OPT_VERSION:
		o->action = ACTION_VERSION;
		return TOOL_OK;
	case 'h':
		o->action = ACTION_HELP;
		return TOOL_OK;
	default:
		return TOOL_USAGE; /* getopt said why */
	}
}

/* What an action needs, and what it can't use. */
static int check_set(const struct options *o)
{
	if (!o->model) {
		warnx("--model NAME is missing; try --help");
		return TOOL_USAGE;
	}
	if (o->action == ACTION_MOUNT && (!o->manifest || !o->device || !o->target)) {
		warnx("--manifest FILE, --device DEV and --target DIR are needed; try --help");
		return TOOL_USAGE;
	}
	if (o->action != ACTION_MOUNT && (o->device || o->wait || o->on_corruption)) {
		warnx("--device, --wait and --on-corruption are for mounting only");
		return TOOL_USAGE;
	}
	if (o->action == ACTION_UMOUNT && o->manifest) {
		warnx("--umount needs no --manifest");
		return TOOL_USAGE;
	}
	if (o->action == ACTION_CHECK && o->target) {
		warnx("--check needs no --target");
		return TOOL_USAGE;
	}
	return TOOL_OK;
}

static int make_name(struct options *o)
{
	int n = snprintf(o->name, sizeof(o->name), "%s%s", NAME_PREFIX, o->model);

	if (!o->model[0] || n < 0 || (size_t)n >= sizeof(o->name)) {
		warnx("--model: a name has 1 to %zu characters",
			sizeof(o->name) - sizeof(NAME_PREFIX));
		return TOOL_USAGE;
	}
	return TOOL_OK;
}

int options_parse(int argc, char **argv, struct options *ret)
{
	struct options o = {.action = ACTION_MOUNT};
	int id, r = TOOL_OK;

	while (r == TOOL_OK && o.action != ACTION_HELP && o.action != ACTION_VERSION &&
		(id = getopt_long(argc, argv, "h", long_options, NULL)) != -1)
		r = set_option(&o, id);
	if (r == TOOL_OK && (o.action == ACTION_HELP || o.action == ACTION_VERSION)) {
		*ret = o;
		return TOOL_OK;
	}
	if (r == TOOL_OK && optind != argc) {
		warnx("unexpected argument '%s'", argv[optind]);
		r = TOOL_USAGE;
	}
	if (r == TOOL_OK)
		r = check_set(&o);
	if (r == TOOL_OK)
		r = make_name(&o);
	if (r == TOOL_OK)
		*ret = o;
	return r;
}
