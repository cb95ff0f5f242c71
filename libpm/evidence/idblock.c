/* SPDX-License-Identifier: Apache-2.0 */
#include <pm/idblock.h>

#include <inttypes.h>
#include <string.h>

#include "base/hex.h"
#include "base/rd.h"
#include "base/report.h"
#include "base/wr.h"
#include "crypto/crypto.h"
#include "crypto/x509.h"

#define BLOCK_VERSION 1

/* A public key in AMD's format: curve, X and Y in little endian, zeros. */
#define KEY_SIZE       1028
#define KEY_CURVE_P384 2
#define COORD_FIELD    72
#define COORD_SIZE     48
#define KEY_RESERVED   (KEY_SIZE - 4 - 2 * COORD_FIELD)

/* A signature in AMD's format: R and S in little endian, zeros. */
#define SIGNATURE_SIZE 512

#define ALGO_NONE	0
#define ALGO_ECDSA_P384 1

/* SubjectPublicKeyInfo of a key on P-384 (RFC 5480), up to the coordinates. */
static const uint8_t spki_head[] = {0x30, 0x76, 0x30, 0x10, 0x06, 0x07, 0x2a, 0x86, 0x48, 0xce,
	0x3d, 0x02, 0x01, 0x06, 0x05, 0x2b, 0x81, 0x04, 0x00, 0x22, 0x03, 0x62, 0x00, 0x04};

#define SPKI_SIZE (sizeof(spki_head) + 2 * COORD_SIZE)

/* The ID authentication information in pieces, borrowed. */
struct auth {
	uint32_t id_algo, author_algo;
	struct pm_view block_signature;
	struct pm_view id_key;
	struct pm_view id_key_signature;
	struct pm_view author_key;
};

static void reverse(const uint8_t *from, size_t n, uint8_t *to)
{
	for (size_t i = 0; i < n; i++)
		to[i] = from[n - 1 - i];
}

/* --- the block ------------------------------------------------------------------------------- */

void pm_id_block_encode(const struct pm_id_block *block, uint8_t *ret_bytes)
{
	struct pm_wr wr = pm_wr(ret_bytes, PM_ID_BLOCK_SIZE);

	pm_wr_bytes(&wr, pm_view(block->launch_digest, sizeof(block->launch_digest)));
	pm_wr_bytes(&wr, pm_view(block->family_id, sizeof(block->family_id)));
	pm_wr_bytes(&wr, pm_view(block->image_id, sizeof(block->image_id)));
	pm_wr_le32(&wr, BLOCK_VERSION);
	pm_wr_le32(&wr, block->guest_svn);
	pm_wr_le64(&wr, block->policy);
}

int pm_id_block_decode(
	const uint8_t *bytes, size_t size, struct pm_report *report, struct pm_id_block *ret_block)
{
	struct pm_rd rd = pm_rd(pm_view(bytes, size));
	struct pm_id_block block;
	uint32_t version;

	pm_rd_copy(&rd, block.launch_digest, sizeof(block.launch_digest));
	pm_rd_copy(&rd, block.family_id, sizeof(block.family_id));
	pm_rd_copy(&rd, block.image_id, sizeof(block.image_id));
	version = pm_rd_le32(&rd);
	block.guest_svn = pm_rd_le32(&rd);
	block.policy = pm_rd_le64(&rd);
	if (!pm_rd_done(&rd))
		return pm_fail(report, PM_E_FORMAT, "id_block.size", "96 bytes", "%zu bytes", size);
	if (version != BLOCK_VERSION)
		return pm_fail(
			report, PM_E_UNSUPPORTED, "id_block.version", "1", "%" PRIu32, version);
	*ret_block = block;
	return PM_OK;
}

/* --- keys ------------------------------------------------------------------------------------ */

/* X and Y, most significant byte first, to the digest over AMD's format. */
static int digest_point(struct pm_view point, uint8_t *ret_digest)
{
	uint8_t bytes[KEY_SIZE], le[COORD_SIZE];
	struct pm_wr wr = pm_wr(bytes, sizeof(bytes));
	struct pm_rd rd = pm_rd(point);

	pm_wr_le32(&wr, KEY_CURVE_P384);
	for (int i = 0; i < 2; i++) {
		struct pm_view coord = pm_rd_bytes(&rd, COORD_SIZE);

		reverse(coord.ptr, coord.len, le);
		pm_wr_bytes(&wr, pm_view(le, sizeof(le)));
		pm_wr_zero(&wr, COORD_FIELD - COORD_SIZE);
	}
	pm_wr_zero(&wr, KEY_RESERVED);
	if (!pm_wr_done(&wr, NULL) || !pm_rd_done(&rd))
		return PM_E_FORMAT;
	return pm_hash(PM_SHA384, pm_view(bytes, sizeof(bytes)), ret_digest);
}

