/* SPDX-License-Identifier: Apache-2.0 */
/* Devices with one thing wrong: each is refused, for the right reason. */
#include <string.h>

#include "base/report.h"
#include "evidence/gpu_cache.h"
#include "gpu_scene.h"
#include "testing.h"

/* A function of one statement; the structure swallows the semicolon. */
#define CHANGE(name, statement)                                                                    \
	static void name(struct gpu_scene *s)                                                      \
	{                                                                                          \
		statement;                                                                         \
	}                                                                                          \
	struct change_##name
#define DEMAND(name, call)                                                                         \
	static int name(struct pm_gpu_policy *p)                                                   \
	{                                                                                          \
		return call;                                                                       \
	}                                                                                          \
	struct demand_##name

#define LEAF	 s->certs[PM_GPU_LEAF]
#define BROM	 s->certs[PM_GPU_BROM]
#define ICA	 s->certs[PM_GPU_ICA]
#define IDENTITY s->certs[PM_GPU_IDENTITY]
#define ROOT	 s->certs[PM_GPU_ROOT]

static const uint8_t zeros[PM_GPU_DIGEST_SIZE], ones[PM_GPU_DIGEST_SIZE] = {1};

static void set_alt(struct gpu_scene *s, const char *text)
{
	gpu_scene_extend(s, GPU_ALT_NAME, "2.5.29.17", gpu_alt_name(text));
}

static void set_composite(struct gpu_scene *s, EVP_PKEY *key, const uint8_t *fwid)
{
	gpu_scene_extend(s, GPU_FWID, "2.23.133.5.4.1", gpu_composite(key, fwid));
}

static void set_tcb_info(struct gpu_scene *s, const uint8_t *fwid, uint8_t flags)
{
	gpu_scene_extend(s, GPU_FWID, "2.23.133.5.4.1.1", gpu_tcb_info(fwid, flags));
}

/* The extension with one byte changed. */
static void bend(struct gpu_scene *s, enum gpu_extension which, size_t at, uint8_t value)
{
	struct pm_view v = s->extensions[which].value;

	ck_assert_uint_lt(at, v.len);
	((uint8_t *)v.ptr)[at] = value;
}

/* A byte more behind the extension's content. */
static void lengthen(struct gpu_scene *s, enum gpu_extension which)
{
	struct mint_extension *e = &s->extensions[which];

	gpu_scene_extend(s, which, e->oid, mint_join(e->value, VIEW("\0")));
}

static void move_fwid_to_more(struct gpu_scene *s)
{
	gpu_scene_extend(s, GPU_MORE, "2.23.133.5.4.1.1", gpu_tcb_info(zeros, 0x80));
}

static void without_fwid(struct gpu_scene *s)
{
	gpu_scene_extend(s, GPU_FWID, "1.3.6.1.4.1.3704.1.98", mint_join(VIEW("\x05"), VIEW("\0")));
}

/* DiceTcbInfo that ends with these flags. */
static void cut_flags(struct gpu_scene *s, struct pm_view flags)
{
	struct pm_view whole = s->extensions[GPU_FWID].value;
	const size_t head = 3, tail = 10; /* flags and type are the last ten bytes */
	struct pm_view rest = pm_view(whole.ptr + head, whole.len - head - tail);

	gpu_scene_extend(s, GPU_FWID, "2.23.133.5.4.1.1", mint_wrap(0x30, rest, flags));
}

/* --- certificates ---------------------------------------------------------------------------- */

CHANGE(nothing, (void)s);
CHANGE(four_certs, s->cert_count = 4);
CHANGE(reversed, s->reversed = true);
CHANGE(untrusted, s->untrusted = true);
CHANGE(leaf_by_stranger, LEAF.signer.key = gpu_keys.stranger);
CHANGE(brom_by_stranger, BROM.signer.key = gpu_keys.stranger);
CHANGE(ica_by_stranger, ICA.signer.key = gpu_keys.stranger);
CHANGE(identity_by_stranger, IDENTITY.signer.key = gpu_keys.stranger);
CHANGE(leaf_issuer, LEAF.signer.name = "GH100 A01 GSP BROM 2");
CHANGE(brom_issuer, BROM.signer.name = "GH100 ICA 2");
CHANGE(leaf_sha256, LEAF.signer.hash = "SHA256");
CHANGE(brom_sha512, BROM.signer.hash = "SHA512");
CHANGE(identity_sha256, IDENTITY.signer.hash = "SHA256");
CHANGE(ica_sha256, ICA.signer.hash = "SHA256");
CHANGE(leaf_p256, (LEAF.key = gpu_keys.p256));
CHANGE(brom_p256, (BROM.key = LEAF.signer.key = gpu_keys.p256));
CHANGE(ica_rsa, (ICA.key = BROM.signer.key = gpu_keys.rsa));
CHANGE(root_rsa, (ROOT.key = ROOT.signer.key = IDENTITY.signer.key = gpu_keys.rsa));
CHANGE(leaf_ca, LEAF.constraints = "critical,CA:TRUE");
CHANGE(leaf_not_ca, LEAF.constraints = "critical,CA:FALSE");
CHANGE(leaf_cert_sign, LEAF.usage = "critical,digitalSignature,keyCertSign");
CHANGE(leaf_no_usage, LEAF.usage = NULL);
CHANGE(leaf_other_usage, LEAF.usage = "critical,keyAgreement");
CHANGE(brom_not_ca, BROM.constraints = "critical,CA:FALSE");
CHANGE(brom_no_constraints, BROM.constraints = NULL);
CHANGE(ica_not_ca, ICA.constraints = NULL);
CHANGE(identity_not_ca, IDENTITY.constraints = NULL);
CHANGE(root_not_ca, ROOT.constraints = NULL);
CHANGE(brom_no_sign, BROM.usage = "critical,digitalSignature");
CHANGE(ica_no_sign, ICA.usage = "critical,cRLSign");
CHANGE(ica_path_0, ICA.constraints = "critical,CA:TRUE,pathlen:0");
CHANGE(ica_path_1, ICA.constraints = "critical,CA:TRUE,pathlen:1");
CHANGE(root_path_2, ROOT.constraints = "critical,CA:TRUE,pathlen:2");
CHANGE(root_twice, (IDENTITY.name = ICA.signer.name = "Root"));
CHANGE(leaf_critical, (LEAF.oid = "1.2.3.4", LEAF.oid_value = VIEW("\x05\0"), LEAF.oid_count = 1,
			      LEAF.oid_critical = true));
