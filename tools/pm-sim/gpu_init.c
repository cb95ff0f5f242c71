/* SPDX-License-Identifier: Apache-2.0 */
/* A new host: which devices it has, and all their keys and certificates. */
#include "pm-sim/sim_gpu.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include <openssl/rand.h>

#define TEST_ROOT "TEST ROOT: nothing that this tool signs proves anything\n"

static int set_version(const char *text, const char *fallback, char *ret)
{
	if (!text)
		text = fallback ? fallback : "";
	if (strlen(text) >= SIM_GPU_VERSION)
		return sim_fail("%s: longer than a version", text);
	if (text != ret)
		strcpy(ret, text);
	return TOOL_OK;
}

int sim_gpu_set_versions(const struct sim_gpu_wish *o, struct sim_gpu_machine *m)
{
	const struct sim_gpu_arch *a = m->arch;
	int r = set_version(o->driver, m->driver[0] ? m->driver : a ? a->driver : NULL, m->driver);

	if (r == TOOL_OK)
		r = set_version(o->vbios, m->vbios[0] ? m->vbios : a ? a->vbios : NULL, m->vbios);
	if (r == TOOL_OK)
		r = set_version(o->bios, m->bios[0] ? m->bios : sim_gpu_ls10.vbios, m->bios);
	return r;
}

static int count_of(const char *text, const char *fallback, uint64_t max, unsigned int *ret)
{
	uint64_t n = 0;
	int r = sim_number_parse(text ? text : fallback, max, &n);

	*ret = (unsigned int)n;
	return r;
}

static int set_devices(const struct sim_gpu_wish *o, struct sim_gpu_machine *m)
{
	const char *arch = o->arch ? o->arch : "hopper";
	bool switches = strcmp(arch, "ls10") == 0;
	int r;

	m->arch = sim_gpu_arch_find(arch);
	if (!m->arch)
		return sim_fail("%s: unknown architecture (hopper, blackwell, ls10)", arch);
	r = count_of(o->count, "1", SIM_GPU_DEVICES / 2, switches ? &m->switches : &m->gpus);
	if (r == TOOL_OK && !switches)
		r = count_of(o->switches, "0", SIM_GPU_DEVICES / 2, &m->switches);
	if (switches)
		m->arch = NULL;
	if (r == TOOL_OK && !sim_gpu_device_count(m))
		r = sim_fail("at least one device");
	return r;
}

static int set_seed(const struct sim_gpu_wish *o, struct sim_gpu_machine *m)
{
	if (o->seed)
		return pm_hex_decode(o->seed, m->seed, sizeof(m->seed)) == PM_OK
			       ? TOOL_OK
			       : sim_fail("--seed needs 32 bytes in hexadecimal");
	return RAND_bytes(m->seed, sizeof(m->seed)) == 1 ? TOOL_OK : sim_fail("no random bytes");
}

static int make_folder(const char *dir)
{
	char path[4096];

	if (mkdir(dir, 0700) < 0 && errno != EEXIST)
		return sim_fail("%s: %s", dir, strerror(errno));
	snprintf(path, sizeof(path), "%s/gpu", dir);
	if (mkdir(path, 0700) < 0 && errno != EEXIST)
		return sim_fail("%s: %s", path, strerror(errno));
	return TOOL_OK;
}

static int root_digest(const struct sim_gpu_machine *m, const struct sim_gpu_cert *root, char *ret)
{
	sim_cleanup(X509) X509 *cert = NULL;
	uint8_t digest[32];
	unsigned int n = sizeof(digest);
	int r = sim_gpu_cert_get(m, root, &cert);

	if (r == TOOL_OK && X509_digest(cert, EVP_sha256(), digest, &n) != 1)
		r = sim_fail("can't hash a certificate");
	if (r == TOOL_OK)
		pm_hex_encode(digest, sizeof(digest), ret);
	return r;
}

static int write_roots(const struct sim_gpu_machine *m)
{
	struct sim_gpu_cert devices[SIM_GPU_CHAIN], rims[SIM_RIM_CHAIN];
	struct sim_gpu_device d;
	char device[65], rim[65], text[256];
	int n, r = sim_gpu_device(m, 0, &d);

	if (r != TOOL_OK)
		return r;
	sim_gpu_chain_init(m, &d, devices);
	sim_rim_chain_init(m, d.arch->product, rims);
	r = root_digest(m, &devices[SIM_GPU_CHAIN - 1], device);
	if (r == TOOL_OK)
		r = root_digest(m, &rims[SIM_RIM_CHAIN - 1], rim);
	if (r != TOOL_OK)
		return r;
	n = snprintf(text, sizeof(text),
		"{\"gpu_device_root\": \"%s\", \"gpu_rim_root\": \"%s\"}\n", device, rim);
	r = sim_gpu_write(m, "roots.json", text, (size_t)n);
	if (r == TOOL_OK)
		printf("device root %s\nrim root    %s\n", device, rim);
	return r;
}

static int issue_chain(const struct sim_gpu_machine *m, const struct sim_gpu_cert *chain, size_t n,
	bool responders)
{
	struct sim_gpu_cert responder;
	int r = TOOL_OK;

	for (size_t i = 0; r == TOOL_OK && i < n; i++) {
		sim_cleanup(X509) X509 *cert = NULL;
		sim_cleanup(X509) X509 *second = NULL;

		r = sim_gpu_cert_get(m, &chain[i], &cert);
		sim_responder_init(m, &chain[i], &responder);
		if (r == TOOL_OK && i > 0 && responders)
			r = sim_gpu_cert_get(m, &responder, &second);
	}
	return r;
}

/*
 * Every key and certificate now: afterwards the folder does not change, and several programs may
 * use it at once. A BROM issues one leaf that needs no response, so it has no responder.
 */
static int issue(const struct sim_gpu_machine *m)
{
	struct sim_gpu_cert chain[SIM_GPU_CHAIN];
	struct sim_gpu_device d;
	sim_cleanup(EVP_PKEY) EVP_PKEY *key = NULL;
	int r = sim_gpu_key(m, "nras", &key);

	for (unsigned int i = 0; r == TOOL_OK && i < sim_gpu_device_count(m); i++) {
		r = sim_gpu_device(m, i, &d);
		if (r != TOOL_OK)
			return r;
		sim_gpu_chain_init(m, &d, chain);
		r = issue_chain(m, chain, 2, false);
		if (r == TOOL_OK)
			r = issue_chain(m, chain + 1, SIM_GPU_CHAIN - 1, true);
		sim_rim_chain_init(m, d.arch->product, chain);
		if (r == TOOL_OK)
			r = issue_chain(m, chain, SIM_RIM_CHAIN, true);
	}
	return r;
}

int sim_gpu_init(const struct sim_gpu_wish *o)
{
	struct sim_gpu_machine m = {.dir = o->dir, .epoch = o->epoch};
	int r = set_devices(o, &m);

	if (r == TOOL_OK)
		r = sim_gpu_set_versions(o, &m);
	if (r == TOOL_OK)
		r = set_seed(o, &m);
	if (r == TOOL_OK)
		r = make_folder(o->dir);
	if (r == TOOL_OK && sim_gpu_has(&m, "machine.conf"))
		r = sim_fail("%s: has simulated GPUs already", o->dir);
	if (r == TOOL_OK)
		r = issue(&m);
	if (r == TOOL_OK)
		r = write_roots(&m);
	if (r == TOOL_OK)
		r = sim_gpu_machine_save(&m);
	if (r == TOOL_OK)
		printf("%s: %u GPUs, %u switches\n" TEST_ROOT, o->dir, m.gpus, m.switches);
	return r;
}
