/* SPDX-License-Identifier: Apache-2.0 */
#include "pm-sim/sim.h"

#include <err.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/pem.h>

/* Largest file of a machine's folder. */
#define FILE_MAX 65536

/* As seen on real machines. */
static const struct sim_product products[] = {
	{"Milan", "Milan-B0", {0x19, 0x01, 0x01}, 0, 64, 0x10000, 0x10001, 0x10101, 3,
		{.bl = 4, .tee = 0, .snp = 24, .ucode = 219}},
	{"Genoa", "Genoa", {0x19, 0x11, 0x01}, 0, 64, 0x20000, 0x20002, 0x20101, 3,
		{.bl = 10, .tee = 0, .snp = 23, .ucode = 84}},
	{"Turin", "Turin", {0x1a, 0x02, 0x01}, 1, 8, 0x30000, 0x30001, 0x30101, 5,
		{.fmc = 1, .bl = 1, .tee = 1, .snp = 4, .ucode = 81}},
};

static const struct {
	const char *file;
	/* Bits of an RSA key, or 0. */
	int rsa_bits;
	const char *curve;
} key_kinds[SIM_KEYS] = {
	[SIM_ARK] = {"ark.key", 4096, NULL},
	[SIM_ASK] = {"ask.key", 4096, NULL},
	[SIM_ASVK] = {"asvk.key", 4096, NULL},
	[SIM_VCEK] = {"vcek.key", 0, "P-384"},
	[SIM_VLEK] = {"vlek.key", 0, "P-384"},
	[SIM_ROGUE_RSA] = {"rogue-rsa.key", 4096, NULL},
	[SIM_ROGUE_EC] = {"rogue-ec.key", 0, "P-384"},
	[SIM_P256] = {"p256.key", 0, "P-256"},
	[SIM_HCL_AK] = {"hcl-ak.key", 2048, NULL},
};

int sim_fail(const char *format, ...)
{
	unsigned long e = ERR_get_error();
	va_list args;

	va_start(args, format);
	vwarnx(format, args);
	va_end(args);
	if (e)
		warnx("(%s)", ERR_reason_error_string(e));
	return TOOL_USAGE;
}

void sim_bytes_free(struct sim_bytes *b)
{
	free(b->ptr);
	*b = (struct sim_bytes){0};
}

int sim_bytes_set(struct sim_bytes *b, const void *ptr, size_t len)
{
	uint8_t *copy = malloc(len ? len : 1);

	if (!copy)
		return sim_fail("out of memory");
	memcpy(copy, ptr, len);
	free(b->ptr);
	*b = (struct sim_bytes){copy, len};
	return TOOL_OK;
}

const struct sim_product *sim_product_find(const char *name)
{
	for (size_t i = 0; i < sizeof(products) / sizeof(products[0]); i++)
		if (strcmp(products[i].name, name) == 0)
			return &products[i];
	return NULL;
}

int sim_number_parse(const char *text, uint64_t max, uint64_t *ret)
{
	int base = text[0] == '0' && text[1] == 'x' ? 16 : 10;
	unsigned long long value;
	char *end;

	errno = 0;
	value = strtoull(text, &end, base);
	if (errno || end == text || *end || text[0] == '-' || text[0] == '+' || value > max)
		return sim_fail(
			"%s: not a number of at most 0x%llx", text, (unsigned long long)max);
	*ret = value;
	return TOOL_OK;
}

int sim_tcb_parse(const char *text, struct sim_tcb *ret)
{
	uint8_t parts[5] = {0};
	const uint8_t *last;
	const char *at = text;
	size_t n = 0;

	while (n < 5) {
		char *end;
		unsigned long value = strtoul(at, &end, 10);

		if (end == at || *at == '-' || value > UINT8_MAX)
			break;
		parts[n++] = (uint8_t)value;
		at = *end == ',' ? end + 1 : end;
		if (*end != ',')
			break;
	}
	if (n < 4 || *at || at[-1] == ',')
		return sim_fail("%s: not a TCB ([fmc,]bl,tee,snp,ucode)", text);
	ret->fmc = n == 5 ? parts[0] : 0;
	last = parts + (n - 4);
	ret->bl = last[0];
	ret->tee = last[1];
	ret->snp = last[2];
	ret->ucode = last[3];
	ret->spare = 0;
	return TOOL_OK;
}

void sim_tcb_raw(const struct sim_product *product, const struct sim_tcb *tcb, uint8_t *ret)
{
	const uint8_t early[8] = {tcb->bl, tcb->tee, 0, 0, 0, 0, tcb->snp, tcb->ucode};
	const uint8_t turin[8] = {tcb->fmc, tcb->bl, tcb->tee, tcb->snp, 0, 0, 0, tcb->ucode};

	memcpy(ret, product->struct_version ? turin : early, 8);
}

static int path_of(const struct sim_machine *m, const char *name, char *ret, size_t size)
{
	int n = snprintf(ret, size, "%s/%s", m->dir, name);

	return n < 0 || (size_t)n >= size ? sim_fail("%s: path too long", m->dir) : TOOL_OK;
}

int sim_machine_read(const struct sim_machine *m, const char *name, struct sim_bytes *ret)
{
	char path[4096];
	int r = path_of(m, name, path, sizeof(path));

	return r ? r : tool_read_file(path, FILE_MAX, &ret->ptr, &ret->len);
}

int sim_machine_write(const struct sim_machine *m, const char *name, const void *ptr, size_t len)
{
	char path[4096];
	int r = path_of(m, name, path, sizeof(path));

	return r ? r : tool_write_file(path, ptr, len, strstr(name, ".key") ? 0600 : 0644);
}

