/* SPDX-License-Identifier: Apache-2.0 */
/*
 * pm-sim: a software SEV-SNP. A machine is a folder with keys, certificates and settings; a plan
 * says how evidence is to be made, defects bend the plan or the result. Functions that can fail say
 * why on standard error and return an enum tool_exit.
 */
#ifndef PM_SIM_H
#define PM_SIM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <openssl/evp.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>

#include <pm/collect.h>
#include <pm/snp.h>
#include <pm/text.h>

#include "common/file.h"

#define SIM_DAY	 INT64_C(86400)
#define SIM_YEAR (365 * SIM_DAY)

/* Most --field and --defect options of one call. */
#define SIM_LIST_MAX 64

#define SIM_OWNER(type, free_fn)                                                                   \
	static inline void sim_cleanup_##type(type **p)                                            \
	{                                                                                          \
		free_fn(*p);                                                                       \
	}                                                                                          \
	struct sim_owner_##type /* swallows the semicolon */

#define sim_cleanup(type) __attribute__((cleanup(sim_cleanup_##type)))

SIM_OWNER(X509, X509_free);
SIM_OWNER(X509_CRL, X509_CRL_free);
SIM_OWNER(X509_NAME, X509_NAME_free);
SIM_OWNER(EVP_PKEY, EVP_PKEY_free);
SIM_OWNER(EVP_PKEY_CTX, EVP_PKEY_CTX_free);
SIM_OWNER(EVP_MD_CTX, EVP_MD_CTX_free);
SIM_OWNER(ASN1_TIME, ASN1_TIME_free);
SIM_OWNER(ASN1_INTEGER, ASN1_INTEGER_free);
SIM_OWNER(ASN1_OBJECT, ASN1_OBJECT_free);
SIM_OWNER(ASN1_OCTET_STRING, ASN1_OCTET_STRING_free);

/* Bytes that belong to their holder. */
struct sim_bytes {
	uint8_t *ptr;
	size_t len;
};

void sim_bytes_free(struct sim_bytes *b);

static inline void sim_cleanup_bytes(struct sim_bytes *b)
{
	sim_bytes_free(b);
}

/* A copy of bytes replaces what b holds. */
int sim_bytes_set(struct sim_bytes *b, const void *ptr, size_t len);