CHANGE(ica_critical, (ICA.oid = "1.2.3.4", ICA.oid_value = VIEW("\x05\0"), ICA.oid_count = 1,
			     ICA.oid_critical = true));
CHANGE(leaf_expired, LEAF.not_after = GPU_NOW - 1);
CHANGE(leaf_last_second, LEAF.not_after = GPU_NOW);
CHANGE(leaf_future, LEAF.not_before = GPU_NOW + 1);
CHANGE(brom_expired, BROM.not_after = GPU_NOW - 1);
CHANGE(ica_expired, ICA.not_after = GPU_NOW - 1);
CHANGE(identity_expired, IDENTITY.not_after = GPU_NOW - 1);
CHANGE(root_future, ROOT.not_before = GPU_NOW + 1);
CHANGE(names_of_brom, LEAF.name = "GH200 A01 GSP FMC LF");
CHANGE(name_chip_only, LEAF.name = "GH100");
CHANGE(name_longer, LEAF.name = "GH1001 FMC");
CHANGE(name_twice, LEAF.name2 = "GH100 A01 GSP FMC LF");
CHANGE(alt_switch, set_alt(s, "NVIDIA:LS_10:48B02D92494BADF4"));
CHANGE(alt_maker, set_alt(s, "NVIDIb:GH100:48B02D92494BADF4"));
CHANGE(alt_no_id, set_alt(s, "NVIDIA:GH100:"));
CHANGE(alt_no_chip, set_alt(s, "NVIDIA::48B02D92494BADF4"));
CHANGE(alt_two_parts, set_alt(s, "NVIDIA:GH100"));
CHANGE(alt_lower, set_alt(s, "NVIDIA:gh100:48B02D92494BADF4"));
CHANGE(alt_empty, set_alt(s, ""));
CHANGE(alt_long, set_alt(s, "NVIDIA:GH100000000000000000000000000000000000:1"));
CHANGE(alt_other_oid, bend(s, GPU_ALT_NAME, 15, 0x02));
CHANGE(alt_dns, bend(s, GPU_ALT_NAME, 2, 0x82));
CHANGE(alt_printable, bend(s, GPU_ALT_NAME, 18, 0x13));
CHANGE(alt_behind, lengthen(s, GPU_ALT_NAME));
CHANGE(chip_unknown, (set_alt(s, "NVIDIA:GR100:48B02D92494BADF4"), LEAF.name = "GR100 A01"));
CHANGE(chip_ampere, (set_alt(s, "NVIDIA:GA100:48B02D92494BADF4"), LEAF.name = "GA100 A01"));
CHANGE(leaf_of_switch, (set_alt(s, "NVIDIA:LS_10:48B02D92494BADF4"), LEAF.name = "LS_10 A01"));
CHANGE(leaf_of_hopper, (set_alt(s, "NVIDIA:GH100:48B02D92494BADF4"), LEAF.name = "GH100 A01"));
CHANGE(leaf_of_blackwell, (set_alt(s, "NVIDIA:GB202:48B02D92494BADF4"), LEAF.name = "GB202 A01"));
CHANGE(serial_long, LEAF.serial_bytes = VIEW("\x01\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0"));

DEMAND(need_fwid, pm_gpu_policy_require(p, PM_GPU_REQUIRE_FWID));

/* --- firmware's identity --------------------------------------------------------------------- */

