/* SPDX-License-Identifier: Apache-2.0 */
#include "net/gpu_fetch.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <pm/ocsp.h>
#include <pm/text.h>

#include "base/report.h"
#include "crypto/crypto.h"
#include "crypto/x509.h"
#include "evidence/ocsp_id.h"

_Static_assert(PM_GPU_FETCH_SERVERS_MAX == PM_NET_SERVERS_MAX && PM_NET_URL_MAX == 255 &&
		       PM_NET_CONNECT_MS == 10000 && PM_NET_TOTAL_MS == 90000 &&
		       PM_NET_TIMEOUT_MAX_MS == 3600000 && PM_NET_ATTEMPTS == 5 &&
		       PM_NET_ATTEMPTS_MAX == 20,
	"the header promises what the client does");
_Static_assert((int)PM_GPU_FETCH_CACHE_FIRST == (int)PM_NET_CACHE_FIRST &&
		       (int)PM_GPU_FETCH_REFRESH == (int)PM_NET_REFRESH &&
		       (int)PM_GPU_FETCH_OFFLINE == (int)PM_NET_OFFLINE,
	"the header promises what the client does");

PM_OWNER(pm_gpu_fetch, pm_gpu_fetch_free);

/* --- the handle ------------------------------------------------------------------------------ */

int pm_gpu_fetch_new(struct pm_gpu_fetch **ret_fetch)
{
	pm_cleanup(pm_gpu_fetch) struct pm_gpu_fetch *fetch = pm_alloc(sizeof(*fetch));
	int r;

	if (!fetch)
		return PM_E_NOMEM;
	fetch->rim.name = "RIM service";
	fetch->ocsp.name = "OCSP responder";
	r = pm_net_init(&fetch->net);
	if (r == PM_OK)
		r = pm_net_service_add(&fetch->rim, PM_GPU_RIM_URL, NULL, NULL);
	if (r == PM_OK)
		r = pm_net_service_add(&fetch->ocsp, PM_GPU_OCSP_URL, NULL, NULL);
	if (r == PM_OK)
		*ret_fetch = pm_steal(fetch);
	return r;
}

void pm_gpu_fetch_free(struct pm_gpu_fetch *fetch)
{
	if (!fetch)
		return;
	pm_net_clear(&fetch->net);
	pm_net_service_clear(&fetch->rim);
	pm_net_service_clear(&fetch->ocsp);
	free(fetch);
}

static int add_server(struct pm_net_service *service, bool *own, const char *url,
	const char *token_file, struct pm_report *report)
{
	int r = *own ? pm_net_service_add(service, url, token_file, report)
		     : pm_net_service_set(service, url, token_file, report);

	if (r == PM_OK)
		*own = true;
	return r;
}

int pm_gpu_fetch_add_server(struct pm_gpu_fetch *fetch, enum pm_gpu_service service,
	const char *url, const char *token_file, struct pm_report *report)
{
	switch (service) {
	case PM_GPU_SERVICE_RIM:
		return add_server(&fetch->rim, &fetch->own_rim, url, token_file, report);
	case PM_GPU_SERVICE_OCSP:
		return add_server(&fetch->ocsp, &fetch->own_ocsp, url, token_file, report);
	}
	return PM_E_ARG;
}

int pm_gpu_fetch_set_cache(struct pm_gpu_fetch *fetch, const char *path)
{
	return pm_net_set_cache(&fetch->net, path);
}

int pm_gpu_fetch_set_mode(struct pm_gpu_fetch *fetch, enum pm_gpu_fetch_mode mode)
{
	return pm_net_set_mode(&fetch->net, (int)mode);
}

int pm_gpu_fetch_set_ca_file(struct pm_gpu_fetch *fetch, const char *path)
{
	return pm_net_set_ca_file(&fetch->net, path);
}

int pm_gpu_fetch_set_timeouts(struct pm_gpu_fetch *fetch, uint32_t connect_ms, uint32_t total_ms)
{
	return pm_net_set_timeouts(&fetch->net, connect_ms, total_ms);
}

int pm_gpu_fetch_set_attempts(struct pm_gpu_fetch *fetch, unsigned int attempts)
{
	return pm_net_set_attempts(&fetch->net, attempts);
}

void pm_gpu_fetch_set_log(
	struct pm_gpu_fetch *fetch, void (*log)(void *arg, const char *text), void *arg)
{
	fetch->net.log = log;
	fetch->net.log_arg = arg;
}

