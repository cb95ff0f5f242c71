/* SPDX-License-Identifier: Apache-2.0 */
/* Certificates, revocation lists and PEM, made by OpenSSL with one defect each. */
#include <stdlib.h>
#include <string.h>

#include "crypto/x509.h"
#include "mint.h"
#include "testing.h"

#define NOW  INT64_C(1767225600) /* 2026-01-01 */
#define FROM (NOW - 1000)
#define TO   (NOW + 1000)

static EVP_PKEY *rsa, *ec, *p256;

static void make_keys(void)
{
	rsa = mint_rsa(2048);
	ec = mint_ec("P-384");
	p256 = mint_ec("P-256");
}

static void free_keys(void)
{
	EVP_PKEY_free(rsa);
	EVP_PKEY_free(ec);
	EVP_PKEY_free(p256);
}

/* A certificate authority with an RSA key, as AMD's. */
static struct mint_cert ca_cert(void)
{
	return (struct mint_cert){
		.signer = {.key = rsa, .name = "ARK"},
		.key = rsa,
		.name = "ARK",
		.serial = 7,
		.not_before = FROM,
		.not_after = TO,
		.constraints = "critical,CA:TRUE",
		.usage = "critical,keyCertSign,cRLSign",
	};
}

/* A leaf below it. */
static struct mint_cert leaf_cert(void)
{
	return (struct mint_cert){
		.signer = {.key = rsa, .name = "ARK"},
		.key = ec,
		.name = "SEV-VCEK",
		.serial = 0x1234,
		.not_before = FROM,
		.not_after = TO,
	};
}

static struct pm_cert *parse(const struct mint_cert *spec)
{
	struct pm_view der = mint_cert(spec);
	struct pm_cert *cert = NULL;

	ck_pm(pm_cert_parse(der, &cert), PM_OK);
	ck_assert(pm_view_equal(pm_cert_der(cert), der));
	test_free(der);
	return cert;
}

static int parse_and_free(struct pm_view der)
{
	pm_cleanup(pm_cert) struct pm_cert *cert = NULL;
	int r = pm_cert_parse(der, &cert);

	test_free(der);
	return r;
}

/* Does the first name the second as its issuer, rightly? */
static int check(const struct mint_cert *cert, const struct mint_cert *issuer, int cas_below)
{
	pm_cleanup(pm_cert) struct pm_cert *c = parse(cert), *i = parse(issuer);
	pm_cleanup(pm_pubkey) struct pm_pubkey *key = NULL;

	ck_pm(pm_cert_pubkey(i, &key), PM_OK);
	return pm_cert_check_issuer(c, i, key, cas_below);
}

/* --- certificates ---------------------------------------------------------------------------- */

START_TEST(cert_tells_what_is_in_it)
{
	struct mint_cert spec = leaf_cert(), ca = ca_cert();
	pm_cleanup(pm_cert) struct pm_cert *cert = parse(&spec), *root = parse(&ca);
	pm_cleanup(pm_pubkey) struct pm_pubkey *key = NULL;

	ck_assert(pm_view_equal(pm_cert_serial(cert), VIEW("\x12\x34")));
	ck_assert_int_eq(pm_cert_not_before(cert), FROM);
	ck_assert_int_eq(pm_cert_not_after(cert), TO);
	ck_assert(!pm_cert_is_ca(cert) && pm_cert_is_ca(root));
	ck_assert(pm_view_equal(pm_cert_issuer(cert), pm_cert_subject(root)));
	ck_assert(!pm_view_equal(pm_cert_subject(cert), pm_cert_subject(root)));
	ck_assert(pm_cert_is_named(cert, "SEV-VCEK"));
	ck_assert(!pm_cert_is_named(cert, "SEV-VCE") && !pm_cert_is_named(cert, "sev-vcek"));
	ck_pm(pm_cert_pubkey(cert, &key), PM_OK);
	ck_assert_int_eq(pm_pubkey_type(key), PM_KEY_P384);
}
END_TEST

START_TEST(cert_of_two_names_has_none)
{
	struct mint_cert spec = leaf_cert();
	pm_cleanup(pm_cert) struct pm_cert *cert = NULL;

	spec.name2 = "SEV-VLEK";
	cert = parse(&spec);
	ck_assert_uint_eq(pm_cert_common_name(cert).len, 0);
	ck_assert(!pm_cert_is_named(cert, "SEV-VCEK") && !pm_cert_is_named(cert, "SEV-VLEK"));
}
END_TEST

