/* SPDX-License-Identifier: Apache-2.0 */
#include "pm-secrets/options.h"

#include <err.h>
#include <string.h>

#include <pm/mesh.h>

#include "pm-secrets/state.h"

static const char help[] =
	"Usage: pm-secrets --listen ADDRESS --mesh-listen ADDRESS --coordinator URL --store URL "
	"[OPTION]...\n"
	"Keep secrets sealed, and release each to workers that proved that they may have it.\n"
	"\n" MESH_OPTION_HELP EVIDENCE_OPTION_HELP
	"  --store URL            where sealed secrets lie: memory:NAME, sqlite:FILE, or\n"
	"                         etcd:https://HOST:2379[,https://HOST:2379]...\n"
	"  --store-cert FILE      our certificate for etcd (PEM)\n"
	"  --store-key FILE       its key (PEM)\n"
	"  --store-ca FILE        certificate authorities of etcd (PEM)\n"
	"  --exchange-rate N      exchanges a second of one client (default 20)\n"
	"  --exchange-rate-all N  and of all of them (default 2000)\n"
	"  --fetch-rate N         fetches a second of one worker (default 2000)\n"
	"  --fetch-rate-all N     and of all of them (default 20000)\n"
	"  --client-field NAME    tell clients apart by this field of the gateway before us,\n"
	"                         not by their address\n"
	"  --rotation-time TIME   in which each instance hears of a rotation (default 30s)\n"
	"  --log-days N           how long the store keeps the log (default "
	"90)\n" MESH_LISTEN_HELP COMMON_OPTION_HELP "\n"
	"Exit status: 0 ended by a signal, 2 wrong usage, or what was needed could not be had.\n"
	"\n"
	"Examples:\n"
	"  pm-secrets --listen :8090 --mesh-listen :8091 --metrics 127.0.0.1:8190 \\\n"
	"      --coordinator http://coordinator:8080 --store sqlite:/var/lib/pm/secrets.db\n"
	"  pm-secrets --listen :8090 --mesh-listen :8091 --coordinator http://coordinator:8080 \\\n"
	"      --store etcd:https://etcd-0:2379,https://etcd-1:2379,https://etcd-2:2379 \\\n"
	"      --store-cert etcd.pem --store-key etcd.key --store-ca etcd-ca.pem\n";

#define DAYS_MOST 36500

enum {
	OPT_EXCHANGE_RATE = 256,
	OPT_EXCHANGE_RATE_ALL,
	OPT_FETCH_RATE,
	OPT_FETCH_RATE_ALL,
	OPT_CLIENT_FIELD,
	OPT_ROTATION_TIME,
	OPT_LOG_DAYS,
};

static const struct option long_options[] = {
	STORE_OPTION_ROWS,
	{"exchange-rate", required_argument, NULL, OPT_EXCHANGE_RATE},
	{"exchange-rate-all", required_argument, NULL, OPT_EXCHANGE_RATE_ALL},
	{"fetch-rate", required_argument, NULL, OPT_FETCH_RATE},
	{"fetch-rate-all", required_argument, NULL, OPT_FETCH_RATE_ALL},
	{"client-field", required_argument, NULL, OPT_CLIENT_FIELD},
	{"rotation-time", required_argument, NULL, OPT_ROTATION_TIME},
	{"log-days", required_argument, NULL, OPT_LOG_DAYS},
	MESH_OPTION_ROWS,
	EVIDENCE_OPTION_ROWS,
	MESH_LISTEN_ROW,
	COMMON_OPTION_ROWS,
	{0},
};

static int set_rotation(struct secrets_options *o, const char *value)
{
	if (option_time("--rotation-time", value, &o->rotation_time) != 0)
		return 2;
	if (o->rotation_time >= 2 * STATE_LOOK)
		return 0;
	warnx("--rotation-time: '%s' is less than 2s", value);
	return 2;
}

static int set_days(struct secrets_options *o, const char *value)
{
	uint64_t number;

	if (option_number("--log-days", value, DAYS_MOST, &number) != 0)
		return 2;
	o->log_days = (uint32_t)number;
	return 0;
}

static int set_number(struct secrets_options *o, int id, const char *value)
{
	struct limit_rules *e = &o->exchanges, *f = &o->fetches;

	switch (id) {
	case OPT_EXCHANGE_RATE:
		return option_rate("--exchange-rate", value, &e->rate, &e->burst);
	case OPT_EXCHANGE_RATE_ALL:
		return option_rate("--exchange-rate-all", value, &e->all_rate, &e->all_burst);
	case OPT_FETCH_RATE:
		return option_rate("--fetch-rate", value, &f->rate, &f->burst);
	case OPT_FETCH_RATE_ALL:
		return option_rate("--fetch-rate-all", value, &f->all_rate, &f->all_burst);
	case OPT_ROTATION_TIME:
		return set_rotation(o, value);
	default:
		return set_days(o, value);
	}
}

static int set_option(void *arg, int id, const char *value)
{
	struct secrets_options *o = arg;

	if (id == OPT_CLIENT_FIELD)
		return option_field(value, &o->client_field);
	if (store_is_option(id))
		return store_option(&o->store, id, value);
	if (mesh_is_option(id))
		return mesh_option(&o->mesh, id, value);
	if (evidence_is_option(id))
		return evidence_option(&o->evidence, id, value);
	if (id >= OPT_EXCHANGE_RATE && id <= OPT_LOG_DAYS)
		return set_number(o, id, value);
	return common_option(&o->common, id, value);
}

static int check(void *arg)
{
	const struct secrets_options *o = arg;

	if (!o->mesh.coordinator || !o->store.url) {
		warnx("%s is missing", o->store.url ? "--coordinator URL" : "--store URL");
		return 2;
	}
	if (store_options_check(&o->store) != 0)
		return 2;
	return common_options_check(&o->common);
}

static void init(struct secrets_options *o)
{
	*o = (struct secrets_options){.rotation_time = 30000, .log_days = 90};
	common_options_init(&o->common);
	evidence_options_init(&o->evidence);
	o->evidence.role = PM_MESH_ROLE_SECRETS;
	o->mesh.with_signing = true;
	o->exchanges = limit_rules(20, 2000);
	o->fetches = limit_rules(2000, 20000);
}

int options_parse(int argc, char **argv, struct secrets_options *ret)
{
	static const struct options_line line = {
		"pm-secrets", help, long_options, set_option, check};

	init(ret);
	return options_walk(argc, argv, &line, ret);
}
