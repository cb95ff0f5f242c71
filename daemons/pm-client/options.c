/* SPDX-License-Identifier: Apache-2.0 */
#include "pm-client/options.h"

#include <err.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <pm/text.h>

#include "common/address.h"

#define LISTEN_DEFAULT "127.0.0.1:8080"
#define GRACE_DEFAULT  172800
/* A model may think, and wait for its turn, before the first word. */
#define STREAM_DEFAULT 600000

static const char help[] =
	"Usage: pm-client --worker URL --manifest FILE {--memory FILE | --no-memory} [OPTION]...\n"
	"       pm-client verify --manifest FILE [OPTION]... URL\n"
	"Serve OpenAI's and Anthropic's API on this machine. Each request is encrypted to a "
	"worker\n"
	"that was verified against the manifest; nothing is sent before that.\n"
	"\n"
	"  --worker URL           the worker, or what forwards to it: https://HOST[:PORT][/PATH] "
	"or http\n"
	"  --coordinator URL      the workers are a mesh: verify its coordinator, and agree with "
	"its\n"
	"                         secret service, which is behind --worker\n"
	"  --secrets URL          or here\n"
	"  --worker-ca FILE       certificate authorities for https (default: the system's)\n"
	"  --manifest FILE        what the worker must be; you trust this file: see "
	"pm-manifest(5)\n"
	"  --manifest-hash HEX    refuse a manifest of another hash\n"
	"  --owners FILE          refuse a manifest that too few of these owners signed\n"
	"  --signatures FILE      and where their signatures are\n"
	"  --memory FILE          remember the manifest's number here, and refuse an older one\n"
	"  --no-memory            remember nothing\n"
	"  --role NAME            the role that the worker must have (default: any)\n"
	"  --model NAME           the model disk that it must have mounted (default: any)\n"
	"  --allow-remote         --listen may be an address that others reach; needs --tls-cert\n"
	"  --api-key-file FILE    send this key, not that of the application; mode 0600\n"
	"  --outer-key            send the key outside of the encryption too, for a gateway\n"
	"  --cache-salt-file FILE the cache salt of requests that have none; mode 0600\n"
	"  --shared-cache         one salt for all of them, new at each start (default: one each)\n"
	"  --shard-keys           tell load balancers which requests begin alike, and how long "
	"they "
	"are\n"
	"  --pad BYTES            smallest size that sealed frames are padded to, a power of two\n"
	"                         (default 256), or 0: the sizes of requests can then be seen\n"
	"  --gpu-ocsp LIST        demand a status of the GPUs' certificates: good, revoked, "
	"unknown\n"
	"  --gpu-ocsp-grace TIME  accept what was revoked less than so long ago (default "
	"172800s)\n"
	"  --stream-timeout TIME  give up a worker that says nothing for so long (default 600s), "
	"or "
	"off\n"
	"  --dump DIR             write each request and answer there, in plaintext, mode 0600\n"
	"\n" COMMON_OPTION_HELP "\n"
	"Without --listen it is " LISTEN_DEFAULT
	". /readyz says yes once the worker was verified.\n"
	"\n"
	"Exit status: 0 ended by a signal, or verified; 1 (verify) rejected; 2 wrong usage, or "
	"what\n"
	"was needed could not be had.\n"
	"\n"
	"Examples:\n"
	"  pm-client verify --manifest manifest.json https://worker.example\n"
	"  pm-client --worker https://worker.example --manifest manifest.json \\\n"
	"      --memory ~/.local/state/pm-worker\n"
	"  OPENAI_BASE_URL=http://127.0.0.1:8080/v1 my-application\n"
	"  ANTHROPIC_BASE_URL=http://127.0.0.1:8080 my-application\n";

enum {
	OPT_COORDINATOR = 255,
	OPT_WORKER,
	OPT_WORKER_CA,
	OPT_MANIFEST,
	OPT_MANIFEST_HASH,
	OPT_OWNERS,
	OPT_SIGNATURES,
	OPT_MEMORY,
	OPT_NO_MEMORY,
	OPT_ROLE,
	OPT_SECRETS,
	OPT_MODEL,
	OPT_ALLOW_REMOTE,
	OPT_API_KEY,
	OPT_OUTER_KEY,
	OPT_SALT,
	OPT_SHARED_CACHE,
	OPT_SHARD_KEYS,
	OPT_PAD,
	OPT_GPU_OCSP,
	OPT_GPU_GRACE,
	OPT_DUMP,
	OPT_STREAM_TIME,
};

