/* SPDX-License-Identifier: Apache-2.0 */
/* What can be wrong with a device's certificates, and with a reference manifest. */
#include "pm-sim/sim_gpu.h"

#include <stdio.h>
#include <string.h>

enum level { LEAF, BROM, ICA, IDENTITY, ROOT };

/* --- certificates of devices ------------------------------------------------------------------ */

static void set_order(struct sim_gpu_plan *plan, const unsigned int *order, size_t n)
{
	memcpy(plan->order, order, n * sizeof(*order));
	plan->order_count = n;
}

static void chain_order(struct sim_gpu_plan *plan, uint32_t which)
{
	static const struct {
		unsigned int order[6];
		size_t n;
	} orders[] = {{{LEAF, BROM, ICA, IDENTITY}, 4},
		{{LEAF, BROM, ICA, IDENTITY, ROOT, ROOT}, 6},
		{{LEAF, ICA, BROM, IDENTITY, ROOT}, 5}, {{ROOT, IDENTITY, ICA, BROM, LEAF}, 5},
		{{LEAF, BROM, ICA, ROOT}, 4}, {{LEAF, BROM, BROM, IDENTITY, ROOT}, 5}, {{0}, 0}};

	set_order(plan, orders[which].order, orders[which].n);
}

static struct sim_gpu_cert *remade(struct sim_gpu_plan *plan, uint32_t level)
{
	plan->chain[level].remake = true;
	return &plan->chain[level];
}

/* A stranger's key signed it in the name of the issuer. */
static void forged(struct sim_gpu_plan *plan, uint32_t level)
{
	snprintf(remade(plan, level)->issuer, SIM_GPU_NAME, "rogue");
}

/* It certifies a stranger's key; what is below was signed with the right one. */
static void other_key(struct sim_gpu_plan *plan, uint32_t level)
{
	snprintf(remade(plan, level)->name, SIM_GPU_NAME, "rogue");
}

/* A whole chain under a root that looks the same. */
static void rogue_root(struct sim_gpu_plan *plan, uint32_t arg)
{
	(void)arg;
	snprintf(remade(plan, ROOT)->name, SIM_GPU_NAME, "rogue");
	forged(plan, ROOT);
	forged(plan, IDENTITY);
}

static void leaf_key(struct sim_gpu_plan *plan, uint32_t arg)
{
	(void)arg;
	snprintf(remade(plan, LEAF)->name, SIM_GPU_NAME, "rogue-leaf");
}

static void leaf_p256(struct sim_gpu_plan *plan, uint32_t arg)
{
	(void)arg;
	snprintf(remade(plan, LEAF)->name, SIM_GPU_NAME, "p256-leaf");
}

static void fwid(struct sim_gpu_plan *plan, uint32_t offset)
{
	remade(plan, LEAF)->fwid[offset] ^= 1;
}

static void fwid_kind(struct sim_gpu_plan *plan, uint32_t kind)
{
	struct sim_gpu_cert *leaf = remade(plan, LEAF);

	if (kind == SIM_FWID_NONE)
		leaf->fwid_kind = SIM_FWID_NONE;
	else
		leaf->fwid_kind = leaf->fwid_kind == SIM_FWID_COMPOSITE ? SIM_FWID_TCB_INFO
									: SIM_FWID_COMPOSITE;
}

static void usage(struct sim_gpu_plan *plan, uint32_t arg)
{
	remade(plan, arg >> 8)->usage = (enum sim_gpu_usage)(arg & 0xff);
}

#define USE(level, what) usage, (uint32_t)(level) << 8 | (what)

static void hash(struct sim_gpu_plan *plan, uint32_t level)
{
	remade(plan, level)->hash = "SHA256";
}

static void expired(struct sim_gpu_plan *plan, uint32_t level)
{
	remade(plan, level)->not_after = plan->now - SIM_DAY;
}

static void future(struct sim_gpu_plan *plan, uint32_t level)
{
	remade(plan, level)->not_before = plan->now + SIM_DAY;
}

