/* SPDX-License-Identifier: Apache-2.0 */
/* The claims: what a worker says of himself, and what it may not say. */
#include <inttypes.h>
#include <string.h>

#include "base/cbor.h"
#include "base/report.h"
#include "crypto/crypto.h"
#include "evidence/bundle.h"

/* Keys of the map, and of each model. */
enum { KEY = 1, TLS, MODELS, GPUS, ROLE, ISSUED, EPOCH, GPU_TIME, DOCUMENT, CLAIMS_KEYS = 9 };
enum { MODEL_NAME = 1, MODEL_ROOT, MODEL_KEYS = 2 };

_Static_assert(PM_CLAIMS_KEY_SIZE_MAX >= PM_CLAIMS_XWING_SIZE, "room for either key");

static struct pm_view text(const char *s)
{
	return pm_view(s, strlen(s));
}

/* --- rules ------------------------------------------------------------------------------------ */

static int refuse(struct pm_report *report, int error, const char *name, const char *expected,
	size_t found, const char *unit)
{
	return pm_fail(report, error, name, expected, "%zu %s", found, unit);
}

static bool is_name(struct pm_view name)
{
	for (size_t i = 0; i < name.len; i++) {
		if (name.ptr[i] <= ' ' || name.ptr[i] > '~')
			return false;
	}
	return name.len;
}

/* Negative when a comes before b, by their bytes; 0 when they are the same. */
static int compare(const char *a, const char *b)
{
	return strcmp(a, b);
}

static int check_spki(struct pm_view spki, struct pm_report *report)
{
	pm_cleanup(pm_pubkey) struct pm_pubkey *key = NULL;
	int r = pm_pubkey_from_spki(spki, &key);

	if (r == PM_OK && pm_pubkey_type(key) == PM_KEY_RSA)
		r = PM_E_UNSUPPORTED;
	if (r < 0)
		return refuse(report, r, "claims.key",
			"an X-Wing key, or SubjectPublicKeyInfo of P-256 or P-384", spki.len,
			"bytes");
	return PM_OK;
}

static int check_key(const struct pm_claims *c, struct pm_report *report)
{
	if (c->key_kind == PM_CLAIMS_XWING && c->key_len == PM_CLAIMS_XWING_SIZE)
		return PM_OK;
	if (c->key_kind != PM_CLAIMS_SPKI || c->key_len >= PM_CLAIMS_XWING_SIZE)
		return refuse(report, PM_E_FORMAT, "claims.key", "a key of its kind", c->key_len,
			"bytes");
	return check_spki(pm_view(c->key, c->key_len), report);
}

static int check_models(const struct pm_claims *c, struct pm_report *report)
{
	for (size_t i = 0; i < c->model_count; i++) {
		if (!is_name(text(c->models[i].name)))
			return refuse(report, PM_E_FORMAT, "claims.models",
				"names of printable ASCII without spaces", i, "before a bad one");
		if (i && compare(c->models[i - 1].name, c->models[i].name) >= 0)
			return refuse(report, PM_E_FORMAT, "claims.models",
				"in the order of the names, each once", i, "in order");
	}
	return PM_OK;
}

static int check_time(int64_t time, const char *name, struct pm_report *report)
{
	if (time < 0 || time > PM_BUNDLE_TIME_MAX)
		return pm_fail(report, PM_E_FORMAT, name, "seconds since 1970", "%" PRId64, time);
	return PM_OK;
}

/* What both ends look at: counts and lengths are within bounds already. */
static int check(const struct pm_claims *c, struct pm_report *report)
{
	int r = check_key(c, report);

	if (r < 0)
		return r;
	r = check_models(c, report);
	if (r < 0)
		return r;
	if (!is_name(text(c->role)))
		return refuse(report, PM_E_FORMAT, "claims.role",
			"a name of printable ASCII without spaces", strlen(c->role), "bytes");
	r = check_time(c->issued_at, "claims.issued_at", report);
	return r < 0 ? r : check_time(c->gpu_time, "claims.gpu_time", report);
}

/* --- writing ---------------------------------------------------------------------------------- */

static bool is_bounded(const char *text, size_t max)
{
	return strnlen(text, max + 1) <= max;
}

static int check_bounds(const struct pm_claims *c, struct pm_report *report)
{
	if (c->key_len > PM_CLAIMS_KEY_SIZE_MAX)
		return refuse(
			report, PM_E_LIMIT, "claims.key", "at most 1216", c->key_len, "bytes");
	if (c->model_count > PM_CLAIMS_MODELS_MAX)
		return refuse(report, PM_E_LIMIT, "claims.models", "at most 32", c->model_count,
			"models");
	if (c->gpu_count > PM_BUNDLE_GPUS_MAX)
		return refuse(
			report, PM_E_LIMIT, "claims.gpus", "at most 16", c->gpu_count, "GPUs");
	if (!is_bounded(c->role, PM_CLAIMS_ROLE_MAX))
		return refuse(report, PM_E_LIMIT, "claims.role", "at most 64 bytes",
			sizeof(c->role), "bytes");
	for (size_t i = 0; i < c->model_count; i++) {
		if (!is_bounded(c->models[i].name, PM_CLAIMS_MODEL_NAME_MAX))
			return refuse(report, PM_E_LIMIT, "claims.models",
				"names of at most 128 bytes", i, "before a longer one");
	}
	return PM_OK;
}

