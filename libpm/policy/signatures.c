/* SPDX-License-Identifier: Apache-2.0 */
/* The file of signatures under a manifest: read, written, added to. */
#include "policy/signatures.h"

#include <stdlib.h>
#include <string.h>

#include "base/base64.h"
#include "base/hex.h"
#include "base/wr.h"

#define ARGS                                                                                       \
	const struct pm_json_at *at, json_t *value, const struct pm_json_rule *rule, void *target

/* Of the checks in a report. */
#define NAME "signatures"

_Static_assert(PM_SIGNATURE_SIZE_MAX == PM_SIGN_SIGNATURE_MAX, "one longest signature");

static const char label[] = "libpm manifest signature v1"; /* with its final NUL */

_Static_assert(PM_SIGNATURE_MESSAGE_SIZE == sizeof(label) + PM_MANIFEST_HASH_SIZE, "label, hash");

void pm_signatures_message(const uint8_t *hash, uint8_t *ret_message)
{
	struct pm_wr wr = pm_wr(ret_message, PM_SIGNATURE_MESSAGE_SIZE);

	pm_wr_bytes(&wr, pm_view(label, sizeof(label)));
	pm_wr_bytes(&wr, pm_view(hash, PM_MANIFEST_HASH_SIZE));
}

int pm_signatures_new(const struct pm_manifest *manifest, struct pm_signatures **ret_signatures)
{
	struct pm_signatures *signatures = pm_alloc(sizeof(*signatures));

	if (!signatures)
		return PM_E_NOMEM;
	pm_manifest_hash(manifest, signatures->manifest);
	*ret_signatures = signatures;
	return PM_OK;
}

void pm_signatures_free(struct pm_signatures *signatures)
{
	free(signatures);
}

const uint8_t *pm_signatures_manifest(const struct pm_signatures *signatures)
{
	return signatures->manifest;
}

const struct pm_signature *pm_signatures_at(const struct pm_signatures *signatures, size_t index)
{
	return index < signatures->count ? &signatures->list[index] : NULL;
}

const struct pm_signature *pm_signatures_of(
	const struct pm_signatures *signatures, const uint8_t *key_id)
{
	for (size_t i = 0; i < signatures->count; i++) {
		if (pm_ct_equal(signatures->list[i].key_id, key_id, PM_SIGN_ID_SIZE))
			return &signatures->list[i];
	}
	return NULL;
}

/* --- reading --------------------------------------------------------------------------------- */

static int read_manifest(ARGS)
{
	struct pm_signatures *signatures = target;

	(void)rule;
	return pm_json_hex(at, value, signatures->manifest, sizeof(signatures->manifest));
}

static int read_key_id(ARGS)
{
	struct pm_signature *s = target;

	(void)rule;
	return pm_json_hex(at, value, s->key_id, sizeof(s->key_id));
}

static int read_algorithm(ARGS)
{
	static const char *const words[] = {"ed25519", "ecdsa-p384-sha384", NULL};
	struct pm_signature *s = target;
	unsigned int found = 0;
	int r = pm_json_word(at, value, words, "\"ed25519\" or \"ecdsa-p384-sha384\"", &found);

	(void)rule;
	if (r == PM_OK)
		s->type = (enum pm_sign_type)(PM_SIGN_ED25519 + found);
	return r;
}

static int read_signature(ARGS)
{
	struct pm_signature *s = target;
	struct pm_view text = pm_view(json_string_value(value), json_string_length(value));

	(void)rule;
	if (!json_is_string(value) || !text.len ||
		pm_base64_decode(text, s->bytes, sizeof(s->bytes), &s->size) < 0)
		return pm_json_complain(at, value, "base64 of a signature of at most 104 bytes");
	return PM_OK;
}

static const struct pm_json_rule entry_rules[] = {
	{.key = "key", .read = read_key_id},
	{.key = "algorithm", .read = read_algorithm},
	{.key = "signature", .read = read_signature},
};

static int read_entry(ARGS)
{
	struct pm_signatures *signatures = target;
	struct pm_signature s = {0};
	int r = pm_json_object(at, value, entry_rules, PM_ARRAY_LEN(entry_rules), &s);

	(void)rule;
	if (r < 0)
		return r;
	if (pm_signatures_of(signatures, s.key_id))
		return pm_json_complain(at, value, "one signature of each key");
	signatures->list[signatures->count++] = s;
	return PM_OK;
}

int pm_signatures_read_list(ARGS)
{
	static const struct pm_json_rule element = {.read = read_entry};

	(void)rule;
	if (json_is_array(value) && !json_array_size(value))
		return PM_OK;
	return pm_json_array(at, value, &element, PM_SIGNATURES_MAX, target);
}

static const struct pm_json_rule rules[] = {
	{.key = "manifest", .read = read_manifest},
	{.key = "signatures", .read = pm_signatures_read_list},
};