START_TEST(cert_is_one_and_no_byte_more)
{
	struct mint_cert spec = leaf_cert();
	struct pm_view der = mint_cert(&spec), more = mint_join(der, VIEW("\0"));
	struct pm_view twice = mint_join(der, der), pem = mint_pem("CERTIFICATE", der);
	static uint8_t big[PM_CERT_SIZE_MAX + 1] = {0x30, 0x82, 0x3f, 0xfd};

	for (size_t n = 0; n < der.len; n++)
		ck_pm(parse_and_free(mint_join(pm_view(der.ptr, n), VIEW(""))), PM_E_FORMAT);
	ck_pm(parse_and_free(more), PM_E_FORMAT);
	ck_pm(parse_and_free(twice), PM_E_FORMAT);
	ck_pm(parse_and_free(pem), PM_E_FORMAT);
	ck_pm(parse_and_free(mint_join(pm_view(big, sizeof(big)), VIEW(""))), PM_E_LIMIT);
	ck_pm(parse_and_free(der), PM_OK);
	pm_cert_free(NULL);
}
END_TEST

START_TEST(cert_validity_is_inclusive)
{
	struct mint_cert spec = leaf_cert();
	pm_cleanup(pm_cert) struct pm_cert *cert = parse(&spec);

	ck_pm(pm_cert_check_time(cert, FROM - 1), PM_E_STALE);
	ck_pm(pm_cert_check_time(cert, FROM), PM_OK);
	ck_pm(pm_cert_check_time(cert, TO), PM_OK);
	ck_pm(pm_cert_check_time(cert, TO + 1), PM_E_STALE);
	ck_pm(pm_cert_check_time(cert, INT64_MIN), PM_E_STALE);
	ck_pm(pm_cert_check_time(cert, INT64_MAX), PM_E_STALE);
}
END_TEST

/* Both forms of time: two digits for the year until 2049, four from 2050 (RFC 5280, 4.1.2.5). */
START_TEST(cert_times_of_both_forms)
{
	struct mint_cert spec = leaf_cert();
	pm_cleanup(pm_cert) struct pm_cert *cert = NULL;

	spec.not_before = -631152000;  /* 1950-01-01T00:00:00Z */
	spec.not_after = 253402300799; /* 9999-12-31T23:59:59Z, "no end" */
	cert = parse(&spec);
	ck_assert_int_eq(pm_cert_not_before(cert), -631152000);
	ck_assert_int_eq(pm_cert_not_after(cert), 253402300799);
}
END_TEST

START_TEST(cert_extensions)
{
	static const char oid[] = "\x2b\x06\x01\x04\x01\x9c\x78\x01\x04"; /* 1.3.6.1.4.1.3704.1.4 */
	struct mint_cert spec = leaf_cert();
	struct pm_view found = {0}, id = VIEW(oid), shorter = pm_view(oid, sizeof(oid) - 2);

	spec.oid = "1.3.6.1.4.1.3704.1.4";
	spec.oid_value = VIEW("\x02\x01\x05");
	for (spec.oid_count = 0; spec.oid_count < 3; spec.oid_count++) {
		static const int want[] = {PM_E_MISSING, PM_OK, PM_E_FORMAT};
		pm_cleanup(pm_cert) struct pm_cert *cert = parse(&spec);

		ck_pm(pm_cert_extension(cert, id, &found), want[spec.oid_count]);
		ck_pm(pm_cert_extension(cert, shorter, &found), PM_E_MISSING);
		if (spec.oid_count == 1)
			ck_assert(pm_view_equal(found, spec.oid_value));
	}
	spec.oid_count = 1;
	spec.oid_critical = true; /* nobody here knows what it asks for */
	ck_pm(parse_and_free(mint_cert(&spec)), PM_E_FORMAT);
}
END_TEST

START_TEST(cert_known_extension_twice)
{
	struct mint_cert spec = ca_cert();

	spec.oid = "2.5.29.19"; /* basicConstraints */
	spec.oid_value = VIEW("\x30\x03\x01\x01\xff");
	spec.oid_count = 1;
	ck_pm(parse_and_free(mint_cert(&spec)), PM_E_FORMAT);
}
END_TEST