static void write_digest(struct pm_wr *wr, const uint8_t *digest)
{
	pm_cbor_wr_bytes(wr, pm_view(digest, PM_BUNDLE_DIGEST_SIZE));
}

static void write_models(struct pm_wr *wr, const struct pm_claims *c)
{
	pm_cbor_wr_uint(wr, MODELS);
	pm_cbor_wr_array(wr, c->model_count);
	for (size_t i = 0; i < c->model_count; i++) {
		pm_cbor_wr_map(wr, MODEL_KEYS);
		pm_cbor_wr_uint(wr, MODEL_NAME);
		pm_cbor_wr_text(wr, text(c->models[i].name));
		pm_cbor_wr_uint(wr, MODEL_ROOT);
		write_digest(wr, c->models[i].root_hash);
	}
}

static void write_gpus(struct pm_wr *wr, const struct pm_claims *c)
{
	pm_cbor_wr_uint(wr, GPUS);
	pm_cbor_wr_array(wr, c->gpu_count);
	for (size_t i = 0; i < c->gpu_count; i++)
		write_digest(wr, c->gpus[i]);
}

static void write_gpu_epoch(struct pm_wr *wr, const struct pm_claims *c)
{
	pm_cbor_wr_uint(wr, EPOCH);
	pm_cbor_wr_bytes(wr, pm_view(c->gpu_epoch_nonce, sizeof(c->gpu_epoch_nonce)));
	pm_cbor_wr_uint(wr, GPU_TIME);
	pm_cbor_wr_uint(wr, (uint64_t)c->gpu_time);
}

/* How many keys the map has. */
static size_t count_keys(const struct pm_claims *c)
{
	return (size_t)CLAIMS_KEYS - (c->has_tls ? 0 : 1) - (c->gpu_count ? 0 : 2) -
	       (c->has_document ? 0 : 1);
}

static void write_document(struct pm_wr *wr, const struct pm_claims *c)
{
	pm_cbor_wr_uint(wr, DOCUMENT);
	write_digest(wr, c->document_sha256);
}

static void write_claims(struct pm_wr *wr, const struct pm_claims *c)
{
	pm_cbor_wr_map(wr, count_keys(c));
	pm_cbor_wr_uint(wr, KEY);
	pm_cbor_wr_bytes(wr, pm_view(c->key, c->key_len));
	if (c->has_tls) {
		pm_cbor_wr_uint(wr, TLS);
		write_digest(wr, c->tls_spki_sha256);
	}
	write_models(wr, c);
	write_gpus(wr, c);
	pm_cbor_wr_uint(wr, ROLE);
	pm_cbor_wr_text(wr, text(c->role));
	pm_cbor_wr_uint(wr, ISSUED);
	pm_cbor_wr_uint(wr, (uint64_t)c->issued_at);
	if (c->gpu_count)
		write_gpu_epoch(wr, c);
	if (c->has_document)
		write_document(wr, c);
}

int pm_claims_encode(const struct pm_claims *claims, struct pm_report *report, uint8_t *ret_bytes,
	size_t *ret_len)
{
	struct pm_wr wr = pm_wr(ret_bytes, PM_BUNDLE_CLAIMS_SIZE_MAX);
	int r = check_bounds(claims, report);

	if (r == PM_OK)
		r = check(claims, report);
	if (r < 0)
		return r;
	write_claims(&wr, claims);
	if (!pm_wr_done(&wr, ret_len))
		return pm_fail(report, PM_E_LIMIT, "claims", "at most 16384 bytes", "more");
	return PM_OK;
}

/* --- reading ---------------------------------------------------------------------------------- */

/* Takes the key if it is the next one: for what may be absent. */
static bool take_key(struct pm_rd *rd, uint64_t key)
{
	struct pm_rd ahead = *rd;

	if (pm_cbor_rd_uint(&ahead, UINT64_MAX) != key || !pm_rd_ok(&ahead))
		return false;
	*rd = ahead;
	return true;
}

/* A text with its NUL, of which there is none within it. */
static void read_name(struct pm_rd *rd, size_t max, char *ret)
{
	struct pm_view name = pm_cbor_rd_text(rd, max);

	if (!is_name(name))
		pm_rd_fail(rd);
	else
		pm_copy(ret, name.ptr, name.len);
}

