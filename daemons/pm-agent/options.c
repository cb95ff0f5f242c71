/* SPDX-License-Identifier: Apache-2.0 */
#include "pm-agent/options.h"

#include <err.h>
#include <getopt.h>
#include <pm/pm.h>
#include <string.h>

#include "common/log.h"
#include "common/options.h"
#include "pm-agent/demands.h"

#define DEFAULT_LOCK	"/run/lock/pm-agent.lock"
#define DEFAULT_TIMEOUT 300
#define DEFAULT_RETRY	60
#define DEFAULT_FETCH	60000
#define FETCH_MAX	3600000

/* A week. */
#define WATCH_MAX 604800

enum {
	OPT_FIRST = 2000,
	OPT_CACHE,
	OPT_CA,
	OPT_CLEAR,
	OPT_COUNT,
	OPT_CUDA,
	OPT_CUDA_LIBRARY,
	OPT_EPOCH_NONCE,
	OPT_EVIDENCE,
	OPT_FETCH_TIMEOUT,
	OPT_JSON,
	OPT_KEY,
	OPT_LIST_CUDA,
	OPT_LOCK,
	OPT_MANIFEST,
	OPT_METRICS_FILE,
	OPT_NO_OCSP,
	OPT_NO_READY,
	OPT_NO_RIM,
	OPT_NVML,
	OPT_OCSP,
	OPT_OCSP_NONCE,
	OPT_OCSP_TOKEN,
	OPT_OCSP_URL,
	OPT_OFFLINE,
	OPT_RIM,
	OPT_RIM_TOKEN,
	OPT_RIM_URL,
	OPT_ROLE,
	OPT_STATUS,
	OPT_SWITCHES,
	OPT_SWITCH_COMMAND,
	OPT_RETRY,
	OPT_TIMEOUT,
	OPT_WATCH,
	OPT_WORKER_FD,
};

/* clang-format off */
static const struct option long_options[] = {
	DEMAND_ROWS,
	{"cache", required_argument, NULL, OPT_CACHE},
	{"ca", required_argument, NULL, OPT_CA},
	{"clear", no_argument, NULL, OPT_CLEAR},
	{"count", required_argument, NULL, OPT_COUNT},
	{"cuda", required_argument, NULL, OPT_CUDA},
	{"cuda-library", required_argument, NULL, OPT_CUDA_LIBRARY},
	{"epoch-nonce", required_argument, NULL, OPT_EPOCH_NONCE},
	{"evidence", required_argument, NULL, OPT_EVIDENCE},
	{"fetch-timeout", required_argument, NULL, OPT_FETCH_TIMEOUT},
	{"json", no_argument, NULL, OPT_JSON},
	{"key", required_argument, NULL, OPT_KEY},
	{"list-cuda", no_argument, NULL, OPT_LIST_CUDA},
	{"lock", required_argument, NULL, OPT_LOCK},
	{"log", required_argument, NULL, OPTION_LOG},
	{"log-level", required_argument, NULL, OPTION_LOG_LEVEL},
	{"manifest", required_argument, NULL, OPT_MANIFEST},
	{"metrics", required_argument, NULL, OPTION_METRICS},
	{"metrics-host", required_argument, NULL, OPTION_METRICS_HOST},
	{"metrics-file", required_argument, NULL, OPT_METRICS_FILE},
	{"no-ocsp", no_argument, NULL, OPT_NO_OCSP},
	{"no-ready", no_argument, NULL, OPT_NO_READY},
	{"no-rim", no_argument, NULL, OPT_NO_RIM},
	{"nvml", required_argument, NULL, OPT_NVML},
	{"ocsp", required_argument, NULL, OPT_OCSP},
	{"ocsp-nonce", no_argument, NULL, OPT_OCSP_NONCE},
	{"ocsp-token", required_argument, NULL, OPT_OCSP_TOKEN},
	{"ocsp-url", required_argument, NULL, OPT_OCSP_URL},
	{"offline", no_argument, NULL, OPT_OFFLINE},
	{"retry", required_argument, NULL, OPT_RETRY},
	{"rim", required_argument, NULL, OPT_RIM},
	{"rim-token", required_argument, NULL, OPT_RIM_TOKEN},
	{"rim-url", required_argument, NULL, OPT_RIM_URL},
	{"role", required_argument, NULL, OPT_ROLE},
	{"status", required_argument, NULL, OPT_STATUS},
	{"switches", required_argument, NULL, OPT_SWITCHES},
	{"switch-command", required_argument, NULL, OPT_SWITCH_COMMAND},
	{"timeout", required_argument, NULL, OPT_TIMEOUT},
	{"version", no_argument, NULL, OPTION_VERSION},
	{"watch", required_argument, NULL, OPT_WATCH},
	{"worker-fd", required_argument, NULL, OPT_WORKER_FD},
	{"help", no_argument, NULL, 'h'},
	{0},
};
/* clang-format on */

