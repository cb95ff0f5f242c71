/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The secrets of an answer. What the box holds is one flat object of base64 and null, which is read
 * where it lies, in guarded memory: a parser of JSON would leave copies.
 */
#include "base/base64.h"
#include "base/rd.h"
#include "base/report.h"
#include "net/join.h"

/* Longest plaintext: two secrets in base64, and what stands around. */
#define PLAIN_MAX 1024

/* A member that is wanted: base64 of exactly so many bytes, or null. */
struct member {
	const char *name;
	size_t min, max;
	struct pm_secret *secret; /* left empty for null */
	bool seen;
};

/* --- reading --------------------------------------------------------------------------------- */

static bool is_space(uint8_t c)
{
	return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

static void skip_space(struct pm_rd *rd)
{
	while (rd->left && is_space(rd->ptr[0]))
		pm_rd_skip(rd, 1);
}

static void expect(struct pm_rd *rd, uint8_t c)
{
	skip_space(rd);
	if (pm_rd_u8(rd) != c)
		pm_rd_fail(rd);
}

/* Base64 and names have no escapes. */
static struct pm_view read_string(struct pm_rd *rd)
{
	struct pm_view text;
	size_t n = 0;

	expect(rd, '"');
	while (n < rd->left && rd->ptr[n] > ' ' && rd->ptr[n] < 0x7f && rd->ptr[n] != '"' &&
		rd->ptr[n] != '\\')
		n++;
	text = pm_rd_bytes(rd, n);
	if (pm_rd_u8(rd) != '"')
		pm_rd_fail(rd);
	return text;
}

static bool read_null(struct pm_rd *rd)
{
	skip_space(rd);
	if (rd->left < 4 || !pm_view_equal(pm_view(rd->ptr, 4), pm_view("null", 4)))
		return false;
	pm_rd_skip(rd, 4);
	return true;
}

static struct member *find(struct member *members, size_t count, struct pm_view name)
{
	for (size_t i = 0; i < count; i++)
		if (pm_view_equal(name, pm_view(members[i].name, strlen(members[i].name))))
			return &members[i];
	return NULL;
}

static int decode(struct pm_view text, const struct member *member)
{
	struct pm_secret *secret = member->secret;
	size_t len = 0;
	int r = pm_secret_new(secret, text.len / 4 * 3 + 1);

	if (r < 0)
		return r;
	r = pm_base64_decode(text, secret->ptr, secret->len, &len);
	if (r == PM_OK && (len < member->min || len > member->max))
		r = PM_E_FORMAT;
	if (r == PM_OK)
		secret->len = len;
	return r;
}

static int read_value(struct pm_rd *rd, struct member *member)
{
	struct pm_view text;

	member->seen = true;
	if (read_null(rd))
		return PM_OK;
	text = read_string(rd);
	return pm_rd_ok(rd) ? decode(text, member) : PM_E_FORMAT;
}

static int read_member(struct pm_rd *rd, struct member *members, size_t count)
{
	struct member *member = find(members, count, read_string(rd));

	expect(rd, ':');
	if (!pm_rd_ok(rd) || !member || member->seen)
		return PM_E_FORMAT;
	return read_value(rd, member);
}

/* Each member once, in any order, and no other. */
static int read_object(struct pm_view text, struct member *members, size_t count)
{
	struct pm_rd rd = pm_rd(text);
	int r = PM_OK;

	expect(&rd, '{');
	for (size_t i = 0; r == PM_OK && i < count; i++) {
		r = read_member(&rd, members, count);
		expect(&rd, i + 1 < count ? ',' : '}');
	}
	skip_space(&rd);
	if (r < 0)
		return r;
	return pm_rd_done(&rd) ? PM_OK : PM_E_FORMAT;
}

/* --- what is wanted -------------------------------------------------------------------------- */

static int read_peer(struct pm_view text, struct pm_membership *m)
{
	struct member members[] = {
		{.name = "seed",
			.min = PM_JOIN_SECRET_SIZE,
			.max = PM_JOIN_SECRET_SIZE,
			.secret = &m->seed},
		{.name = "mesh_key",
			.min = PM_AUTHORITY_MESH_KEY_SIZE,
			.max = PM_AUTHORITY_MESH_KEY_SIZE,
			.secret = &m->mesh_key},
	};
	int r = read_object(text, members, PM_ARRAY_LEN(members));

	if (r == PM_OK && (!m->seed.ptr || !m->mesh_key.ptr))
		return PM_E_FORMAT;
	return r;
}

static int read_workload(struct pm_view text, struct pm_membership *m)
{
	struct member members[] = {
		{.name = "workload_secret",
			.min = PM_JOIN_SECRET_SIZE,
			.max = PM_JOIN_SECRET_SIZE,
			.secret = &m->secret},
	};

	return read_object(text, members, PM_ARRAY_LEN(members));
}

static int open_box(struct pm_view box, struct pm_view mesh_ca, const struct pm_join_wanted *wanted,
	struct pm_report *report, struct pm_secret *ret)
{
	uint8_t aad[PM_JOIN_BOX_AAD_SIZE];
	int r = pm_join_box_aad(wanted->nonce, mesh_ca.ptr, mesh_ca.len, aad);

	if (r < 0)
		return r;
	if (box.len < PM_BOX_OVERHEAD || box.len > PM_BOX_OVERHEAD + PLAIN_MAX)
		return pm_fail(report, PM_E_LIMIT, "join.box", "a box of at most 1024 bytes",
			"%zu bytes", box.len);
	r = pm_secret_new(ret, box.len - PM_BOX_OVERHEAD + 1); /* not empty */
	if (r < 0)
		return r;
	ret->len--;
	r = pm_box_open(
		wanted->box_key, PM_JOIN_LABEL, aad, sizeof(aad), box.ptr, box.len, ret->ptr);
	if (r == PM_E_REJECTED)
		return pm_fail(
			report, r, "join.box", "a box for this key, nonce and mesh CA", "another");
	return r;
}

int pm_join_read_secrets(
	struct pm_view text, struct pm_report *report, struct pm_membership *membership)
{
	int r = membership->is_coordinator ? read_peer(text, membership)
					   : read_workload(text, membership);

	if (r == PM_E_FORMAT || r == PM_E_LIMIT)
		return pm_fail(report, PM_E_FORMAT, "join.box", "the secrets of the role",
			"other content of %zu bytes", text.len);
	return r;
}

int pm_join_open(struct pm_view box, struct pm_view mesh_ca, const struct pm_join_wanted *wanted,
	struct pm_report *report, struct pm_membership *membership)
{
	pm_cleanup(secret) struct pm_secret plain = {0};
	int r = open_box(box, mesh_ca, wanted, report, &plain);

	return r < 0 ? r : pm_join_read_secrets(pm_view(plain.ptr, plain.len), report, membership);
}