/* "pm-sim: ..." on standard error, with OpenSSL's reason where it has one; returns TOOL_USAGE. */
int sim_fail(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* --- the machine ------------------------------------------------------------------------------ */

enum sim_key {
	SIM_ARK,
	SIM_ASK,
	SIM_ASVK,
	SIM_VCEK,
	SIM_VLEK,
	/* The following are made when a defect or verb first needs them. */
	SIM_ROGUE_RSA,
	SIM_ROGUE_EC,
	SIM_P256,
	SIM_HCL_AK,
	SIM_KEYS
};

struct sim_tcb {
	uint8_t fmc, bl, tee, snp, ucode;
	/* Of the certificate's reserved components. */
	uint8_t spare;
};

struct sim_product {
	const char *name;
	const char *product_name;
	uint8_t fms[3];
	int struct_version;
	size_t hwid_size;
	uint32_t ark_serial, ask_serial, asvk_serial;
	uint32_t report_version;
	struct sim_tcb tcb;
};

struct sim_machine {
	const char *dir;
	const struct sim_product *product;
	bool vlek;
	struct sim_tcb tcb;
	uint8_t chip_id[PM_SNP_CHIP_ID_SIZE];
	char csp_id[64];
	EVP_PKEY *keys[SIM_KEYS];
};

/* NULL when there is none of that name. */
const struct sim_product *sim_product_find(const char *name);

/* "bl,tee,snp,ucode" or, for Turin, "fmc,bl,tee,snp,ucode". */
int sim_tcb_parse(const char *text, struct sim_tcb *ret);

/* The 8 bytes of a TCB_VERSION. */
void sim_tcb_raw(const struct sim_product *product, const struct sim_tcb *tcb, uint8_t *ret);

/* A decimal, or hexadecimal with 0x. */
int sim_number_parse(const char *text, uint64_t max, uint64_t *ret);

int sim_machine_load(const char *dir, struct sim_machine *ret);
int sim_machine_save(const struct sim_machine *m);
void sim_machine_free(struct sim_machine *m);

/* Of the machine's folder; made and stored when it is not there. Owned by the machine. */
int sim_machine_key(struct sim_machine *m, enum sim_key id, EVP_PKEY **ret);

/* Files of the machine's folder. */
int sim_machine_read(const struct sim_machine *m, const char *name, struct sim_bytes *ret);
int sim_machine_write(const struct sim_machine *m, const char *name, const void *ptr, size_t len);

/* --- the plan --------------------------------------------------------------------------------- */

/* How a certificate or revocation list is signed. */
struct sim_signing {
	enum sim_key key;
	const char *hash;
	int salt;
	/* PKCS#1 v1.5 instead of PSS. */
	bool pkcs1;
};

struct sim_ca_plan {
	/* Another one than the machine's folder holds. */
	bool remake;
	enum sim_key key;
	struct sim_signing by;
	bool ca;
	int64_t not_before, not_after;
};

struct sim_vek_plan {
	bool remake;
	enum sim_key key;
	struct sim_signing by;
	int64_t not_before, not_after;
	const char *cn;
	const char *product_name;
	int struct_version;
	struct sim_tcb tcb;
	uint8_t hwid[PM_SNP_CHIP_ID_SIZE + 2];
	/* 0: no such extension. */
	size_t hwid_size;
	/* "": no such extension. */
	const char *csp_id;
	bool ca;
	bool doubled;
	bool no_ucode;
};

#define SIM_REVOKED_MAX 4

struct sim_crl_plan {
	bool remake;
	struct sim_signing by;
	const char *issuer;
	int64_t this_update, next_update;
	bool no_next_update;
	uint32_t revoked[SIM_REVOKED_MAX];
	size_t revoked_count;
};

struct sim_plan {
	struct sim_machine *machine;
	int64_t now;
	/* Signed when the fields are right; one byte more than a report has. */
	uint8_t report[PM_SNP_REPORT_SIZE + 1];
	size_t report_size;
	enum sim_key report_key;
	/* Which intermediate: SIM_ASK or SIM_ASVK. */
	enum sim_key ica_kind;
	struct sim_ca_plan ark, ica;
	struct sim_vek_plan vek;
	struct sim_crl_plan crl;
};

/* What the machine would hand out without any defect. */
void sim_plan_init(struct sim_plan *plan, struct sim_machine *m, int64_t now);

/* Evidence as it goes out. */
struct sim_evidence {
	struct sim_bytes ark, ica, vek, crl;
};

void sim_evidence_free(struct sim_evidence *e);

static inline void sim_cleanup_evidence(struct sim_evidence *e)
{
	sim_evidence_free(e);
}

/* Certificates and revocation list by the plan: those of the folder unless they are remade. */
int sim_evidence_make(struct sim_plan *plan, struct sim_evidence *ret);

/* PEM of intermediate and root, as AMD's server gives it. */
int sim_evidence_chain(const struct sim_evidence *e, struct sim_bytes *ret);

/* The certificate table of an extended report. */
int sim_evidence_table(const struct sim_plan *plan, const struct sim_evidence *e, bool with_crl,
	struct sim_bytes *ret);

/* --- certificates ----------------------------------------------------------------------------- */

struct sim_cert_spec {
	const char *cn, *issuer;
	uint32_t serial;
	int64_t not_before, not_after;
	enum sim_key key;
	struct sim_signing by;
};

/* A name as AMD writes it, except for the organizational unit. */
X509_NAME *sim_name(const char *cn);

/* A certificate without extensions and signature; NULL after an error message. */
X509 *sim_cert_new(struct sim_machine *m, const struct sim_cert_spec *spec);
int sim_cert_sign(struct sim_machine *m, X509 *cert, const struct sim_signing *by);
/* The hash of the key alone, as RFC 5280 section 4.2.1.2 (1) makes it; NULL on failure. */
AUTHORITY_KEYID *sim_authority_id(EVP_PKEY *key);

int sim_time_set(ASN1_TIME **ret, int64_t time);

/* A digest context that is ready to sign so. */
int sim_signing_begin(struct sim_machine *m, const struct sim_signing *by, EVP_MD_CTX *ret);

int sim_ark_make(struct sim_plan *plan, struct sim_bytes *ret);
int sim_ica_make(struct sim_plan *plan, struct sim_bytes *ret);
int sim_vek_make(struct sim_plan *plan, struct sim_bytes *ret);
int sim_crl_make(struct sim_plan *plan, struct sim_bytes *ret);

/* --- the report ------------------------------------------------------------------------------- */

/* All fields as the machine would fill them in, unsigned. */
void sim_report_init(struct sim_plan *plan, uint32_t version);

/* "NAME=VALUE". */
int sim_report_set(struct sim_plan *plan, const char *assignment);
void sim_report_set_data(struct sim_plan *plan, const uint8_t *report_data);
void sim_report_set_number(struct sim_plan *plan, size_t offset, size_t size, uint64_t value);
uint64_t sim_report_number(const struct sim_plan *plan, size_t offset, size_t size);
int sim_report_sign(struct sim_plan *plan);
void sim_report_list_fields(void);

/* --- defects ---------------------------------------------------------------------------------- */

enum sim_stage {
	/* Fields of the report, before it is signed. */
	SIM_FIELDS,
	/* Bytes of the report, after it was signed. */
	SIM_SIGNED,
	SIM_VEK_STAGE,
	SIM_CHAIN,
	SIM_CRL
};

struct sim_defect {
	const char *name;
	const char *text;
	enum sim_stage stage;
	void (*apply)(struct sim_plan *plan, uint32_t arg);
	uint32_t arg;
	/* A deviation that a verifier has to accept. */
	bool harmless;
};

struct sim_defects {
	const struct sim_defect *list;
	size_t count;
};

extern const struct sim_defects sim_report_defects, sim_cert_defects;

/* NULL after an error message. */
const struct sim_defect *sim_defect_find(const char *name);
void sim_defect_list(void);

/* What the command line said of evidence. */
struct sim_request {
	const struct sim_defect *defects[SIM_LIST_MAX];
	size_t defect_count;
	const char *fields[SIM_LIST_MAX];
	size_t field_count;
	uint32_t report_version;
};

/* Applies those of one stage. */
void sim_request_apply(
	const struct sim_request *request, enum sim_stage stage, struct sim_plan *plan);

/* Fields, defects, signature, defects of the signed bytes. */
int sim_request_report(
	const struct sim_request *request, const uint8_t *report_data, struct sim_plan *plan);

/* Certificate stages. */
void sim_request_certs(const struct sim_request *request, struct sim_plan *plan);

/* --- verbs ------------------------------------------------------------------------------------ */

struct sim_options {
	const char *dir;
	const char *product, *tcb, *csp_id, *chip_id;
	bool vlek;
	int64_t now;
	const char *not_before, *not_after, *this_update, *next_update;
	const char *revoke[SIM_REVOKED_MAX];
	size_t revoke_count;
	const char *report_data;
	const char *output, *vek, *chain, *crl, *certs;
	bool table_crl;
	const char *socket;
	const char *runtime_data;
	struct sim_request request;
};

int sim_verb_init(const struct sim_options *o);
int sim_verb_report(const struct sim_options *o);
int sim_verb_serve(const struct sim_options *o);
int sim_verb_vek(const struct sim_options *o);
int sim_verb_crl(const struct sim_options *o);
int sim_verb_hcl(const struct sim_options *o);

/* Certificates of a new machine into its folder. */
int sim_machine_issue(struct sim_machine *m, int64_t now);

/* An option's time, or fallback when it is NULL. */
int sim_time_option(const char *text, int64_t fallback, int64_t *ret);

/* Serves the attester protocol until a signal ends it. */
int sim_serve(const char *path, struct sim_plan *plan, const struct sim_request *request,
	const struct sim_bytes *table);

#endif