/* Loading the key checks its form and that the point is on the curve. */
static int digest_spki(struct pm_view spki, uint8_t *ret_digest)
{
	pm_cleanup(pm_pubkey) struct pm_pubkey *key = NULL;
	struct pm_rd rd = pm_rd(spki);
	int r = pm_pubkey_from_spki(spki, &key);

	if (r < 0)
		return r;
	if (pm_pubkey_type(key) != PM_KEY_P384)
		return PM_E_UNSUPPORTED;
	if (!pm_view_equal(
		    pm_rd_bytes(&rd, sizeof(spki_head)), pm_view(spki_head, sizeof(spki_head))))
		return PM_E_FORMAT;
	return digest_point(pm_rd_rest(&rd), ret_digest);
}

/* One key, not the last of several. */
struct pem_key {
	unsigned int count;
	uint8_t *ret_digest;
};

static int digest_pem_block(struct pm_view der, void *arg)
{
	struct pem_key *key = arg;

	if (key->count++)
		return PM_E_FORMAT;
	return digest_spki(der, key->ret_digest);
}

static int digest_key(struct pm_view key, uint8_t *ret_digest)
{
	struct pem_key pem = {.ret_digest = ret_digest};

	if (!pm_pem_is(key))
		return digest_spki(key, ret_digest);
	return pm_pem_each(key, "PUBLIC KEY", digest_pem_block, &pem);
}

int pm_id_key_digest(const uint8_t *key, size_t size, struct pm_report *report, uint8_t *ret_digest)
{
	uint8_t digest[PM_ID_KEY_DIGEST_SIZE];
	int r = pm_crypto_init();

	if (r < 0)
		return r;
	if (size > PM_ID_KEY_MAX)
		return pm_fail(
			report, PM_E_LIMIT, "key.size", "at most 4096 bytes", "%zu bytes", size);
	r = digest_key(pm_view(key, size), digest);
	if (r == PM_E_FORMAT || r == PM_E_UNSUPPORTED)
		return pm_fail(
			report, r, "key", "one public key on the curve P-384", "something else");
	if (r < 0)
		return r;
	pm_pass(report, "key", "%s", pm_hex(digest, sizeof(digest)).s);
	pm_copy(ret_digest, digest, sizeof(digest));
	return PM_OK;
}

/* --- signatures ------------------------------------------------------------------------------ */

/* Two numbers of 48 bytes in fields of 72, little endian, to 96 bytes, most significant first. */
static void read_pair(struct pm_rd *rd, uint8_t *ret)
{
	struct pm_wr wr = pm_wr(ret, 2 * COORD_SIZE);
	uint8_t le[COORD_SIZE], be[COORD_SIZE];

	for (int i = 0; i < 2; i++) {
		pm_rd_copy(rd, le, sizeof(le));
		pm_rd_zero(rd, COORD_FIELD - COORD_SIZE);
		reverse(le, sizeof(le), be);
		pm_wr_bytes(&wr, pm_view(be, sizeof(be)));
	}
}

static int load_key(struct pm_view bytes, struct pm_report *report, struct pm_pubkey **ret)
{
	uint8_t point[2 * COORD_SIZE], spki[SPKI_SIZE];
	struct pm_wr wr = pm_wr(spki, sizeof(spki));
	struct pm_rd rd = pm_rd(bytes);
	uint32_t curve = pm_rd_le32(&rd);
	int r;

	read_pair(&rd, point);
	pm_rd_zero(&rd, KEY_RESERVED);
	if (curve != KEY_CURVE_P384)
		return pm_fail(report, PM_E_UNSUPPORTED, "id_auth.key, curve", "2 (P-384)",
			"%" PRIu32, curve);
	if (!pm_rd_done(&rd))
		return pm_fail(report, PM_E_FORMAT, "id_auth.key, reserved", "zeros", "others");
	pm_wr_bytes(&wr, pm_view(spki_head, sizeof(spki_head)));
	pm_wr_bytes(&wr, pm_view(point, sizeof(point)));
	r = pm_pubkey_from_spki(pm_view(spki, sizeof(spki)), ret);
	if (r == PM_E_FORMAT)
		return pm_fail(report, r, "id_auth.key", "a point on the curve", "none");
	return r;
}

