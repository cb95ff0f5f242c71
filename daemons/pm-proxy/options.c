/* SPDX-License-Identifier: Apache-2.0 */
#include "pm-proxy/options.h"

#include <err.h>
#include <string.h>

#define MAX_BUFFERED_MIB 1048576

static const char help[] =
	"Usage: pm-proxy --listen ADDRESS --upstream ADDRESS {--keys FILE | --direct | --secrets "
	"URL} [OPTION]...\n"
	"Decrypt requests for an inference server on this machine, and encrypt its answers.\n"
	"\n"
	"  --upstream ADDRESS     the inference server: HOST:PORT of this machine, or unix:PATH\n"
	"  --keys FILE            inference secrets: lines of an id and 64 hexadecimal digits\n"
	"  --direct               have a key of our own, prove it to clients, and agree with them\n"
	"  --secrets URL          fetch secrets from the secret service of the mesh: the address "
	"of\n"
	"                         its mesh listener, https://HOST[:PORT]\n"
	"  --miss-rate N          and ask it a second for so many ids of one client that it does\n"
	"                         not know (default 200)\n"
	"  --miss-rate-all N      and for so many of all clients (default 1000)\n"
	"  --client-field NAME    tell clients apart by this field of the gateway before us,\n"
	"                         not by their address\n" MESH_OPTION_HELP MESH_LISTEN_HELP
	"  --role NAME            in both: the role of the manifest that this worker has\n"
	"  --model NAME=ROOT      and a model disk that it has mounted; may be repeated\n"
	"  --attester SOCKET      and where reports come from (default: the kernel)\n"
	"  --snp-cert FILE        and certificates, where the host gives none; may be repeated\n"
	"  --snp-crl FILE         and a revocation list to send along; may be repeated\n"
	"  --public-key FILE      and write the public key there, for pm-agent --key\n"
	"  --gpu-evidence DIR     and send along what pm-agent --evidence wrote\n"
	"  --ready-file FILE      serve only while this file exists: who attests makes it\n"
	"  --no-ready-file        serve at once: there is no such file to wait for\n"
	"  --ocsp-status FILE     what OCSP said of the GPUs, for clients with a policy on it\n"
	"  --no-ocsp-status       there is none: clients with a policy are refused\n"
	"  --adapter LIST         of openai, anthropic, unstructured (default openai,anthropic)\n"
	"  --https-images         prompts may point to images by https: their servers then see it\n"
	"  --no-prompt-cache      requests may use no cache of prompts: for llama.cpp, whose "
	"cache\n"
	"                         tells each user of the others' prompts\n"
	"  --task NAME            tasks to add to the list of models; may be repeated\n"
	"  --pad BYTES            smallest size that sealed frames are padded to, a power of two\n"
	"                         (default 256), or 0: the sizes of events can then be seen\n"
	"  --max-buffered MIB     bodies of requests, and answers that are not streams, in "
	"memory,\n"
	"                         all together (default 1024)\n"
	"  --replay-entries N     sealed requests of one secret that are remembered (default "
	"16384)\n"
	"  --replay-window TIME   how old a sealed request may be (default "
	"60s)\n" COMMON_OPTION_HELP "\n"
	"Exit status: 0 ended by a signal, 2 wrong usage, or what was needed could not be had.\n"
	"\n"
	"Examples:\n"
	"  pm-proxy --listen :8085 --metrics 127.0.0.1:8185 --upstream 127.0.0.1:8008 \\\n"
	"      --keys keys.txt --ocsp-status /run/pm/ocsp.json --ready-file /run/pm/attested \\\n"
	"      --tls-cert mesh.pem --tls-key mesh.key --tls-client-ca mesh-ca.pem\n"
	"  pm-proxy --listen 127.0.0.1:8085 --upstream unix:/run/vllm.sock --keys keys.txt \\\n"
	"      --no-ocsp-status --no-ready-file\n"
	"  pm-proxy --listen :8085 --upstream 127.0.0.1:8008 --direct --role worker \\\n"
	"      --no-ocsp-status --no-ready-file\n";

enum {
	OPT_UPSTREAM = 256,
	OPT_KEYS,
	OPT_READY_FILE,
	OPT_NO_READY_FILE,
	OPT_OCSP,
	OPT_NO_OCSP,
	OPT_ADAPTER,
	OPT_HTTPS_IMAGES,
	OPT_NO_PROMPT_CACHE,
	OPT_TASK,
	OPT_PAD,
	OPT_MAX_BUFFERED,
	OPT_REPLAY_ENTRIES,
	OPT_REPLAY_WINDOW,
	OPT_DIRECT,
	OPT_SECRETS,
	OPT_PUBLIC_KEY,
	OPT_MISS_RATE,
	OPT_MISS_RATE_ALL,
	OPT_CLIENT_FIELD,
};

