/* SPDX-License-Identifier: Apache-2.0 */
#include "pm-ctl/manifest_changes.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define TEXT_SIZE 512

void changes_add(struct changes *c, enum direction d, const char *text, ...)
{
	json_t *list = d == ALLOWS ? c->allows : d == FORBIDS ? c->forbids : c->other;
	char line[TEXT_SIZE];
	va_list args;

	va_start(args, text);
	vsnprintf(line, sizeof(line), text, args);
	va_end(args);
	json_array_append_new(list, json_string(line));
}

/* A value of a list as text; room of TEXT_SIZE. */
static void value_text(const json_t *value, char *ret)
{
	if (json_is_string(value))
		snprintf(ret, TEXT_SIZE, "%s", json_string_value(value));
	else if (json_is_integer(value))
		snprintf(ret, TEXT_SIZE, "%" JSON_INTEGER_FORMAT, json_integer_value(value));
	else
		snprintf(ret, TEXT_SIZE, "none");
}

static bool has(json_t *list, const json_t *value)
{
	for (size_t i = 0; i < json_array_size(list); i++) {
		if (json_equal(json_array_get(list, i), value))
			return true;
	}
	return false;
}

static void add_missing(struct changes *c, enum direction d, const char *about, const char *what,
	json_t *list, json_t *other)
{
	char text[TEXT_SIZE];

	for (size_t i = 0; i < json_array_size(list); i++) {
		json_t *value = json_array_get(list, i);

		if (has(other, value))
			continue;
		value_text(value, text);
		changes_add(c, d, "%s: %s %.200s", about, what, text);
	}
}

void changes_of_list(struct changes *c, const char *about, const char *what, json_t *before,
	json_t *after, int none_is_any)
{
	bool any_before = none_is_any && !json_is_array(before);
	bool any_after = none_is_any && !json_is_array(after);

	if (any_before && any_after)
		return;
	if (any_after) {
		changes_add(c, ALLOWS, "%s: any %s", about, what);
	} else if (any_before) {
		changes_add(c, FORBIDS, "%s: any %s but %zu", about, what, json_array_size(after));
	} else {
		add_missing(c, ALLOWS, about, what, after, before);
		add_missing(c, FORBIDS, about, what, before, after);
	}
}

/* --- how each key of a role compares --------------------------------------------------------- */

enum kind {
	LIST,	   /* more is allowed by more members */
	LIST_ANY,  /* and all when it is not there */
	LIST_VMPL, /* and level 0 when it is not there */
	LEAST,	   /* a number: less allows more; not there is 0 */
	MOST,	   /* a number: more allows more; not there is no limit */
	GRACE,	   /* a number: more allows more; not there is 0 */
	YES,	   /* true allows more */
	NO,	   /* true demands more */
	BITS,	   /* fewer bits allow more */
	DOTTED,	   /* a version: a lesser one allows more; not there is 0 */
	DOTTED_HEX,
	TCB,	 /* an object of products, each an object of numbers */
	DOTTEDS, /* an object of versions */
	DOTTEDS_HEX,
};

struct key {
	const char *name;
	enum kind kind;
	const char *what;
};

static void compare(
	struct changes *c, const char *about, const struct key *key, json_t *before, json_t *after);

/* sign > 0: the new value demands less. */
static void add_ordered(struct changes *c, int sign, const char *about, const char *what,
	const char *before, const char *after)
{
	if (sign)
		changes_add(c, sign > 0 ? ALLOWS : FORBIDS, "%s: %s %s, was %s", about, what, after,
			before);
}

static int order(json_int_t a, json_int_t b)
{
	return a < b ? -1 : a > b;
}

static void compare_number(struct changes *c, const char *about, const struct key *key,
	const json_t *before, const json_t *after)
{
	json_int_t none = key->kind == MOST ? INT64_MAX : 0;
	json_int_t old = json_is_integer(before) ? json_integer_value(before) : none;
	json_int_t new = json_is_integer(after) ? json_integer_value(after) : none;
	char old_text[TEXT_SIZE], new_text[TEXT_SIZE];
	int sign = key->kind == LEAST ? order(old, new) : order(new, old);

	value_text(before, old_text);
	value_text(after, new_text);
	add_ordered(c, sign, about, key->what, old_text, new_text);
}

static void compare_flag(struct changes *c, const char *about, const struct key *key,
	const json_t *before, const json_t *after)
{
	bool old = json_is_true(before) != (key->kind == NO);
	bool new = json_is_true(after) != (key->kind == NO);

	if (old != new)
		changes_add(c, new ? ALLOWS : FORBIDS, "%s: %s", about, key->what);
}

