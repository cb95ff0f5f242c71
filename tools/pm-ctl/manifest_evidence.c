/* SPDX-License-Identifier: Apache-2.0 */
#include "pm-ctl/manifest_evidence.h"

#include <err.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/checks.h"
#include "common/file.h"
#include "common/json.h"

/* Bits of POLICY that narrow what the host may do: a role demands those that the guest had. */
#define NARROWING                                                                                  \
	(PM_SNP_POLICY_SINGLE_SOCKET | PM_SNP_POLICY_MEM_AES_256_XTS | PM_SNP_POLICY_RAPL_DIS |    \
		PM_SNP_POLICY_CIPHERTEXT_HIDING | PM_SNP_POLICY_PAGE_SWAP_DISABLE)

/* Bits of PLATFORM_INFO worth keeping: who has them now does not lose them. */
#define PLATFORM                                                                                   \
	(PM_SNP_PLATFORM_ALIAS_CHECK_COMPLETE | PM_SNP_PLATFORM_CIPHERTEXT_HIDING_EN |             \
		PM_SNP_PLATFORM_IOMMU_WRITE_SAFE)

static bool is_zero(const uint8_t *bytes, size_t size)
{
	for (size_t i = 0; i < size; i++) {
		if (bytes[i])
			return false;
	}
	return true;
}

/* Adds a value to the list at key, which is made when it is not there. */
static void add_once(json_t *snp, const char *key, json_t *value)
{
	json_t *list = json_object_get(snp, key);

	if (!json_is_array(list)) {
		list = json_array();
		json_object_set_new(snp, key, list);
	}
	for (size_t i = 0; i < json_array_size(list); i++) {
		if (json_equal(json_array_get(list, i), value)) {
			json_decref(value);
			return;
		}
	}
	json_array_append_new(list, value);
}

static void set_bits(json_t *snp, const char *key, uint64_t bits)
{
	char text[19];

	snprintf(text, sizeof(text), "0x%" PRIx64, bits);
	if (bits)
		json_object_set_new(snp, key, json_string(text));
}

/* What only the first report of a role decides; further ones must then satisfy it. */
static void fill(json_t *snp, const struct pm_snp_fields *f)
{
	uint64_t smt = f->policy & PM_SNP_POLICY_SMT ? 0 : PM_SNP_POLICY_SMT;

	json_object_set_new(snp, "chip_ids", json_null());
	json_object_set_new(snp, "require_crl", json_true());
	set_bits(snp, "policy_set", f->policy & NARROWING);
	set_bits(snp, "policy_clear", smt);
	set_bits(snp, "platform_info_set", f->platform_info & PLATFORM);
	if (f->guest_svn)
		json_object_set_new(snp, "min_guest_svn", json_integer(f->guest_svn));
	if (f->vmpl)
		add_once(snp, "vmpls", json_integer(f->vmpl));
	if (!is_zero(f->id_key_digest, sizeof(f->id_key_digest)))
		add_once(snp, "id_key_digests",
			tool_hex_json(f->id_key_digest, sizeof(f->id_key_digest)));
	if (f->author_key_en)
		add_once(snp, "author_key_digests",
			tool_hex_json(f->author_key_digest, sizeof(f->author_key_digest)));
}

static void lower_part(json_t *tcb, const char *name, uint8_t found)
{
	json_t *have = json_object_get(tcb, name);

	if (!have || json_integer_value(have) > found)
		json_object_set_new(tcb, name, json_integer(found));
}

/* REPORTED_TCB becomes the least one; of several reports each part's lowest. */
static bool add_tcb(json_t *snp, const struct pm_snp_fields *f, enum pm_snp_product product)
{
	const char *name = pm_snp_product_name((int)product);
	json_t *min = json_object_get(snp, "min_tcb"), *tcb;
	struct pm_snp_tcb t;

	if (pm_snp_tcb_decode(product, f->reported_tcb, &t) < 0)
		return false;
	if (!min) {
		min = json_object();
		json_object_set_new(snp, "min_tcb", min);
	}
	tcb = json_object_get(min, name);
	if (!tcb) {
		tcb = json_object();
		json_object_set_new(min, name, tcb);
	}
	if (product == PM_SNP_TURIN)
		lower_part(tcb, "fmc", t.fmc);
	lower_part(tcb, "boot_loader", t.boot_loader);
	lower_part(tcb, "tee", t.tee);
	lower_part(tcb, "snp", t.snp);
	lower_part(tcb, "microcode", t.microcode);
	return true;
}

/* All zero says that the host gave none: there is nothing to demand, and null says so. */
static void add_host_data(json_t *snp, const struct pm_snp_fields *f)
{
	bool zero = is_zero(f->host_data, sizeof(f->host_data));
	bool first = json_object_get(snp, "host_data") == NULL;

	if (zero && first)
		json_object_set_new(snp, "host_data", json_null());
	else if (!json_is_null(json_object_get(snp, "host_data")))
		add_once(snp, "host_data", tool_hex_json(f->host_data, sizeof(f->host_data)));
}

static int check_permitted(
	json_t *snp, const char *path, const struct pm_snp_fields *f, bool allow_debug)
{
	if (f->policy & (PM_SNP_POLICY_MIGRATE_MA | PM_SNP_POLICY_CXL_ALLOW)) {
		warnx("%s: the guest may be migrated, or use CXL memory: write such a role by hand",
			path);
		return TOOL_REJECTED;
	}
	if (!(f->policy & PM_SNP_POLICY_DEBUG))
		return TOOL_OK;
	if (!allow_debug) {
		warnx("%s: the host may debug this guest; --allow-debug permits that", path);
		return TOOL_REJECTED;
	}
	json_object_set_new(snp, "permit_debug", json_true());
	return TOOL_OK;
}

static int add(
	json_t *snp, const char *path, const struct pm_snp_fields *f, int product, bool allow_debug)
{
	int r = check_permitted(snp, path, f, allow_debug);

	if (r != TOOL_OK)
		return r;
	if (!product) {
		warnx("%s: the report does not name its processor: give --product before it", path);
		return TOOL_USAGE;
	}
	if (!json_object_get(snp, "measurements"))
		fill(snp, f);
	if (!add_tcb(snp, f, (enum pm_snp_product)product)) {
		warnx("%s: its TCB is not one of %s", path, pm_snp_product_name(product));
		return TOOL_REJECTED;
	}
	add_once(snp, "measurements", tool_hex_json(f->measurement, sizeof(f->measurement)));
	add_host_data(snp, f);
	add_once(snp, "signers", json_string(f->signing_key == PM_SNP_VLEK ? "VLEK" : "VCEK"));
	return TOOL_OK;
}

int manifest_add_evidence(json_t *snp, const char *path, int product, bool allow_debug)
{
	struct pm_report *report = pm_report_new();
	struct pm_snp_evidence *evidence = NULL;
	uint8_t *bytes = NULL;
	size_t len;
	int r = tool_read_file(path, PM_SNP_INPUT_MAX, &bytes, &len), error = PM_OK, claimed;

	if (r == TOOL_OK)
		error = pm_snp_evidence_parse(bytes, len, report, &evidence);
	if (error < 0) {
		tool_print_error(path, error, report);
		r = tool_exit_status(error);
	} else if (r == TOOL_OK) {
		claimed = pm_snp_evidence_product(evidence);
		r = add(snp, path, pm_snp_evidence_untrusted(evidence), claimed ? claimed : product,
			allow_debug);
	}
	pm_snp_evidence_free(evidence);
	pm_report_free(report);
	free(bytes);
	return r;
}
