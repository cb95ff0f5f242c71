/* SPDX-License-Identifier: Apache-2.0 */
#include "pm-coordinator/options.h"

#include <err.h>

#define LIFETIME_DEFAULT (4 * 3600)
#define LIFETIME_MIN	 60
#define LIFETIME_MAX	 (24 * 3600)
#define RATE_DEFAULT	 20
#define RATE_MAX	 100000
#define CONNECTIONS	 1024
#define BODY_MAX	 (8u << 20)

static const char help[] =
	"Usage: pm-coordinator --listen ADDRESS --store URL [OPTION]...\n"
	"Decide by a manifest who may take part in a deployment, and prove it to everyone.\n"
	"\n"
	"  --store URL            what outlives this process: sqlite:PATH,\n"
	"                         etcd:https://HOST:2379[,URL...] for several coordinators, or\n"
	"                         memory:NAME, which does not outlive it\n"
	"  --store-cert FILE      for etcd: our certificate (PEM)\n"
	"  --store-key FILE       and its key (PEM)\n"
	"  --store-ca FILE        and the CA of its servers (PEM; default: the system's)\n"
	"  --owners FILE          who may set the first manifest: JSON as owners of a manifest\n"
	"  --peer URL             another coordinator of the same store; may be repeated\n"
	"  --peer-ca FILE         the CA of its server, with https (PEM; default: the system's)\n"
	"  --lifetime TIME        how long certificates last: 60s to 86400s (default 14400s)\n"
	"  --rate N               requests a second of one address (default "
	"20)\n" EVIDENCE_OPTION_HELP COMMON_OPTION_HELP "\n"
	"It has one event loop: --threads takes 1 alone. Bodies are at most 8 MiB, connections\n"
	"1024, unless options say otherwise.\n"
	"\n"
	"Exit status: 0 ended by a signal, 2 wrong usage, or what was needed could not be had.\n"
	"\n"
	"Examples:\n"
	"  pm-coordinator --listen :8443 --store sqlite:/var/lib/pm/coordinator.db \\\n"
	"      --owners /etc/pm/owners.json --metrics 127.0.0.1:9102\n"
	"  pm-coordinator --listen :8443 --store etcd:https://10.0.0.1:2379,https://10.0.0.2:2379 "
	"\\\n"
	"      --store-cert etcd.pem --store-key etcd.key --store-ca etcd-ca.pem \\\n"
	"      --peer http://10.0.0.2:8443 --peer http://10.0.0.3:8443 --owners owners.json\n"
	"  pm-ctl manifest set http://127.0.0.1:8443 manifest.json --signatures manifest.sig "
	"--shares shares\n";

enum {
	OPT_OWNERS = 256,
	OPT_PEER,
	OPT_PEER_CA,
	OPT_LIFETIME,
	OPT_RATE,
};

static const struct option long_options[] = {
	STORE_OPTION_ROWS,
	{"owners", required_argument, NULL, OPT_OWNERS},
	{"peer", required_argument, NULL, OPT_PEER},
	{"peer-ca", required_argument, NULL, OPT_PEER_CA},
	{"lifetime", required_argument, NULL, OPT_LIFETIME},
	{"rate", required_argument, NULL, OPT_RATE},
	EVIDENCE_OPTION_ROWS,
	COMMON_OPTION_ROWS,
	{0},
};

static int set_lifetime(struct coordinator_options *o, const char *value)
{
	int64_t time;

	if (option_time("--lifetime", value, &time) != 0)
		return 2;
	o->lifetime = time / 1000;
	if (o->lifetime >= LIFETIME_MIN && o->lifetime <= LIFETIME_MAX)
		return 0;
	warnx("--lifetime: found '%s', expected %ds to %ds", value, LIFETIME_MIN, LIFETIME_MAX);
	return 2;
}

static int set_rate(struct coordinator_options *o, const char *value)
{
	uint64_t number;

	if (option_number("--rate", value, RATE_MAX, &number) != 0)
		return 2;
	if (!number) {
		warnx("--rate: found 0, expected at least 1");
		return 2;
	}
	o->rate = (unsigned int)number;
	return 0;
}

static int set_option(void *arg, int id, const char *value)
{
	struct coordinator_options *o = arg;

	switch (id) {
	case OPT_OWNERS:
		o->owners = value;
		return 0;
	case OPT_PEER:
		return option_add("--peer", value, o->peers, &o->peer_count, COORDINATOR_PEERS_MAX);
	case OPT_PEER_CA:
		o->peer_ca = value;
		return 0;
	case OPT_LIFETIME:
		return set_lifetime(o, value);
	case OPT_RATE:
		return set_rate(o, value);
	default:
		if (store_is_option(id))
			return store_option(&o->store, id, value);
		return evidence_is_option(id) ? evidence_option(&o->evidence, id, value)
					      : common_option(&o->common, id, value);
	}
}

static int check(void *arg)
{
	struct coordinator_options *o = arg;

	if (!o->store.url) {
		warnx("--store URL is needed; try --help");
		return 2;
	}
	if (store_options_check(&o->store) != 0)
		return 2;
	if (o->common.threads > 1) {
		warnx("--threads: found %u, expected 1", o->common.threads);
		return 2;
	}
	o->common.threads = 1;
	return common_options_check(&o->common);
}

int options_parse(int argc, char **argv, struct coordinator_options *ret)
{
	static const struct options_line line = {
		"pm-coordinator", help, long_options, set_option, check};
	struct coordinator_options o = {.lifetime = LIFETIME_DEFAULT, .rate = RATE_DEFAULT};
	int r;

	common_options_init(&o.common);
	o.common.limits.connections = CONNECTIONS;
	o.common.limits.body = BODY_MAX;
	evidence_options_init(&o.evidence);
	o.evidence.role = PM_MESH_ROLE_COORDINATOR;
	r = options_walk(argc, argv, &line, &o);
	if (r == OPTIONS_RUN)
		*ret = o;
	return r;
}
