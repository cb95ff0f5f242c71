/* SPDX-License-Identifier: Apache-2.0 */
/* Any certificate: what is read lies in its bytes, and only exactly these bytes are accepted. */
#include "crypto/x509.h"

#include <string.h>

#include "crypto/der.h"
#include "fuzz.h"

/* basicConstraints, keyUsage, and AMD's hwID (1.3.6.1.4.1.3704.1.4). */
static const char *const oids[] = {
	"\x55\x1d\x13", "\x55\x1d\x0f", "\x2b\x06\x01\x04\x01\x9c\x78\x01\x04"};

static void check_extensions(const struct pm_cert *cert, struct pm_view der)
{
	for (size_t i = 0; i < PM_ARRAY_LEN(oids); i++) {
		struct pm_view value = {0};
		int r = pm_cert_extension(cert, pm_view(oids[i], strlen(oids[i])), &value);

		FUZZ_CHECK(r == PM_OK || r == PM_E_MISSING || r == PM_E_FORMAT);
		FUZZ_CHECK(r == PM_OK || !value.ptr);
		if (r == PM_OK)
			FUZZ_CHECK(fuzz_within(value, der));
		fuzz_touch(value);
	}
}

static void check_times(const struct pm_cert *cert)
{
	int64_t from = pm_cert_not_before(cert), to = pm_cert_not_after(cert);

	if (from > to) {
		FUZZ_CHECK(pm_cert_check_time(cert, from) == PM_E_STALE);
		FUZZ_CHECK(pm_cert_check_time(cert, to) == PM_E_STALE);
		return;
	}
	FUZZ_CHECK(pm_cert_check_time(cert, from) == PM_OK);
	FUZZ_CHECK(pm_cert_check_time(cert, to) == PM_OK);
	FUZZ_CHECK(pm_cert_check_time(cert, from - 1) == PM_E_STALE);
	FUZZ_CHECK(pm_cert_check_time(cert, to + 1) == PM_E_STALE);
}

/* No seed of the corpus is signed. */
static void check_signature(const struct pm_cert *cert)
{
	pm_cleanup(pm_pubkey) struct pm_pubkey *key = NULL;

	if (pm_cert_pubkey(cert, &key) < 0) {
		FUZZ_CHECK(!key);
		return;
	}
	FUZZ_CHECK(pm_cert_check_issuer(cert, cert, key, 0) < 0);
}

static void check_cert(const struct pm_cert *cert, struct pm_view input)
{
	struct pm_view der = pm_cert_der(cert), name = pm_cert_common_name(cert);

	FUZZ_CHECK(pm_view_equal(der, input));
	FUZZ_CHECK(fuzz_within(pm_cert_subject(cert), der));
	FUZZ_CHECK(fuzz_within(pm_cert_issuer(cert), der));
	FUZZ_CHECK(fuzz_within(pm_cert_serial(cert), der));
	FUZZ_CHECK(fuzz_within(name, der));
	FUZZ_CHECK(
		pm_cert_is_named(cert, "SEV-VCEK") == pm_view_equal(name, pm_view("SEV-VCEK", 8)));
	(void)pm_cert_is_ca(cert);
	check_extensions(cert, der);
	check_times(cert);
	check_signature(cert);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	pm_cleanup(pm_cert) struct pm_cert *cert = NULL;

	FUZZ_CHECK(pm_crypto_init() == PM_OK);
	if (pm_cert_parse(pm_view(data, size), &cert) < 0)
		FUZZ_CHECK(!cert);
	else
		check_cert(cert, pm_view(data, size));
	return 0;
}
