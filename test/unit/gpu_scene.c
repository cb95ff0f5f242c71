/* SPDX-License-Identifier: Apache-2.0 */
#include "gpu_scene.h"

#include <string.h>

#include <pm/error.h>

#include "base/wr.h"
#include "crypto/crypto.h"
#include "evidence/gpu_chain.h"
#include "testing.h"

#define SIGNATURE_SIZE 96

struct gpu_keys gpu_keys;

void gpu_make_keys(void)
{
	for (int i = 0; i < PM_GPU_CERTS; i++)
		gpu_keys.chain[i] = mint_ec("P-384");
	gpu_keys.stranger = mint_ec("P-384");
	gpu_keys.p256 = mint_ec("P-256");
	gpu_keys.rsa = mint_rsa(2048);
}

void gpu_free_keys(void)
{
	for (int i = 0; i < PM_GPU_CERTS; i++)
		EVP_PKEY_free(gpu_keys.chain[i]);
	EVP_PKEY_free(gpu_keys.stranger);
	EVP_PKEY_free(gpu_keys.p256);
	EVP_PKEY_free(gpu_keys.rsa);
}

/* --- report ---------------------------------------------------------------------------------- */

struct gpu_field *gpu_scene_field(struct gpu_scene *s, uint16_t id)
{
	struct gpu_field *f;

	for (size_t i = 0; i < s->field_count; i++) {
		if (s->fields[i].id == id)
			return &s->fields[i];
	}
	ck_assert_uint_lt(s->field_count, GPU_FIELDS_MAX);
	f = &s->fields[s->field_count++];
	memset(f, 0, sizeof(*f));
	f->id = id;
	return f;
}

void gpu_scene_set(struct gpu_scene *s, uint16_t id, const void *value, size_t len)
{
	struct gpu_field *f = gpu_scene_field(s, id);

	ck_assert_uint_le(len, sizeof(f->value));
	memset(f->value, 0, sizeof(f->value));
	memcpy(f->value, value, len);
	f->len = (uint16_t)len;
}

void gpu_scene_drop(struct gpu_scene *s, uint16_t id)
{
	struct gpu_field *f = gpu_scene_field(s, id);

	s->field_count--;
	memmove(f, f + 1, (size_t)(s->fields + s->field_count - f) * sizeof(*f));
}

/* Values as real devices have them. */
static void set_gpu_fields(struct gpu_scene *s)
{
	bool hopper = s->arch == PM_GPU_HOPPER;
	static const uint8_t zeros[PM_GPU_DIGEST_SIZE];

	gpu_scene_set(
		s, 6, hopper ? "\x00\x9f\x00\x96\x01\0\0\0" : "\x00\x88\x00\x97\x0f\0\0\0", 8);
	gpu_scene_set(s, 15, "882\0\0\0\0\0", 9);
	gpu_scene_set(s, 17, hopper ? "1010" : "G525", 5);
	gpu_scene_set(s, 18, "0200", 5);
	gpu_scene_set(s, 3, hopper ? "550.90.07" : "575.32\0\0", hopper ? 10 : 7);
	gpu_scene_set(s, 4, hopper ? "\x80\x01\0\0\0\0\0\0" : "\xa0\x01\0\0\0\0\0\0", 8);
	gpu_scene_set(s, 11, "\x55", 1);
	gpu_scene_set(s, 20, zeros, sizeof(zeros));
	gpu_scene_set(s, 34, "\x01\0", 2);
}

static void set_switch_fields(struct gpu_scene *s)
{
	static const uint8_t zeros[128];

	gpu_scene_set(s, 6, "96.10.55.00.01", 14);
	gpu_scene_set(s, 22, zeros, 8);
	gpu_scene_set(s, 26, zeros, sizeof(zeros));
	gpu_scene_set(s, 25, "\x01\0", 2);
}