/* --- who issued it --------------------------------------------------------------------------- */

START_TEST(cert_key_and_its_use)
{
	static const struct {
		const char *usage;
		bool may_sign;
	} rows[] = {
		{"critical,digitalSignature", true},
		{"digitalSignature,keyAgreement", true},
		{"critical,keyCertSign,cRLSign", false},
		{NULL, false},
	};

	for (size_t i = 0; i < PM_ARRAY_LEN(rows); i++) {
		struct mint_cert spec = leaf_cert();
		pm_cleanup(pm_cert) struct pm_cert *cert = NULL;
		struct pm_view spki = mint_spki(ec), bits;

		spec.usage = rows[i].usage;
		cert = parse(&spec);
		ck_assert(pm_cert_may_sign(cert) == rows[i].may_sign);
		bits = pm_cert_key_bits(cert);
		ck_assert_uint_eq(bits.len, 97);
		ck_assert(!memcmp(bits.ptr, spki.ptr + spki.len - 97, 97));
		test_free(spki);
	}
}
END_TEST

START_TEST(issuer_is_accepted)
{
	struct mint_cert ca = ca_cert(), leaf = leaf_cert();

	ck_pm(check(&leaf, &ca, 0), PM_OK);
	ck_pm(check(&ca, &ca, 0), PM_OK); /* self-signed: right, and worth nothing without a pin */
	ck_pm(check(&leaf, &ca, 5), PM_OK);
	ca.usage = NULL; /* does not say: may all (RFC 5280, 4.2.1.3) */
	ck_pm(check(&leaf, &ca, 0), PM_OK);
}
END_TEST

START_TEST(issuer_must_be_named)
{
	struct mint_cert ca = ca_cert(), leaf = leaf_cert();

	leaf.signer.name = "ARK2";
	ck_pm(check(&leaf, &ca, 0), PM_E_REJECTED);
	leaf.signer.name = "ark"; /* names are compared as bytes */
	ck_pm(check(&leaf, &ca, 0), PM_E_REJECTED);
}
END_TEST

START_TEST(issuer_must_be_an_authority)
{
	static const char *const bad[] = {NULL, "CA:FALSE", "critical,CA:FALSE"};
	struct mint_cert ca = ca_cert(), leaf = leaf_cert();

	for (size_t i = 0; i < PM_ARRAY_LEN(bad); i++) {
		ca.constraints = bad[i];
		ck_pm(check(&leaf, &ca, 0), PM_E_REJECTED);
	}
}
END_TEST

START_TEST(issuer_must_be_allowed_to_sign)
{
	static const char *const bad[] = {"critical,cRLSign", "digitalSignature", "keyAgreement"};
	struct mint_cert ca = ca_cert(), leaf = leaf_cert();

	for (size_t i = 0; i < PM_ARRAY_LEN(bad); i++) {
		ca.usage = bad[i];
		ck_pm(check(&leaf, &ca, 0), PM_E_REJECTED);
	}
}
END_TEST

START_TEST(issuer_may_limit_the_path)
{
	struct mint_cert ca = ca_cert(), leaf = leaf_cert();

	ca.constraints = "critical,CA:TRUE,pathlen:0";
	ck_pm(check(&leaf, &ca, 0), PM_OK);
	ck_pm(check(&leaf, &ca, 1), PM_E_REJECTED);
	ca.constraints = "critical,CA:TRUE,pathlen:1";
	ck_pm(check(&leaf, &ca, 1), PM_OK);
	ck_pm(check(&leaf, &ca, 2), PM_E_REJECTED);
}
END_TEST

START_TEST(issuer_key_must_have_signed)
{
	EVP_PKEY *other = mint_rsa(2048);
	struct mint_cert ca = ca_cert(), leaf = leaf_cert();

	leaf.signer.key = other;
	ck_pm(check(&leaf, &ca, 0), PM_E_REJECTED);
	leaf.signer.key = ec; /* ECDSA, and the issuer's key is RSA */
	ck_pm(check(&leaf, &ca, 0), PM_E_REJECTED);
	ca.key = ec;
	ca.signer.key = ec;
	leaf.signer.key = rsa;
	ck_pm(check(&leaf, &ca, 0), PM_E_REJECTED);
	leaf.signer.key = p256;
	ck_pm(check(&leaf, &ca, 0), PM_E_REJECTED);
	EVP_PKEY_free(other);
}
END_TEST

