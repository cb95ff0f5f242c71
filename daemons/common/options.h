/* SPDX-License-Identifier: Apache-2.0 */
/* The command line of daemons, and the options that all of them have. */
#ifndef COMMON_OPTIONS_H
#define COMMON_OPTIONS_H

#include <getopt.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/http_server.h"

enum { OPTIONS_RUN = -1 };

/* What a program has of its own in its command line. */
struct options_line {
	const char *name, *help;
	const struct option *rows; /* with COMMON_OPTION_ROWS */
	/* Takes an option of the rows, into arg: 0, or 2 when it said what is wrong. */
	int (*set)(void *arg, int id, const char *value);
	/* What must and what can't be given together, once all was taken: likewise. */
	int (*check)(void *arg);
};

/* Takes the command line into arg: OPTIONS_RUN, or the exit status when all is said. */
int options_walk(int argc, char **argv, const struct options_line *line, void *arg);

#define OPTIONS_LISTEN_MAX  8
#define OPTIONS_NAMES_MAX   16
#define OPTIONS_THREADS_MAX 256

struct common_options {
	const char *listen[OPTIONS_LISTEN_MAX];
	size_t listen_count;
	const char *mesh_listen[OPTIONS_LISTEN_MAX];
	size_t mesh_listen_count;
	const char *metrics;
	const char *metrics_hosts[OPTIONS_NAMES_MAX];
	size_t metrics_host_count;
	const char *tls_cert, *tls_key, *tls_ca;
	const char *client_names[OPTIONS_NAMES_MAX];
	size_t client_name_count;
	const char *user;
	unsigned int threads; /* 0: one a core */
	bool log_json;
	int log_level;
	int64_t drain_time; /* milliseconds */
	struct http_limits limits;
};

enum {
	OPTION_LISTEN = 1000,
	OPTION_METRICS,
	OPTION_TLS_CERT,
	OPTION_TLS_KEY,
	OPTION_TLS_CA,
	OPTION_CLIENT_NAME,
	OPTION_USER,
	OPTION_THREADS,
	OPTION_LOG,
	OPTION_LOG_LEVEL,
	OPTION_MAX_CONNECTIONS,
	OPTION_MAX_BODY,
	OPTION_HEAD_TIME,
	OPTION_IDLE_TIME,
	OPTION_BODY_TIME,
	OPTION_SEND_TIME,
	OPTION_DRAIN_TIME,
	OPTION_VERSION,
	OPTION_MESH_LISTEN,
	OPTION_METRICS_HOST,
};

/* Rows of the program's own table. */
/* clang-format off */
#define COMMON_OPTION_ROWS                                                                         \
	{"listen", required_argument, NULL, OPTION_LISTEN},                                        \
	{"metrics", required_argument, NULL, OPTION_METRICS},                                      \
	{"metrics-host", required_argument, NULL, OPTION_METRICS_HOST},                            \
	{"tls-cert", required_argument, NULL, OPTION_TLS_CERT},                                    \
	{"tls-key", required_argument, NULL, OPTION_TLS_KEY},                                      \
	{"tls-client-ca", required_argument, NULL, OPTION_TLS_CA},                                 \
	{"client-name", required_argument, NULL, OPTION_CLIENT_NAME},                              \
	{"user", required_argument, NULL, OPTION_USER},                                            \
	{"threads", required_argument, NULL, OPTION_THREADS},                                      \
	{"log", required_argument, NULL, OPTION_LOG},                                              \
	{"log-level", required_argument, NULL, OPTION_LOG_LEVEL},                                  \
	{"max-connections", required_argument, NULL, OPTION_MAX_CONNECTIONS},                      \
	{"max-body", required_argument, NULL, OPTION_MAX_BODY},                                    \
	{"head-timeout", required_argument, NULL, OPTION_HEAD_TIME},                               \
	{"idle-timeout", required_argument, NULL, OPTION_IDLE_TIME},                               \
	{"body-timeout", required_argument, NULL, OPTION_BODY_TIME},                               \
	{"send-timeout", required_argument, NULL, OPTION_SEND_TIME},                               \
	{"drain-timeout", required_argument, NULL, OPTION_DRAIN_TIME},                             \
	{"version", no_argument, NULL, OPTION_VERSION},                                            \
	{"help", no_argument, NULL, 'h'}
/* For programs that have such listeners. */
#define MESH_LISTEN_ROW {"mesh-listen", required_argument, NULL, OPTION_MESH_LISTEN}
/* clang-format on */

#define MESH_LISTEN_HELP                                                                           \
	"  --mesh-listen ADDRESS  where to serve others of the mesh, by mutual TLS; may be "       \
	"repeated\n"

#define COMMON_OPTION_HELP                                                                         \
	"  --listen ADDRESS       where to serve; may be repeated. HOST:PORT, [HOST]:PORT, "       \
	":PORT\n"                                                                                  \
	"                         for every address, unix:PATH; sockets of systemd serve too\n"    \
	"  --metrics ADDRESS      where to serve /metrics, /healthz and /readyz\n"                 \
	"  --metrics-host NAME    a name by which this machine asks for /metrics; may be "         \
	"repeated\n"                                                                               \
	"  --tls-cert FILE        serve by TLS with this certificate (PEM, the leaf first)\n"      \
	"  --tls-key FILE         its key (PEM)\n"                                                 \
	"  --tls-client-ca FILE   clients must show a certificate of this CA\n"                    \
	"  --client-name NAME     and this DNS name must be in it; may be repeated: one of them\n" \
	"  --user NAME            become this user once the sockets are open\n"                    \
	"  --threads N            event loops (default: one a core)\n"                             \
	"  --log text|json        form of the log on standard error (default text)\n"              \
	"  --log-level LEVEL      error, warn, info (default) or debug\n"                          \
	"  --max-connections N    for each thread (default 16384)\n"                               \
	"  --max-body MIB         largest body of a request (default 128)\n"                       \
	"  --head-timeout TIME    for a request's head, such as 10s (default) or 500ms\n"          \
	"  --idle-timeout TIME    between two requests of a connection (default 75s)\n"            \
	"  --body-timeout TIME    for each 4 KiB of a body, at least (default 20s)\n"              \
	"  --send-timeout TIME    for each 64 KiB of an answer that waits, at least (default "     \
	"60s)\n"                                                                                   \
	"  --drain-timeout TIME   after SIGTERM, for requests under way (default 30s)\n"           \
	"  --version              print the version\n"                                             \
	"  --help                 print this\n"

void common_options_init(struct common_options *o);

/* Takes an option of COMMON_OPTION_ROWS or MESH_LISTEN_ROW: 0, or 2 when it said what is wrong. */
int common_option(struct common_options *o, int id, const char *value);

/* What must be given together: 0, or 2 when it said what is missing. */
int common_options_check(const struct common_options *o);

/* One more of an option that may be repeated: 0, or 2 when it said that these are too many. */
int option_add(const char *name, const char *value, const char **list, size_t *count, size_t most);

/* "10s" or "500ms" as milliseconds: 0, or 2 when it said what is wrong. */
int option_time(const char *name, const char *text, int64_t *ret);

/* A whole number: 0, or 2 when it said what is wrong. */
int option_number(const char *name, const char *text, uint64_t most, uint64_t *ret);

/* --pad: the smallest size of sealed frames, a power of two, or 0: likewise. */
int option_pad(const char *value, uint32_t *ret);

#endif