static void put_head(struct pm_wr *wr, const struct gpu_scene *s)
{
	pm_wr_bytes(wr, VIEW("\x11\xe0\x01\xff"));
	pm_wr_bytes(wr, pm_view(s->nonce, sizeof(s->nonce)));
	pm_wr_bytes(wr, VIEW("\0\x11\x60\0\0"));
	pm_wr_u8(wr, (uint8_t)s->blocks);
	pm_wr_le16(wr, (uint16_t)(s->blocks * 55));
	pm_wr_u8(wr, 0);
	for (size_t i = 0; i < s->blocks; i++) {
		pm_wr_u8(wr, (uint8_t)(i + 1));
		pm_wr_bytes(wr, VIEW("\x01\x33\0\x01\x30\0"));
		pm_wr_bytes(wr, pm_view(s->measurements[i], PM_GPU_DIGEST_SIZE));
	}
}

size_t gpu_scene_write(struct gpu_scene *s)
{
	struct pm_wr wr = pm_wr(s->bytes, sizeof(s->bytes));
	size_t opaque = 0, at;

	for (size_t i = 0; i < s->field_count; i++)
		opaque += 4u + s->fields[i].len;
	put_head(&wr, s);
	pm_wr_zero(&wr, PM_GPU_NONCE_SIZE);
	pm_wr_le16(&wr, (uint16_t)opaque);
	at = wr.len;
	for (size_t i = 0; i < s->field_count; i++) {
		pm_wr_le16(&wr, s->fields[i].id);
		pm_wr_le16(&wr, s->fields[i].len);
		pm_wr_bytes(&wr, pm_view(s->fields[i].value, s->fields[i].len));
	}
	pm_wr_zero(&wr, SIGNATURE_SIZE);
	ck_assert(pm_wr_done(&wr, &s->size));
	return at;
}

static void sign(struct gpu_scene *s)
{
	struct pm_view signature = mint_ecdsa(
		s->report_key, "SHA384", pm_view(s->bytes, s->size - SIGNATURE_SIZE), 48);

	memcpy(s->bytes + s->size - SIGNATURE_SIZE, signature.ptr, signature.len);
	test_free(signature);
}

/* --- certificates ---------------------------------------------------------------------------- */

/* Wraps and lets go of what was wrapped. */
static struct pm_view wrap(int tag, struct pm_view a, struct pm_view b)
{
	struct pm_view whole = mint_wrap(tag, a, b);

	test_free(a);
	test_free(b);
	return whole;
}

static struct pm_view copy(struct pm_view bytes)
{
	return pm_view(pm_dup(bytes), bytes.len);
}

static struct pm_view nothing(void)
{
	return copy(VIEW(""));
}

struct pm_view gpu_alt_name(const char *text)
{
	struct pm_view oid = copy(VIEW("\x06\x0a\x2b\x06\x01\x04\x01\x83\x1c\x82\x12\x01"));
	struct pm_view utf8 = wrap(0x0c, copy(pm_view(text, strlen(text))), nothing());

	return wrap(0x30, wrap(0xa0, oid, wrap(0xa0, utf8, nothing())), nothing());
}

/* FWID ::= SEQUENCE { sha384, OCTET STRING } */
static struct pm_view fwid_der(const uint8_t *fwid)
{
	struct pm_view oid = copy(VIEW("\x06\x09\x60\x86\x48\x01\x65\x03\x04\x02\x02"));
	struct pm_view digest = wrap(0x04, copy(pm_view(fwid, PM_GPU_DIGEST_SIZE)), nothing());

	return wrap(0x30, oid, digest);
}

static struct pm_view join(struct pm_view a, struct pm_view b)
{
	struct pm_view both = mint_join(a, b);

	test_free(a);
	test_free(b);
	return both;
}

struct pm_view gpu_composite(EVP_PKEY *key, const uint8_t *fwid)
{
	struct pm_view head = join(copy(VIEW("\x02\x01\x01")), mint_spki(key));