static void san(struct sim_gpu_plan *plan, uint32_t other)
{
	struct sim_gpu_cert *leaf = remade(plan, LEAF);

	snprintf(leaf->san, sizeof(leaf->san), "%s", other ? "NVIDIA:AD102:0011223344556677" : "");
}

static void leaf_name(struct sim_gpu_plan *plan, uint32_t arg)
{
	(void)arg;
	snprintf(remade(plan, LEAF)->cn, SIM_GPU_CN, "%s",
		sim_gpu_is_switch(&plan->device) ? "GH100 A01 GSP FMC LF" : "LS_10 A01 FSP FMC LF");
}

static const struct sim_gpu_defect chain_defects[] = {
	{"chain-no-root", "the root is missing", chain_order, 0},
	{"chain-six", "the root twice", chain_order, 1},
	{"chain-order", "two certificates swapped", chain_order, 2},
	{"chain-reversed", "root first", chain_order, 3},
	{"chain-no-identity", "the Identity is missing", chain_order, 4},
	{"chain-duplicate", "the BROM in place of the ICA", chain_order, 5},
	{"chain-empty", "no certificate", chain_order, 6},
	{"leaf-other-key", "the leaf certifies another key", leaf_key},
	{"leaf-p256", "the leaf has a key on P-256", leaf_p256},
	{"leaf-forged", "the leaf is not signed by the BROM", forged, LEAF},
	{"leaf-sha256", "the leaf is signed with SHA-256", hash, LEAF},
	{"leaf-fwid", "the FWID is not the report's", fwid, 0},
	{"leaf-fwid-tail", "the FWID is not the report's, last byte", fwid, 47},
	{"leaf-no-fwid", "the leaf has no FWID", fwid_kind, SIM_FWID_NONE},
	{"leaf-fwid-kind", "the FWID stands in the other kind of extension", fwid_kind, 1,
		.harmless = true},
	{"leaf-usage", "the leaf may not sign", USE(LEAF, SIM_USE_NONE)},
	{"leaf-ca", "the leaf is an authority", USE(LEAF, SIM_USE_CA)},
	{"leaf-san", "the leaf is of another chip", san, 1},
	{"leaf-no-san", "the leaf names no chip", san, 0},
	{"leaf-name", "the leaf is of another class of device", leaf_name},
	{"leaf-expired", "the leaf has expired", expired, LEAF},
	{"leaf-future", "the leaf is not yet valid", future, LEAF},
	{"brom-not-ca", "the BROM is no authority", USE(BROM, SIM_USE_DEVICE)},
	{"brom-other-key", "the BROM has another key", other_key, BROM},
	{"brom-forged", "the BROM is not signed by the ICA", forged, BROM},
	{"ica-not-ca", "the ICA is no authority", USE(ICA, SIM_USE_SIGNER)},
	{"ica-forged", "the ICA is not signed by the Identity", forged, ICA},
	{"ica-expired", "the ICA has expired", expired, ICA},
	{"identity-forged", "the Identity is not signed by the root", forged, IDENTITY},
	{"root-forged", "the whole chain is of a root with another key", rogue_root},
};

const struct sim_gpu_defects sim_gpu_chain_defects = {
	SIM_GPU_CERTS, "chain", chain_defects, sizeof(chain_defects) / sizeof(chain_defects[0])};

/* --- manifests -------------------------------------------------------------------------------- */

static void rim_product(struct sim_gpu_plan *plan, uint32_t arg)
{
	(void)arg;
	snprintf(plan->rim.product, sizeof(plan->rim.product), "%s",
		strcmp(plan->rim.product, "GH100") == 0 ? "GB100" : "GH100");
}

static void rim_version(struct sim_gpu_plan *plan, uint32_t arg)
{
	size_t n = strlen(plan->rim.version);

	(void)arg;
	plan->rim.version[n - 1] = plan->rim.version[n - 1] == '9' ? '8' : '9';
}

static struct sim_rim_resource *first_active(struct sim_rim *rim)
{
	for (size_t i = 0; i < rim->resource_count; i++)
		if (strcmp(rim->resources[i].active, "True") == 0)
			return &rim->resources[i];
	return &rim->resources[0];
}

