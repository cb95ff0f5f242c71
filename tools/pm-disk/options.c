/* SPDX-License-Identifier: Apache-2.0 */
#include "pm-disk/options.h"

#include <err.h>
#include <errno.h>
#include <getopt.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>

#include <pm/error.h>
#include <pm/text.h>

#include "common/file.h"

enum {
	OPT_SALT = 256,
	OPT_UUID,
	OPT_HASH_OFFSET,
	OPT_HASH_DEVICE,
	OPT_DATA_BLOCKS,
	OPT_DATA_BLOCK_SIZE,
	OPT_HASH_BLOCK_SIZE,
	OPT_ROOT_HASH,
	OPT_ENTRY,
	OPT_NAME,
	OPT_METADATA,
	OPT_INCLUDE,
	OPT_EXCLUDE,
	OPT_KEEP_MODES,
	OPT_MKFS,
	OPT_THREADS,
	OPT_JSON,
};

#define VERBS_ALL  (VERB_BUILD | VERB_FORMAT | VERB_VERIFY | VERB_INFO | VERB_ENTRY)
#define VERBS_DISK (VERBS_ALL & ~VERB_BUILD)
#define VERBS_HASH (VERBS_ALL & ~VERB_INFO) /* those that go through the data */

static const struct {
	struct option option;
	unsigned int verbs;
} known[] = {
	{{"salt", required_argument, NULL, OPT_SALT}, VERB_BUILD | VERB_FORMAT | VERB_VERIFY},
	{{"uuid", required_argument, NULL, OPT_UUID}, VERB_BUILD | VERB_FORMAT},
	{{"hash-offset", required_argument, NULL, OPT_HASH_OFFSET}, VERBS_DISK},
	{{"hash-device", required_argument, NULL, OPT_HASH_DEVICE}, VERBS_DISK},
	{{"data-blocks", required_argument, NULL, OPT_DATA_BLOCKS}, VERB_FORMAT | VERB_VERIFY},
	{{"data-block-size", required_argument, NULL, OPT_DATA_BLOCK_SIZE},
		VERB_FORMAT | VERB_VERIFY},
	{{"hash-block-size", required_argument, NULL, OPT_HASH_BLOCK_SIZE},
		VERB_FORMAT | VERB_VERIFY},
	{{"root-hash", required_argument, NULL, OPT_ROOT_HASH}, VERB_VERIFY | VERB_ENTRY},
	{{"entry", required_argument, NULL, OPT_ENTRY}, VERB_VERIFY},
	{{"name", required_argument, NULL, OPT_NAME}, VERB_ENTRY},
	{{"output", required_argument, NULL, 'o'}, VERB_BUILD},
	{{"metadata", required_argument, NULL, OPT_METADATA}, VERB_BUILD},
	{{"include", required_argument, NULL, OPT_INCLUDE}, VERB_BUILD},
	{{"exclude", required_argument, NULL, OPT_EXCLUDE}, VERB_BUILD},
	{{"keep-modes", no_argument, NULL, OPT_KEEP_MODES}, VERB_BUILD},
	{{"mkfs", required_argument, NULL, OPT_MKFS}, VERB_BUILD},
	{{"threads", required_argument, NULL, OPT_THREADS}, VERBS_HASH},
	{{"quiet", no_argument, NULL, 'q'}, VERBS_HASH},
	{{"json", no_argument, NULL, OPT_JSON}, VERBS_ALL & ~VERB_ENTRY},
	{{"help", no_argument, NULL, 'h'}, VERBS_ALL},
};

#define KNOWN_COUNT (sizeof(known) / sizeof(known[0]))

static int number(const char *name, const char *text, uint64_t max, uint64_t *ret)
{
	char *end;
	unsigned long long value;

	errno = 0;
	value = strtoull(text, &end, 10);
	if (errno || end == text || *end || *text < '0' || *text > '9' || value > max) {
		warnx("--%s: '%s' is not a number of at most %llu", name, text,
			(unsigned long long)max);
		return TOOL_USAGE;
	}
	*ret = value;
	return TOOL_OK;
}

static int number32(const char *name, uint32_t max, uint32_t *ret)
{
	uint64_t value = 0;
	int r = number(name, optarg, max, &value);

	if (r == TOOL_OK)
		*ret = (uint32_t)value;
	return r;
}

/* "-" is no salt, as for veritysetup. */
static int set_salt(struct disk_options *o)
{
	size_t digits = strcmp(optarg, "-") ? strlen(optarg) : 0;

	if (digits / 2 > PM_VERITY_SALT_MAX ||
		(digits && pm_hex_decode(optarg, o->params.salt, digits / 2) != PM_OK)) {
		warnx("--salt: needs up to 256 bytes in hexadecimal, or - for none");
		return TOOL_USAGE;
	}
	o->params.salt_size = (uint32_t)(digits / 2);
	o->has_salt = true;
	return TOOL_OK;
}

/* 8-4-4-4-12 digits (RFC 9562, 4). */
static int set_uuid(struct disk_options *o)
{
	static const char form[] = "xxxxxxxx-xxxx-xxxx-xxxx-xxxxxxxxxxxx";
	char digits[2 * PM_VERITY_UUID_SIZE + 1] = "";
	size_t n = 0, i = 0;

	for (; form[i] && optarg[i] && (form[i] == '-') == (optarg[i] == '-'); i++) {
		if (form[i] != '-')
			digits[n++] = optarg[i];
	}
	if (form[i] || optarg[i] || pm_hex_decode(digits, o->uuid, sizeof(o->uuid)) != PM_OK) {
		warnx("--uuid: '%s' is no UUID", optarg);
		return TOOL_USAGE;
	}
	o->has_uuid = true;
	return TOOL_OK;
}

