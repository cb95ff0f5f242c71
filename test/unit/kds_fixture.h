/* SPDX-License-Identifier: Apache-2.0 */
/* What the tests of the KDS client share: a client, a server, a clock that no test waits for. */
#ifndef PM_TEST_KDS_FIXTURE_H
#define PM_TEST_KDS_FIXTURE_H

#include <pm/kds.h>

#include "http_server.h"
#include "mint.h"
#include "net/kds.h"
#include "testing.h"

#define DAY INT64_C(86400)

/* New for each test; the server is NULL before serve(), the cache a folder not made yet. */
extern EVP_PKEY *key;
extern struct pm_view cert, other_cert, chain, crl;
extern struct pm_kds *kds;
extern struct pm_report *report;
extern struct http_server *server;
extern char folder[64], cache[80];

/* An error page. */
extern const struct pm_view html;

/* The clock: real time, moved on by each sleep of the client and by the test. */
extern int64_t slept[32];
extern size_t sleeps;
extern int64_t ticks_added, wall_added, now;

/* What the client said; and whether its "waiting for another thread" opens the server's gate. */
extern char logged[16384];
extern bool open_gate_on_wait;

/* The chip and TCB of get_vcek(). */
extern const struct pm_snp_tcb tcb;
extern const uint8_t chip[64];

/* The latter in hexadecimal. */
#define ZEROS_8	 "0000000000000000"
#define MILAN_ID "abcd0000" ZEROS_8 ZEROS_8 ZEROS_8 ZEROS_8 ZEROS_8 ZEROS_8 ZEROS_8 "00000001"

void set_up(void);
void tear_down(void);

/* Another client, set up alike. */
struct pm_kds *new_client(void);

struct pm_view make_cert(const char *name, int64_t not_after);
struct pm_view make_crl(int64_t from, int64_t to);
struct pm_view make_chain(int count);

void serve(const struct http_answer *answers, size_t count);

/* The same answer to each request. */
#define SERVE(...) serve(&(struct http_answer)__VA_ARGS__, 1)

/* Requests so far. */
unsigned int requests(void);

/* Ask; on success the bytes must be the wanted ones. */
int get_vcek(struct pm_view want);
int get_chain(struct pm_view want);
int get_crl(struct pm_view want);
int get_crl_at(int64_t when, struct pm_view want);

void use_cache(void);
bool reason_has(const char *text);

#endif