START_TEST(weak_and_other_signatures)
{
	static const struct {
		enum mint_padding padding;
		int salt;
		const char *hash;
		int want;
	} rows[] = {
		{MINT_PSS, 0, "SHA256", PM_OK},
		{MINT_PSS, 0, "SHA384", PM_OK},
		{MINT_PSS, 0, "SHA512", PM_OK},
		{MINT_PSS, 32, "SHA384", PM_E_UNSUPPORTED},
		{MINT_PSS, 64, "SHA384", PM_E_UNSUPPORTED},
		{MINT_PSS, 0, "SHA1", PM_E_UNSUPPORTED},
		{MINT_PKCS1, 0, "SHA384", PM_E_UNSUPPORTED},
		{MINT_PKCS1, 0, "SHA256", PM_E_UNSUPPORTED},
	};
	struct mint_cert ca = ca_cert(), leaf = leaf_cert();

	for (size_t i = 0; i < PM_ARRAY_LEN(rows); i++) {
		leaf.signer.padding = rows[i].padding;
		leaf.signer.salt = rows[i].salt;
		leaf.signer.hash = rows[i].hash;
		ck_pm(check(&leaf, &ca, 0), rows[i].want);
	}
}
END_TEST

START_TEST(ecdsa_issuers)
{
	struct mint_cert ca = ca_cert(), leaf = leaf_cert();
	EVP_PKEY *keys[] = {ec, p256};

	for (size_t i = 0; i < PM_ARRAY_LEN(keys); i++) {
		ca.key = leaf.signer.key = ca.signer.key = keys[i];
		for (int round = 0; round < 8; round++) { /* scalars of all lengths */
			leaf.signer.hash = "SHA384";
			ck_pm(check(&leaf, &ca, 0), PM_OK);
			leaf.signer.hash = "SHA256";
			ck_pm(check(&leaf, &ca, 0), PM_OK);
		}
		leaf.signer.hash = "SHA1";
		ck_pm(check(&leaf, &ca, 0), PM_E_UNSUPPORTED);
		leaf.signer.hash = "SHA224";
		ck_pm(check(&leaf, &ca, 0), PM_E_UNSUPPORTED);
	}
}
END_TEST

/* No byte of a certificate may change: the parser refuses it, or the signature. */
static void check_each_byte(
	struct pm_view der, const struct pm_cert *ca, const struct pm_pubkey *key)
{
	uint8_t *bytes = (uint8_t *)der.ptr;

	for (size_t i = 0; i < der.len; i++) {
		pm_cleanup(pm_cert) struct pm_cert *cert = NULL;

		bytes[i] ^= (uint8_t)(1 << i % 8);
		if (pm_cert_parse(der, &cert) == PM_OK)
			ck_assert_msg(
				pm_cert_check_issuer(cert, ca, key, 0) != PM_OK, "byte %zu", i);
		bytes[i] ^= (uint8_t)(1 << i % 8);
	}
}

START_TEST(no_byte_may_change)
{
	EVP_PKEY *keys[] = {rsa, ec, p256};

	for (size_t i = 0; i < PM_ARRAY_LEN(keys); i++) {
		struct mint_cert spec = ca_cert(), leaf = leaf_cert();
		pm_cleanup(pm_cert) struct pm_cert *ca = NULL;
		pm_cleanup(pm_pubkey) struct pm_pubkey *key = NULL;
		struct pm_view der;

		spec.key = spec.signer.key = leaf.signer.key = keys[i];
		leaf.oid = "1.3.6.1.4.1.3704.1.4";
		leaf.oid_value = VIEW("0123456789");
		leaf.oid_count = 1;
		der = mint_cert(&leaf);
		ca = parse(&spec);
		ck_pm(pm_cert_pubkey(ca, &key), PM_OK);
		check_each_byte(der, ca, key);
		test_free(der);
	}
}
END_TEST

/* --- revocation lists ------------------------------------------------------------------------ */

static const long revoked[] = {0x80, 0x1234, 0x20001};

