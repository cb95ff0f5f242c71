/* SPDX-License-Identifier: Apache-2.0 */
/*
 * pm-sim gpu: software GPUs and switches with confidential computing, the signers of their
 * reference manifests, an OCSP responder and a remote attestation service. They live in the folder
 * "gpu" of a machine's folder, so that one folder is a whole host. Everything is made with OpenSSL:
 * another pair of eyes than the library's. Functions that can fail say why on standard error and
 * return an enum tool_exit; those that end in _make give bytes.
 */
#ifndef PM_SIM_GPU_H
#define PM_SIM_GPU_H

#include <jansson.h>
#include <openssl/ocsp.h>

#include "pm-sim/sim.h"

#define SIM_GPU_NONCE	32
#define SIM_GPU_DIGEST	48
#define SIM_GPU_SCALAR	48
#define SIM_GPU_DEVICES 16
#define SIM_GPU_CHAIN	5
#define SIM_RIM_CHAIN	4
#define SIM_GPU_BLOCKS	64
#define SIM_GPU_OPAQUES 40
#define SIM_GPU_NAME	32
#define SIM_GPU_CN	64
#define SIM_GPU_VERSION 32
#define SIM_RIM_ID	96
#define SIM_GPU_FOREVER INT64_C(253402300799) /* 9999-12-31T23:59:59Z */

SIM_OWNER(OCSP_BASICRESP, OCSP_BASICRESP_free);
SIM_OWNER(OCSP_RESPONSE, OCSP_RESPONSE_free);
SIM_OWNER(OCSP_REQUEST, OCSP_REQUEST_free);
SIM_OWNER(OCSP_CERTID, OCSP_CERTID_free);
SIM_OWNER(ECDSA_SIG, ECDSA_SIG_free);
SIM_OWNER(json_t, json_decref);

#define sim_cleanup_buf __attribute__((cleanup(sim_cleanup_bytes)))

/* --- text that grows -------------------------------------------------------------------------- */

/* Errors stick: text is NULL after one, and sim_text_take() says so. */
struct sim_text {
	char *text;
	size_t len, cap;
	bool failed;
};

void sim_text_add(struct sim_text *t, const char *format, ...)
	__attribute__((format(printf, 2, 3)));
int sim_text_take(struct sim_text *t, struct sim_bytes *ret);
void sim_text_free(struct sim_text *t);

/* With padding, in one line; freed by the caller. NULL when memory runs out. */
char *sim_base64(const void *bytes, size_t n);

static inline void sim_cleanup_text(struct sim_text *t)
{
	sim_text_free(t);
}

/* --- the machine ------------------------------------------------------------------------------ */

struct sim_gpu_arch {
	const char *name;
	/* As manifests and as certificates write the chip. */
	const char *product, *chip;
	const char *firmware, *ica, *identity;
	const char *driver, *vbios;
	const char *project, *project_sku, *chip_sku;
	uint8_t project_sku_mod, gpu_info, nvdec;
	uint32_t board_id, cpr_info;
	unsigned int blocks;
	/* The FWID is in a TCG DiceTcbInfo. */
	bool tcb_info;
	/* Indices that manifests tell of, and those that measure nothing. */
	uint64_t driver_indices, vbios_indices, zero_indices;
};

extern const struct sim_gpu_arch sim_gpu_hopper, sim_gpu_blackwell, sim_gpu_ls10;

struct sim_gpu_machine {
	const char *dir;
	/* Of the GPUs; NULL for switches only. */
	const struct sim_gpu_arch *arch;
	unsigned int gpus, switches;
	uint8_t seed[32];
	/* When it was made: validity periods count from here. */
	int64_t epoch;
	char driver[SIM_GPU_VERSION], vbios[SIM_GPU_VERSION], bios[SIM_GPU_VERSION];
};

struct sim_gpu_device {
	const struct sim_gpu_arch *arch;
	unsigned int index;
	/* "gpu0", "switch3" */
	char name[SIM_GPU_NAME];
};

/* NULL when there is none of that name. */
const struct sim_gpu_arch *sim_gpu_arch_find(const char *name);

int sim_gpu_machine_load(const char *dir, struct sim_gpu_machine *ret);
int sim_gpu_machine_save(const struct sim_gpu_machine *m);

/* Device 0 to gpus - 1 are GPUs, the switches follow. */
int sim_gpu_device(
	const struct sim_gpu_machine *m, unsigned int number, struct sim_gpu_device *ret);
unsigned int sim_gpu_device_count(const struct sim_gpu_machine *m);
bool sim_gpu_is_switch(const struct sim_gpu_device *d);