static const struct option long_options[] = {
	{"upstream", required_argument, NULL, OPT_UPSTREAM},
	{"keys", required_argument, NULL, OPT_KEYS},
	{"ready-file", required_argument, NULL, OPT_READY_FILE},
	{"no-ready-file", no_argument, NULL, OPT_NO_READY_FILE},
	{"ocsp-status", required_argument, NULL, OPT_OCSP},
	{"no-ocsp-status", no_argument, NULL, OPT_NO_OCSP},
	{"adapter", required_argument, NULL, OPT_ADAPTER},
	{"https-images", no_argument, NULL, OPT_HTTPS_IMAGES},
	{"no-prompt-cache", no_argument, NULL, OPT_NO_PROMPT_CACHE},
	{"task", required_argument, NULL, OPT_TASK},
	{"pad", required_argument, NULL, OPT_PAD},
	{"max-buffered", required_argument, NULL, OPT_MAX_BUFFERED},
	{"replay-entries", required_argument, NULL, OPT_REPLAY_ENTRIES},
	{"replay-window", required_argument, NULL, OPT_REPLAY_WINDOW},
	{"direct", no_argument, NULL, OPT_DIRECT},
	{"secrets", required_argument, NULL, OPT_SECRETS},
	{"miss-rate", required_argument, NULL, OPT_MISS_RATE},
	{"miss-rate-all", required_argument, NULL, OPT_MISS_RATE_ALL},
	{"client-field", required_argument, NULL, OPT_CLIENT_FIELD},
	MESH_OPTION_ROWS,
	MESH_LISTEN_ROW,
	{"public-key", required_argument, NULL, OPT_PUBLIC_KEY},
	EVIDENCE_ROLE_ROWS,
	EVIDENCE_OPTION_ROWS,
	EVIDENCE_GPU_ROWS,
	COMMON_OPTION_ROWS,
	{0},
};

static int set_adapters(struct proxy_options *o, const char *list)
{
	static const struct {
		const char *name;
		enum adapter adapter;
	} all[] = {{"openai", ADAPTER_OPENAI}, {"anthropic", ADAPTER_ANTHROPIC},
		{"unstructured", ADAPTER_UNSTRUCTURED}};
	const char *at = list;

	o->adapters = 0;
	while (*at) {
		size_t n = strcspn(at, ","), i = 0;

		while (i < 3 && (strlen(all[i].name) != n || strncmp(all[i].name, at, n) != 0))
			i++;
		if (i == 3)
			break;
		o->adapters |= all[i].adapter;
		at += n + (at[n] == ',');
	}
	if (!*at && o->adapters)
		return 0;
	warnx("--adapter: '%s' is not a list of openai, anthropic and unstructured", list);
	return 2;
}

static int set_max_buffered(struct proxy_options *o, const char *value)
{
	uint64_t number;

	if (option_number("--max-buffered", value, MAX_BUFFERED_MIB, &number) != 0)
		return 2;
	o->max_buffered = (size_t)number << 20;
	return 0;
}

static int set_replay(struct proxy_options *o, int id, const char *value)
{
	uint64_t number;
	int64_t time;

	if (id == OPT_REPLAY_ENTRIES) {
		if (option_number("--replay-entries", value, PM_EXCHANGE_REPLAY_MAX, &number) != 0)
			return 2;
		o->keys.replay_entries = (size_t)number;
		return 0;
	}
	if (option_time("--replay-window", value, &time) != 0)
		return 2;
	o->keys.replay_window = (uint32_t)((time + 999) / 1000);
	return 0;
}

/* How much the secret service is asked. */
static int set_misses(struct proxy_options *o, int id, const char *value)
{
	struct limit_rules *m = &o->misses;

	switch (id) {
	case OPT_MISS_RATE:
		return option_rate("--miss-rate", value, &m->rate, &m->burst);
	case OPT_MISS_RATE_ALL:
		return option_rate("--miss-rate-all", value, &m->all_rate, &m->all_burst);
	default:
		return option_field(value, &o->client_field);
	}
}

/* What must be named, or said to be none. */
static int set_condition(struct proxy_options *o, int id, const char *value)
{
	switch (id) {
	case OPT_READY_FILE:
		o->ready_file = value;
		break;
	case OPT_OCSP:
		o->ocsp_file = value;
		break;
	case OPT_NO_READY_FILE:
		o->no_ready_file = true;
		break;
	default:
		o->no_ocsp = true;
		break;
	}
	return 0;
}