static struct mint_crl crl_spec(void)
{
	return (struct mint_crl){
		.signer = {.key = rsa, .name = "ARK"},
		.this_update = FROM,
		.next_update = TO,
		.serials = revoked,
		.count = PM_ARRAY_LEN(revoked),
	};
}

static struct pm_crl *parse_crl(const struct mint_crl *spec)
{
	struct pm_view der = mint_crl(spec);
	struct pm_crl *crl = NULL;

	ck_pm(pm_crl_parse(der, &crl), PM_OK);
	test_free(der);
	return crl;
}

static int check_crl(const struct mint_crl *spec, const struct mint_cert *issuer)
{
	pm_cleanup(pm_crl) struct pm_crl *crl = parse_crl(spec);
	pm_cleanup(pm_cert) struct pm_cert *cert = parse(issuer);
	pm_cleanup(pm_pubkey) struct pm_pubkey *key = NULL;

	ck_pm(pm_cert_pubkey(cert, &key), PM_OK);
	return pm_crl_check_issuer(crl, cert, key);
}

START_TEST(crl_lists_serials)
{
	static const struct {
		long serial;
		bool listed;
	} rows[] = {{0x1234, true}, {0x20001, true}, {0x80, true}, {0x12, false}, {0x34, false},
		{0x123400, false}, {0, false}, {1, false}, {0x8000, false}};
	struct mint_crl spec = crl_spec();
	pm_cleanup(pm_crl) struct pm_crl *crl = parse_crl(&spec), *empty = NULL;

	spec.count = 0;
	empty = parse_crl(&spec);
	for (size_t i = 0; i < PM_ARRAY_LEN(rows); i++) {
		struct mint_cert leaf = leaf_cert();
		pm_cleanup(pm_cert) struct pm_cert *cert = NULL;

		leaf.serial = rows[i].serial;
		cert = parse(&leaf);
		ck_assert_int_eq(pm_crl_lists(crl, cert), rows[i].listed);
		ck_assert(!pm_crl_lists(empty, cert));
	}
}
END_TEST

START_TEST(crl_tells_its_times)
{
	struct mint_crl spec = crl_spec();
	pm_cleanup(pm_crl) struct pm_crl *crl = parse_crl(&spec), *endless = NULL;

	ck_assert_int_eq(pm_crl_this_update(crl), FROM);
	ck_assert_int_eq(pm_crl_next_update(crl), TO);
	spec.next_update = 0;
	endless = parse_crl(&spec);
	ck_assert_int_eq(pm_crl_next_update(endless), INT64_MIN);
}
END_TEST

START_TEST(crl_issuer)
{
	struct mint_crl spec = crl_spec();
	struct mint_cert ca = ca_cert();
	EVP_PKEY *other = mint_rsa(2048);

	ck_pm(check_crl(&spec, &ca), PM_OK);
	ca.usage = "critical,keyCertSign";
	ck_pm(check_crl(&spec, &ca), PM_E_REJECTED);
	ca.usage = NULL;
	ck_pm(check_crl(&spec, &ca), PM_OK);
	ca.constraints = NULL;
	ck_pm(check_crl(&spec, &ca), PM_E_REJECTED);
	ca = ca_cert();
	spec.signer.name = "ARK2";
	ck_pm(check_crl(&spec, &ca), PM_E_REJECTED);
	spec.signer.name = "ARK";
	spec.signer.key = other;
	ck_pm(check_crl(&spec, &ca), PM_E_REJECTED);
	spec.signer.key = ec;
	ck_pm(check_crl(&spec, &ca), PM_E_REJECTED);
	spec.signer.key = rsa;
	spec.signer.salt = 32;
	ck_pm(check_crl(&spec, &ca), PM_E_UNSUPPORTED);
	spec.signer.padding = MINT_PKCS1;
	ck_pm(check_crl(&spec, &ca), PM_E_UNSUPPORTED);
	EVP_PKEY_free(other);
}
END_TEST

static int parse_crl_and_free(struct pm_view der)
{
	pm_cleanup(pm_crl) struct pm_crl *crl = NULL;
	int r = pm_crl_parse(der, &crl);

	test_free(der);
	return r;
}