/*
 * The 8 bytes by which GPUs and switches name each other: behind the first byte of the serial
 * number of the boot ROM's certificate.
 */
void sim_gpu_pdi(const struct sim_gpu_machine *m, bool is_switch, unsigned int index, uint8_t *ret);

/* n <= 48 bytes that follow from the seed and a text. */
void sim_gpu_derive(const struct sim_gpu_machine *m, uint8_t *ret, size_t n, const char *format,
	...) __attribute__((format(printf, 4, 5)));

/* Files of the folder "gpu". */
int sim_gpu_read(const struct sim_gpu_machine *m, const char *name, struct sim_bytes *ret);
int sim_gpu_write(const struct sim_gpu_machine *m, const char *name, const void *ptr, size_t len);
bool sim_gpu_has(const struct sim_gpu_machine *m, const char *name);

/* The P-384 key of that name, made and stored when it is not there; freed by the caller. */
int sim_gpu_key(const struct sim_gpu_machine *m, const char *name, EVP_PKEY **ret);

/* ECDSA with SHA-384 as R || S, 96 bytes. */
int sim_gpu_sign(const struct sim_gpu_machine *m, const char *key, const void *ptr, size_t len,
	uint8_t *ret);

/* --- certificates ----------------------------------------------------------------------------- */

enum sim_gpu_usage {
	SIM_USE_CA,	   /* certificates and lists */
	SIM_USE_CA_CERTS,  /* certificates only */
	SIM_USE_DEVICE,	   /* signs reports; no basicConstraints */
	SIM_USE_SIGNER,	   /* signs manifests */
	SIM_USE_RESPONDER, /* signs OCSP responses */
	SIM_USE_NONE	   /* an end entity that may sign nothing */
};

enum sim_gpu_fwid { SIM_FWID_NONE, SIM_FWID_COMPOSITE, SIM_FWID_TCB_INFO };

struct sim_gpu_cert {
	/* Of its key and, unless it is remade, of its file; and of its issuer's key. */
	char name[SIM_GPU_NAME], issuer[SIM_GPU_NAME];
	bool remake;
	/* Common name and serialNumber ("" for none) of subject and issuer. */
	char cn[SIM_GPU_CN], number[SIM_GPU_CN];
	char issuer_cn[SIM_GPU_CN], issuer_number[SIM_GPU_CN];
	uint8_t serial[20];
	size_t serial_size;
	int64_t not_before, not_after;
	enum sim_gpu_usage usage;
	/* -1: none */
	int path_len;
	const char *hash;
	enum sim_gpu_fwid fwid_kind;
	uint8_t fwid[SIM_GPU_DIGEST];
	/* "" for none. */
	char san[SIM_GPU_CN];
};

/* Leaf first. */
void sim_gpu_chain_init(const struct sim_gpu_machine *m, const struct sim_gpu_device *d,
	struct sim_gpu_cert ret[SIM_GPU_CHAIN]);
void sim_rim_chain_init(const struct sim_gpu_machine *m, const char *product,
	struct sim_gpu_cert ret[SIM_RIM_CHAIN]);
/* The responder that answers for what that authority issued. */
void sim_responder_init(const struct sim_gpu_machine *m, const struct sim_gpu_cert *issuer,
	struct sim_gpu_cert *ret);

/* The certificate of the folder, or a new one; freed by the caller. */
int sim_gpu_cert_get(const struct sim_gpu_machine *m, const struct sim_gpu_cert *spec, X509 **ret);

/* Appends PEM. */
int sim_gpu_cert_pem(X509 *cert, struct sim_text *t);

/* --- the plan --------------------------------------------------------------------------------- */

struct sim_gpu_block {
	uint8_t index, spec;
	uint16_t size;
	uint8_t type;
	uint16_t value_size;
	uint8_t value[SIM_GPU_DIGEST];
};

struct sim_gpu_opaque {
	uint16_t type, len;
	/* Added to the length that is written. */
	uint16_t lie;
	uint8_t data[256];
};

struct sim_gpu_report {
	/* GET_MEASUREMENTS, and MEASUREMENTS up to the record. */
	uint8_t request[37];
	uint8_t head[8];
	struct sim_gpu_block blocks[SIM_GPU_BLOCKS + 1];
	size_t block_count;
	uint8_t nonce[SIM_GPU_NONCE];
	struct sim_gpu_opaque opaque[SIM_GPU_OPAQUES];
	size_t opaque_count;
	uint16_t opaque_lie;
	char key[SIM_GPU_NAME];
	/* As it goes out. */
	uint8_t bytes[16384];
	size_t size;
};

enum sim_rim_kind { SIM_RIM_DRIVER, SIM_RIM_VBIOS, SIM_RIM_SWITCH };