int pm_signatures_parse(const void *bytes, size_t size, struct pm_report *report,
	struct pm_signatures **ret_signatures)
{
	pm_cleanup(pm_signatures) struct pm_signatures *signatures = pm_alloc(sizeof(*signatures));
	struct pm_json_at root = pm_json_root(NAME, report);
	pm_cleanup(json) json_t *json = NULL;
	int r;

	if (!signatures)
		return PM_E_NOMEM;
	r = pm_json_parse(NAME, pm_view(bytes, size), PM_SIGNATURES_SIZE_MAX, report, &json);
	if (r == PM_OK)
		r = pm_json_object(&root, json, rules, PM_ARRAY_LEN(rules), signatures);
	if (r < 0)
		return r;
	*ret_signatures = pm_steal(signatures);
	return PM_OK;
}

/* --- adding ---------------------------------------------------------------------------------- */

static int check_room(const struct pm_signatures *signatures, const struct pm_sign_public *key)
{
	if (pm_signatures_of(signatures, key->id))
		return PM_E_STATE;
	return signatures->count == PM_SIGNATURES_MAX ? PM_E_LIMIT : PM_OK;
}

static void append(struct pm_signatures *signatures, const struct pm_sign_public *key,
	const void *bytes, size_t size)
{
	struct pm_signature *s = &signatures->list[signatures->count++];

	*s = (struct pm_signature){.type = key->type, .size = size};
	pm_copy(s->key_id, key->id, sizeof(s->key_id));
	pm_copy(s->bytes, bytes, size);
}

int pm_signatures_sign_message(
	struct pm_signatures *signatures, const struct pm_sign_key *key, struct pm_view message)
{
	const struct pm_sign_public *public = pm_sign_key_public(key);
	int r = check_room(signatures, public);
	uint8_t bytes[PM_SIGNATURE_SIZE_MAX];
	size_t size = 0;

	if (r < 0)
		return r;
	r = pm_sign(key, message, bytes, &size);
	if (r < 0)
		return r;
	append(signatures, public, bytes, size);
	return PM_OK;
}

int pm_signatures_sign(struct pm_signatures *signatures, const struct pm_sign_key *key)
{
	uint8_t message[PM_SIGNATURE_MESSAGE_SIZE];

	pm_signatures_message(signatures->manifest, message);
	return pm_signatures_sign_message(signatures, key, pm_view(message, sizeof(message)));
}

int pm_signatures_add(struct pm_signatures *signatures, const struct pm_sign_public *key,
	const void *bytes, size_t size)
{
	uint8_t message[PM_SIGNATURE_MESSAGE_SIZE];
	int r = check_room(signatures, key);

	if (r < 0)
		return r;
	if (size > PM_SIGNATURE_SIZE_MAX)
		return PM_E_REJECTED;
	pm_signatures_message(signatures->manifest, message);
	r = pm_sign_verify(key, pm_view(message, sizeof(message)), pm_view(bytes, size));
	if (r < 0)
		return r;
	append(signatures, key, bytes, size);
	return PM_OK;
}

/* --- writing --------------------------------------------------------------------------------- */

static json_t *entry_json(const struct pm_signature *s)
{
	char text[PM_BASE64_SIZE(PM_SIGNATURE_SIZE_MAX)];

	if (pm_base64_encode(pm_view(s->bytes, s->size), text, sizeof(text)) < 0)
		return NULL;
	return json_pack("{s:s, s:s, s:s}", "key", pm_hex(s->key_id, sizeof(s->key_id)).s,
		"algorithm", pm_sign_type_name((int)s->type), "signature", text);
}

json_t *pm_signatures_list_json(const struct pm_signatures *signatures)
{
	json_t *list = json_array();
	bool failed = !list;

	for (size_t i = 0; !failed && i < signatures->count; i++)
		failed = json_array_append_new(list, entry_json(&signatures->list[i])) != 0;
	if (!failed)
		return list;
	json_decref(list);
	return NULL;
}

int pm_signatures_text(const struct pm_signatures *signatures, char *ret_text, size_t *ret_size)
{
	json_t *list = pm_signatures_list_json(signatures);
	pm_cleanup(json) json_t *json =
		list ? json_pack("{s:s, s:o}", "manifest",
			       pm_hex(signatures->manifest, sizeof(signatures->manifest)).s,
			       "signatures", list)
		     : NULL;
	size_t len;

	if (!json)
		return PM_E_NOMEM;
	len = json_dumpb(json, ret_text, PM_SIGNATURES_SIZE_MAX - 2, JSON_INDENT(2));
	if (!len || len > PM_SIGNATURES_SIZE_MAX - 2)
		return PM_E_NOMEM;
	ret_text[len] = '\n';
	ret_text[len + 1] = '\0';
	*ret_size = len + 1;
	return PM_OK;
}
