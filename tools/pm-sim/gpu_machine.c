/* SPDX-License-Identifier: Apache-2.0 */
/* The folder of a host's GPUs: settings, keys, files; and what the kinds of chips are like. */
#include "pm-sim/sim_gpu.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <openssl/bio.h>
#include <openssl/pem.h>

/* Largest file of the folder. */
#define FILE_MAX 262144

#define BIT(n)		(UINT64_C(1) << (n))
#define RANGE(from, to) ((BIT((to) - (from) + 1) - 1) << (from))

/* As seen on real machines: which indices measure what, and which of them stay zero. */
const struct sim_gpu_arch sim_gpu_hopper = {
	.name = "hopper",
	.product = "GH100",
	.chip = "GH100",
	.firmware = "GSP",
	.ica = "NVIDIA GH100 Provisioner ICA 1",
	.identity = "GH100",
	.driver = "550.90.07",
	.vbios = "96.00.9F.00.01",
	.project = "1010",
	.project_sku = "0200",
	.chip_sku = "882",
	.gpu_info = 0x80,
	.nvdec = 0x55,
	.board_id = 0x3b1,
	.cpr_info = 0x1c000,
	.blocks = 64,
	.driver_indices = BIT(7) | RANGE(21, 40),
	.vbios_indices = RANGE(0, 6) | RANGE(8, 12),
	.zero_indices = BIT(0) | BIT(8) | BIT(10) | BIT(12) | BIT(23) | BIT(24) | BIT(28),
};

const struct sim_gpu_arch sim_gpu_blackwell = {
	.name = "blackwell",
	.product = "GB100",
	.chip = "GB100",
	.firmware = "GSP",
	.ica = "NVIDIA GB100 Provisioner ICA 00000",
	.identity = "GB100",
	.driver = "575.32",
	.vbios = "97.00.88.00.0F",
	.project = "G525",
	.project_sku = "0220",
	.chip_sku = "886",
	.project_sku_mod = '0',
	.gpu_info = 0xa0,
	.nvdec = 0x55,
	.board_id = 0x66f,
	.cpr_info = 0x40000,
	.blocks = 64,
	.tcb_info = true,
	.driver_indices = BIT(7) | RANGE(21, 41),
	.vbios_indices = RANGE(0, 6) | RANGE(8, 20),
	.zero_indices = BIT(0) | BIT(1) | BIT(5) | BIT(7) | BIT(9) | BIT(10) | BIT(16) | BIT(23) |
			BIT(24) | BIT(28) | BIT(34),
};

const struct sim_gpu_arch sim_gpu_ls10 = {
	.name = "ls10",
	.product = "LS10",
	.chip = "LS_10",
	.firmware = "FSP",
	.ica = "NVIDIA LS_10 Provisioner ICA 1",
	.identity = "GH100",
	.vbios = "96.10.55.00.01",
	.blocks = 31,
	.vbios_indices = RANGE(0, 30),
	.zero_indices = BIT(5) | BIT(7) | BIT(12) | BIT(13) | BIT(15) | BIT(16) | BIT(17),
};

const struct sim_gpu_arch *sim_gpu_arch_find(const char *name)
{
	const struct sim_gpu_arch *const all[] = {
		&sim_gpu_hopper, &sim_gpu_blackwell, &sim_gpu_ls10};

	for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++)
		if (strcmp(all[i]->name, name) == 0)
			return all[i];
	return NULL;
}

/* --- text ------------------------------------------------------------------------------------- */

void sim_text_add(struct sim_text *t, const char *format, ...)
{
	char *piece = NULL, *grown;
	va_list args;
	int n;

	va_start(args, format);
	n = vasprintf(&piece, format, args);
	va_end(args);
	if (n < 0) {
		t->failed = true;
		return;
	}
	if (t->len + (size_t)n >= t->cap) {
		t->cap = 2 * (t->len + (size_t)n) + 1024;
		grown = realloc(t->text, t->cap);
		t->failed |= !grown;
		t->text = grown ? grown : t->text;
	}
	if (!t->failed) {
		memcpy(t->text + t->len, piece, (size_t)n + 1);
		t->len += (size_t)n;
	}
	free(piece);
}

int sim_text_take(struct sim_text *t, struct sim_bytes *ret)
{
	if (t->failed || !t->text)
		return sim_fail("out of memory");
	return sim_bytes_set(ret, t->text, t->len);
}

void sim_text_free(struct sim_text *t)
{
	free(t->text);
	*t = (struct sim_text){0};
}

char *sim_base64(const void *bytes, size_t n)
{
	char *text = malloc(4 * (n / 3 + 1) + 1);

	if (text)
		EVP_EncodeBlock((unsigned char *)text, bytes, (int)n);
	return text;
}

/* --- files ------------------------------------------------------------------------------------ */

static int path_of(const struct sim_gpu_machine *m, const char *name, char *ret, size_t size)
{
	int n = snprintf(ret, size, "%s/gpu/%s", m->dir, name);

	return n < 0 || (size_t)n >= size ? sim_fail("%s: path too long", m->dir) : TOOL_OK;
}