static const struct option long_options[] = {
	{"worker", required_argument, NULL, OPT_WORKER},
	{"coordinator", required_argument, NULL, OPT_COORDINATOR},
	{"secrets", required_argument, NULL, OPT_SECRETS},
	{"worker-ca", required_argument, NULL, OPT_WORKER_CA},
	{"manifest", required_argument, NULL, OPT_MANIFEST},
	{"manifest-hash", required_argument, NULL, OPT_MANIFEST_HASH},
	{"owners", required_argument, NULL, OPT_OWNERS},
	{"signatures", required_argument, NULL, OPT_SIGNATURES},
	{"memory", required_argument, NULL, OPT_MEMORY},
	{"no-memory", no_argument, NULL, OPT_NO_MEMORY},
	{"role", required_argument, NULL, OPT_ROLE},
	{"model", required_argument, NULL, OPT_MODEL},
	{"allow-remote", no_argument, NULL, OPT_ALLOW_REMOTE},
	{"api-key-file", required_argument, NULL, OPT_API_KEY},
	{"outer-key", no_argument, NULL, OPT_OUTER_KEY},
	{"cache-salt-file", required_argument, NULL, OPT_SALT},
	{"shared-cache", no_argument, NULL, OPT_SHARED_CACHE},
	{"shard-keys", no_argument, NULL, OPT_SHARD_KEYS},
	{"pad", required_argument, NULL, OPT_PAD},
	{"gpu-ocsp", required_argument, NULL, OPT_GPU_OCSP},
	{"gpu-ocsp-grace", required_argument, NULL, OPT_GPU_GRACE},
	{"dump", required_argument, NULL, OPT_DUMP},
	{"stream-timeout", required_argument, NULL, OPT_STREAM_TIME},
	COMMON_OPTION_ROWS,
	{0},
};

int option_hash(const char *value, struct client_options *o)
{
	if (pm_hex_decode(value, o->hash, sizeof(o->hash)) < 0) {
		warnx("--manifest-hash: '%s' is not 64 hexadecimal digits", value);
		return 2;
	}
	o->has_hash = true;
	return 0;
}

int option_owners(const struct client_options *o)
{
	if (!o->owners == !o->signatures)
		return 0;
	warnx("--owners and --signatures go together");
	return 2;
}

static int set_ocsp(struct client_options *o, const char *list)
{
	const struct {
		const char *name;
		bool *allow;
	} all[] = {{"good", &o->ocsp.allow_good}, {"revoked", &o->ocsp.allow_revoked},
		{"unknown", &o->ocsp.allow_unknown}};
	const char *at = list;

	while (*at) {
		size_t n = strcspn(at, ","), i = 0;

		while (i < 3 && (strlen(all[i].name) != n || strncmp(all[i].name, at, n) != 0))
			i++;
		if (i == 3)
			break;
		*all[i].allow = o->has_ocsp = true;
		at += n + (at[n] == ',');
	}
	if (!*at && o->has_ocsp)
		return 0;
	warnx("--gpu-ocsp: '%s' is not a list of good, revoked and unknown", list);
	return 2;
}

static int set_grace(struct client_options *o, const char *value)
{
	uint64_t seconds;
	size_t len = strlen(value);
	char text[24];

	snprintf(text, sizeof(text), "%.*s", len ? (int)len - 1 : 0, value);
	if (len < 2 || len > 12 || value[len - 1] != 's') {
		warnx("--gpu-ocsp-grace: '%s' is not a time such as 3600s", value);
		return 2;
	}
	if (option_number("--gpu-ocsp-grace", text, 31536000, &seconds) != 0)
		return 2;
	o->ocsp_grace = (int64_t)seconds;
	return 0;
}

static int set_stream_time(struct client_options *o, const char *value)
{
	o->stream_time = 0;
	return strcmp(value, "off") ? option_time("--stream-timeout", value, &o->stream_time) : 0;
}

