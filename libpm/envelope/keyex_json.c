/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The JSON of the key exchange: one flat object (RFC 8259) whose values are strings of base64. Such
 * strings need no escapes, so an escape is refused, and with it each second way to write a name.
 */
#include <string.h>

#include "base/rd.h"
#include "base/report.h"
#include "envelope/keyex.h"

static bool is_space(uint8_t c)
{
	return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

/* The next character that is not space. */
static uint8_t next_token(struct pm_rd *rd)
{
	uint8_t c = pm_rd_u8(rd);

	while (pm_rd_ok(rd) && is_space(c))
		c = pm_rd_u8(rd);
	return c;
}

static void expect(struct pm_rd *rd, uint8_t c)
{
	if (next_token(rd) != c)
		pm_rd_fail(rd);
}

static bool is_plain(uint8_t c)
{
	return c >= ' ' && c < 0x7f && c != '"' && c != '\\';
}

static struct pm_view read_string(struct pm_rd *rd)
{
	struct pm_view text;
	size_t n = 0;

	expect(rd, '"');
	while (n < rd->left && is_plain(rd->ptr[n]))
		n++;
	text = pm_rd_bytes(rd, n);
	if (pm_rd_u8(rd) != '"')
		pm_rd_fail(rd);
	return text;
}

static struct pm_keyex_member *find(
	struct pm_keyex_member *members, size_t count, struct pm_view name)
{
	for (size_t i = 0; i < count; i++)
		if (pm_view_equal(name, pm_view(members[i].name, strlen(members[i].name))))
			return &members[i];
	return NULL;
}

/* "name": "value", for a name that is wanted and has not been there yet. */
static void read_member(struct pm_rd *rd, struct pm_keyex_member *members, size_t count)
{
	struct pm_keyex_member *member = find(members, count, read_string(rd));

	expect(rd, ':');
	if (!member || member->value.ptr) {
		pm_rd_fail(rd);
		return;
	}
	member->value = read_string(rd);
}

static void read_object(struct pm_rd *rd, struct pm_keyex_member *members, size_t count)
{
	expect(rd, '{');
	for (size_t i = 0; i < count; i++) {
		read_member(rd, members, count);
		expect(rd, i + 1 < count ? ',' : '}');
	}
	while (rd->left && is_space(rd->ptr[0]))
		pm_rd_skip(rd, 1);
}

int pm_keyex_read(struct pm_view json, struct pm_keyex_member *members, size_t count,
	struct pm_report *report)
{
	struct pm_rd rd = pm_rd(json);

	if (json.len > PM_KEYEX_JSON_MAX)
		return pm_fail(
			report, PM_E_LIMIT, "keyex.json", "at most 32768 bytes", "%zu", json.len);
	read_object(&rd, members, count);
	if (!pm_rd_done(&rd))
		return pm_fail(report, PM_E_FORMAT, "keyex.json",
			"an object of exactly the wanted members", "other text of %zu bytes",
			json.len);
	return PM_OK;
}

int pm_keyex_decode(
	const struct pm_keyex_member *member, uint8_t *ret, size_t size, struct pm_report *report)
{
	size_t len = 0;

	if (pm_base64_decode(member->value, ret, size, &len) < 0 || len != size)
		return pm_fail(report, PM_E_FORMAT, member->name, "base64 of the key's size",
			"%zu characters", member->value.len);
	return PM_OK;
}