static EVP_PKEY *key_decode(const struct sim_bytes *pem)
{
	BIO *bio = BIO_new_mem_buf(pem->ptr, (int)pem->len);
	EVP_PKEY *key = bio ? PEM_read_bio_PrivateKey(bio, NULL, NULL, NULL) : NULL;

	BIO_free(bio);
	return key;
}

static int key_store(const struct sim_machine *m, enum sim_key id, EVP_PKEY *key)
{
	BIO *bio = BIO_new(BIO_s_mem());
	char *pem = NULL;
	int r;

	if (!bio || PEM_write_bio_PKCS8PrivateKey(bio, key, NULL, NULL, 0, NULL, NULL) != 1) {
		BIO_free(bio);
		return sim_fail("can't encode a key");
	}
	r = (int)BIO_get_mem_data(bio, &pem);
	r = sim_machine_write(m, key_kinds[id].file, pem, (size_t)r);
	BIO_free(bio);
	return r;
}

static EVP_PKEY *key_generate(enum sim_key id)
{
	if (!key_kinds[id].rsa_bits)
		return EVP_EC_gen(key_kinds[id].curve);
	if (isatty(STDERR_FILENO))
		fprintf(stderr, "making an RSA key of %d bits for %s\n", key_kinds[id].rsa_bits,
			key_kinds[id].file);
	return EVP_RSA_gen((unsigned int)key_kinds[id].rsa_bits);
}

static bool has_file(const struct sim_machine *m, const char *name)
{
	char path[4096];

	return path_of(m, name, path, sizeof(path)) == TOOL_OK && access(path, F_OK) == 0;
}

static int key_read(const struct sim_machine *m, enum sim_key id, EVP_PKEY **ret)
{
	__attribute__((cleanup(sim_cleanup_bytes))) struct sim_bytes pem = {0};
	int r = sim_machine_read(m, key_kinds[id].file, &pem);

	if (r != TOOL_OK)
		return r;
	*ret = key_decode(&pem);
	return *ret ? TOOL_OK : sim_fail("%s/%s: not a private key", m->dir, key_kinds[id].file);
}

int sim_machine_key(struct sim_machine *m, enum sim_key id, EVP_PKEY **ret)
{
	int r = TOOL_OK;

	if (!m->keys[id] && has_file(m, key_kinds[id].file)) {
		r = key_read(m, id, &m->keys[id]);
	} else if (!m->keys[id]) {
		m->keys[id] = key_generate(id);
		r = m->keys[id] ? key_store(m, id, m->keys[id]) : sim_fail("can't make a key");
	}
	*ret = m->keys[id];
	return r;
}

int sim_machine_save(const struct sim_machine *m)
{
	char chip_id[2 * sizeof(m->chip_id) + 1];
	char text[512];
	int n;

	pm_hex_encode(m->chip_id, sizeof(m->chip_id), chip_id);
	n = snprintf(text, sizeof(text),
		"product=%s\nvlek=%d\ntcb=%u,%u,%u,%u,%u\nchip_id=%s\ncsp_id=%s\n",
		m->product->name, m->vlek, m->tcb.fmc, m->tcb.bl, m->tcb.tee, m->tcb.snp,
		m->tcb.ucode, chip_id, m->csp_id);
	return sim_machine_write(m, "machine.conf", text, (size_t)n);
}

static int setting(struct sim_machine *m, const char *name, const char *value)
{
	if (strcmp(name, "product") == 0) {
		m->product = sim_product_find(value);
		return m->product ? TOOL_OK : sim_fail("%s: unknown product", value);
	}
	if (strcmp(name, "vlek") == 0) {
		m->vlek = strcmp(value, "1") == 0;
		return TOOL_OK;
	}
	if (strcmp(name, "tcb") == 0)
		return sim_tcb_parse(value, &m->tcb);
	if (strcmp(name, "chip_id") == 0 &&
		pm_hex_decode(value, m->chip_id, sizeof(m->chip_id)) == PM_OK)
		return TOOL_OK;
	if (strcmp(name, "csp_id") == 0 && strlen(value) < sizeof(m->csp_id)) {
		strcpy(m->csp_id, value);
		return TOOL_OK;
	}
	return sim_fail("machine.conf: bad setting %s", name);
}

static int settings_parse(struct sim_machine *m, char *text)
{
	char *save = NULL;

	for (char *line = strtok_r(text, "\n", &save); line; line = strtok_r(NULL, "\n", &save)) {
		char *equals = strchr(line, '=');
		int r;

		if (!equals)
			return sim_fail("machine.conf: no '=' in a line");
		*equals = '\0';
		r = setting(m, line, equals + 1);
		if (r != TOOL_OK)
			return r;
	}
	return m->product ? TOOL_OK : sim_fail("machine.conf: no product");
}

int sim_machine_load(const char *dir, struct sim_machine *ret)
{
	__attribute__((cleanup(sim_cleanup_bytes))) struct sim_bytes conf = {0};
	char text[1024];
	int r;

	*ret = (struct sim_machine){.dir = dir};
	if (!has_file(ret, "machine.conf"))
		return sim_fail("%s: not a simulated machine; make one with: pm-sim init", dir);
	r = sim_machine_read(ret, "machine.conf", &conf);
	if (r != TOOL_OK)
		return r;
	if (conf.len >= sizeof(text))
		return sim_fail("%s/machine.conf: too long", dir);
	memcpy(text, conf.ptr, conf.len);
	text[conf.len] = '\0';
	return settings_parse(ret, text);
}

void sim_machine_free(struct sim_machine *m)
{
	for (int i = 0; i < SIM_KEYS; i++)
		EVP_PKEY_free(m->keys[i]);
}