struct sim_rim_resource {
	unsigned int index;
	const char *active;
	unsigned int alternatives;
	char hash[4][2 * SIM_GPU_DIGEST + 1];
	const char *size;
};

struct sim_rim {
	enum sim_rim_kind kind;
	char product[SIM_GPU_NAME], version[SIM_GPU_VERSION];
	const char *manufacturer;
	struct sim_rim_resource resources[SIM_GPU_BLOCKS + 1];
	size_t resource_count;
	struct sim_gpu_cert chain[SIM_RIM_CHAIN];
	size_t chain_count;
	char key[SIM_GPU_NAME];
	/* Parts of SignedInfo that a defect changes. */
	const char *uri, *digest_method, *transform;
	/* Text put in front of the document, behind the payload, behind KeyInfo's certificates. */
	const char *prolog, *extra, *key_info;
	bool wrapped, twice, key_value;
	/* After it was signed. */
	bool flip_hash, flip_signature, cut;
};

struct sim_ocsp {
	/* V_OCSP_CERTSTATUS_GOOD, ... */
	int status, reason;
	int64_t this_update, next_update;
	bool no_next_update;
	/* Of another certificate, another issuer's key; flips a byte of the signature. */
	bool other_serial, other_issuer, flip_signature, no_nonce, other_nonce, sha1;
	/* Not a response but an error: OCSP_RESPONSE_STATUS_TRYLATER. */
	bool try_later, truncated;
	/* Changes to the responder. */
	bool rogue, no_usage, expired, no_cert;
	/* The issuer's issuer signed the responder. */
	bool foreign;
};

/* Where a token is changed after its parts were signed. */
enum sim_token_lie {
	SIM_TOKEN_SIGNATURE,	 /* of the overall token does not verify */
	SIM_TOKEN_MOD_SIGNATURE, /* of a submodule does not verify, digested as it is */
	SIM_TOKEN_AGAIN,	 /* a submodule was signed again after it was digested */
	SIM_TOKEN_DER,		 /* signatures in the form of X.509 */
	SIM_TOKEN_PADDED,	 /* base64url with '=' */
	SIM_TOKEN_UNSIGNED,	 /* an empty signature */
	SIM_TOKEN_DROP,		 /* a submodule is missing */
	SIM_TOKEN_EXTRA,	 /* a submodule that no digest is of */
	SIM_TOKEN_TWIN,		 /* one device twice, under two names */
	SIM_TOKEN_DIGEST_NAME,	 /* digests by another algorithm */
	SIM_TOKEN_TWICE,	 /* a claim twice */
	SIM_TOKEN_TYPE,		 /* not of type JWT */
	SIM_TOKEN_TRAILING,	 /* bytes behind the JSON */
	SIM_TOKEN_LIES
};

struct sim_token {
	/* Overall claims, those of each device by its name, header of all. */
	json_t *overall, *mods, *header;
	const char *key;
	bool lies[SIM_TOKEN_LIES];
};

struct sim_gpu_plan {
	const struct sim_gpu_machine *machine;
	struct sim_gpu_device device;
	int64_t now;
	struct sim_gpu_report report;
	struct sim_gpu_cert chain[SIM_GPU_CHAIN + 1];
	/* Which of them go out, in order. */
	unsigned int order[SIM_GPU_CHAIN + 2];
	size_t order_count;
	struct sim_rim rim;
	struct sim_ocsp ocsp;
	struct sim_token token;
};

/* What the device would hand out without any defect. Plans are freed by sim_gpu_plan_free(). */
void sim_gpu_plan_init(struct sim_gpu_plan *plan, const struct sim_gpu_machine *m,
	const struct sim_gpu_device *d, int64_t now);
void sim_gpu_plan_free(struct sim_gpu_plan *plan);

/* --- evidence --------------------------------------------------------------------------------- */

/* The value that a device measures, and a manifest expects, at an index. */
void sim_gpu_measurement(const struct sim_gpu_machine *m, const struct sim_gpu_device *d,
	unsigned int index, uint8_t *ret);
void sim_gpu_fwid(const struct sim_gpu_machine *m, const struct sim_gpu_device *d, uint8_t *ret);
void sim_gpu_report_init(struct sim_gpu_plan *plan, const uint8_t *nonce);
struct sim_gpu_opaque *sim_gpu_opaque_find(struct sim_gpu_report *r, uint16_t type);
struct sim_gpu_opaque *sim_gpu_opaque_add(
	struct sim_gpu_report *r, uint16_t type, const void *ptr, size_t len);
