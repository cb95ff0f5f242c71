/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What all clients of collateral services share: settings, retries with back-off over several
 * servers, a cache on disk, one request for many threads, and the seam by which tests bring their
 * own clock. Nothing that comes out is trusted.
 */
#ifndef PM_NET_CLIENT_H
#define PM_NET_CLIENT_H

#include <pthread.h>

#include <pm/error.h>
#include <pm/report.h>
#include "base/mem.h"

/* --- services -------------------------------------------------------------------------------- */

#define PM_NET_SERVERS_MAX 4
#define PM_NET_URL_MAX	   255

struct pm_net_server {
	char *url;	  /* without a slash at the end */
	char *token_file; /* NULL: no authorization */
};

/* Servers that have the same things, asked in their order. */
struct pm_net_service {
	const char *name; /* for the log, static */
	size_t count;
	struct pm_net_server servers[PM_NET_SERVERS_MAX];
};

/*
 * Adds a server: "https://HOST[:PORT][/PATH]", or http to this machine. PM_E_LIMIT for a longer URL
 * and one server too many; PM_E_FORMAT, PM_E_REJECTED, PM_E_NOMEM, PM_E_NET as
 * pm_http_check_base().
 */
int pm_net_service_add(struct pm_net_service *service, const char *url, const char *token_file,
	struct pm_report *report) PM_MUST_USE;

/* The first server alone, in the place of all others. */
int pm_net_service_set(struct pm_net_service *service, const char *url, const char *token_file,
	struct pm_report *report) PM_MUST_USE;

void pm_net_service_clear(struct pm_net_service *service);

/* --- things that services have --------------------------------------------------------------- */

#define PM_NET_PATH_SIZE 256
#define PM_NET_NAME_SIZE 256

enum pm_net_age {
	PM_NET_FRESH,  /* as good as a new answer */
	PM_NET_OLD,    /* to be fetched again; better than nothing when that fails */
	PM_NET_USELESS /* to be fetched again, and worth nothing */
};

/* By the time alone: fresh for so many seconds. */
enum pm_net_age pm_net_age_by_time(int64_t stored, int64_t wall, int64_t seconds);

struct pm_net_item;

struct pm_net_kind {
	const char *check; /* its name in reports */
	size_t body_max;   /* bytes of an answer */
	size_t max;	   /* bytes of the thing itself */
	/* The thing out of an answer, freed with free(); NULL where the answer is the thing. */
	int (*unwrap)(const struct pm_net_item *item, struct pm_view body, struct pm_report *report,
		uint8_t **ret, size_t *ret_len);
	/* Can these bytes be the thing? */
	int (*check_bytes)(
		const struct pm_net_item *item, struct pm_view bytes, struct pm_report *report);
	/* Of bytes out of the cache, stored at that time, which pass check_bytes(). */
	enum pm_net_age (*age)(
		const struct pm_net_item *item, struct pm_view bytes, int64_t stored, int64_t wall);
};

struct pm_net_item {
	const struct pm_net_kind *kind;
	const struct pm_net_service *service;
	int64_t now;		  /* when it must be current, where that counts */
	struct pm_view post;	  /* sent along; without bytes it is a GET */
	const char *content_type; /* of post */
	const void *context;	  /* what the kind needs to know of it */
	bool not_cached;
	/* Made of names of this library and text whose characters were checked only: */
	char path[PM_NET_PATH_SIZE]; /* on the server, with the query */
	char name[PM_NET_NAME_SIZE]; /* of the file in the cache; tells items of a kind apart */
};

/* --- the client ------------------------------------------------------------------------------ */

enum pm_net_mode { PM_NET_CACHE_FIRST = 0, PM_NET_REFRESH = 1, PM_NET_OFFLINE = 2 };

#define PM_NET_CONNECT_MS     10000
#define PM_NET_TOTAL_MS	      90000
#define PM_NET_TIMEOUT_MAX_MS 3600000
#define PM_NET_ATTEMPTS	      5
#define PM_NET_ATTEMPTS_MAX   20

struct pm_net_clock {
	int64_t (*wall)(void *arg);	/* seconds since 1970 */
	int64_t (*ticks_ms)(void *arg); /* milliseconds of a clock that nobody sets */
	void (*sleep_ms)(void *arg, int64_t ms);
	void *arg;
};

/* The system's; ticks go on while the machine sleeps. */
extern const struct pm_net_clock pm_net_system_clock;

struct pm_net_flight;

struct pm_net_client {
	char *cache;   /* NULL: none */
	char *ca_file; /* NULL: the system's */
	enum pm_net_mode mode;
	uint32_t connect_ms;
	uint32_t total_ms;
	unsigned int attempts;
	void (*log)(void *arg, const char *text);
	void *log_arg;
	struct pm_net_clock clock;
	/* Fetches under way. */
	pthread_mutex_t lock;
	pthread_cond_t landed;
	struct pm_net_flight *flights;
};

/* PM_E_CRYPTO. Clear it in any case. */
int pm_net_init(struct pm_net_client *net) PM_MUST_USE;
void pm_net_clear(struct pm_net_client *net);

/* Settings: PM_E_ARG outside of what the public headers say, PM_E_NOMEM. */
int pm_net_set_cache(struct pm_net_client *net, const char *path) PM_MUST_USE;
int pm_net_set_ca_file(struct pm_net_client *net, const char *path) PM_MUST_USE;
int pm_net_set_mode(struct pm_net_client *net, int mode) PM_MUST_USE;
int pm_net_set_timeouts(
	struct pm_net_client *net, uint32_t connect_ms, uint32_t total_ms) PM_MUST_USE;
int pm_net_set_attempts(struct pm_net_client *net, unsigned int attempts) PM_MUST_USE;

void pm_net_log(const struct pm_net_client *net, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

/*
 * Ask the servers, as often as the client allows. The bytes pass check_bytes(). The report is
 * emptied first; its first failure is that of the first server.
 */
int pm_net_download(const struct pm_net_client *net, const struct pm_net_item *item,
	struct pm_report *report, uint8_t **ret, size_t *ret_len) PM_MUST_USE;

/*
 * The cache, then the servers, as the mode says; shared with the other threads that are asking for
 * the same item now. Of the reasons, the first goes to the report.
 */
int pm_net_obtain(struct pm_net_client *net, const struct pm_net_item *item,
	struct pm_report *report, uint8_t **ret, size_t *ret_len) PM_MUST_USE;

#endif