static uint64_t bits_of(const json_t *value)
{
	return json_is_string(value) ? strtoull(json_string_value(value), NULL, 16) : 0;
}

static void compare_bits(struct changes *c, const char *about, const struct key *key,
	const json_t *before, const json_t *after)
{
	uint64_t old = bits_of(before), new = bits_of(after);

	if (old & ~new)
		changes_add(
			c, ALLOWS, "%s: %s 0x%" PRIx64 " no longer", about, key->what, old & ~new);
	if (new & ~old)
		changes_add(c, FORBIDS, "%s: %s 0x%" PRIx64, about, key->what, new & ~old);
}

/* Number by number, as the library compares versions; one that is not there is 0. */
static int order_dotted(const json_t *a, const json_t *b, int base)
{
	const char *x = json_is_string(a) ? json_string_value(a) : "0";
	const char *y = json_is_string(b) ? json_string_value(b) : "0";

	while (*x || *y) {
		unsigned long long m = *x ? strtoull(x, (char **)&x, base) : 0;
		unsigned long long n = *y ? strtoull(y, (char **)&y, base) : 0;

		if (m != n)
			return m < n ? -1 : 1;
		x += *x == '.';
		y += *y == '.';
	}
	return 0;
}

static void compare_dotted(struct changes *c, const char *about, const struct key *key,
	const json_t *before, const json_t *after)
{
	int base = key->kind == DOTTED_HEX ? 16 : 10;
	char old_text[TEXT_SIZE], new_text[TEXT_SIZE];

	value_text(before, old_text);
	value_text(after, new_text);
	add_ordered(c, order_dotted(before, after, base), about, key->what, old_text, new_text);
}

/* Each member of two objects by one kind, those that only one of them has among them. */
static void compare_members(struct changes *c, const char *about, const struct key *key,
	enum kind kind, json_t *before, json_t *after)
{
	json_t *names = json_object(), *value;
	const char *name;

	json_object_update(names, before);
	json_object_update(names, after);
	json_object_foreach(names, name, value)
	{
		char what[TEXT_SIZE];
		const struct key member = {name, kind, what};

		snprintf(what, sizeof(what), "%s %s", key->what, name);
		compare(c, about, &member, json_object_get(before, name),
			json_object_get(after, name));
	}
	json_decref(names);
}

/*
 * A product that the least REPORTED_TCB does not name is refused; of the other kinds it is free.
 * The first is told by the word of its key.
 */
static void compare_product(
	struct changes *c, const char *about, const struct key *key, json_t *before, json_t *after)
{
	bool refuses = !strncmp(key->what, "least TCB", 9);

	if (before && after) {
		compare_members(c, about, key, LEAST, before, after);
	} else if (before || after) {
		bool more = refuses == (after != NULL);

		changes_add(c, more ? ALLOWS : FORBIDS, "%s: %s %s", about, key->what,
			after ? "given" : "no longer given");
	}
}

static void compare_tcb(
	struct changes *c, const char *about, const struct key *key, json_t *before, json_t *after)
{
	static const char *const products[] = {"Milan", "Genoa", "Turin"};

	for (size_t i = 0; i < 3; i++) {
		char what[TEXT_SIZE];
		const struct key product = {products[i], TCB, what};

		snprintf(what, sizeof(what), "%s of %s", key->what, products[i]);
		compare_product(c, about, &product, json_object_get(before, products[i]),
			json_object_get(after, products[i]));
	}
}

static void compare_vmpl(
	struct changes *c, const char *about, const struct key *key, json_t *before, json_t *after)
{
	json_t *zero = json_pack("[i]", 0);

	changes_of_list(c, about, key->what, before ? before : zero, after ? after : zero, 0);
	json_decref(zero);
}

static void compare(
	struct changes *c, const char *about, const struct key *key, json_t *before, json_t *after)
{
	switch (key->kind) {
	case LIST:
	case LIST_ANY:
		changes_of_list(c, about, key->what, before, after, key->kind == LIST_ANY);
		return;
	case LIST_VMPL:
		compare_vmpl(c, about, key, before, after);
		return;
	case LEAST:
	case MOST:
	case GRACE:
		compare_number(c, about, key, before, after);
		return;
	case YES:
	case NO:
		compare_flag(c, about, key, before, after);
		return;
	case BITS:
		compare_bits(c, about, key, before, after);
		return;
	case DOTTED:
	case DOTTED_HEX:
		compare_dotted(c, about, key, before, after);
		return;
	case TCB:
		compare_tcb(c, about, key, before, after);
		return;
	case DOTTEDS:
	case DOTTEDS_HEX:
		compare_members(
			c, about, key, key->kind == DOTTEDS ? DOTTED : DOTTED_HEX, before, after);
		return;
	}
}