/* An entry more, the index of another. */
static void rim_duplicate(struct sim_gpu_plan *plan, uint32_t arg)
{
	(void)arg;
	plan->rim.resources[plan->rim.resource_count++] = *first_active(&plan->rim);
}

/* Both manifests tell of one index, and the device has the value that this one tells. */
static void rim_conflict(struct sim_gpu_plan *plan, uint32_t index)
{
	struct sim_rim_resource *res = &plan->rim.resources[index];
	uint8_t value[SIM_GPU_DIGEST];

	sim_gpu_measurement(plan->machine, &plan->device, index, value);
	res->active = "True";
	res->alternatives = 1;
	pm_hex_encode(value, sizeof(value), res->hash[0]);
}

/* Signed as it is: another value than the device's. */
static void rim_value(struct sim_gpu_plan *plan, uint32_t arg)
{
	struct sim_rim_resource *res = first_active(&plan->rim);
	char *hash;

	(void)arg;
	for (; res->alternatives > 1 || strspn(res->hash[0], "0") == 96; res++)
		;
	hash = res->hash[0];
	hash[5] = hash[5] == 'a' ? 'b' : 'a';
}

static void rim_active(struct sim_gpu_plan *plan, uint32_t arg)
{
	(void)arg;
	first_active(&plan->rim)->active = "Maybe";
}

static void rim_size(struct sim_gpu_plan *plan, uint32_t arg)
{
	(void)arg;
	first_active(&plan->rim)->size = "32";
}

static void rim_short_hash(struct sim_gpu_plan *plan, uint32_t arg)
{
	(void)arg;
	first_active(&plan->rim)->hash[0][94] = '\0';
}

static void rim_alternatives(struct sim_gpu_plan *plan, uint32_t n)
{
	first_active(&plan->rim)->alternatives = n;
}

static void rim_index(struct sim_gpu_plan *plan, uint32_t index)
{
	first_active(&plan->rim)->index = index;
}

static void rim_maker(struct sim_gpu_plan *plan, uint32_t arg)
{
	(void)arg;
	plan->rim.manufacturer = "1414";
}

static void rim_flag(struct sim_gpu_plan *plan, uint32_t offset)
{
	*(bool *)(void *)((char *)&plan->rim + offset) = true;
}

static void rim_key_value(struct sim_gpu_plan *plan, uint32_t arg)
{
	rim_value(plan, arg);
	plan->rim.key_value = true;
	snprintf(plan->rim.key, sizeof(plan->rim.key), "rogue");
}

static void rim_other_key(struct sim_gpu_plan *plan, uint32_t arg)
{
	(void)arg;
	snprintf(plan->rim.key, sizeof(plan->rim.key), "rogue");
}

static void rim_wrapped(struct sim_gpu_plan *plan, uint32_t arg)
{
	(void)arg;
	plan->rim.wrapped = true;
	plan->rim.flip_hash = true;
}

/* Texts: which part, and what it becomes. */
static void rim_text(struct sim_gpu_plan *plan, uint32_t which)
{
	static const char extra[] = "<!-- nothing -->";

	switch (which) {
	case 0:
		plan->rim.prolog = "<!DOCTYPE SoftwareIdentity [<!ENTITY a \"b\">]>";
		break;
	case 1:
		plan->rim.prolog = "<?xml version=\"1.0\"?>\n";
		break;
	case 2:
		plan->rim.extra = extra;
		break;
	case 3:
		plan->rim.extra = "<ns0:Payload></ns0:Payload>";
		break;
	case 4:
		plan->rim.uri = "#other";
		break;
	case 5:
		plan->rim.digest_method = "http://www.w3.org/2001/04/xmlenc#sha256";
		break;
	case 6:
		plan->rim.transform = "http://www.w3.org/TR/1999/REC-xslt-19991116";
		break;
	default:
		plan->rim.transform = NULL;
	}
}

static void rim_chain(struct sim_gpu_plan *plan, uint32_t count)
{
	plan->rim.chain_count = count;
}