static int check_signature(const char *name, struct pm_view key_bytes, struct pm_view message,
	struct pm_view signature, struct pm_report *report)
{
	pm_cleanup(pm_pubkey) struct pm_pubkey *key = NULL;
	uint8_t raw[2 * COORD_SIZE];
	struct pm_rd rd = pm_rd(signature);
	int r = load_key(key_bytes, report, &key);

	if (r < 0)
		return r;
	read_pair(&rd, raw);
	pm_rd_zero(&rd, SIGNATURE_SIZE - 2 * COORD_FIELD);
	if (!pm_rd_done(&rd))
		return pm_fail(report, PM_E_FORMAT, name, "zeros in reserved bytes", "others");
	r = pm_ecdsa_verify(key, PM_SHA384, message, pm_view(raw, sizeof(raw)));
	if (r == PM_E_REJECTED)
		return pm_fail(report, r, name, "a signature of this key", "another");
	if (r < 0)
		return r;
	pm_pass(report, name, "verifies");
	return PM_OK;
}

static int parse_auth(struct pm_view bytes, struct pm_report *report, struct auth *ret)
{
	struct pm_rd rd = pm_rd(bytes);
	struct auth a = {0};

	a.id_algo = pm_rd_le32(&rd);
	a.author_algo = pm_rd_le32(&rd);
	pm_rd_zero(&rd, 56);
	a.block_signature = pm_rd_bytes(&rd, SIGNATURE_SIZE);
	a.id_key = pm_rd_bytes(&rd, KEY_SIZE);
	pm_rd_zero(&rd, 60);
	a.id_key_signature = pm_rd_bytes(&rd, SIGNATURE_SIZE);
	a.author_key = pm_rd_bytes(&rd, KEY_SIZE);
	pm_rd_zero(&rd, 892);
	if (!pm_rd_done(&rd))
		return pm_fail(report, PM_E_FORMAT, "id_auth",
			"4096 bytes with zeros in reserved fields", "%zu bytes", bytes.len);
	*ret = a;
	return PM_OK;
}

/* No author: each of its fields is zero, so that nothing unsigned is left to be believed. */
static bool has_author(const struct auth *a)
{
	return a->author_algo != ALGO_NONE || !pm_is_zero(a->author_key.ptr, a->author_key.len) ||
	       !pm_is_zero(a->id_key_signature.ptr, a->id_key_signature.len);
}

static int check_algo(const char *name, uint32_t algo, struct pm_report *report)
{
	if (algo != ALGO_ECDSA_P384)
		return pm_fail(report, PM_E_UNSUPPORTED, name, "1 (ECDSA P-384 with SHA-384)",
			"%" PRIu32, algo);
	return PM_OK;
}

static int verify_id_key(const struct auth *a, struct pm_view block, struct pm_report *report,
	struct pm_id_signers *ret)
{
	int r = check_algo("id_auth.id_key_algo", a->id_algo, report);

	if (r < 0)
		return r;
	r = check_signature(
		"id_block, signature of the ID key", a->id_key, block, a->block_signature, report);
	if (r < 0)
		return r;
	return pm_hash(PM_SHA384, a->id_key, ret->id_key_digest);
}

static int verify_author_key(
	const struct auth *a, struct pm_report *report, struct pm_id_signers *ret)
{
	int r;

	if (!has_author(a)) {
		pm_skip(report, "id_key, signature of the author key", "no author key");
		return PM_OK;
	}
	r = check_algo("id_auth.author_key_algo", a->author_algo, report);
	if (r < 0)
		return r;
	r = check_signature("id_key, signature of the author key", a->author_key, a->id_key,
		a->id_key_signature, report);
	if (r < 0)
		return r;
	ret->has_author = 1;
	return pm_hash(PM_SHA384, a->author_key, ret->author_key_digest);
}

int pm_id_block_verify(const uint8_t *block, size_t block_size, const uint8_t *auth,
	size_t auth_size, struct pm_report *report, struct pm_id_signers *ret_signers)
{
	struct pm_id_signers signers = {0};
	struct pm_id_block fields;
	struct auth a = {0};
	int r = pm_crypto_init();

	if (r < 0)
		return r;
	r = pm_id_block_decode(block, block_size, report, &fields);
	if (r < 0)
		return r;
	r = parse_auth(pm_view(auth, auth_size), report, &a);
	if (r < 0)
		return r;
	r = verify_id_key(&a, pm_view(block, block_size), report, &signers);
	if (r < 0)
		return r;
	r = verify_author_key(&a, report, &signers);
	if (r < 0)
		return r;
	*ret_signers = signers;
	return PM_OK;
}