START_TEST(crl_is_one_and_no_byte_more)
{
	struct mint_crl spec = crl_spec();
	struct pm_view der = mint_crl(&spec), more = mint_join(der, VIEW("\0"));
	struct pm_view twice = mint_join(der, der), pem = mint_pem("X509 CRL", der);
	static uint8_t big[PM_CRL_SIZE_MAX + 1] = {0x30};

	for (size_t n = 0; n < der.len; n++)
		ck_pm(parse_crl_and_free(mint_join(pm_view(der.ptr, n), VIEW(""))), PM_E_FORMAT);
	ck_pm(parse_crl_and_free(more), PM_E_FORMAT);
	ck_pm(parse_crl_and_free(twice), PM_E_FORMAT);
	ck_pm(parse_crl_and_free(pem), PM_E_FORMAT);
	ck_pm(parse_crl_and_free(mint_join(pm_view(big, sizeof(big)), VIEW(""))), PM_E_LIMIT);
	ck_pm(parse_crl_and_free(der), PM_OK);
	spec.delta = true; /* lists but a part: critical, and unknown here */
	ck_pm(parse_crl_and_free(mint_crl(&spec)), PM_E_FORMAT);
	pm_crl_free(NULL);
}
END_TEST

START_TEST(no_byte_of_a_crl_may_change)
{
	struct mint_crl spec = crl_spec();
	struct mint_cert ca = ca_cert();
	pm_cleanup(pm_cert) struct pm_cert *cert = parse(&ca);
	pm_cleanup(pm_pubkey) struct pm_pubkey *key = NULL;
	struct pm_view der = mint_crl(&spec);
	uint8_t *bytes = (uint8_t *)der.ptr;

	ck_pm(pm_cert_pubkey(cert, &key), PM_OK);
	for (size_t i = 0; i < der.len; i++) {
		pm_cleanup(pm_crl) struct pm_crl *crl = NULL;

		bytes[i] ^= (uint8_t)(1 << i % 8);
		if (pm_crl_parse(der, &crl) == PM_OK)
			ck_assert_msg(pm_crl_check_issuer(crl, cert, key) != PM_OK, "byte %zu", i);
		bytes[i] ^= (uint8_t)(1 << i % 8);
	}
	test_free(der);
}
END_TEST

/* --- PEM ------------------------------------------------------------------------------------- */

#define BEGIN "-----BEGIN CERTIFICATE-----\n"
#define END   "-----END CERTIFICATE-----\n"

struct seen {
	char text[64];
	int stop_at; /* call after which to end the walk; 0: never */
	int calls;
};

static int see(struct pm_view der, void *arg)
{
	struct seen *seen = arg;
	size_t len = strlen(seen->text);

	ck_assert_uint_lt(len + der.len + 1, sizeof(seen->text));
	pm_copy(seen->text + len, der.ptr, der.len);
	seen->text[len + der.len] = ';';
	return ++seen->calls == seen->stop_at ? PM_E_STATE : PM_OK;
}

START_TEST(pem_blocks_in_order)
{
	static const char text[] =
		"subject=one\n" BEGIN "b25l\n" END "noise\n" BEGIN "dHdv\r\n" END
		"-----BEGIN X509 CRL-----\nbGlzdA==\n-----END X509 CRL-----\n" BEGIN
		"dGhy\nZWU=\n" END "end\n";
	struct seen seen = {0}, zeros = {0}, crl = {0}, stopped = {.stop_at = 2};

	ck_pm(pm_pem_each(VIEW(text), "CERTIFICATE", see, &seen), PM_OK);
	ck_assert_str_eq(seen.text, "one;two;three;");
	/* With its final zero, as a C string. */
	ck_pm(pm_pem_each(pm_view(text, sizeof(text)), "CERTIFICATE", see, &zeros), PM_OK);
	ck_assert_str_eq(zeros.text, "one;two;three;");
	ck_pm(pm_pem_each(VIEW(text), "X509 CRL", see, &crl), PM_OK);
	ck_assert_str_eq(crl.text, "list;");
	ck_pm(pm_pem_each(VIEW(text), "CERTIFICATE", see, &stopped), PM_E_STATE);
	ck_assert_str_eq(stopped.text, "one;two;");
}
END_TEST

