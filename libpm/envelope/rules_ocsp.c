/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The client's policy for the status of NVIDIA's certificates, as two headers: the policy and its
 * MAC under the shared secret (Privatemode's internal/oss/ocspheader). The MAC that would have been
 * right leaves this file by pm_ocsp_policy_write() alone.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <pm/rules.h>
#include <pm/text.h>

#include "base/rd.h"
#include "base/report.h"
#include "crypto/kem.h"

#define HEADER "ocsp_policy"

/* Digits of the largest number, and its sign. */
#define TIME_DIGITS_MAX 20

struct text {
	char s[PM_OCSP_HEADER_SIZE];
};

/* The canonical form, or "" for a policy that allows nothing. */
static struct text format(const struct pm_ocsp_policy *p)
{
	struct text t = {""};
	const char *good = p->allow_good ? ",allow-good" : "";
	const char *revoked = p->allow_revoked ? ",allow-revoked" : "";
	const char *unknown = p->allow_unknown ? ",allow-unknown" : "";
	char rules[sizeof(",allow-good,allow-revoked,allow-unknown")];

	(void)snprintf(rules, sizeof(rules), "%s%s%s", good, revoked, unknown);
	if (rules[0])
		(void)snprintf(t.s, sizeof(t.s), "rules=%s; revocation-time-not-before=%" PRId64,
			rules + 1, p->revoked_not_before);
	return t;
}

static void make_mac(const struct text *header, const uint8_t *secret, char *ret_mac)
{
	uint8_t mac[PM_SHA256_SIZE];

	pm_hmac_sha256(
		pm_view(secret, PM_OCSP_KEY_SIZE), pm_view(header->s, strlen(header->s)), mac);
	pm_hex_encode(mac, sizeof(mac), ret_mac);
	pm_wipe(mac, sizeof(mac));
}

int pm_ocsp_policy_write(
	const struct pm_ocsp_policy *policy, const uint8_t *secret, char *ret_header, char *ret_mac)
{
	struct text header = format(policy);
	int r = pm_crypto_init();

	if (r < 0)
		return r;
	if (!header.s[0])
		return PM_E_ARG;
	pm_copy(ret_header, header.s, strlen(header.s) + 1);
	make_mac(&header, secret, ret_mac);
	return PM_OK;
}

/* Takes the text off the front, whatever the case of its letters. */
static bool take(struct pm_rd *rd, const char *text)
{
	size_t n = strlen(text);

	if (rd->left < n || strncasecmp((const char *)rd->ptr, text, n) != 0)
		return false;
	pm_rd_skip(rd, n);
	return true;
}

static void read_rule(struct pm_rd *rd, struct pm_ocsp_policy *ret)
{
	bool *rule = NULL;

	if (take(rd, "allow-good"))
		rule = &ret->allow_good;
	else if (take(rd, "allow-revoked"))
		rule = &ret->allow_revoked;
	else if (take(rd, "allow-unknown"))
		rule = &ret->allow_unknown;
	if (!rule || *rule)
		pm_rd_fail(rd);
	else
		*rule = true;
}

static void read_rules(struct pm_rd *rd, struct pm_ocsp_policy *ret)
{
	do
		read_rule(rd, ret);
	while (pm_rd_ok(rd) && take(rd, ","));
}

/* A number of 64 bits in its shortest form. */
static void read_time(struct pm_rd *rd, struct pm_ocsp_policy *ret)
{
	char digits[TIME_DIGITS_MAX + 1] = "", again[TIME_DIGITS_MAX + 1] = "";
	long long value = 0;
	size_t n = 0;

	while (n < rd->left && n < TIME_DIGITS_MAX &&
		(rd->ptr[n] == '-' || (rd->ptr[n] >= '0' && rd->ptr[n] <= '9')))
		n++;
	pm_rd_copy(rd, digits, n);
	value = strtoll(digits, NULL, 10); /* out of range: the nearest, whose text differs */
	(void)snprintf(again, sizeof(again), "%lld", value);
	if (n == 0 || strcmp(digits, again) != 0)
		pm_rd_fail(rd);
	ret->revoked_not_before = value;
}

/* Both parts, in either order. */
static bool parse(const char *header, struct pm_ocsp_policy *ret)
{
	static const char rules[] = "rules=", time[] = "revocation-time-not-before=", sep[] = "; ";
	struct pm_rd rd = pm_rd(pm_view(header, strnlen(header, PM_OCSP_HEADER_SIZE)));
	bool rules_first = strncmp(header, rules, sizeof(rules) - 1) == 0;

	if (!take(&rd, rules_first ? rules : time))
		return false;
	(rules_first ? read_rules : read_time)(&rd, ret);
	if (!take(&rd, sep) || !take(&rd, rules_first ? time : rules))
		return false;
	(rules_first ? read_time : read_rules)(&rd, ret);
	return pm_rd_done(&rd);
}

static int check_mac(const struct pm_ocsp_policy *policy, const char *mac, const uint8_t *secret,
	struct pm_report *report)
{
	struct text header = format(policy);
	char right[PM_OCSP_MAC_SIZE];
	bool equal;

	make_mac(&header, secret, right);
	equal = strnlen(mac, PM_OCSP_MAC_SIZE) == PM_OCSP_MAC_SIZE - 1 &&
		pm_ct_equal(mac, right, PM_OCSP_MAC_SIZE - 1);
	pm_wipe(right, sizeof(right));
	if (!equal)
		return pm_fail(report, PM_E_REJECTED, HEADER ".mac",
			"the MAC under the shared secret", "another");
	return PM_OK;
}

int pm_ocsp_policy_read(const char *header, const char *mac, const uint8_t *secret,
	struct pm_ocsp_policy *ret_policy, struct pm_report *report)
{
	bool has_header = header && *header, has_mac = mac && *mac;
	struct pm_ocsp_policy policy = {0};
	int r = pm_crypto_init();

	if (r < 0)
		return r;
	if (!has_header && !has_mac) {
		*ret_policy = (struct pm_ocsp_policy){.allow_good = true};
		return PM_OK;
	}
	if (!has_header || !has_mac)
		return pm_fail(report, PM_E_REJECTED, HEADER, "both headers or none", "one");
	if (!parse(header, &policy))
		return pm_fail(report, PM_E_FORMAT, HEADER,
			"rules=...; revocation-time-not-before=...", "other text");
	r = check_mac(&policy, mac, secret, report);
	if (r < 0)
		return r;
	*ret_policy = policy;
	return PM_OK;
}

static bool accepts(const struct pm_ocsp_policy *policy, const struct pm_ocsp_status *status)
{
	switch (status->value) {
	case PM_OCSP_GOOD:
		return policy->allow_good;
	case PM_OCSP_REVOKED:
		return policy->allow_revoked && status->revoked_at >= policy->revoked_not_before;
	case PM_OCSP_UNKNOWN:
		return policy->allow_unknown;
	}
	return false;
}

static const char *value_name(enum pm_ocsp_value value)
{
	switch (value) {
	case PM_OCSP_GOOD:
		return "good";
	case PM_OCSP_REVOKED:
		return "revoked";
	case PM_OCSP_UNKNOWN:
		return "unknown";
	}
	return "no status";
}

int pm_ocsp_policy_check(const struct pm_ocsp_policy *policy, const struct pm_ocsp_status *status,
	size_t count, struct pm_report *report)
{
	struct text wanted = format(policy);

	if (!count)
		return pm_fail(report, PM_E_REJECTED, "ocsp_status", wanted.s, "none at all");
	for (size_t i = 0; i < count; i++)
		if (!accepts(policy, &status[i]))
			return pm_fail(report, PM_E_REJECTED, "ocsp_status", wanted.s,
				"%s of certificate %zu", value_name(status[i].value), i);
	pm_pass(report, "ocsp_status", "%zu certificates", count);
	return PM_OK;
}