/* Which worker. */
static int set_worker(struct client_options *o, int id, const char *value)
{
	switch (id) {
	case OPT_COORDINATOR:
		o->session.coordinator = value;
		return 0;
	case OPT_SECRETS:
		o->session.secrets = value;
		return 0;
	case OPT_WORKER:
		o->worker = value;
		return 0;
	case OPT_WORKER_CA:
		o->session.ca_file = value;
		return 0;
	case OPT_MANIFEST:
		o->manifest = value;
		return 0;
	case OPT_MANIFEST_HASH:
		return option_hash(value, o);
	case OPT_OWNERS:
		o->owners = value;
		return 0;
	case OPT_SIGNATURES:
		o->signatures = value;
		return 0;
	case OPT_MEMORY:
		o->session.memory_file = value;
		return 0;
	case OPT_NO_MEMORY:
		o->no_memory = true;
		return 0;
	case OPT_ROLE:
		o->session.role = value;
		return 0;
	default:
		o->session.model = value;
		return 0;
	}
}

/* What is made of requests. */
static int set_option(void *arg, int id, const char *value)
{
	struct client_options *o = arg;

	switch (id) {
	case OPT_ALLOW_REMOTE:
		o->allow_remote = true;
		return 0;
	case OPT_API_KEY:
		o->api_key_file = value;
		return 0;
	case OPT_OUTER_KEY:
		o->outer_key = true;
		return 0;
	case OPT_SALT:
		o->salt_file = value;
		return 0;
	case OPT_SHARED_CACHE:
		o->shared_cache = true;
		return 0;
	case OPT_SHARD_KEYS:
		o->shard_keys = true;
		return 0;
	case OPT_PAD:
		return option_pad(value, &o->bucket);
	case OPT_GPU_OCSP:
		return set_ocsp(o, value);
	case OPT_GPU_GRACE:
		return set_grace(o, value);
	case OPT_DUMP:
		o->dump = value;
		return 0;
	case OPT_STREAM_TIME:
		return set_stream_time(o, value);
	default:
		return id <= OPT_MODEL && id >= OPT_COORDINATOR
			       ? set_worker(o, id, value)
			       : common_option(&o->common, id, value);
	}
}

/* Whoever reaches us uses our key and reads what we decrypt. */
static int check_listen(struct client_options *o)
{
	if (!o->common.listen_count && !getenv("LISTEN_FDS"))
		o->common.listen[o->common.listen_count++] = LISTEN_DEFAULT;
	if (o->allow_remote) {
		if (o->common.tls_cert)
			return 0;
		warnx("--allow-remote needs --tls-cert: prompts would cross the network in "
		      "plaintext");
		return 2;
	}
	for (size_t i = 0; i < o->common.listen_count; i++) {
		struct address address;

		if (address_parse(o->common.listen[i], &address) == PM_OK &&
			address_is_local(&address))
			continue;
		warnx("--listen: '%s' is no address of this machine alone; see --allow-remote",
			o->common.listen[i]);
		return 2;
	}
	return 0;
}

static int check(void *arg)
{
	struct client_options *o = arg;

	if (!o->worker || !o->manifest) {
		warnx("--worker URL and --manifest FILE are needed; try --help");
		return 2;
	}
	if (o->session.secrets && !o->session.coordinator) {
		warnx("--secrets needs --coordinator URL");
		return 2;
	}
	if (o->session.coordinator && (o->session.role || o->session.model)) {
		warnx("--role and --model are for a worker alone: in a mesh the manifest decides "
		      "who gets a secret");
		return 2;
	}
	if (option_owners(o) != 0)
		return 2;
	if (!o->session.memory_file == !o->no_memory) {
		warnx("one of --memory FILE and --no-memory is needed");
		return 2;
	}
	if (o->salt_file && o->shared_cache) {
		warnx("--cache-salt-file and --shared-cache exclude each other");
		return 2;
	}
	if (o->outer_key && strncasecmp(o->worker, "https:", 6) != 0) {
		warnx("--outer-key: the key would cross the network in plaintext; use https");
		return 2;
	}
	return check_listen(o) ? 2 : common_options_check(&o->common);
}

int options_parse(int argc, char **argv, struct client_options *ret)
{
	static const struct options_line line = {
		"pm-client", help, long_options, set_option, check};
	struct client_options o = {
		.session = {.size = sizeof(struct pm_session_options)},
		.bucket = 256,
		.ocsp_grace = GRACE_DEFAULT,
		.stream_time = STREAM_DEFAULT,
	};
	int r;

	common_options_init(&o.common);
	r = options_walk(argc, argv, &line, &o);
	if (r == OPTIONS_RUN)
		*ret = o;
	return r;
}