static const struct key snp_keys[] = {
	{"measurements", LIST, "measurement"},
	{"host_data", LIST_ANY, "HOST_DATA"},
	{"chip_ids", LIST_ANY, "chip"},
	{"min_tcb", TCB, "least TCB"},
	{"signers", LIST, "signing key"},
	{"require_crl", NO, "evidence without a revocation list"},
	{"author_key_digests", LIST_ANY, "author key"},
	{"family_ids", LIST_ANY, "family"},
	{"id_key_digests", LIST_ANY, "ID key"},
	{"image_ids", LIST_ANY, "image"},
	{"report_ids", LIST_ANY, "report ID"},
	{"report_ids_ma", LIST_ANY, "report ID of a migration agent"},
	{"csp_ids", LIST_ANY, "provider of VLEKs"},
	{"max_crl_age", MOST, "greatest age of a revocation list"},
	{"min_abi", DOTTED, "least ABI of the guest's policy"},
	{"min_committed_tcb", TCB, "committed TCB"},
	{"min_current_tcb", TCB, "current TCB"},
	{"min_firmware", DOTTED, "least firmware"},
	{"min_guest_svn", LEAST, "least GUEST_SVN"},
	{"min_launch_tcb", TCB, "launch TCB"},
	{"min_version", LEAST, "least version of the report"},
	{"permit_cxl", YES, "memory on CXL devices"},
	{"permit_debug", YES, "debugging: the host may read and write the guest's memory"},
	{"permit_masked_chip_id", YES, "a chip that hides which one it is"},
	{"permit_migrate_ma", YES, "a migration agent"},
	{"platform_info_clear", BITS, "PLATFORM_INFO must not have"},
	{"platform_info_set", BITS, "PLATFORM_INFO must have"},
	{"policy_clear", BITS, "POLICY must not have"},
	{"policy_set", BITS, "POLICY must have"},
	{"products", LIST_ANY, "product"},
	{"require_author_key", NO, "an ID key that nobody certified"},
	{"require_committed", NO, "provisional firmware"},
	{"require_current_mitigations", BITS, "mitigations now must have"},
	{"require_id_block", NO, "a guest without an ID block"},
	{"require_launch_mitigations", BITS, "mitigations at launch must have"},
	{"vmpls", LIST_VMPL, "VMPL"},
};

static const struct key gpu_keys[] = {
	{"min_count", LEAST, "least number of GPUs"},
	{"max_age", MOST, "greatest age of GPU evidence"},
	{"archs", LIST, "GPU architecture"},
	{"modes", LIST_ANY, "GPU mode"},
	{"drivers", LIST_ANY, "driver"},
	{"vbios", LIST_ANY, "VBIOS"},
	{"require_rim", NO, "GPUs without golden measurements"},
	{"require_ocsp", NO, "GPUs of which nothing tells whether they are revoked"},
	{"min_driver", DOTTEDS, "least driver of"},
	{"min_vbios", DOTTEDS_HEX, "least VBIOS of"},
	{"permit_hold", GRACE, "seconds that a certificate on hold is accepted"},
	{"permit_ocsp_unknown", YES, "GPUs that OCSP does not know"},
	{"permit_unknown_opaque", YES, "unknown fields of GPU reports"},
	{"require_all_golden", NO, "measurements without a golden value"},
	{"require_fwid", NO, "GPUs without a firmware identity"},
	{"require_switch_lock", NO, "switches that are not locked"},
};

static void compare_keys(struct changes *c, const char *about, const struct key *keys, size_t count,
	json_t *before, json_t *after)
{
	for (size_t i = 0; i < count; i++)
		compare(c, about, &keys[i], json_object_get(before, keys[i].name),
			json_object_get(after, keys[i].name));
}

void changes_of_snp(struct changes *c, const char *about, json_t *before, json_t *after)
{
	compare_keys(c, about, snp_keys, sizeof(snp_keys) / sizeof(snp_keys[0]), before, after);
}

void changes_of_gpu(struct changes *c, const char *about, json_t *before, json_t *after)
{
	if (json_is_null(before) && json_is_null(after))
		return;
	if (json_is_null(after))
		changes_add(c, ALLOWS, "%s: machines without GPUs", about);
	else if (json_is_null(before))
		changes_add(c, FORBIDS, "%s: machines without GPUs", about);
	else
		compare_keys(
			c, about, gpu_keys, sizeof(gpu_keys) / sizeof(gpu_keys[0]), before, after);
}