/* Options that hold a text, by the place where it goes. */
static const struct {
	int id;
	size_t offset;
} texts[] = {
	{OPT_CACHE, offsetof(struct agent_options, cache)},
	{OPT_CA, offsetof(struct agent_options, ca_file)},
	{OPT_CUDA_LIBRARY, offsetof(struct agent_options, cuda_library)},
	{OPT_EVIDENCE, offsetof(struct agent_options, evidence)},
	{OPT_KEY, offsetof(struct agent_options, key)},
	{OPT_LOCK, offsetof(struct agent_options, lock)},
	{OPT_MANIFEST, offsetof(struct agent_options, manifest)},
	{OPTION_METRICS, offsetof(struct agent_options, metrics)},
	{OPT_METRICS_FILE, offsetof(struct agent_options, metrics_file)},
	{OPT_NVML, offsetof(struct agent_options, nvml)},
	{OPT_OCSP_TOKEN, offsetof(struct agent_options, ocsp_token)},
	{OPT_RIM_TOKEN, offsetof(struct agent_options, rim_token)},
	{OPT_ROLE, offsetof(struct agent_options, role)},
	{OPT_STATUS, offsetof(struct agent_options, status)},
	{OPT_SWITCH_COMMAND, offsetof(struct agent_options, switch_command)},
};

static const struct {
	int id;
	size_t offset;
} lists[] = {
	{OPTION_METRICS_HOST, offsetof(struct agent_options, metrics_hosts)},
	{OPT_OCSP, offsetof(struct agent_options, ocsp)},
	{OPT_OCSP_URL, offsetof(struct agent_options, ocsp_urls)},
	{OPT_RIM, offsetof(struct agent_options, rims)},
	{OPT_RIM_URL, offsetof(struct agent_options, rim_urls)},
	{OPT_SWITCHES, offsetof(struct agent_options, switches)},
};

static const struct {
	int id;
	size_t offset;
} flags[] = {
	{OPT_JSON, offsetof(struct agent_options, json)},
	{OPT_NO_OCSP, offsetof(struct agent_options, no_ocsp)},
	{OPT_NO_READY, offsetof(struct agent_options, no_ready)},
	{OPT_NO_RIM, offsetof(struct agent_options, no_rim)},
	{OPT_OCSP_NONCE, offsetof(struct agent_options, ocsp_nonce)},
	{OPT_OFFLINE, offsetof(struct agent_options, offline)},
};

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static int add(struct agent_list *list, const char *value)
{
	if (list->count == AGENT_LIST_MAX) {
		warnx("'%s': at most %d of a kind", value, AGENT_LIST_MAX);
		return AGENT_USAGE;
	}
	list->items[list->count++] = value;
	return AGENT_OK;
}

static bool set_plain(struct agent_options *o, int id, const char *value, int *ret)
{
	char *base = (char *)o;

	for (size_t i = 0; i < COUNT(texts); i++) {
		if (texts[i].id == id) {
			memcpy(base + texts[i].offset, &value, sizeof(value));
			return true;
		}
	}
	for (size_t i = 0; i < COUNT(lists); i++) {
		if (lists[i].id == id) {
			*ret = add((struct agent_list *)(void *)(base + lists[i].offset), value);
			return true;
		}
	}
	for (size_t i = 0; i < COUNT(flags); i++) {
		if (flags[i].id == id) {
			base[flags[i].offset] = true;
			return true;
		}
	}
	return false;
}

static int set_cuda(struct agent_options *o, const char *value)
{
	static const char *const names[] = {"auto", "require", "off"};

	for (int i = 0; i < (int)COUNT(names); i++) {
		if (!strcmp(value, names[i])) {
			o->cuda = (enum agent_cuda)i;
			return AGENT_OK;
		}
	}
	warnx("--cuda: '%s' is not auto, require or off", value);
	return AGENT_USAGE;
}

static int set_epoch_nonce(struct agent_options *o, const char *value)
{
	o->has_epoch_nonce = true;
	if (pm_hex_decode(value, o->epoch_nonce, sizeof(o->epoch_nonce)) == PM_OK)
		return AGENT_OK;
	warnx("--epoch-nonce: '%s' is not 64 hexadecimal digits", value);
	return AGENT_USAGE;
}