	return wrap(0x30, head, fwid_der(fwid));
}

struct pm_view gpu_tcb_info(const uint8_t *fwid, uint8_t flags)
{
	static const uint8_t zeros[PM_GPU_DIGEST_SIZE];
	struct pm_view fwids = wrap(0xa6, fwid_der(fwid), fwid_der(zeros));
	uint8_t bits[] = {0x87, 0x05, 0x00, flags, 0x00, 0x00, 0x01};
	struct pm_view head = join(copy(VIEW("\x80\x06NVIDIA\x83\x01\x03")), fwids);
	struct pm_view tail = join(copy(pm_view(bits, sizeof(bits))), copy(VIEW("\x89\x01\x00")));

	return wrap(0x30, head, tail);
}

void gpu_scene_extend(
	struct gpu_scene *s, enum gpu_extension which, const char *oid, struct pm_view value)
{
	test_free(s->extensions[which].value);
	s->extensions[which] = (struct mint_extension){oid, value};
}

static const char *chip_of(enum pm_gpu_arch arch)
{
	return arch == PM_GPU_HOPPER ? "GH100" : arch == PM_GPU_BLACKWELL ? "GB100" : "LS_10";
}

static void set_leaf_extensions(struct gpu_scene *s)
{
	static const uint8_t zeros[PM_GPU_DIGEST_SIZE];
	char text[64];

	snprintf(text, sizeof(text), "NVIDIA:%s:48B02D92494BADF4", chip_of(s->arch));
	gpu_scene_extend(s, GPU_ALT_NAME, "2.5.29.17", gpu_alt_name(text));
	if (s->arch == PM_GPU_BLACKWELL)
		gpu_scene_extend(s, GPU_FWID, "2.23.133.5.4.1.1", gpu_tcb_info(zeros, 0x80));
	else
		gpu_scene_extend(s, GPU_FWID, "2.23.133.5.4.1",
			gpu_composite(gpu_keys.chain[PM_GPU_BROM], zeros));
	gpu_scene_extend(s, GPU_MORE, "1.3.6.1.4.1.3704.1.99", copy(VIEW("\x05\x00")));
}

static void set_chain(struct gpu_scene *s)
{
	static const char *const names[][PM_GPU_CERTS] = {
		[PM_GPU_HOPPER] = {"GH100 A01 GSP FMC LF", "GH100 A01 GSP BROM", "GH100 ICA",
			"GH100 Identity", "Root"},
		[PM_GPU_BLACKWELL] = {"GB100 A01 GSP FMC LF", "GB100 A01 GSP BROM", "GB100 ICA",
			"GB100 Identity", "Root"},
		[PM_GPU_LS10] = {"LS_10 A01 FSP FMC LF", "LS_10 A01 FSP BROM", "LS_10 ICA",
			"GH100 Identity", "Root"},
	};

	for (int i = 0; i < PM_GPU_CERTS; i++) {
		int up = i == PM_GPU_ROOT ? i : i + 1;

		s->certs[i] = (struct mint_cert){
			.signer = {gpu_keys.chain[up], names[s->arch][up]},
			.key = gpu_keys.chain[i],
			.name = names[s->arch][i],
			.serial = 100 + i,
			.not_before = GPU_FROM,
			.not_after = GPU_TO,
			.constraints = i == PM_GPU_LEAF ? NULL : "critical,CA:TRUE",
			.usage = i == PM_GPU_LEAF ? "critical,digitalSignature"
						  : "critical,keyCertSign,cRLSign",
		};
	}
	s->certs[PM_GPU_BROM].serial_bytes =
		s->arch == PM_GPU_LS10 ? VIEW("\x50PDI-of-1") : VIEW("\x41PDI-of-1");
	s->certs[PM_GPU_LEAF].extensions = s->extensions;
	s->certs[PM_GPU_LEAF].extension_count = GPU_EXTENSIONS;
}