static void read_key(struct pm_rd *rd, struct pm_claims *c)
{
	struct pm_view key;

	pm_cbor_rd_key(rd, KEY);
	key = pm_cbor_rd_bytes(rd, PM_CLAIMS_KEY_SIZE_MAX);
	pm_copy(c->key, key.ptr, key.len);
	c->key_len = key.len;
	c->key_kind = key.len == PM_CLAIMS_XWING_SIZE ? PM_CLAIMS_XWING : PM_CLAIMS_SPKI;
}

static void read_tls(struct pm_rd *rd, struct pm_claims *c)
{
	c->has_tls = take_key(rd, TLS);
	if (c->has_tls)
		pm_cbor_rd_copy(rd, c->tls_spki_sha256, sizeof(c->tls_spki_sha256));
}

static void read_models(struct pm_rd *rd, struct pm_claims *c)
{
	pm_cbor_rd_key(rd, MODELS);
	c->model_count = pm_cbor_rd_array(rd, PM_CLAIMS_MODELS_MAX);
	for (size_t i = 0; i < c->model_count; i++) {
		if (pm_cbor_rd_map(rd, MODEL_KEYS) != MODEL_KEYS)
			pm_rd_fail(rd);
		pm_cbor_rd_key(rd, MODEL_NAME);
		read_name(rd, PM_CLAIMS_MODEL_NAME_MAX, c->models[i].name);
		pm_cbor_rd_key(rd, MODEL_ROOT);
		pm_cbor_rd_copy(rd, c->models[i].root_hash, PM_BUNDLE_DIGEST_SIZE);
	}
}

static void read_gpus(struct pm_rd *rd, struct pm_claims *c)
{
	pm_cbor_rd_key(rd, GPUS);
	c->gpu_count = pm_cbor_rd_array(rd, PM_BUNDLE_GPUS_MAX);
	for (size_t i = 0; i < c->gpu_count; i++)
		pm_cbor_rd_copy(rd, c->gpus[i], PM_BUNDLE_DIGEST_SIZE);
}

static void read_role(struct pm_rd *rd, struct pm_claims *c)
{
	pm_cbor_rd_key(rd, ROLE);
	read_name(rd, PM_CLAIMS_ROLE_MAX, c->role);
}

static void read_issued_at(struct pm_rd *rd, struct pm_claims *c)
{
	pm_cbor_rd_key(rd, ISSUED);
	c->issued_at = (int64_t)pm_cbor_rd_uint(rd, (uint64_t)PM_BUNDLE_TIME_MAX);
}

/* GPU evidence without its nonce and time could not be judged; the two without it say nothing. */
static void read_gpu_epoch(struct pm_rd *rd, struct pm_claims *c)
{
	if (!c->gpu_count)
		return;
	pm_cbor_rd_key(rd, EPOCH);
	pm_cbor_rd_copy(rd, c->gpu_epoch_nonce, sizeof(c->gpu_epoch_nonce));
	pm_cbor_rd_key(rd, GPU_TIME);
	c->gpu_time = (int64_t)pm_cbor_rd_uint(rd, (uint64_t)PM_BUNDLE_TIME_MAX);
}

static void read_document(struct pm_rd *rd, struct pm_claims *c)
{
	c->has_document = take_key(rd, DOCUMENT);
	if (c->has_document)
		pm_cbor_rd_copy(rd, c->document_sha256, sizeof(c->document_sha256));
}

static const struct {
	const char *name;
	void (*read)(struct pm_rd *rd, struct pm_claims *c);
} parts[] = {
	{"claims.key", read_key},
	{"claims.tls", read_tls},
	{"claims.models", read_models},
	{"claims.gpus", read_gpus},
	{"claims.role", read_role},
	{"claims.issued_at", read_issued_at},
	{"claims.gpu_epoch", read_gpu_epoch},
	{"claims.document", read_document},
};

static int malformed(struct pm_report *report, const char *name, size_t size)
{
	return pm_fail(report, PM_E_FORMAT, name, "deterministic CBOR of this claim",
		"something else, in claims of %zu bytes", size);
}

static int read_claims(struct pm_view cbor, struct pm_report *report, struct pm_claims *c)
{
	struct pm_rd rd = pm_rd(cbor);
	size_t keys = pm_cbor_rd_map(&rd, CLAIMS_KEYS);

	if (!pm_rd_ok(&rd))
		return malformed(report, "claims", cbor.len);
	for (size_t i = 0; i < PM_ARRAY_LEN(parts); i++) {
		parts[i].read(&rd, c);
		if (!pm_rd_ok(&rd))
			return malformed(report, parts[i].name, cbor.len);
	}
	if (!pm_rd_done(&rd))
		return malformed(report, "claims.end", cbor.len);
	if (keys != count_keys(c))
		return malformed(report, "claims.count", cbor.len);
	return PM_OK;
}

int pm_claims_parse(struct pm_view cbor, struct pm_report *report, struct pm_claims *ret)
{
	struct pm_claims c = {0};
	int r = read_claims(cbor, report, &c);

	if (r == PM_OK)
		r = check(&c, report);
	if (r == PM_OK)
		*ret = c;
	return r;
}