CHANGE(fwid_differs, set_composite(s, gpu_keys.chain[PM_GPU_BROM], ones));
CHANGE(fwid_differs_in_report, gpu_scene_set(s, 20, ones, sizeof(ones)));
CHANGE(fwid_of_stranger, set_composite(s, gpu_keys.stranger, zeros));
CHANGE(fwid_twice, move_fwid_to_more(s));
CHANGE(fwid_none_in_cert, without_fwid(s));
CHANGE(fwid_none_in_report, gpu_scene_drop(s, 20));
CHANGE(fwid_none_at_all, (gpu_scene_drop(s, 20), without_fwid(s)));
CHANGE(fwid_none_required, (gpu_scene_drop(s, 20), s->demand = need_fwid));
CHANGE(fwid_required, s->demand = need_fwid);
CHANGE(fwid_behind, lengthen(s, GPU_FWID));
CHANGE(fwid_version, bend(s, GPU_FWID, 5, 2));
CHANGE(fwid_sha256, bend(s, GPU_FWID, s->extensions[GPU_FWID].value.len - 51, 1));
CHANGE(fwid_short, bend(s, GPU_FWID, s->extensions[GPU_FWID].value.len - 49, 47));
CHANGE(tcb_differs, set_tcb_info(s, ones, 0x80));
CHANGE(tcb_debug, set_tcb_info(s, zeros, 0x90));
CHANGE(tcb_sha256, bend(s, GPU_FWID, 28, 1));
CHANGE(tcb_second_sha256, bend(s, GPU_FWID, 28 + 63, 1));
CHANGE(tcb_no_flags, cut_flags(s, VIEW("\x87\x01\x00")));
CHANGE(tcb_empty_flags, cut_flags(s, VIEW("\x87\x00")));
CHANGE(tcb_unused_of_none, cut_flags(s, VIEW("\x87\x01\x07")));
CHANGE(tcb_behind, lengthen(s, GPU_FWID));
CHANGE(tcb_no_fwids, bend(s, GPU_FWID, 14, 0xa5));
CHANGE(tcb_order, bend(s, GPU_FWID, 11, 0x88));
CHANGE(fwid_wrong_on_switch, set_composite(s, gpu_keys.chain[PM_GPU_BROM], ones));
CHANGE(fwid_told_by_switch, gpu_scene_set(s, 20, zeros, sizeof(zeros)));
CHANGE(fwid_told_wrong_by_switch, gpu_scene_set(s, 20, ones, sizeof(ones)));

/* --- report ---------------------------------------------------------------------------------- */

CHANGE(signed_by_stranger, s->report_key = gpu_keys.stranger);
CHANGE(signed_by_brom, s->report_key = gpu_keys.chain[PM_GPU_BROM]);
CHANGE(other_nonce, s->nonce[31] = 1);
CHANGE(any_nonce, (s->nonce[31] = 1, s->waivers |= PM_GPU_WAIVE_NONCE));
CHANGE(info_of_blackwell, gpu_scene_set(s, 4, "\xa0\x01\0\0\0\0\0\0", 8));
CHANGE(info_unknown, gpu_scene_set(s, 4, "\x70\x01\0\0\0\0\0\0", 8));
CHANGE(info_none, gpu_scene_drop(s, 4));
CHANGE(opaque_unknown, gpu_scene_set(s, 200, "x", 1));
CHANGE(opaque_permitted,
	(gpu_scene_set(s, 200, "x", 1), s->permissions = PM_GPU_PERMIT_UNKNOWN_OPAQUE));
CHANGE(opaque_28, gpu_scene_set(s, 28, "", 0));

/* --- policy ---------------------------------------------------------------------------------- */

DEMAND(only_hopper, pm_gpu_policy_allow_arch(p, PM_GPU_HOPPER));
DEMAND(only_blackwell, pm_gpu_policy_allow_arch(p, PM_GPU_BLACKWELL));
DEMAND(only_spt, pm_gpu_policy_allow_mode(p, PM_GPU_MODE_SPT));
DEMAND(driver_that, pm_gpu_policy_allow_driver(p, "550.90.07"));
DEMAND(driver_other, pm_gpu_policy_allow_driver(p, "550.90.7"));
DEMAND(driver_two, driver_other(p) ? -1 : driver_that(p));
DEMAND(vbios_that, pm_gpu_policy_allow_vbios(p, "96.00.9f.00.01"));
DEMAND(vbios_other, pm_gpu_policy_allow_vbios(p, "96.00.9F.00.02"));
DEMAND(driver_min, pm_gpu_policy_min_driver(p, 0, "550.90.7"));
DEMAND(driver_above, pm_gpu_policy_min_driver(p, PM_GPU_HOPPER, "550.90.08"));
DEMAND(driver_above_of_other, pm_gpu_policy_min_driver(p, PM_GPU_BLACKWELL, "999"));
DEMAND(vbios_min, pm_gpu_policy_min_vbios(p, PM_GPU_HOPPER, "96.00.9F.00.01"));
DEMAND(vbios_above, pm_gpu_policy_min_vbios(p, PM_GPU_HOPPER, "96.00.A0"));
DEMAND(vbios_above_of_other, pm_gpu_policy_min_vbios(p, PM_GPU_LS10, "96.11"));
DEMAND(lock, pm_gpu_policy_require(p, PM_GPU_REQUIRE_SWITCH_LOCK));
CHANGE(mode_spt, (gpu_scene_set(s, 36, "\0\0", 2), s->demand = only_spt));
CHANGE(mode_mpt, (gpu_scene_set(s, 36, "\x01\0", 2), s->demand = only_spt));
CHANGE(mode_by_status, (gpu_scene_set(s, 21, "\x55", 1), s->demand = only_spt));
CHANGE(mode_protected, (gpu_scene_set(s, 21, "\xaa", 1), s->demand = only_spt));
CHANGE(mode_unknown, (gpu_scene_set(s, 36, "\x03\0", 2), s->demand = only_spt));
CHANGE(mode_not_told, s->demand = only_spt);
CHANGE(arch_that, s->demand = only_hopper);
CHANGE(arch_other, s->demand = only_blackwell);
CHANGE(want_driver, s->demand = driver_that);
CHANGE(want_driver_other, s->demand = driver_other);
CHANGE(want_driver_two, s->demand = driver_two);
CHANGE(want_vbios, s->demand = vbios_that);
CHANGE(want_vbios_other, s->demand = vbios_other);
CHANGE(want_driver_min, s->demand = driver_min);
CHANGE(want_driver_above, s->demand = driver_above);
CHANGE(want_driver_above_of_other, s->demand = driver_above_of_other);
CHANGE(driver_no_number, (s->demand = driver_min, gpu_scene_set(s, 3, "550.X", 6)));
CHANGE(want_vbios_min, s->demand = vbios_min);
CHANGE(want_vbios_above, s->demand = vbios_above);
CHANGE(want_vbios_above_of_other, s->demand = vbios_above_of_other);
CHANGE(locked, s->demand = lock);
CHANGE(unlocked, (s->demand = lock, gpu_scene_set(s, 25, "\0\0", 2)));
CHANGE(lock_not_told, (s->demand = lock, gpu_scene_drop(s, 25)));
CHANGE(lock_other, (s->demand = lock, gpu_scene_set(s, 25, "\x01\x01", 2)));
CHANGE(rim_demanded, s->waivers &= ~(unsigned int)PM_GPU_WAIVE_RIM);
CHANGE(ocsp_demanded, s->waivers &= ~(unsigned int)PM_GPU_WAIVE_OCSP);