START_TEST(pem_malformed)
{
	const struct {
		struct pm_view text;
		int calls; /* before it failed */
	} rows[] = {
		{VIEW(""), 0}, {VIEW("no block at all"), 0}, {VIEW(BEGIN), 0},
		{VIEW(BEGIN "b25l\n"), 0}, {VIEW(BEGIN END), 0},
		{VIEW(BEGIN "b25l\n"
			    "-----END X509 CRL-----\n"),
			0},
		{VIEW(BEGIN "b2*l\n" END), 0}, {VIEW(BEGIN "b25\n" END), 0},
		{VIEW("-----BEGIN CERTIFICATE-----b25l\n" END), 0},
		{VIEW("-----BEGIN X509 CRL-----\nb25l\n-----END X509 CRL-----\n"), 0},
		{VIEW(BEGIN "b25l\n" BEGIN "dHdv\n" END), 0},
		{VIEW(BEGIN "b25l\n" END BEGIN "dHdv\n"), 1},
		{VIEW(BEGIN "b25l\n" END BEGIN "d(\n" END), 1},
		{VIEW(BEGIN "Proc-Type: 4,ENCRYPTED\nDEK-Info: AES-128-CBC,00\n\nb25l\n" END), 0},
		{VIEW(BEGIN "b25l\n" END "\0" BEGIN "dHdv\n" END), 0}, /* would hide the second */
	};

	for (size_t i = 0; i < PM_ARRAY_LEN(rows); i++) {
		struct seen seen = {0};
		int r = pm_pem_each(rows[i].text, "CERTIFICATE", see, &seen);

		ck_assert_msg(r == PM_E_FORMAT && seen.calls == rows[i].calls,
			"row %zu: %s, %d calls", i, pm_strerror(r), seen.calls);
	}
}
END_TEST

START_TEST(pem_is_told_from_der)
{
	ck_assert(pm_pem_is(VIEW(BEGIN "b25l\n" END)));
	ck_assert(pm_pem_is(VIEW("subject=x\n" BEGIN)));
	ck_assert(!pm_pem_is(VIEW("\x30\x82\x01\x00" BEGIN)));
	ck_assert(!pm_pem_is(VIEW("\x30\x1c" BEGIN)));
	ck_assert(pm_pem_is(VIEW("0 s:CN = SEV-Milan\n" BEGIN)));
	ck_assert(!pm_pem_is(VIEW("0")));
	ck_assert(!pm_pem_is(VIEW("-----BEGIN")));
	ck_assert(!pm_pem_is(pm_view(NULL, 0)));
}
END_TEST

/* --- the list -------------------------------------------------------------------------------- */

static void add_certs(TCase *t)
{
	tcase_add_test(t, cert_tells_what_is_in_it);
	tcase_add_test(t, cert_of_two_names_has_none);
	tcase_add_test(t, cert_is_one_and_no_byte_more);
	tcase_add_test(t, cert_validity_is_inclusive);
	tcase_add_test(t, cert_times_of_both_forms);
	tcase_add_test(t, cert_extensions);
	tcase_add_test(t, cert_known_extension_twice);
	tcase_add_test(t, cert_key_and_its_use);
	tcase_add_test(t, issuer_is_accepted);
	tcase_add_test(t, issuer_must_be_named);
	tcase_add_test(t, issuer_must_be_an_authority);
	tcase_add_test(t, issuer_must_be_allowed_to_sign);
	tcase_add_test(t, issuer_may_limit_the_path);
	tcase_add_test(t, issuer_key_must_have_signed);
	tcase_add_test(t, weak_and_other_signatures);
	tcase_add_test(t, ecdsa_issuers);
	tcase_add_test(t, no_byte_may_change);
}

int main(void)
{
	Suite *s = suite_create("x509");
	TCase *t = tcase_create("x509");

	if (pm_crypto_init() < 0)
		return EXIT_FAILURE;
	tcase_add_unchecked_fixture(t, make_keys, free_keys);
	tcase_set_timeout(t, 60);
	add_certs(t);
	tcase_add_test(t, crl_lists_serials);
	tcase_add_test(t, crl_tells_its_times);
	tcase_add_test(t, crl_issuer);
	tcase_add_test(t, crl_is_one_and_no_byte_more);
	tcase_add_test(t, no_byte_of_a_crl_may_change);
	tcase_add_test(t, pem_blocks_in_order);
	tcase_add_test(t, pem_malformed);
	tcase_add_test(t, pem_is_told_from_der);
	suite_add_tcase(s, t);
	return test_main(s);
}