static int set_root(struct disk_options *o)
{
	if (pm_hex_decode(optarg, o->root, sizeof(o->root)) != PM_OK) {
		warnx("--root-hash: needs 32 bytes in hexadecimal");
		return TOOL_USAGE;
	}
	o->has_root = true;
	return TOOL_OK;
}

static int add_glob(const char *name, struct disk_globs *globs)
{
	if (globs->count == DISK_GLOBS_MAX) {
		warnx("--%s: at most %d patterns", name, DISK_GLOBS_MAX);
		return TOOL_USAGE;
	}
	globs->patterns[globs->count++] = optarg;
	return TOOL_OK;
}

static int set_parameter(struct disk_options *o, int id)
{
	switch (id) {
	case OPT_SALT:
		return set_salt(o);
	case OPT_UUID:
		return set_uuid(o);
	case OPT_ROOT_HASH:
		return set_root(o);
	case OPT_HASH_OFFSET:
		o->has_hash_offset = true;
		return number("hash-offset", optarg, INT64_MAX, &o->params.hash_offset);
	case OPT_DATA_BLOCKS:
		o->has_data_blocks = true;
		return number("data-blocks", optarg, INT64_MAX, &o->params.data_blocks);
	case OPT_DATA_BLOCK_SIZE:
		o->has_data_block_size = true;
		return number32("data-block-size", PM_VERITY_BLOCK_MAX, &o->params.data_block_size);
	case OPT_HASH_BLOCK_SIZE:
		o->has_hash_block_size = true;
		return number32("hash-block-size", PM_VERITY_BLOCK_MAX, &o->params.hash_block_size);
	case OPT_THREADS:
		return number32("threads", PM_VERITY_THREADS_MAX, &o->threads);
	case OPT_INCLUDE:
		return add_glob("include", &o->include);
	case OPT_EXCLUDE:
		return add_glob("exclude", &o->exclude);
	default:
		return TOOL_USAGE; /* getopt said why */
	}
}

static const char **text_option(struct disk_options *o, int id)
{
	switch (id) {
	case 'o':
		return &o->output;
	case OPT_METADATA:
		return &o->metadata;
	case OPT_HASH_DEVICE:
		return &o->hash_device;
	case OPT_ENTRY:
		return &o->entry;
	case OPT_NAME:
		return &o->name;
	case OPT_MKFS:
		return &o->mkfs;
	default:
		return NULL;
	}
}

static bool *flag_option(struct disk_options *o, int id)
{
	switch (id) {
	case OPT_KEEP_MODES:
		return &o->keep_modes;
	case OPT_JSON:
		return &o->json;
	case 'q':
		return &o->quiet;
	case 'h':
		return &o->help;
	default:
		return NULL;
	}
}

static int set_option(struct disk_options *o, int id)
{
	const char **text = text_option(o, id);
	bool *flag = flag_option(o, id);

	if (text)
		*text = optarg;
	if (flag)
		*flag = true;
	return text || flag ? TOOL_OK : set_parameter(o, id);
}

/* The processors that this process may use. */
static uint32_t processors(void)
{
	cpu_set_t set;
	int n = 1;

	if (sched_getaffinity(0, sizeof(set), &set) == 0)
		n = CPU_COUNT(&set);
	return (uint32_t)n < PM_VERITY_THREADS_MAX ? (uint32_t)n : PM_VERITY_THREADS_MAX;
}

int disk_options_parse(int argc, char **argv, enum disk_verb verb, struct disk_options *ret)
{
	struct option options[KNOWN_COUNT + 1] = {0};
	const char *letters = verb == VERB_BUILD ? "o:qh" : "qh";
	size_t count = 0;
	int id, r = TOOL_OK;

	for (size_t i = 0; i < KNOWN_COUNT; i++) {
		if (known[i].verbs & verb)
			options[count++] = known[i].option;
	}
	*ret = (struct disk_options){.params.size = sizeof(ret->params)};
	while (r == TOOL_OK && (id = getopt_long(argc, argv, letters, options, NULL)) != -1)
		r = set_option(ret, id);
	if (r != TOOL_OK || ret->help)
		return r;
	if (optind + 1 != argc) {
		warnx("%s needs one %s; try --help", argv[0],
			verb == VERB_BUILD ? "folder" : "image");
		return TOOL_USAGE;
	}
	ret->image = argv[optind];
	if (!ret->threads)
		ret->threads = processors();
	return TOOL_OK;
}

void disk_options_apply(const struct disk_options *o, struct pm_verity_params *params)
{
	if (o->has_salt) {
		memcpy(params->salt, o->params.salt, sizeof(params->salt));
		params->salt_size = o->params.salt_size;
	}
	if (o->has_hash_offset)
		params->hash_offset = o->params.hash_offset;
	if (o->has_data_blocks)
		params->data_blocks = o->params.data_blocks;
	if (o->has_data_block_size)
		params->data_block_size = o->params.data_block_size;
	if (o->has_hash_block_size)
		params->hash_block_size = o->params.hash_block_size;
}