#define H PM_GPU_HOPPER
#define B PM_GPU_BLACKWELL
#define L PM_GPU_LS10

static const struct {
	const char *name;
	enum pm_gpu_arch arch;
	void (*change)(struct gpu_scene *s);
	int error;
	const char *failure; /* NULL: accepted */
} rows[] = {
	{"Hopper", H, nothing, 0, NULL},
	{"Blackwell", B, nothing, 0, NULL},
	{"switch", L, nothing, 0, NULL},
	{"four certificates", H, four_certs, PM_E_MISSING, "certificates"},
	{"root first", H, reversed, PM_E_REJECTED, "root"},
	{"untrusted root", H, untrusted, PM_E_REJECTED, "root"},
	{"leaf by another", H, leaf_by_stranger, PM_E_REJECTED, "device, signature"},
	{"BROM by another", H, brom_by_stranger, PM_E_REJECTED, "boot ROM, signature"},
	{"ICA by another", H, ica_by_stranger, PM_E_REJECTED, "provisioner, signature"},
	{"identity by another", H, identity_by_stranger, PM_E_REJECTED, "identity CA, signature"},
	{"leaf's issuer", H, leaf_issuer, PM_E_REJECTED, "device, signature"},
	{"BROM's issuer", H, brom_issuer, PM_E_REJECTED, "boot ROM, signature"},
	{"leaf SHA-256", H, leaf_sha256, PM_E_UNSUPPORTED, "device, signature"},
	{"BROM SHA-512", H, brom_sha512, PM_E_UNSUPPORTED, "boot ROM, signature"},
	{"ICA SHA-256", H, ica_sha256, PM_E_UNSUPPORTED, "provisioner, signature"},
	{"identity SHA-256", H, identity_sha256, PM_E_UNSUPPORTED, "identity CA, signature"},
	{"leaf P-256", H, leaf_p256, PM_E_REJECTED, "device, public key"},
	{"BROM P-256", H, brom_p256, PM_E_REJECTED, "boot ROM, public key"},
	{"ICA RSA", H, ica_rsa, PM_E_REJECTED, "provisioner, public key"},
	{"root RSA", H, root_rsa, PM_E_REJECTED, "root, public key"},
	{"leaf is a CA", H, leaf_ca, PM_E_REJECTED, "device"},
	{"leaf says that it is no CA", H, leaf_not_ca, 0, NULL},
	{"leaf may sign certificates", H, leaf_cert_sign, PM_E_REJECTED, "device, key usage"},
	{"leaf without usage", H, leaf_no_usage, PM_E_REJECTED, "device, key usage"},
	{"leaf of another usage", H, leaf_other_usage, PM_E_REJECTED, "device, key usage"},
	{"BROM no CA", H, brom_not_ca, PM_E_REJECTED, "device, signature"},
	{"BROM without constraints", H, brom_no_constraints, PM_E_REJECTED, "device, signature"},
	{"ICA no CA", H, ica_not_ca, PM_E_REJECTED, "boot ROM, signature"},
	{"identity no CA", H, identity_not_ca, PM_E_REJECTED, "provisioner, signature"},
	{"root no CA", H, root_not_ca, PM_E_REJECTED, "identity CA, signature"},
	{"BROM may not sign", H, brom_no_sign, PM_E_REJECTED, "device, signature"},
	{"ICA may not sign", H, ica_no_sign, PM_E_REJECTED, "boot ROM, signature"},
	{"ICA, path too short", H, ica_path_0, PM_E_REJECTED, "boot ROM, signature"},
	{"ICA, path", H, ica_path_1, 0, NULL},
	{"root, path too short", H, root_path_2, PM_E_REJECTED, "identity CA, signature"},
	{"an authority with the root's name", H, root_twice, PM_E_REJECTED,
		"identity CA, signature"},
	{"leaf, unknown critical", H, leaf_critical, PM_E_FORMAT, "device"},
	{"ICA, unknown critical", H, ica_critical, PM_E_FORMAT, "provisioner"},
	{"leaf expired", H, leaf_expired, PM_E_STALE, "device, validity"},
	{"leaf's last second", H, leaf_last_second, 0, NULL},
	{"leaf in future", H, leaf_future, PM_E_STALE, "device, validity"},
	{"BROM expired", H, brom_expired, PM_E_STALE, "boot ROM, validity"},
	{"ICA expired", H, ica_expired, PM_E_STALE, "provisioner, validity"},
	{"identity expired", H, identity_expired, PM_E_STALE, "identity CA, validity"},
	{"root in future", H, root_future, PM_E_STALE, "root, validity"},
	{"name of another chip", H, names_of_brom, PM_E_REJECTED, "device, common name"},
	{"name is the chip", H, name_chip_only, PM_E_REJECTED, "device, common name"},
	{"name of a longer chip", H, name_longer, PM_E_REJECTED, "device, common name"},
	{"two names", H, name_twice, PM_E_REJECTED, "device, common name"},
	{"alt of a switch", H, alt_switch, PM_E_REJECTED, "device, common name"},
	{"alt of another maker", H, alt_maker, PM_E_REJECTED, "device, alternative name"},
	{"alt without identifier", H, alt_no_id, PM_E_REJECTED, "device, alternative name"},
	{"alt without chip", H, alt_no_chip, PM_E_REJECTED, "device, alternative name"},
	{"alt of two parts", H, alt_two_parts, PM_E_REJECTED, "device, alternative name"},
	{"alt in lower case", H, alt_lower, PM_E_REJECTED, "device, alternative name"},
	{"alt empty", H, alt_empty, PM_E_REJECTED, "device, alternative name"},
	{"alt too long", H, alt_long, PM_E_REJECTED, "device, alternative name"},
	{"alt of another kind", H, alt_other_oid, PM_E_REJECTED, "device, alternative name"},
	{"alt no otherName", H, alt_dns, PM_E_REJECTED, "device, alternative name"},
	{"alt no UTF-8", H, alt_printable, PM_E_REJECTED, "device, alternative name"},
	{"alt, more behind", H, alt_behind, PM_E_FORMAT, "device"},
	{"unknown chip", H, chip_unknown, PM_E_UNSUPPORTED, "device, chip"},
	{"older chip", H, chip_ampere, PM_E_UNSUPPORTED, "device, chip"},
	{"GPU with a switch's leaf", H, leaf_of_switch, PM_E_REJECTED,
		"kind of device, certificate"},
	{"switch with a GPU's leaf", L, leaf_of_hopper, PM_E_REJECTED,
		"kind of device, certificate"},
	{"Hopper with Blackwell's leaf", H, leaf_of_blackwell, PM_E_REJECTED,
		"kind of device, certificate"},
	{"Blackwell with Hopper's leaf", B, leaf_of_hopper, PM_E_REJECTED,
		"kind of device, certificate"},
	{"another Blackwell", B, leaf_of_blackwell, 0, NULL},
	{"serial number too long", H, serial_long, PM_E_FORMAT, "device, serial number"},
	{"FWID differs", H, fwid_differs, PM_E_REJECTED, "FWID"},
	{"FWID differs in the report", H, fwid_differs_in_report, PM_E_REJECTED, "FWID"},
	{"FWID of another key", H, fwid_of_stranger, PM_E_REJECTED, "device, FWID"},
	{"FWID twice", H, fwid_twice, PM_E_FORMAT, "device, FWID"},
	{"no FWID in the certificate", H, fwid_none_in_cert, PM_E_REJECTED, "FWID"},
	{"no FWID in the report", H, fwid_none_in_report, 0, NULL},
	{"no FWID, required", H, fwid_none_required, PM_E_REJECTED, "FWID"},
	{"FWID, required", H, fwid_required, 0, NULL},
	{"no FWID of a switch, required", L, fwid_required, 0, NULL},
	{"no FWID at all", H, fwid_none_at_all, 0, NULL},
	{"FWID, more behind", H, fwid_behind, PM_E_FORMAT, "device, FWID"},
	{"FWID, version", H, fwid_version, PM_E_FORMAT, "device, FWID"},
	{"FWID, another hash", H, fwid_sha256, PM_E_FORMAT, "device, FWID"},
	{"FWID, too short", H, fwid_short, PM_E_FORMAT, "device, FWID"},
	{"DiceTcbInfo differs", B, tcb_differs, PM_E_REJECTED, "FWID"},
	{"DiceTcbInfo of debug", B, tcb_debug, PM_E_REJECTED, "device, DiceTcbInfo flags"},
	{"DiceTcbInfo, another hash", B, tcb_sha256, PM_E_FORMAT, "device, FWID"},
	{"DiceTcbInfo, another second hash", B, tcb_second_sha256, PM_E_FORMAT, "device, FWID"},
	{"DiceTcbInfo, no flag", B, tcb_no_flags, 0, NULL},
	{"DiceTcbInfo, empty flags", B, tcb_empty_flags, PM_E_FORMAT, "device, FWID"},
	{"DiceTcbInfo, unused bits of none", B, tcb_unused_of_none, PM_E_FORMAT, "device, FWID"},
	{"DiceTcbInfo, more behind", B, tcb_behind, PM_E_FORMAT, "device, FWID"},
	{"DiceTcbInfo without fwids", B, tcb_no_fwids, PM_E_FORMAT, "device, FWID"},
	{"DiceTcbInfo out of order", B, tcb_order, PM_E_FORMAT, "device, FWID"},
	{"a switch tells no FWID", L, fwid_wrong_on_switch, 0, NULL},
	{"a switch tells one", L, fwid_told_by_switch, 0, NULL},
	{"a switch tells another", L, fwid_told_wrong_by_switch, PM_E_REJECTED, "FWID"},
	{"signed by another", H, signed_by_stranger, PM_E_REJECTED, "signature"},
	{"signed by the BROM", H, signed_by_brom, PM_E_REJECTED, "signature"},
	{"another nonce", H, other_nonce, PM_E_REJECTED, "nonce"},
	{"any nonce", H, any_nonce, 0, NULL},
	{"GPU_INFO of Blackwell", H, info_of_blackwell, PM_E_REJECTED,
		"kind of device, certificate"},
	{"GPU_INFO unknown", H, info_unknown, 0, NULL},
	{"GPU_INFO missing", H, info_none, 0, NULL},
	{"opaque type 200", H, opaque_unknown, PM_E_REJECTED, "opaque fields"},
	{"opaque type 200, permitted", H, opaque_permitted, 0, NULL},
	{"opaque type 28", L, opaque_28, PM_E_REJECTED, "opaque fields"},
	{"opaque type 28 of a GPU", H, opaque_28, 0, NULL},
	{"kind allowed", H, arch_that, 0, NULL},
	{"kind not allowed", H, arch_other, PM_E_REJECTED, "kind of device"},
	{"mode", H, mode_spt, 0, NULL},
	{"mode MPT", B, mode_mpt, PM_E_REJECTED, "mode"},
	{"mode by status", H, mode_by_status, 0, NULL},
	{"mode PPCIE by status", H, mode_protected, PM_E_REJECTED, "mode"},
	{"mode unknown", H, mode_unknown, PM_E_REJECTED, "mode"},
	{"mode not told", H, mode_not_told, PM_E_REJECTED, "mode"},
	{"mode of a switch", L, mode_not_told, 0, NULL},
	{"driver", H, want_driver, 0, NULL},
	{"another driver", H, want_driver_other, PM_E_REJECTED, "driver"},
	{"one of two drivers", H, want_driver_two, 0, NULL},
	{"driver of a switch", L, want_driver, 0, NULL},
	{"VBIOS", H, want_vbios, 0, NULL},
	{"another VBIOS", H, want_vbios_other, PM_E_REJECTED, "VBIOS"},
	{"another BIOS", L, want_vbios_other, PM_E_REJECTED, "VBIOS"},
	{"least driver", H, want_driver_min, 0, NULL},
	{"driver too old", H, want_driver_above, PM_E_REJECTED, "least driver"},
	{"driver too old for another", H, want_driver_above_of_other, 0, NULL},
	{"driver without a number", H, driver_no_number, PM_E_REJECTED, "least driver"},
	{"least VBIOS", H, want_vbios_min, 0, NULL},
	{"VBIOS too old", H, want_vbios_above, PM_E_REJECTED, "least VBIOS"},
	{"VBIOS too old for another", H, want_vbios_above_of_other, 0, NULL},
	{"BIOS too old", L, want_vbios_above_of_other, PM_E_REJECTED, "least VBIOS"},
	{"locked", L, locked, 0, NULL},
	{"not locked", L, unlocked, PM_E_REJECTED, "switch lock"},
	{"lock not told", L, lock_not_told, PM_E_REJECTED, "switch lock"},
	{"lock of another value", L, lock_other, PM_E_REJECTED, "switch lock"},
	{"lock of a GPU", H, locked, 0, NULL},
	{"golden measurements missing", H, rim_demanded, PM_E_MISSING,
		"golden measurements, driver"},
	{"golden measurements of a switch missing", L, rim_demanded, PM_E_MISSING,
		"golden measurements, switch"},
	{"revocation missing", H, ocsp_demanded, PM_E_MISSING, "identity CA, OCSP"},
};

