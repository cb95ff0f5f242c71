/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One bounded GET or POST. libcurl stays behind this header. Proxies come from the environment, for
 * HTTPS only; no cookies, no .netrc, no compression, no other protocol.
 */
#ifndef PM_NET_HTTP_H
#define PM_NET_HTTP_H

#include <pm/error.h>
#include <pm/report.h>
#include "base/mem.h"

/* Redirects within one origin that are followed. */
#define PM_HTTP_REDIRECTS_MAX 3

struct pm_http_request {
	const char *url;
	const char *ca_file;	  /* NULL: the system's */
	struct pm_view token;	  /* bearer token of RFC 6750, or none */
	struct pm_view post;	  /* without bytes it is a GET */
	const char *content_type; /* of post */
	const char *secret_id;	  /* of a sealed post: its field Pm-Secret-Id; NULL: none */
	size_t body_max;	  /* of any answer, error pages too */
	int64_t connect_ms;
	int64_t total_ms; /* redirects included */
};

struct pm_http_response {
	long status;	       /* 0: there was no whole answer, and error says why */
	bool broken_off;       /* the connection was made, and lost: worth another try */
	int64_t retry_after;   /* seconds that the server asks to wait; 0 when it does not say */
	char content_type[64]; /* "" when there is none, or a longer one */
	uint8_t *body;
	size_t len;
	char error[160];
};

/*
 * PM_OK for any whole answer, whatever its status. PM_E_NET, PM_E_NOMEM, PM_E_LIMIT for a body or a
 * head that is too long. The response is filled in each case. Redirects of a POST are refused, and
 * the token goes to one origin only, since redirects do.
 */
int pm_http_ask(const struct pm_http_request *request, struct pm_http_response *ret) PM_MUST_USE;

/* Frees the body; the response may be used again. */
void pm_http_response_clear(struct pm_http_response *response);

static inline void pm_cleanup_http_response(struct pm_http_response *response)
{
	pm_http_response_clear(response);
}

/*
 * Is it "https://HOST[:PORT][/PATH]", or http to this machine itself, without user, query and
 * fragment? PM_E_FORMAT, PM_E_REJECTED, PM_E_NOMEM, PM_E_NET when libcurl can't be set up.
 */
int pm_http_check_base(const char *url, struct pm_report *report) PM_MUST_USE;

/* The same, and http to any machine: for what proves itself whatever lies in between. */
int pm_http_check_endpoint(const char *url, struct pm_report *report) PM_MUST_USE;

#endif