int sim_gpu_read(const struct sim_gpu_machine *m, const char *name, struct sim_bytes *ret)
{
	char path[4096];
	int r = path_of(m, name, path, sizeof(path));

	return r ? r : tool_read_file(path, FILE_MAX, &ret->ptr, &ret->len);
}

int sim_gpu_write(const struct sim_gpu_machine *m, const char *name, const void *ptr, size_t len)
{
	char path[4096];
	int r = path_of(m, name, path, sizeof(path));

	return r ? r : tool_write_file(path, ptr, len, strstr(name, ".key") ? 0600 : 0644);
}

bool sim_gpu_has(const struct sim_gpu_machine *m, const char *name)
{
	char path[4096];

	return path_of(m, name, path, sizeof(path)) == TOOL_OK && access(path, F_OK) == 0;
}

/* --- settings --------------------------------------------------------------------------------- */

int sim_gpu_machine_save(const struct sim_gpu_machine *m)
{
	char seed[2 * sizeof(m->seed) + 1], text[512];
	int n;

	pm_hex_encode(m->seed, sizeof(m->seed), seed);
	n = snprintf(text, sizeof(text),
		"arch=%s\ngpus=%u\nswitches=%u\nseed=%s\nepoch=%lld\ndriver=%s\nvbios=%s\n"
		"bios=%s\n",
		m->arch ? m->arch->name : "ls10", m->gpus, m->switches, seed, (long long)m->epoch,
		m->driver, m->vbios, m->bios);
	return sim_gpu_write(m, "machine.conf", text, (size_t)n);
}

static bool take_version(const char *value, char *ret)
{
	bool ok = strlen(value) < SIM_GPU_VERSION;

	if (ok)
		strcpy(ret, value);
	return ok;
}

static bool take_number(const char *value, uint64_t max, uint64_t *ret)
{
	return sim_number_parse(value, max, ret) == TOOL_OK;
}

static bool take_count(const char *value, unsigned int *ret)
{
	uint64_t n = 0;
	bool ok = take_number(value, SIM_GPU_DEVICES, &n);

	*ret = (unsigned int)n;
	return ok;
}

static bool take_epoch(const char *value, int64_t *ret)
{
	uint64_t n = 0;
	bool ok = take_number(value, INT64_MAX, &n);

	*ret = (int64_t)n;
	return ok;
}

static bool take_arch(const char *value, const struct sim_gpu_arch **ret)
{
	const struct sim_gpu_arch *found = sim_gpu_arch_find(value);

	*ret = found == &sim_gpu_ls10 ? NULL : found;
	return found != NULL;
}

static bool setting(struct sim_gpu_machine *m, const char *name, const char *value)
{
	if (strcmp(name, "arch") == 0)
		return take_arch(value, &m->arch);
	if (strcmp(name, "gpus") == 0)
		return take_count(value, &m->gpus);
	if (strcmp(name, "switches") == 0)
		return take_count(value, &m->switches);
	if (strcmp(name, "seed") == 0)
		return pm_hex_decode(value, m->seed, sizeof(m->seed)) == PM_OK;
	if (strcmp(name, "epoch") == 0)
		return take_epoch(value, &m->epoch);
	if (strcmp(name, "driver") == 0)
		return take_version(value, m->driver);
	if (strcmp(name, "vbios") == 0)
		return take_version(value, m->vbios);
	return strcmp(name, "bios") == 0 && take_version(value, m->bios);
}

static int settings_parse(struct sim_gpu_machine *m, char *text)
{
	char *save = NULL;

	for (char *line = strtok_r(text, "\n", &save); line; line = strtok_r(NULL, "\n", &save)) {
		char *equals = strchr(line, '=');

		if (!equals)
			return sim_fail("gpu/machine.conf: no '=' in a line");
		*equals = '\0';
		if (!setting(m, line, equals + 1))
			return sim_fail("gpu/machine.conf: bad setting %s", line);
	}
	return TOOL_OK;
}

int sim_gpu_machine_load(const char *dir, struct sim_gpu_machine *ret)
{
	sim_cleanup_buf struct sim_bytes conf = {0};
	char text[1024];
	int r;

	*ret = (struct sim_gpu_machine){.dir = dir};
	if (!sim_gpu_has(ret, "machine.conf"))
		return sim_fail("%s: has no simulated GPU; make some with: pm-sim gpu init", dir);
	r = sim_gpu_read(ret, "machine.conf", &conf);
	if (r != TOOL_OK)
		return r;
	if (conf.len >= sizeof(text))
		return sim_fail("%s/gpu/machine.conf: too long", dir);
	memcpy(text, conf.ptr, conf.len);
	text[conf.len] = '\0';
	return settings_parse(ret, text);
}

/* --- devices ---------------------------------------------------------------------------------- */

unsigned int sim_gpu_device_count(const struct sim_gpu_machine *m)
{
	return m->gpus + m->switches;
}