static void expect(
	int r, int error, const char *name, const char *failure, const struct pm_report *report)
{
	const struct pm_check *found = pm_report_failure(report);

	ck_assert_msg(r == error, "%s: %d, %s", name, r, pm_report_reason(report));
	ck_assert_msg(
		(found == NULL) == (failure == NULL), "%s: %s", name, pm_report_reason(report));
	if (failure)
		ck_assert_msg(
			!strcmp(found->name, failure), "%s: %s", name, pm_report_reason(report));
}

START_TEST(each_change)
{
	pm_cleanup(pm_report) struct pm_report *report = pm_report_new();
	pm_cleanup(pm_gpu_cache) struct pm_gpu_cache *cache = NULL;
	struct gpu_scene s;
	int r;

	gpu_scene_init(&s, rows[_i].arch);
	rows[_i].change(&s);
	r = gpu_scene_verify(&s, NULL, report);
	expect(r, rows[_i].error, rows[_i].name, rows[_i].failure, report);
	ck_assert((s.facts != NULL) == (r == PM_OK));
	if (s.facts)
		ck_assert(s.facts->test_root && s.facts->arch == rows[_i].arch);
	ck_pm(gpu_scene_verify(&s, NULL, NULL), r); /* the report decides nothing */
	/* Nor does the cache, cold or warm. */
	ck_pm(pm_gpu_cache_new(2, &cache), PM_OK);
	for (int i = 0; i < 2; i++) {
		pm_report_reset(report);
		expect(gpu_scene_verify(&s, cache, report), r, rows[_i].name, rows[_i].failure,
			report);
	}
	gpu_scene_free(&s);
}
END_TEST