static void rim_expired(struct sim_gpu_plan *plan, uint32_t level)
{
	plan->rim.chain[level].remake = true;
	plan->rim.chain[level].not_after = plan->now - SIM_DAY;
}

static void rim_future(struct sim_gpu_plan *plan, uint32_t level)
{
	plan->rim.chain[level].remake = true;
	plan->rim.chain[level].not_before = plan->now + SIM_DAY;
}

static void rim_forged(struct sim_gpu_plan *plan, uint32_t level)
{
	plan->rim.chain[level].remake = true;
	snprintf(plan->rim.chain[level].issuer, SIM_GPU_NAME, "rogue");
}

static void rim_not_ca(struct sim_gpu_plan *plan, uint32_t level)
{
	plan->rim.chain[level].remake = true;
	plan->rim.chain[level].usage = SIM_USE_SIGNER;
	plan->rim.chain[level].path_len = -1;
}

static void rim_rogue_root(struct sim_gpu_plan *plan, uint32_t arg)
{
	(void)arg;
	rim_forged(plan, 3);
	snprintf(plan->rim.chain[3].name, SIM_GPU_NAME, "rogue");
	rim_forged(plan, 2);
}

#define FLAG(member) rim_flag, offsetof(struct sim_rim, member)

static const struct sim_gpu_defect rim_defects[] = {
	{"rim-digest", "a value changed after the digest", FLAG(flip_hash)},
	{"rim-signature", "the signature does not verify", FLAG(flip_signature)},
	{"rim-other-key", "signed by another key", rim_other_key},
	{"rim-key-value", "signed by a key that stands in the signature", rim_key_value},
	{"rim-wrapped", "elements within the signature", rim_wrapped},
	{"rim-two-signatures", "two signatures", FLAG(twice)},
	{"rim-cut", "the end is missing", FLAG(cut)},
	{"rim-doctype", "a document type", rim_text, 0},
	{"rim-declaration", "an XML declaration", rim_text, 1},
	{"rim-comment", "a comment", rim_text, 2},
	{"rim-two-payloads", "two payloads", rim_text, 3},
	{"rim-uri", "the digest is of another part", rim_text, 4},
	{"rim-digest-method", "a digest by SHA-256", rim_text, 5},
	{"rim-transform", "a transform by XSLT", rim_text, 6},
	{"rim-no-transform", "without the transform of enveloped signatures", rim_text, 7},
	{"rim-product", "of another chip", rim_product},
	{"rim-version", "of another version", rim_version},
	{"rim-manufacturer", "of another manufacturer", rim_maker, .harmless = true},
	{"rim-value", "another value than the device's", rim_value},
	{"rim-duplicate", "an index twice", rim_duplicate},
	{"rim-conflict", "an index of the other manifest", rim_conflict, 2},
	{"rim-index", "an index that no device has", rim_index, 64},
	{"rim-active", "neither active nor not", rim_active},
	{"rim-size", "digests of 32 bytes", rim_size},
	{"rim-hash", "a digest too short", rim_short_hash},
	{"rim-no-alternative", "no value", rim_alternatives, 0},
	{"rim-many-alternatives", "more values than there are", rim_alternatives, 5},
	{"rim-chain-short", "the root is missing", rim_chain, 3},
	{"rim-chain-leaf", "the signer's certificate alone", rim_chain, 1},
	{"rim-expired", "the signer has expired", rim_expired, 0},
	{"rim-future", "the signer is not yet valid", rim_future, 0},
	{"rim-l3-expired", "the signer's issuer has expired", rim_expired, 1},
	{"rim-forged", "the signer is certified by a stranger", rim_forged, 0},
	{"rim-l3-forged", "the signer's issuer is certified by a stranger", rim_forged, 1},
	{"rim-l3-not-ca", "the signer's issuer is no authority", rim_not_ca, 1},
	{"rim-root", "the whole chain is of a root with another key", rim_rogue_root},
};

const struct sim_gpu_defects sim_gpu_rim_defects = {
	SIM_GPU_RIM, "manifest", rim_defects, sizeof(rim_defects) / sizeof(rim_defects[0])};