int sim_gpu_device(const struct sim_gpu_machine *m, unsigned int number, struct sim_gpu_device *ret)
{
	bool is_switch = number >= m->gpus;

	if (number >= sim_gpu_device_count(m))
		return sim_fail("%s: has no device %u", m->dir, number);
	ret->arch = is_switch ? &sim_gpu_ls10 : m->arch;
	ret->index = is_switch ? number - m->gpus : number;
	snprintf(ret->name, sizeof(ret->name), "%s%u", is_switch ? "switch" : "gpu", ret->index);
	return TOOL_OK;
}

bool sim_gpu_is_switch(const struct sim_gpu_device *d)
{
	return d->arch == &sim_gpu_ls10;
}

void sim_gpu_derive(
	const struct sim_gpu_machine *m, uint8_t *ret, size_t n, const char *format, ...)
{
	char text[256] = "";
	uint8_t input[sizeof(m->seed) + sizeof(text)], digest[SIM_GPU_DIGEST];
	va_list args;

	va_start(args, format);
	(void)vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	memcpy(input, m->seed, sizeof(m->seed));
	memcpy(input + sizeof(m->seed), text, strlen(text));
	EVP_Digest(input, sizeof(m->seed) + strlen(text), digest, NULL, EVP_sha384(), NULL);
	memcpy(ret, digest, n);
}

void sim_gpu_pdi(const struct sim_gpu_machine *m, bool is_switch, unsigned int index, uint8_t *ret)
{
	sim_gpu_derive(m, ret, 8, "pdi %s %u", is_switch ? "switch" : "gpu", index);
}

/* --- keys ------------------------------------------------------------------------------------- */

static int key_store(const struct sim_gpu_machine *m, const char *file, EVP_PKEY *key)
{
	BIO *bio = BIO_new(BIO_s_mem());
	char *pem = NULL;
	long n;
	int r;

	if (!bio || PEM_write_bio_PKCS8PrivateKey(bio, key, NULL, NULL, 0, NULL, NULL) != 1) {
		BIO_free(bio);
		return sim_fail("can't encode a key");
	}
	n = BIO_get_mem_data(bio, &pem);
	r = sim_gpu_write(m, file, pem, (size_t)n);
	BIO_free(bio);
	return r;
}

static int key_read(const struct sim_gpu_machine *m, const char *file, EVP_PKEY **ret)
{
	sim_cleanup_buf struct sim_bytes pem = {0};
	BIO *bio;
	int r = sim_gpu_read(m, file, &pem);

	if (r != TOOL_OK)
		return r;
	bio = BIO_new_mem_buf(pem.ptr, (int)pem.len);
	*ret = bio ? PEM_read_bio_PrivateKey(bio, NULL, NULL, NULL) : NULL;
	BIO_free(bio);
	return *ret ? TOOL_OK : sim_fail("%s/gpu/%s: not a private key", m->dir, file);
}

/* A key whose name begins with "p256" is on that curve. */
int sim_gpu_key(const struct sim_gpu_machine *m, const char *name, EVP_PKEY **ret)
{
	char file[SIM_GPU_NAME + 8];
	int r;

	snprintf(file, sizeof(file), "%s.key", name);
	if (sim_gpu_has(m, file))
		return key_read(m, file, ret);
	*ret = EVP_EC_gen(strncmp(name, "p256", 4) == 0 ? "P-256" : "P-384");
	if (!*ret)
		return sim_fail("can't make a key");
	r = key_store(m, file, *ret);
	if (r != TOOL_OK) {
		EVP_PKEY_free(*ret);
		*ret = NULL;
	}
	return r;
}

static int raw_signature(const uint8_t *der, size_t len, uint8_t *ret)
{
	const uint8_t *p = der;
	sim_cleanup(ECDSA_SIG) ECDSA_SIG *sig = d2i_ECDSA_SIG(NULL, &p, (long)len);

	if (!sig || BN_bn2binpad(ECDSA_SIG_get0_r(sig), ret, SIM_GPU_SCALAR) < 0 ||
		BN_bn2binpad(ECDSA_SIG_get0_s(sig), ret + SIM_GPU_SCALAR, SIM_GPU_SCALAR) < 0)
		return sim_fail("can't read a signature");
	return TOOL_OK;
}

int sim_gpu_sign(
	const struct sim_gpu_machine *m, const char *key, const void *ptr, size_t len, uint8_t *ret)
{
	sim_cleanup(EVP_MD_CTX) EVP_MD_CTX *ctx = EVP_MD_CTX_new();
	sim_cleanup(EVP_PKEY) EVP_PKEY *pkey = NULL;
	uint8_t der[160];
	size_t n = sizeof(der);
	int r = sim_gpu_key(m, key, &pkey);

	if (r != TOOL_OK)
		return r;
	if (!ctx || EVP_DigestSignInit(ctx, NULL, EVP_sha384(), NULL, pkey) != 1 ||
		EVP_DigestSign(ctx, der, &n, ptr, len) != 1)
		return sim_fail("can't sign");
	return raw_signature(der, n, ret);
}