/* --- what the cache keeps -------------------------------------------------------------------- */

START_TEST(the_cache_trusts_nobody)
{
	pm_cleanup(pm_gpu_cache) struct pm_gpu_cache *cache = NULL;
	struct gpu_scene s;

	gpu_scene_init(&s, PM_GPU_HOPPER);
	ck_pm(pm_gpu_cache_new(2, &cache), PM_OK);
	ck_pm(gpu_scene_verify(&s, cache, NULL), PM_OK);
	s.untrusted = true;
	ck_pm(gpu_scene_verify(&s, cache, NULL), PM_E_REJECTED);
	s.untrusted = false;
	s.now = GPU_TO + 1;
	ck_pm(gpu_scene_verify(&s, cache, NULL), PM_E_STALE);
	s.now = GPU_NOW;
	s.report_key = gpu_keys.stranger;
	ck_pm(gpu_scene_verify(&s, cache, NULL), PM_E_REJECTED);
	s.report_key = gpu_keys.chain[PM_GPU_LEAF];
	ck_pm(gpu_scene_verify(&s, cache, NULL), PM_OK);
	gpu_scene_free(&s);
}
END_TEST

/* The same bytes, cut elsewhere, are other certificates. */
START_TEST(the_cache_knows_where_a_certificate_ends)
{
	pm_cleanup(pm_gpu_cache) struct pm_gpu_cache *cache = NULL;
	pm_cleanup(pm_gpu_policy) struct pm_gpu_policy *policy = NULL;
	pm_cleanup(pm_gpu_evidence) struct pm_gpu_evidence *ev = NULL;
	const struct pm_gpu_facts *facts = NULL;
	struct pm_view both;
	struct gpu_scene s;

	gpu_scene_init(&s, PM_GPU_HOPPER);
	ck_pm(pm_gpu_cache_new(2, &cache), PM_OK);
	ck_pm(gpu_scene_verify(&s, cache, NULL), PM_OK);
	policy = gpu_scene_policy(&s);
	both = mint_join(s.ders[1], s.ders[2]);
	ck_pm(pm_gpu_evidence_parse(s.bytes, s.size, 0, NULL, &ev), PM_OK);
	ck_pm(pm_gpu_evidence_add_certs(ev, s.ders[0].ptr, 10, NULL), PM_OK);
	ck_pm(pm_gpu_evidence_add_certs(ev, s.ders[0].ptr + 10, s.ders[0].len - 10, NULL), PM_OK);
	ck_pm(pm_gpu_evidence_add_certs(ev, both.ptr, both.len, NULL), PM_OK);
	ck_pm(pm_gpu_evidence_add_certs(ev, s.ders[3].ptr, s.ders[3].len, NULL), PM_OK);
	ck_pm(pm_gpu_evidence_add_certs(ev, s.ders[4].ptr, s.ders[4].len, NULL), PM_OK);
	ck_pm(pm_gpu_verify(ev, policy, NULL, 0, NULL, cache, GPU_NOW, NULL, &facts), PM_E_FORMAT);
	test_free(both);
	gpu_scene_free(&s);
}
END_TEST

