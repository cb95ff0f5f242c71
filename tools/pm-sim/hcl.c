/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The blob that Azure's paravisor (HCL) leaves in the vTPM: header, SNP report, and JSON runtime
 * data whose SHA-256 is the report's REPORT_DATA.
 */
#include "pm-sim/sim.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/bn.h>
#include <openssl/core_names.h>

/* Size of the vTPM's NV index. */
#define BLOB_SIZE   2600
#define HEADER_SIZE 32
#define DATA_OFFSET (HEADER_SIZE + PM_SNP_REPORT_SIZE)
#define JSON_OFFSET (DATA_OFFSET + 20)
#define JSON_MAX    (BLOB_SIZE - JSON_OFFSET)

static void put_le32(uint8_t *at, size_t value)
{
	for (int i = 0; i < 4; i++)
		at[i] = (uint8_t)(value >> 8 * i);
}

/* Base64 for URLs without padding (RFC 7515), as JSON Web Keys have it. */
static void base64url(const uint8_t *bytes, size_t len, char *ret)
{
	size_t n = (size_t)EVP_EncodeBlock((unsigned char *)ret, bytes, (int)len);

	for (size_t i = 0; i < n; i++) {
		if (ret[i] == '+')
			ret[i] = '-';
		if (ret[i] == '/')
			ret[i] = '_';
		if (ret[i] == '=')
			ret[i] = '\0';
	}
}

static int attestation_key(struct sim_machine *m, char *ret, size_t size)
{
	uint8_t modulus[256];
	BIGNUM *n = NULL;
	EVP_PKEY *key = NULL;
	int r = sim_machine_key(m, SIM_HCL_AK, &key);
	int len;

	if (r != TOOL_OK)
		return r;
	if (size < 2 * sizeof(modulus) ||
		EVP_PKEY_get_bn_param(key, OSSL_PKEY_PARAM_RSA_N, &n) != 1)
		return sim_fail("can't read the attestation key");
	len = BN_bn2binpad(n, modulus, sizeof(modulus));
	BN_free(n);
	if (len != (int)sizeof(modulus))
		return sim_fail("the attestation key is not RSA-2048");
	base64url(modulus, sizeof(modulus), ret);
	return TOOL_OK;
}

static int default_json(struct sim_machine *m, struct sim_bytes *ret)
{
	char modulus[512], text[JSON_MAX];
	int r = attestation_key(m, modulus, sizeof(modulus));
	int n;

	if (r != TOOL_OK)
		return r;
	n = snprintf(text, sizeof(text),
		"{\"keys\":[{\"kid\":\"HCLAkPub\",\"key_ops\":[\"sign\"],\"kty\":\"RSA\","
		"\"e\":\"AQAB\",\"n\":\"%s\"}],\"vm-configuration\":{\"console-enabled\":true,"
		"\"secure-boot\":true,\"tpm-enabled\":true,"
		"\"vmUniqueId\":\"00000000-0000-0000-0000-000000000000\"},\"user-data\":\"%"
		"0128d\"}",
		modulus, 0);
	return sim_bytes_set(ret, text, (size_t)n);
}

static int runtime_data(const struct sim_options *o, struct sim_machine *m, struct sim_bytes *ret)
{
	if (!o->runtime_data)
		return default_json(m, ret);
	return tool_read_file(o->runtime_data, JSON_MAX, &ret->ptr, &ret->len);
}

static void put_blob(const struct sim_plan *plan, const struct sim_bytes *json, uint8_t *blob)
{
	memcpy(blob, "HCLA", 4);
	put_le32(blob + 4, 1);
	put_le32(blob + 8, JSON_OFFSET + json->len - HEADER_SIZE);
	put_le32(blob + 12, 2);
	memcpy(blob + HEADER_SIZE, plan->report, PM_SNP_REPORT_SIZE);
	put_le32(blob + DATA_OFFSET, 20 + json->len);
	put_le32(blob + DATA_OFFSET + 4, 1);
	put_le32(blob + DATA_OFFSET + 8, 2);
	put_le32(blob + DATA_OFFSET + 12, 1);
	put_le32(blob + DATA_OFFSET + 16, json->len);
	memcpy(blob + JSON_OFFSET, json->ptr, json->len);
}

static int make(const struct sim_options *o, struct sim_machine *m)
{
	__attribute__((cleanup(sim_cleanup_bytes))) struct sim_bytes json = {0};
	uint8_t report_data[PM_SNP_REPORT_DATA_SIZE] = {0};
	uint8_t blob[BLOB_SIZE] = {0};
	struct sim_plan plan;
	int r = runtime_data(o, m, &json);

	if (r != TOOL_OK)
		return r;
	sim_plan_init(&plan, m, o->now);
	EVP_Digest(json.ptr, json.len, report_data, NULL, EVP_sha256(), NULL);
	r = sim_request_report(&o->request, report_data, &plan);
	if (r != TOOL_OK)
		return r;
	put_blob(&plan, &json, blob);
	return tool_write_file(o->output, blob, sizeof(blob), 0644);
}

int sim_verb_hcl(const struct sim_options *o)
{
	struct sim_machine m;
	int r = sim_machine_load(o->dir, &m);

	if (r == TOOL_OK && !o->output)
		r = sim_fail("hcl needs -o FILE");
	if (r == TOOL_OK)
		r = make(o, &m);
	sim_machine_free(&m);
	return r;
}