static int set_option(void *arg, int id, const char *value)
{
	struct proxy_options *o = arg;

	switch (id) {
	case OPT_UPSTREAM:
		o->upstream = value;
		return 0;
	case OPT_KEYS:
		o->keys_file = value;
		return 0;
	case OPT_READY_FILE:
	case OPT_NO_READY_FILE:
	case OPT_OCSP:
	case OPT_NO_OCSP:
		return set_condition(o, id, value);
	case OPT_ADAPTER:
		return set_adapters(o, value);
	case OPT_HTTPS_IMAGES:
		o->media = PM_MEDIA_HTTPS_IMAGES;
		return 0;
	case OPT_NO_PROMPT_CACHE:
		o->no_prompt_cache = true;
		return 0;
	case OPT_TASK:
		return option_add("--task", value, o->tasks, &o->task_count, TASKS_MAX);
	case OPT_PAD:
		return option_pad(value, &o->bucket);
	case OPT_MAX_BUFFERED:
		return set_max_buffered(o, value);
	case OPT_REPLAY_ENTRIES:
	case OPT_REPLAY_WINDOW:
		return set_replay(o, id, value);
	case OPT_DIRECT:
		o->direct = true;
		return 0;
	case OPT_SECRETS:
		o->secrets = value;
		return 0;
	case OPT_MISS_RATE:
	case OPT_MISS_RATE_ALL:
	case OPT_CLIENT_FIELD:
		return set_misses(o, id, value);
	case OPT_PUBLIC_KEY:
		o->public_key = o->mesh.public_key = value;
		return 0;
	default:
		if (evidence_is_option(id))
			return evidence_option(&o->evidence, id, value);
		return mesh_is_option(id) ? mesh_option(&o->mesh, id, value)
					  : common_option(&o->common, id, value);
	}
}

/* Who proves what he is, and what that is for. */
static int check_evidence(const struct proxy_options *o)
{
	const struct evidence_options *e = &o->evidence;
	bool proves = o->direct || o->mesh.coordinator;

	if (proves != (e->role != NULL)) {
		warnx("--role NAME goes with --direct or --coordinator URL");
		return 2;
	}
	if (!proves && (e->model_count || e->cert_count || e->crl_count || e->collect.source)) {
		warnx("--model, --snp-cert, --snp-crl and --attester are for --direct and "
		      "--coordinator");
		return 2;
	}
	return 0;
}

/* Evidence of GPUs is for one key, which pm-agent must be told. */
static int check_gpus(const struct proxy_options *o)
{
	const char *folder = o->evidence.gpu_folder;

	if (!folder && !o->public_key)
		return 0;
	if (o->direct == (o->mesh.coordinator != NULL)) {
		warnx("--public-key and --gpu-evidence are for one key: that of --direct, or that "
		      "of --coordinator");
		return 2;
	}
	if (o->mesh.coordinator && (!folder || !o->public_key)) {
		warnx("with --coordinator, --public-key and --gpu-evidence need each other");
		return 2;
	}
	return 0;
}

static int check_mesh(const struct proxy_options *o)
{
	if (!o->mesh.coordinator && (o->secrets || o->mesh.ca_file || o->mesh.has_hash ||
					    o->mesh.files || o->common.mesh_listen_count)) {
		warnx("--secrets, --coordinator-ca, --manifest-hash, --mesh-files and "
		      "--mesh-listen "
		      "need --coordinator URL");
		return 2;
	}
	if (o->secrets && strncmp(o->secrets, "https://", 8) != 0) {
		warnx("--secrets: '%s' is not https://HOST[:PORT]", o->secrets);
		return 2;
	}
	return 0;
}

static int check(void *arg)
{
	const struct proxy_options *o = arg;

	if (!o->upstream || (!o->keys_file && !o->direct && !o->secrets)) {
		warnx("--upstream ADDRESS, and --keys FILE, --direct or --secrets URL, are needed; "
		      "try --help");
		return 2;
	}
	if (check_evidence(o) != 0 || check_gpus(o) != 0 || check_mesh(o) != 0)
		return 2;
	if (!o->ocsp_file == !o->no_ocsp) {
		warnx("one of --ocsp-status FILE and --no-ocsp-status is needed");
		return 2;
	}
	if (!o->ready_file == !o->no_ready_file) {
		warnx("one of --ready-file FILE and --no-ready-file is needed: a worker serves "
		      "only "
		      "while its attestation stands, or you say that nothing is waited for");
		return 2;
	}
	return common_options_check(&o->common);
}

int options_parse(int argc, char **argv, struct proxy_options *ret)
{
	static const struct options_line line = {"pm-proxy", help, long_options, set_option, check};
	struct proxy_options o = {
		.adapters = ADAPTER_OPENAI | ADAPTER_ANTHROPIC,
		.bucket = 256,
		.max_buffered = (size_t)1024 << 20,
		.misses = limit_rules(200, 1000),
		.keys = {.replay_entries = 16384, .replay_window = 60, .spent = KEYS_SPENT},
	};
	int r;

	common_options_init(&o.common);
	evidence_options_init(&o.evidence);
	r = options_walk(argc, argv, &line, &o);
	if (r == OPTIONS_RUN)
		*ret = o;
	return r;
}