/* Into report.bytes, signed. */
int sim_gpu_report_sign(struct sim_gpu_plan *plan);
/* PEM, leaf first. */
int sim_gpu_chain_make(const struct sim_gpu_plan *plan, struct sim_bytes *ret);

int sim_rim_id(const struct sim_gpu_machine *m, enum sim_rim_kind kind, char ret[SIM_RIM_ID]);
void sim_rim_init(struct sim_gpu_plan *plan, enum sim_rim_kind kind);
int sim_rim_make(const struct sim_gpu_plan *plan, struct sim_bytes *ret);

void sim_ocsp_init(struct sim_gpu_plan *plan);
/* The response for a certificate of the folder's authorities; nonce may be empty. */
int sim_ocsp_make(const struct sim_gpu_plan *plan, X509 *cert, const struct sim_bytes *nonce,
	struct sim_bytes *ret);
/* The same for a request; TOOL_REJECTED for one that is malformed or of others. */
int sim_ocsp_answer(
	const struct sim_gpu_plan *plan, const void *request, size_t len, struct sim_bytes *ret);
/* Calls fn for each certificate that needs a response; name as of its file. */
int sim_ocsp_each(const struct sim_gpu_machine *m,
	int (*fn)(void *arg, const struct sim_gpu_cert *spec, X509 *cert), void *arg);

/* Detached EAT of the machine's GPUs, or of its switches. */
int sim_token_init(struct sim_gpu_plan *plan, const uint8_t *nonce, bool switches);
int sim_token_make(struct sim_gpu_plan *plan, struct sim_bytes *ret);
int sim_jwks_make(const struct sim_gpu_machine *m, struct sim_bytes *ret);
void sim_token_free(struct sim_token *t);

/* --- defects ---------------------------------------------------------------------------------- */

enum sim_gpu_stage {
	SIM_GPU_FIELDS,
	SIM_GPU_SIGNED,
	SIM_GPU_CERTS,
	SIM_GPU_RIM,
	SIM_GPU_OCSP,
	SIM_GPU_TOKEN
};

struct sim_gpu_defect {
	const char *name, *text;
	void (*apply)(struct sim_gpu_plan *plan, uint32_t arg);
	uint32_t arg;
	/* A deviation that a verifier has to accept. */
	bool harmless;
};

struct sim_gpu_defects {
	enum sim_gpu_stage stage;
	const char *label;
	const struct sim_gpu_defect *list;
	size_t count;
};

extern const struct sim_gpu_defects sim_gpu_field_defects, sim_gpu_signed_defects,
	sim_gpu_chain_defects, sim_gpu_rim_defects, sim_gpu_ocsp_defects;

struct sim_gpu_request {
	const char *defects[SIM_LIST_MAX];
	size_t count;
};

bool sim_gpu_defect_known(const char *name);
void sim_gpu_defect_list(void);
void sim_token_defect_list(void);
/* False when there is none of that name. */
bool sim_token_defect_apply(const char *name, struct sim_token *t);
void sim_gpu_apply(
	const struct sim_gpu_request *request, enum sim_gpu_stage stage, struct sim_gpu_plan *plan);

/* A report with the defects asked for, in plan->report.bytes. */
int sim_gpu_report_make(
	struct sim_gpu_plan *plan, const struct sim_gpu_request *request, const uint8_t *nonce);

/* --- the services ----------------------------------------------------------------------------- */

struct sim_gpu_service {
	const struct sim_gpu_machine *machine;
	const struct sim_gpu_request *request;
	/* 0: the clock's. */
	int64_t now;
	bool down, lying, stale;
	unsigned int delay_ms;
};

struct sim_http_request {
	bool post;
	const char *path;
	const uint8_t *body;
	size_t body_len;
};

struct sim_http_answer {
	int status;
	const char *type;
	struct sim_bytes body;
};

/* What the services of the maker would say. */
int sim_gpu_answer(const struct sim_gpu_service *s, const struct sim_http_request *q,
	struct sim_http_answer *ret);

/* A new host: devices, keys, certificates. NULL for what is to be the default. */
struct sim_gpu_wish {
	const char *dir;
	const char *arch, *count, *switches, *seed, *driver, *vbios, *bios;
	int64_t epoch;
};

int sim_gpu_init(const struct sim_gpu_wish *wish);

/* Versions asked for in place of the machine's, or the chip's, own. */
int sim_gpu_set_versions(const struct sim_gpu_wish *wish, struct sim_gpu_machine *m);

/* Serves on 127.0.0.1 until a signal ends it; prints the port. */
int sim_gpu_serve(const struct sim_gpu_service *s, const char *listen);

/* The verbs behind "pm-sim gpu". */
int sim_gpu_main(int argc, char **argv);

#endif
