/* SPDX-License-Identifier: Apache-2.0 */
/* Names and extensions of our own certificates (RFC 5280, 4.1.2.4 and 4.2). */
#include <string.h>

#include "crypto/der.h"
#include "crypto/x509_write.h"

/* Contents of object identifiers: id-at-commonName, id-at-serialNumber, and those of id-ce. */
static const uint8_t oid_common_name[] = {0x55, 0x04, 0x03};
static const uint8_t oid_serial[] = {0x55, 0x04, 0x05};
static const uint8_t oid_subject_key[] = {0x55, 0x1d, 0x0e};
static const uint8_t oid_usage[] = {0x55, 0x1d, 0x0f};
static const uint8_t oid_alt_name[] = {0x55, 0x1d, 0x11};
static const uint8_t oid_constraints[] = {0x55, 0x1d, 0x13};
static const uint8_t oid_authority_key[] = {0x55, 0x1d, 0x23};
static const uint8_t oid_purposes[] = {0x55, 0x1d, 0x25};

#define OID(bytes) pm_view(bytes, sizeof(bytes))

/* Whole values: BIT STRING digitalSignature; keyCertSign. */
static const uint8_t usage_signature[] = {PM_DER_BIT_STRING, 2, 7, 0x80};
static const uint8_t usage_ca[] = {PM_DER_BIT_STRING, 2, 2, 0x04};

/* SEQUENCE of id-kp-serverAuth and id-kp-clientAuth. */
static const uint8_t purposes_tls[] = {0x30, 0x14, 0x06, 0x08, 0x2b, 0x06, 0x01, 0x05, 0x05, 0x07,
	0x03, 0x01, 0x06, 0x08, 0x2b, 0x06, 0x01, 0x05, 0x05, 0x07, 0x03, 0x02};

static const uint8_t true_value = 0xff;

/* keyIdentifier [0] IMPLICIT OCTET STRING (RFC 5280, 4.2.1.1); a SAN's dNSName is [2]. */
#define KEY_IDENTIFIER PM_DER_CONTEXT(0)
#define DNS_NAME       PM_DER_CONTEXT(2)

/* RelativeDistinguishedName of one attribute. */
static void put_attribute(struct pm_wr *wr, struct pm_view oid, int tag, const char *value)
{
	size_t at = wr->len;

	pm_der_put(wr, PM_DER_OID, oid);
	pm_der_put(wr, tag, pm_view(value, strlen(value)));
	pm_der_wrap(wr, at, PM_DER_SEQUENCE);
	pm_der_wrap(wr, at, PM_DER_SET);
}

void pm_cert_put_name(struct pm_wr *wr, const char *common_name, const char *serial)
{
	size_t at = wr->len;

	put_attribute(wr, OID(oid_common_name), PM_DER_UTF8_STRING, common_name);
	if (serial)
		put_attribute(wr, OID(oid_serial), PM_DER_PRINTABLE_STRING, serial);
	pm_der_wrap(wr, at, PM_DER_SEQUENCE);
}

/* Begins an extension, whose value is written next; end_extension() ends it. */
static size_t begin_extension(struct pm_wr *wr, struct pm_view oid, bool critical)
{
	pm_der_put(wr, PM_DER_OID, oid);
	if (critical)
		pm_der_put(wr, PM_DER_BOOLEAN, pm_view(&true_value, 1));
	return wr->len;
}

static void end_extension(struct pm_wr *wr, size_t start, size_t value)
{
	pm_der_wrap(wr, value, PM_DER_OCTET_STRING);
	pm_der_wrap(wr, start, PM_DER_SEQUENCE);
}

void pm_cert_put_extension(
	struct pm_wr *wr, struct pm_view oid, bool critical, struct pm_view value)
{
	size_t start = wr->len, at = begin_extension(wr, oid, critical);

	pm_wr_bytes(wr, value);
	end_extension(wr, start, at);
}

void pm_cert_put_subject_key(struct pm_wr *wr, const uint8_t *key_id)
{
	size_t start = wr->len, at = begin_extension(wr, OID(oid_subject_key), false);

	pm_der_put(wr, PM_DER_OCTET_STRING, pm_view(key_id, PM_CERT_KEY_ID_SIZE));
	end_extension(wr, start, at);
}

void pm_cert_put_authority_key(struct pm_wr *wr, const uint8_t *key_id)
{
	size_t start = wr->len, at = begin_extension(wr, OID(oid_authority_key), false);

	pm_der_put(wr, KEY_IDENTIFIER, pm_view(key_id, PM_CERT_KEY_ID_SIZE));
	pm_der_wrap(wr, at, PM_DER_SEQUENCE);
	end_extension(wr, start, at);
}

bool pm_cert_authority_key(const struct pm_cert *cert, struct pm_view *ret_key_id)
{
	struct pm_view value, body;

	if (pm_cert_extension(cert, OID(oid_authority_key), &value) < 0)
		return false;
	return pm_der_only(value, PM_DER_SEQUENCE, &body) &&
	       pm_der_only(body, KEY_IDENTIFIER, ret_key_id) &&
	       ret_key_id->len == PM_CERT_KEY_ID_SIZE;
}

void pm_cert_put_usage_signature(struct pm_wr *wr)
{
	pm_cert_put_extension(wr, OID(oid_usage), true, OID(usage_signature));
}

void pm_cert_put_ca(struct pm_wr *wr, uint8_t cas_below)
{
	size_t start = wr->len, at = begin_extension(wr, OID(oid_constraints), true);

	pm_der_put(wr, PM_DER_BOOLEAN, pm_view(&true_value, 1));
	pm_der_put(wr, PM_DER_INTEGER, pm_view(&cas_below, 1));
	pm_der_wrap(wr, at, PM_DER_SEQUENCE);
	end_extension(wr, start, at);
	pm_cert_put_extension(wr, OID(oid_usage), true, OID(usage_ca));
}

void pm_cert_put_usage_tls(struct pm_wr *wr)
{
	pm_cert_put_extension(wr, OID(oid_purposes), false, OID(purposes_tls));
}

void pm_cert_put_dns_names(struct pm_wr *wr, const char *const *names, size_t count)
{
	size_t start = wr->len, at = begin_extension(wr, OID(oid_alt_name), false);

	for (size_t i = 0; i < count; i++)
		pm_der_put(wr, DNS_NAME, pm_view(names[i], strlen(names[i])));
	pm_der_wrap(wr, at, PM_DER_SEQUENCE);
	end_extension(wr, start, at);
}