static int set_log(struct agent_options *o, int id, const char *value)
{
	struct common_options common = {.log_level = o->log_level};
	int r = common_option(&common, id, value);

	if (id == OPTION_LOG)
		o->log_json = common.log_json;
	else
		o->log_level = common.log_level;
	return r;
}

static int set_number(struct agent_options *o, int id, const char *value)
{
	uint64_t number = 0;
	int64_t time;
	int r;

	switch (id) {
	case OPT_COUNT:
		r = option_number("--count", value, PM_GPU_HOST_DEVICES_MAX, &number);
		o->count = (size_t)number;
		return r;
	case OPT_WATCH:
		return option_number("--watch", value, WATCH_MAX, &o->watch);
	case OPT_RETRY:
		return option_number("--retry", value, WATCH_MAX, &o->retry);
	case OPT_TIMEOUT:
		return option_number("--timeout", value, WATCH_MAX, &o->timeout);
	case OPT_WORKER_FD:
		r = option_number("--worker-fd", value, 1024, &number);
		o->worker_fd = (int)number;
		return r;
	default:
		r = option_time("--fetch-timeout", value, &time);
		if (r == 0 && time > FETCH_MAX) {
			warnx("--fetch-timeout: at most an hour");
			return AGENT_USAGE;
		}
		if (r == 0)
			o->fetch_time = (uint64_t)time;
		return r;
	}
}

static int set_special(struct agent_options *o, int id, const char *value)
{
	switch (id) {
	case OPT_CUDA:
		return set_cuda(o, value);
	case OPT_EPOCH_NONCE:
		return set_epoch_nonce(o, value);
	case OPTION_LOG:
	case OPTION_LOG_LEVEL:
		return set_log(o, id, value);
	case OPT_CLEAR:
		o->action = AGENT_CLEAR;
		return AGENT_OK;
	case OPT_LIST_CUDA:
		o->action = AGENT_LIST_CUDA;
		return AGENT_OK;
	case OPTION_VERSION:
		o->action = AGENT_VERSION;
		return AGENT_OK;
	case 'h':
		o->action = AGENT_HELP;
		return AGENT_OK;
	default:
		return set_number(o, id, value);
	}
}

static int set_option(struct agent_options *o, int id)
{
	int r = AGENT_OK;

	if (id == '?')
		return AGENT_USAGE; /* getopt has said why */
	if (demand_is(id))
		return demand_set(o, id, optarg);
	if (set_plain(o, id, optarg, &r))
		return r;
	return set_special(o, id, optarg);
}

/* What contradicts itself, or lacks its other half. */
static int check(const struct agent_options *o)
{
	const char *what = NULL;

	if ((o->manifest != NULL) != (o->role != NULL))
		what = "--manifest and --role go together";
	else if (o->manifest && o->has_demands)
		what = "with --manifest the demands are the manifest's: none by options";
	else if (o->has_epoch_nonce && !o->key)
		what = "--epoch-nonce needs --key";
	else if (o->switches.count && !o->has_epoch_nonce)
		what = "--switches needs --epoch-nonce and --key: the nonce that they answered";
	else if (o->switches.count && o->watch)
		what = "--switches are of one nonce: with --watch use --switch-command";
	else if (o->has_epoch_nonce && o->watch)
		what = "--watch draws nonces itself: --key alone";
	else if (o->metrics && !o->watch)
		what = "--metrics is for --watch";
	if (!what)
		return AGENT_OK;
	warnx("%s", what);
	return AGENT_USAGE;
}

int agent_options_parse(int argc, char **argv, struct agent_options *ret)
{
	int id, r = AGENT_OK;

	*ret = (struct agent_options){.argc = argc,
		.argv = argv,
		.lock = DEFAULT_LOCK,
		.fetch_time = DEFAULT_FETCH,
		.retry = DEFAULT_RETRY,
		.timeout = DEFAULT_TIMEOUT,
		.log_level = LOG_LEVEL_INFO,
		.worker_fd = -1};
	if (pm_gpu_policy_new(&ret->policy) < 0) {
		warnx("out of memory");
		return AGENT_USAGE;
	}
	while (r == AGENT_OK && ret->action != AGENT_HELP && ret->action != AGENT_VERSION &&
		(id = getopt_long(argc, argv, "h", long_options, NULL)) != -1)
		r = set_option(ret, id);
	if (r != AGENT_OK || ret->action == AGENT_HELP || ret->action == AGENT_VERSION)
		return r;
	if (optind != argc) {
		warnx("unexpected argument '%s'; try --help", argv[optind]);
		return AGENT_USAGE;
	}
	return check(ret);
}

void agent_options_free(struct agent_options *o)
{
	pm_gpu_policy_free(o->policy);
}
