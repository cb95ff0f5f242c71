/* SPDX-License-Identifier: Apache-2.0 */
/* In the place of the session's files where libcurl is missing: the same symbols. */
#include <pm/session.h>

#include "base/report.h"

static int refuse(struct pm_report *report)
{
	return pm_fail(
		report, PM_E_UNSUPPORTED, "session", "a library with libcurl", "built without");
}

int pm_session_new(const char *url, const struct pm_manifest *manifest,
	const struct pm_session_options *options, struct pm_report *report,
	struct pm_session **ret_session)
{
	(void)url;
	(void)manifest;
	(void)options;
	(void)ret_session;
	return refuse(report);
}

int pm_session_open(const char *url, const struct pm_manifest *manifest,
	const struct pm_session_options *options, struct pm_verdict *verdict,
	struct pm_report *report, struct pm_session **ret_session)
{
	(void)verdict;
	return pm_session_new(url, manifest, options, report, ret_session);
}

/* There is no session, so no call below has one. */

void pm_session_free(struct pm_session *session)
{
	(void)session;
}

int pm_session_attest(struct pm_session *session, struct pm_verdict *verdict,
	struct pm_report *report, const struct pm_appraised **ret_appraised)
{
	(void)session;
	(void)verdict;
	(void)ret_appraised;
	return refuse(report);
}

int pm_session_renew(
	struct pm_session *session, struct pm_verdict *verdict, struct pm_report *report)
{
	(void)session;
	(void)verdict;
	return refuse(report);
}

int pm_session_get(
	struct pm_session *session, struct pm_report *report, struct pm_session_key **ret_key)
{
	(void)session;
	(void)ret_key;
	return refuse(report);
}

struct pm_session_key *pm_session_peek(struct pm_session *session)
{
	(void)session;
	return NULL;
}

void pm_session_distrust(struct pm_session *session, const struct pm_session_key *key)
{
	(void)session;
	(void)key;
}

const char *pm_session_key_id(const struct pm_session_key *key)
{
	(void)key;
	return "";
}

struct pm_exchange_key *pm_session_key_exchange(const struct pm_session_key *key)
{
	(void)key;
	return NULL;
}

const struct pm_appraised *pm_session_key_appraised(const struct pm_session_key *key)
{
	(void)key;
	return NULL;
}

const struct pm_deployment *pm_session_key_deployment(const struct pm_session_key *key)
{
	(void)key;
	return NULL;
}

int pm_session_key_ocsp(const struct pm_session_key *key, const struct pm_ocsp_policy *policy,
	char *ret_header, char *ret_mac)
{
	(void)key;
	(void)policy;
	(void)ret_header;
	(void)ret_mac;
	return PM_E_UNSUPPORTED;
}

void pm_session_key_free(struct pm_session_key *key)
{
	(void)key;
}