START_TEST(devices_share_their_issuers)
{
	pm_cleanup(pm_gpu_cache) struct pm_gpu_cache *cache = NULL;
	struct gpu_scene s;

	gpu_scene_init(&s, PM_GPU_HOPPER);
	ck_pm(pm_gpu_cache_new(2, &cache), PM_OK);
	ck_pm(gpu_scene_verify(&s, cache, NULL), PM_OK);
	for (int i = 0; i < 4; i++) {
		test_free(s.ders[PM_GPU_LEAF]);
		s.ders[PM_GPU_LEAF] = (struct pm_view){0};
		s.certs[PM_GPU_LEAF].serial = 200 + i;
		s.certs[PM_GPU_LEAF].signer.key =
			i == 3 ? gpu_keys.stranger : gpu_keys.chain[PM_GPU_BROM];
		ck_pm(gpu_scene_verify(&s, cache, NULL), i == 3 ? PM_E_REJECTED : PM_OK);
	}
	ck_pm(pm_gpu_cache_new(0, &cache), PM_E_ARG);
	gpu_scene_free(&s);
}
END_TEST

/* --- facts ----------------------------------------------------------------------------------- */

START_TEST(facts_of_a_device)
{
	struct gpu_scene s;

	gpu_scene_init(&s, PM_GPU_HOPPER);
	s.certs[PM_GPU_LEAF].serial_bytes = VIEW("\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff"
						 "\xff\xff\xff\xff\xff\xff\xff\xff");
	s.certs[PM_GPU_ICA].not_after = GPU_NOW + 7;
	ck_pm(gpu_scene_verify(&s, NULL, NULL), PM_OK);
	ck_assert_str_eq(s.facts->ueid, "1461501637330902918203684832716283019655932542975");
	ck_assert_str_eq(s.facts->hwmodel, "GH100 A01 GSP BROM");
	ck_assert_str_eq(s.facts->chip, "GH100");
	ck_assert(s.facts->has_pdi && !memcmp(s.facts->pdi, "PDI-of-1", 8));
	ck_assert_int_eq(s.facts->valid_until, GPU_NOW + 7);
	ck_assert_int_eq(s.facts->mode, 0);
	ck_assert_int_eq(s.facts->fwid, PM_GPU_FWID_MATCHED);
	ck_assert_uint_eq(s.facts->golden_count, 0);
	ck_assert(!s.facts->rim_checked && !s.facts->ocsp_checked);
	ck_assert_str_eq(s.facts->fields.vbios, "96.00.9F.00.01");
	ck_assert_uint_eq(s.facts->fields.measurement_count, 64);
	gpu_scene_free(&s);
	gpu_scene_init(&s, PM_GPU_HOPPER);
	s.certs[PM_GPU_LEAF].serial = 0;
	s.certs[PM_GPU_BROM].serial_bytes = VIEW("\x50PDI-of-1"); /* a switch's */
	ck_pm(gpu_scene_verify(&s, NULL, NULL), PM_OK);
	ck_assert_str_eq(s.facts->ueid, "0");
	ck_assert(!s.facts->has_pdi);
	gpu_scene_free(&s);
}
END_TEST

