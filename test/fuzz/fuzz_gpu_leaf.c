/* SPDX-License-Identifier: Apache-2.0 */
/* Any device certificate, behind any parent's with 16 bits of length: what is read of it. */
#include <string.h>

#include "base/rd.h"
#include "evidence/gpu_leaf.h"
#include "evidence/gpu_policy.h"
#include "fuzz.h"

static void check_leaf(const struct pm_gpu_leaf *leaf, const struct pm_cert *cert)
{
	struct pm_view name = pm_cert_common_name(cert);
	size_t n = strlen(leaf->chip);

	FUZZ_CHECK(pm_gpu_arch_known((int)leaf->arch));
	FUZZ_CHECK(n && n < sizeof(leaf->chip) && name.len > n && !memcmp(name.ptr, leaf->chip, n));
	FUZZ_CHECK(leaf->ueid[0] && strspn(leaf->ueid, "0123456789") == strlen(leaf->ueid));
	FUZZ_CHECK(strlen(leaf->ueid) < sizeof(leaf->ueid));
	FUZZ_CHECK(leaf->has_fwid || pm_is_zero(leaf->fwid, sizeof(leaf->fwid)));
	FUZZ_CHECK(!pm_cert_is_ca(cert));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	pm_cleanup(pm_cert) struct pm_cert *parent = NULL, *cert = NULL;
	struct pm_rd rd = pm_rd(pm_view(data, size));
	struct pm_view first = pm_rd_bytes(&rd, pm_rd_be16(&rd));
	struct pm_gpu_leaf leaf;
	int r;

	memset(&leaf, 0x5a, sizeof(leaf));
	FUZZ_CHECK(pm_crypto_init() == PM_OK);
	if (pm_cert_parse(first, &parent) < 0 || pm_cert_parse(pm_rd_rest(&rd), &cert) < 0)
		return 0;
	r = pm_gpu_leaf_read(cert, parent, NULL, &leaf);
	if (r == PM_OK)
		check_leaf(&leaf, cert);
	else
		FUZZ_CHECK(((uint8_t *)&leaf)[0] == 0x5a); /* written only on success */
	return 0;
}
