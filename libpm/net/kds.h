/* SPDX-License-Identifier: Apache-2.0 */
/* What the parts of the KDS client share, and the seam by which tests bring their own clock. */
#ifndef PM_NET_KDS_H
#define PM_NET_KDS_H

#include <pm/kds.h>
#include <pthread.h>

#include "base/mem.h"

/* --- things the service has ------------------------------------------------------------------ */

#define PM_KDS_PATH_SIZE 256
#define PM_KDS_NAME_SIZE 256

enum pm_kds_kind { PM_KDS_VCEK, PM_KDS_CHAIN, PM_KDS_CRL };

struct pm_kds_item {
	enum pm_kds_kind kind;
	const char *check; /* its name in reports */
	size_t max;	   /* bytes */
	int64_t now;	   /* revocation lists: when it must be current */
	/* Made of names of this library, hexadecimal and decimal digits only: */
	char path[PM_KDS_PATH_SIZE]; /* on the server, with the query */
	char name[PM_KDS_NAME_SIZE]; /* of the file in the cache */
};

/* As pm_kds_vcek(): PM_E_ARG, PM_E_FORMAT, PM_E_MISSING. */
int pm_kds_item_vcek(enum pm_snp_product product, struct pm_view hwid, const struct pm_snp_tcb *tcb,
	struct pm_report *report, struct pm_kds_item *ret) PM_MUST_USE;

/* PM_E_ARG for an unknown product or signer. */
int pm_kds_item_chain(enum pm_snp_product product, enum pm_snp_signer signer,
	struct pm_kds_item *ret) PM_MUST_USE;
int pm_kds_item_crl(enum pm_snp_product product, enum pm_snp_signer signer, int64_t now,
	struct pm_kds_item *ret) PM_MUST_USE;

/* --- what the bytes look like ---------------------------------------------------------------- */

/* Can these bytes be the item? PM_E_FORMAT; PM_E_STALE for a list that is not current. */
int pm_kds_check(
	const struct pm_kds_item *item, struct pm_view bytes, struct pm_report *report) PM_MUST_USE;

/* Bytes from the cache, stored at that time, which pass pm_kds_check(): as good as a new answer? */
bool pm_kds_is_fresh(
	const struct pm_kds_item *item, struct pm_view bytes, int64_t stored, int64_t wall);

/* --- the handle ------------------------------------------------------------------------------ */

struct pm_kds_clock {
	int64_t (*wall)(void *arg);	/* seconds since 1970 */
	int64_t (*ticks_ms)(void *arg); /* milliseconds of a clock that nobody sets */
	void (*sleep_ms)(void *arg, int64_t ms);
	void *arg;
};

struct pm_kds_flight;

struct pm_kds {
	char *base_url; /* without a slash at the end */
	char *cache;	/* NULL: none */
	char *ca_file;	/* NULL: the system's */
	enum pm_kds_mode mode;
	uint32_t connect_ms;
	uint32_t total_ms;
	unsigned int attempts;
	void (*log)(void *arg, const char *text);
	void *log_arg;
	struct pm_kds_clock clock;
	/* Fetches under way. */
	pthread_mutex_t lock;
	pthread_cond_t landed;
	struct pm_kds_flight *flights;
};

/* For tests: time that passes as the test says. Before the first fetch. */
void pm_kds_set_clock(struct pm_kds *kds, const struct pm_kds_clock *clock);

void pm_kds_log(const struct pm_kds *kds, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

/* Ask the service, as often as the handle allows. The bytes pass pm_kds_check(). */
int pm_kds_download(const struct pm_kds *kds, const struct pm_kds_item *item,
	struct pm_report *report, uint8_t **ret, size_t *ret_len) PM_MUST_USE;

/* The cache, then the service, as the mode says. */
int pm_kds_obtain(const struct pm_kds *kds, const struct pm_kds_item *item,
	struct pm_report *report, uint8_t **ret, size_t *ret_len) PM_MUST_USE;

/* The same, shared with the other threads that are asking for the same item now. */
int pm_kds_share(struct pm_kds *kds, const struct pm_kds_item *item, struct pm_report *report,
	uint8_t **ret, size_t *ret_len) PM_MUST_USE;

#endif
