/* SPDX-License-Identifier: Apache-2.0 */
#include "common/options.h"

#include <err.h>
#include <stdio.h>
#include <string.h>

#include <pm/api.h>
#include <pm/sealed.h>

#include "common/log.h"

#define TIME_MAX_SECONDS 86400
#define BODY_MAX_MIB	 256

void common_options_init(struct common_options *o)
{
	*o = (struct common_options){
		.log_level = LOG_LEVEL_INFO,
		.drain_time = 30000,
		.limits = http_limits_default,
	};
}

/* Digits at the beginning; false when there are none or too many. */
static bool read_number(const char *text, uint64_t *ret, const char **ret_end)
{
	size_t digits = strspn(text, "0123456789");
	uint64_t number = 0;

	if (!digits || digits > 12)
		return false;
	for (size_t i = 0; i < digits; i++)
		number = 10 * number + (uint64_t)(text[i] - '0');
	*ret = number;
	*ret_end = text + digits;
	return true;
}

int option_number(const char *name, const char *text, uint64_t most, uint64_t *ret)
{
	const char *end;

	if (read_number(text, ret, &end) && !*end && *ret && *ret <= most)
		return 0;
	warnx("%s: '%s' is not a number from 1 to %llu", name, text, (unsigned long long)most);
	return 2;
}

int option_time(const char *name, const char *text, int64_t *ret)
{
	const char *unit;
	uint64_t number;

	if (read_number(text, &number, &unit) && (!strcmp(unit, "s") || !strcmp(unit, "ms"))) {
		uint64_t scale = !strcmp(unit, "s") ? 1000 : 1;

		if (number && number * scale <= (uint64_t)TIME_MAX_SECONDS * 1000) {
			*ret = (int64_t)(number * scale);
			return 0;
		}
	}
	warnx("%s: '%s' is not a time such as 10s or 500ms, at most a day", name, text);
	return 2;
}

int option_add(const char *name, const char *value, const char **list, size_t *count, size_t most)
{
	if (*count == most) {
		warnx("%s: at most %zu", name, most);
		return 2;
	}
	list[(*count)++] = value;
	return 0;
}

int option_pad(const char *value, uint32_t *ret)
{
	uint64_t number = 0;

	if (strcmp(value, "0") != 0 &&
		option_number("--pad", value, PM_SEALED_PLAIN_MAX, &number) != 0)
		return 2;
	if (number & (number - 1) || (number && number < PM_SEALED_BUCKET_MIN)) {
		warnx("--pad: '%s' is not a power of two, at least %d", value,
			PM_SEALED_BUCKET_MIN);
		return 2;
	}
	*ret = (uint32_t)number;
	return 0;
}

static int set_log(struct common_options *o, const char *value)
{
	o->log_json = !strcmp(value, "json");
	if (o->log_json || !strcmp(value, "text"))
		return 0;
	warnx("--log: '%s' is not text or json", value);
	return 2;
}

static int set_log_level(struct common_options *o, const char *value)
{
	o->log_level = log_level_of(value);
	if (o->log_level >= 0)
		return 0;
	warnx("--log-level: '%s' is not error, warn, info or debug", value);
	return 2;
}

static int set_number(struct common_options *o, int id, const char *value)
{
	uint64_t number = 0;
	int r;

	if (id == OPTION_THREADS) {
		r = option_number("--threads", value, OPTIONS_THREADS_MAX, &number);
		o->threads = (unsigned int)number;
	} else if (id == OPTION_MAX_BODY) {
		r = option_number("--max-body", value, BODY_MAX_MIB, &number);
		o->limits.body = number << 20;
	} else {
		r = option_number("--max-connections", value, 1000000, &number);
		o->limits.connections = (size_t)number;
	}
	return r;
}

static int set_time(struct common_options *o, int id, const char *value)
{
	switch (id) {
	case OPTION_HEAD_TIME:
		return option_time("--head-timeout", value, &o->limits.head_time);
	case OPTION_IDLE_TIME:
		return option_time("--idle-timeout", value, &o->limits.idle_time);
	case OPTION_BODY_TIME:
		return option_time("--body-timeout", value, &o->limits.body_time);
	case OPTION_SEND_TIME:
		return option_time("--send-timeout", value, &o->limits.send_time);
	default:
		return option_time("--drain-timeout", value, &o->drain_time);
	}
}

int common_option(struct common_options *o, int id, const char *value)
{
	switch (id) {
	case OPTION_LISTEN:
		return option_add(
			"--listen", value, o->listen, &o->listen_count, OPTIONS_LISTEN_MAX);
	case OPTION_MESH_LISTEN:
		return option_add("--mesh-listen", value, o->mesh_listen, &o->mesh_listen_count,
			OPTIONS_LISTEN_MAX);
	case OPTION_CLIENT_NAME:
		return option_add("--client-name", value, o->client_names, &o->client_name_count,
			OPTIONS_NAMES_MAX);
	case OPTION_METRICS_HOST:
		return option_add("--metrics-host", value, o->metrics_hosts, &o->metrics_host_count,
			OPTIONS_NAMES_MAX);
	case OPTION_METRICS:
		o->metrics = value;
		return 0;
	case OPTION_TLS_CERT:
		o->tls_cert = value;
		return 0;
	case OPTION_TLS_KEY:
		o->tls_key = value;
		return 0;
	case OPTION_TLS_CA:
		o->tls_ca = value;
		return 0;
	case OPTION_USER:
		o->user = value;
		return 0;
	case OPTION_LOG:
		return set_log(o, value);
	case OPTION_LOG_LEVEL:
		return set_log_level(o, value);
	case OPTION_THREADS:
	case OPTION_MAX_BODY:
	case OPTION_MAX_CONNECTIONS:
		return set_number(o, id, value);
	default:
		return set_time(o, id, value);
	}
}

int common_options_check(const struct common_options *o)
{
	if (!o->tls_cert != !o->tls_key) {
		warnx("--tls-cert and --tls-key go together");
		return 2;
	}
	if (o->tls_ca && !o->tls_cert) {
		warnx("--tls-client-ca needs --tls-cert and --tls-key");
		return 2;
	}
	if (o->client_name_count && !o->tls_ca) {
		warnx("--client-name needs --tls-client-ca");
		return 2;
	}
	return 0;
}

int options_walk(int argc, char **argv, const struct options_line *line, void *arg)
{
	int id;

	while ((id = getopt_long(argc, argv, "h", line->rows, NULL)) != -1) {
		switch (id) {
		case 'h':
			fputs(line->help, stdout);
			return 0;
		case OPTION_VERSION:
			printf("%s %s\n", line->name, pm_version());
			return 0;
		case '?':
			return 2; /* getopt said why */
		default:
			if (line->set(arg, id, optarg) != 0)
				return 2;
		}
	}
	if (optind != argc) {
		warnx("unexpected argument '%s'", argv[optind]);
		return 2;
	}
	return line->check(arg) == 0 ? OPTIONS_RUN : 2;
}