/* Of a chip that the report does not tell, the certificate does. */
START_TEST(a_chip_not_seen_yet)
{
	char id[PM_GPU_RIM_ID_SIZE] = "";
	struct gpu_scene s;

	gpu_scene_init(&s, PM_GPU_BLACKWELL);
	gpu_scene_set(&s, 4, "\xc5\x01\0\0\0\0\0\0", 8);
	gpu_scene_set(&s, 35, "GB202", 6);
	set_alt(&s, "NVIDIA:GB202:48B02D92494BADF4");
	s.certs[PM_GPU_LEAF].name = "GB202 A01";
	ck_pm(gpu_scene_verify(&s, NULL, NULL), PM_OK);
	ck_assert_int_eq(pm_gpu_evidence_arch(s.ev), PM_GPU_BLACKWELL);
	ck_pm(pm_gpu_evidence_rim_id(s.ev, PM_RIM_DRIVER, id), PM_OK);
	ck_assert_str_eq(id, "NV_GPU_CC_DRIVER_GB202_575.32");
	s.cert_count = 0;
	ck_pm(gpu_scene_verify(&s, NULL, NULL), PM_E_MISSING);
	ck_assert_int_eq(pm_gpu_evidence_arch(s.ev), 0);
	gpu_scene_free(&s);
}
END_TEST

/* Facts of an earlier yes do not outlive a no. */
START_TEST(a_no_takes_facts_back)
{
	pm_cleanup(pm_gpu_policy) struct pm_gpu_policy *policy = NULL;
	const struct pm_gpu_facts *facts, *again = NULL;
	struct gpu_scene s;

	gpu_scene_init(&s, PM_GPU_HOPPER);
	ck_pm(gpu_scene_verify(&s, NULL, NULL), PM_OK);
	facts = s.facts;
	policy = gpu_scene_policy(&s);
	ck_pm(pm_gpu_verify(s.ev, policy, NULL, 0, NULL, NULL, GPU_TO + 1, NULL, &again),
		PM_E_STALE);
	ck_assert_ptr_null(again);
	ck_assert(pm_is_zero(facts, sizeof(*facts)));
	gpu_scene_free(&s);
}
END_TEST

START_TEST(certificates_are_bounded)
{
	pm_cleanup(pm_report) struct pm_report *report = pm_report_new();
	static uint8_t big[PM_GPU_CERTS_TEXT_MAX + 1];
	struct gpu_scene s;

	gpu_scene_init(&s, PM_GPU_HOPPER);
	s.cert_count = 6;
	ck_pm(gpu_scene_verify(&s, NULL, report), PM_E_LIMIT);
	ck_assert_str_eq(pm_report_failure(report)->name, "certificates");
	big[0] = 0x30;
	ck_pm(pm_gpu_evidence_add_certs(s.ev, big, sizeof(big), NULL), PM_E_LIMIT);
	ck_pm(pm_gpu_evidence_add_certs(s.ev, big, 0, NULL), PM_E_FORMAT);
	ck_pm(pm_gpu_evidence_add_certs(s.ev, big, 16385, NULL), PM_E_LIMIT);
	ck_pm(pm_gpu_evidence_add_certs(s.ev, "-----BEGIN X-----", 17, NULL), PM_E_FORMAT);
	gpu_scene_free(&s);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("gpu_hostile");
	TCase *t = tcase_create("gpu_hostile");

	tcase_set_timeout(t, 60);
	tcase_add_unchecked_fixture(t, gpu_make_keys, gpu_free_keys);
	tcase_add_loop_test(t, each_change, 0, PM_ARRAY_LEN(rows));
	tcase_add_test(t, the_cache_trusts_nobody);
	tcase_add_test(t, the_cache_knows_where_a_certificate_ends);
	tcase_add_test(t, devices_share_their_issuers);
	tcase_add_test(t, facts_of_a_device);
	tcase_add_test(t, a_chip_not_seen_yet);
	tcase_add_test(t, a_no_takes_facts_back);
	tcase_add_test(t, certificates_are_bounded);
	suite_add_tcase(s, t);
	return test_main(s);
}