void gpu_scene_init(struct gpu_scene *s, enum pm_gpu_arch arch)
{
	memset(s, 0, sizeof(*s));
	s->arch = arch;
	s->blocks = arch == PM_GPU_LS10 ? 31 : 64;
	if (arch == PM_GPU_LS10)
		set_switch_fields(s);
	else
		set_gpu_fields(s);
	set_leaf_extensions(s);
	set_chain(s);
	s->report_key = gpu_keys.chain[PM_GPU_LEAF];
	s->cert_count = PM_GPU_CERTS;
	s->waivers = PM_GPU_WAIVE_RIM | PM_GPU_WAIVE_OCSP;
	s->now = GPU_NOW;
}

void gpu_scene_free(struct gpu_scene *s)
{
	for (int i = 0; i < GPU_EXTENSIONS; i++)
		test_free(s->extensions[i].value);
	for (int i = 0; i < PM_GPU_CERTS; i++)
		test_free(s->ders[i]);
	pm_gpu_evidence_free(s->ev);
}

/* Signatures are random: a certificate that is made again is another one. */
static void mint_chain(struct gpu_scene *s)
{
	for (int i = 0; i < PM_GPU_CERTS; i++) {
		if (!s->ders[i].ptr)
			s->ders[i] = mint_cert(&s->certs[i]);
	}
}

static int add_cert(
	const struct gpu_scene *s, size_t at, struct pm_report *report, struct pm_gpu_evidence *ev)
{
	struct pm_view der = s->ders[at < PM_GPU_CERTS ? at : PM_GPU_ROOT];

	return pm_gpu_evidence_add_certs(ev, der.ptr, der.len, report);
}

int gpu_scene_make(struct gpu_scene *s, struct pm_report *report, struct pm_gpu_evidence **ret)
{
	int r;

	mint_chain(s);
	gpu_scene_write(s);
	if (s->spoil)
		s->spoil(s);
	sign(s);
	r = pm_gpu_evidence_parse(s->bytes, s->size, 0, report, ret);
	for (size_t i = 0; r == PM_OK && i < s->cert_count; i++)
		r = add_cert(s, s->reversed ? PM_GPU_ROOT - i : i, report, *ret);
	return r;
}

struct pm_gpu_policy *gpu_scene_policy(const struct gpu_scene *s)
{
	struct pm_gpu_policy *policy = NULL;
	uint8_t sha256[PM_SHA256_SIZE];

	ck_pm(pm_gpu_policy_new(&policy), PM_OK);
	ck_pm(pm_gpu_policy_waive(policy, s->waivers), PM_OK);
	ck_pm(pm_gpu_policy_permit(policy, s->permissions), PM_OK);
	if (!(s->waivers & PM_GPU_WAIVE_NONCE))
		ck_pm(pm_gpu_policy_expect_nonce(policy, (const uint8_t[PM_GPU_NONCE_SIZE]){0}),
			PM_OK);
	ck_pm(pm_hash(PM_SHA256, s->ders[PM_GPU_ROOT], sha256), PM_OK);
	if (!s->untrusted)
		ck_pm(pm_gpu_policy_add_test_root(policy, PM_GPU_ROOT_DEVICE, sha256), PM_OK);
	if (s->demand)
		ck_pm(s->demand(policy), PM_OK);
	return policy;
}

int gpu_scene_verify(struct gpu_scene *s, struct pm_gpu_cache *cache, struct pm_report *report)
{
	struct pm_gpu_policy *policy;
	int r;

	pm_gpu_evidence_free(s->ev);
	s->ev = NULL;
	s->facts = NULL;
	r = gpu_scene_make(s, report, &s->ev);
	if (r < 0)
		return r;
	policy = gpu_scene_policy(s);
	r = pm_gpu_verify(s->ev, policy, NULL, 0, NULL, cache, s->now, report, &s->facts);
	pm_gpu_policy_free(policy);
	return r;
}
