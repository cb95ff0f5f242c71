/* SPDX-License-Identifier: Apache-2.0 */
/* Any certificate table, against a naive reading of it. */
#include <string.h>

#include <pm/snp_policy.h>

#include "evidence/snp_evidence.h"
#include "evidence/snp_policy.h"
#include "fuzz.h"

#define ENTRY_SIZE 24

static uint32_t le32(const uint8_t *p)
{
	return p[0] | (uint32_t)p[1] << 8 | (uint32_t)p[2] << 16 | (uint32_t)p[3] << 24;
}

/* The number of entries before the one of zeros, or -1. */
static int count_entries(struct pm_view table)
{
	static const uint8_t zeros[ENTRY_SIZE];

	for (size_t i = 0; (i + 1) * ENTRY_SIZE <= table.len; i++) {
		if (!memcmp(table.ptr + i * ENTRY_SIZE, zeros, ENTRY_SIZE))
			return (int)i;
	}
	return -1;
}

static bool entry_is_good(struct pm_view table, int count, int i)
{
	const uint8_t *entry = table.ptr + i * ENTRY_SIZE;
	uint64_t offset = le32(entry + 16), length = le32(entry + 20);

	for (int j = 0; j < i; j++) {
		if (!memcmp(table.ptr + j * ENTRY_SIZE, entry, 16))
			return false;
	}
	return length && offset >= (uint64_t)(count + 1) * ENTRY_SIZE &&
	       offset + length <= table.len;
}

static bool table_is_good(struct pm_view table, int count)
{
	if (count < 0 || count > PM_SNP_TABLE_ENTRIES_MAX)
		return false;
	for (int i = 0; i < count; i++) {
		if (!entry_is_good(table, count, i))
			return false;
	}
	return true;
}

static void check_entries(const struct pm_snp_evidence *ev, struct pm_view table, int count)
{
	FUZZ_CHECK(table_is_good(table, count));
	FUZZ_CHECK(ev->entry_count == (size_t)count);
	for (size_t i = 0; i < ev->entry_count; i++) {
		const uint8_t *entry = table.ptr + i * ENTRY_SIZE;
		struct pm_view bytes = pm_view(table.ptr + le32(entry + 16), le32(entry + 20));

		FUZZ_CHECK(!memcmp(ev->entries[i].guid, entry, 16));
		FUZZ_CHECK(pm_view_equal(ev->entries[i].bytes, bytes));
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	pm_cleanup(pm_snp_evidence) struct pm_snp_evidence *ev = NULL;
	/* Version 2, POLICY bit 17, SIGNATURE_ALGO 1. */
	const uint8_t report[PM_SNP_REPORT_SIZE] = {[0] = 2, [0x0a] = 2, [0x34] = 1};
	struct pm_view table = pm_view(data, size);
	const struct pm_snp_facts *facts = NULL;

	FUZZ_CHECK(pm_snp_evidence_parse(report, sizeof(report), NULL, &ev) == PM_OK);
	if (size && pm_snp_evidence_add_table(ev, data, size, NULL) == PM_OK)
		check_entries(ev, table, count_entries(table));
	else
		FUZZ_CHECK(ev->entry_count == 0);
	FUZZ_CHECK(ev->cert_count <= PM_SNP_CERTS_MAX && ev->crl_count <= PM_SNP_CRLS_MAX);
	FUZZ_CHECK(fuzz_verify(ev, NULL, &facts) < 0 && !facts);
	return 0;
}