void pm_gpu_fetch_set_clock(struct pm_gpu_fetch *fetch, const struct pm_net_clock *clock)
{
	fetch->net.clock = *clock;
}

/* --- golden measurements --------------------------------------------------------------------- */

/* It becomes part of a URL. */
static bool is_id(const char *id)
{
	static const char allowed[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
				      "0123456789._-";
	size_t len = strnlen(id, PM_GPU_FETCH_ID_MAX + 1);

	return len > 0 && len <= PM_GPU_FETCH_ID_MAX && id[0] != '.' && strspn(id, allowed) == len;
}

/* The cache's names have fewer characters; the digest keeps two of them apart. */
static int name_rim(const char *id, char *ret, size_t size)
{
	char readable[PM_GPU_FETCH_ID_MAX + 1], hex[17];
	uint8_t digest[PM_SHA256_SIZE];
	int r = pm_hash(PM_SHA256, pm_view(id, strlen(id)), digest);

	if (r < 0)
		return r;
	snprintf(readable, sizeof(readable), "%s", id);
	for (char *c = readable; *c; c++) {
		if (*c == '.' || *c == '_')
			*c = '-';
	}
	pm_hex_encode(digest, 8, hex);
	snprintf(ret, size, "rim-%s-%s", readable, hex);
	return PM_OK;
}

int pm_gpu_fetch_rim(struct pm_gpu_fetch *fetch, const char *id, int64_t now,
	struct pm_report *report, uint8_t **ret_xml, size_t *ret_size)
{
	struct pm_net_item item = {
		.kind = &pm_gpu_kind_rim, .service = &fetch->rim, .now = now, .context = id};
	int r;

	if (!id || !is_id(id))
		return PM_E_ARG;
	snprintf(item.path, sizeof(item.path), "/v1/rim/%s", id);
	r = name_rim(id, item.name, sizeof(item.name));
	return r < 0 ? r : pm_net_obtain(&fetch->net, &item, report, ret_xml, ret_size);
}

/* --- revocation ------------------------------------------------------------------------------ */

static int identify(struct pm_view cert_der, struct pm_view issuer_der, struct pm_cert **ret_cert,
	struct pm_ocsp_own_id *ret_id)
{
	pm_cleanup(pm_cert) struct pm_cert *issuer = NULL;
	int r = pm_cert_parse(cert_der, ret_cert);

	if (r == PM_OK)
		r = pm_cert_parse(issuer_der, &issuer);
	return r < 0 ? r : pm_ocsp_id_of(*ret_cert, issuer, ret_id);
}

/* A request is all that tells answers apart: the certificate, and the nonce where there is one. */
static int name_ocsp(struct pm_view request, char *ret, size_t size)
{
	char hex[2 * PM_SHA256_SIZE + 1];
	uint8_t digest[PM_SHA256_SIZE];
	int r = pm_hash(PM_SHA256, request, digest);

	if (r < 0)
		return r;
	pm_hex_encode(digest, sizeof(digest), hex);
	snprintf(ret, size, "ocsp-%s", hex);
	return PM_OK;
}

int pm_gpu_fetch_ocsp(struct pm_gpu_fetch *fetch, const uint8_t *cert, size_t cert_size,
	const uint8_t *issuer, size_t issuer_size, const uint8_t *nonce, int64_t now,
	struct pm_report *report, uint8_t **ret_der, size_t *ret_size)
{
	pm_cleanup(pm_cert) struct pm_cert *parsed = NULL; /* the identity borrows from it */
	uint8_t request[PM_OCSP_REQUEST_SIZE_MAX];
	struct pm_ocsp_own_id id;
	struct pm_net_item item = {.kind = &pm_gpu_kind_ocsp,
		.service = &fetch->ocsp,
		.now = now,
		.content_type = "application/ocsp-request",
		.context = &id,
		.not_cached = nonce != NULL};
	size_t size;
	int r = pm_ocsp_request(
		cert, cert_size, issuer, issuer_size, nonce, request, sizeof(request), &size);

	if (r == PM_OK)
		r = identify(pm_view(cert, cert_size), pm_view(issuer, issuer_size), &parsed, &id);
	if (r < 0)
		return r;
	item.post = pm_view(request, size);
	r = name_ocsp(item.post, item.name, sizeof(item.name));
	return r < 0 ? r : pm_net_obtain(&fetch->net, &item, report, ret_der, ret_size);
}
