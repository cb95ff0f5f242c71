/* SPDX-License-Identifier: Apache-2.0 */
#include "common/tls.h"

#include <errno.h>
#include <mbedtls/psa_util.h>
#include <mbedtls/ssl.h>
#include <pm/error.h>
#include <psa/crypto.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

struct tls_config {
	atomic_int count;
	mbedtls_ssl_config ssl;
	mbedtls_x509_crt cert;
	mbedtls_x509_crt ca;
	mbedtls_pk_context key;
	int (*check_peer)(const struct tls_peer *peer, void *arg);
	void *arg;
	void (*release)(void *arg);
};

struct tls {
	struct tls_config *config;
	struct tls_peer *peer; /* once somebody asked */
	mbedtls_ssl_context ssl;
	int fd;
	size_t pending_write;
};

/* TLS 1.3 first, then what has forward secrecy and an AEAD. */
static const int suites[] = {
	MBEDTLS_TLS1_3_AES_256_GCM_SHA384,
	MBEDTLS_TLS1_3_CHACHA20_POLY1305_SHA256,
	MBEDTLS_TLS1_3_AES_128_GCM_SHA256,
	MBEDTLS_TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384,
	MBEDTLS_TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384,
	MBEDTLS_TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256,
	MBEDTLS_TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256,
	MBEDTLS_TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256,
	MBEDTLS_TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256,
	0,
};

static const char *protocols[] = {"http/1.1", NULL};

/* --- who is it? ------------------------------------------------------------------------------ */

/* A name with a NUL within would read otherwise to us than to who issued it. */
static void add_name(struct tls_peer *peer, const mbedtls_x509_buf *name)
{
	if (peer->name_count == TLS_NAMES_MAX || name->len >= TLS_NAME_SIZE ||
		memchr(name->p, 0, name->len))
		return;
	memcpy(peer->names[peer->name_count], name->p, name->len);
	peer->names[peer->name_count++][name->len] = '\0';
}

static void read_peer(const mbedtls_x509_crt *cert, struct tls_peer *peer)
{
	const int dns = MBEDTLS_ASN1_CONTEXT_SPECIFIC | MBEDTLS_X509_SAN_DNS_NAME;

	peer->cert = cert->raw.p;
	peer->cert_len = cert->raw.len;
	for (const mbedtls_x509_sequence *s = &cert->subject_alt_names; s; s = s->next)
		if (s->buf.p && s->buf.tag == dns)
			add_name(peer, &s->buf);
}

/* Asked for each certificate of the chain, the leaf last. */
static int on_verify(void *arg, mbedtls_x509_crt *cert, int depth, uint32_t *flags)
{
	const struct tls_config *config = arg;
	struct tls_peer *peer;

	if (depth > 0 || *flags || !config->check_peer)
		return 0;
	peer = calloc(1, sizeof(*peer));
	if (!peer)
		return MBEDTLS_ERR_X509_ALLOC_FAILED;
	read_peer(cert, peer);
	if (config->check_peer(peer, config->arg) != 0)
		*flags |= MBEDTLS_X509_BADCERT_OTHER;
	free(peer);
	return 0;
}

/* --- configuration --------------------------------------------------------------------------- */

static int use_identity(struct tls_config *c)
{
	if (mbedtls_pk_check_pair(
		    &c->cert.pk, &c->key, mbedtls_psa_get_random, MBEDTLS_PSA_RANDOM_STATE) != 0)
		return PM_E_REJECTED;
	return mbedtls_ssl_conf_own_cert(&c->ssl, &c->cert, &c->key) ? PM_E_NOMEM : PM_OK;
}

static void use_ca(struct tls_config *c)
{
	mbedtls_ssl_conf_ca_chain(&c->ssl, &c->ca, NULL);
	mbedtls_ssl_conf_authmode(&c->ssl, MBEDTLS_SSL_VERIFY_REQUIRED);
	mbedtls_ssl_conf_verify(&c->ssl, on_verify, c);
}

static int load_files(struct tls_config *c, const struct tls_files *files, const char **ret_what)
{
	int r;

	*ret_what = files->cert;
	if (mbedtls_x509_crt_parse_file(&c->cert, files->cert) != 0)
		return PM_E_FORMAT;
	*ret_what = files->key;
	if (mbedtls_pk_parse_keyfile(&c->key, files->key, NULL, mbedtls_psa_get_random,
		    MBEDTLS_PSA_RANDOM_STATE) != 0)
		return PM_E_FORMAT;
	r = use_identity(c);
	if (r < 0 || !files->ca)
		return r;
	*ret_what = files->ca;
	if (mbedtls_x509_crt_parse_file(&c->ca, files->ca) != 0)
		return PM_E_FORMAT;
	use_ca(c);
	return PM_OK;
}

/* mbedTLS knows PEM by the NUL that ends it. */
static int load_memory(struct tls_config *c, const struct tls_memory *m, const char **ret_what)
{
	int r;

	*ret_what = "certificate";
	if (mbedtls_x509_crt_parse(&c->cert, (const uint8_t *)m->cert, strlen(m->cert) + 1) != 0)
		return PM_E_FORMAT;
	*ret_what = "key";
	if (mbedtls_pk_parse_key(&c->key, (const uint8_t *)m->key, strlen(m->key) + 1, NULL, 0,
		    mbedtls_psa_get_random, MBEDTLS_PSA_RANDOM_STATE) != 0)
		return PM_E_FORMAT;
	r = use_identity(c);
	if (r < 0 || !m->ca)
		return r;
	*ret_what = "CA";
	if (mbedtls_x509_crt_parse(&c->ca, m->ca, m->ca_len) != 0)
		return PM_E_FORMAT;
	use_ca(c);
	return PM_OK;
}

static int configure(struct tls_config *c)
{
	if (psa_crypto_init() != PSA_SUCCESS ||
		mbedtls_ssl_config_defaults(&c->ssl, MBEDTLS_SSL_IS_SERVER,
			MBEDTLS_SSL_TRANSPORT_STREAM, MBEDTLS_SSL_PRESET_DEFAULT) != 0)
		return PM_E_CRYPTO;
	mbedtls_ssl_conf_rng(&c->ssl, mbedtls_psa_get_random, MBEDTLS_PSA_RANDOM_STATE);
	mbedtls_ssl_conf_min_tls_version(&c->ssl, MBEDTLS_SSL_VERSION_TLS1_2);
	mbedtls_ssl_conf_ciphersuites(&c->ssl, suites);
	mbedtls_ssl_conf_authmode(&c->ssl, MBEDTLS_SSL_VERIFY_NONE);
	return mbedtls_ssl_conf_alpn_protocols(&c->ssl, protocols) ? PM_E_CRYPTO : PM_OK;
}

static int new_config(struct tls_config **ret_config, const char **ret_what)
{
	struct tls_config *c = calloc(1, sizeof(*c));
	int r;

	*ret_what = "memory";
	if (!c)
		return PM_E_NOMEM;
	atomic_init(&c->count, 1);
	mbedtls_ssl_config_init(&c->ssl);
	mbedtls_x509_crt_init(&c->cert);
	mbedtls_x509_crt_init(&c->ca);
	mbedtls_pk_init(&c->key);
	r = configure(c);
	if (r < 0) {
		tls_config_unref(c);
		return r;
	}
	*ret_config = c;
	return PM_OK;
}

int tls_config_load(
	const struct tls_files *files, struct tls_config **ret_config, const char **ret_what)
{
	struct tls_config *c;
	int r = new_config(&c, ret_what);

	if (r < 0)
		return r;
	c->check_peer = files->check_peer;
	c->arg = files->arg;
	r = load_files(c, files, ret_what);
	if (r < 0) {
		tls_config_unref(c);
		return r;
	}
	*ret_config = c;
	return PM_OK;
}

int tls_config_new_memory(
	const struct tls_memory *memory, struct tls_config **ret_config, const char **ret_what)
{
	struct tls_config *c;
	int r = new_config(&c, ret_what);

	if (r < 0) {
		if (memory->release)
			memory->release(memory->arg);
		return r;
	}
	/* Of the mesh: all who are in it can, and nothing of a certificate goes in plain. */
	mbedtls_ssl_conf_min_tls_version(&c->ssl, MBEDTLS_SSL_VERSION_TLS1_3);
	c->check_peer = memory->check_peer;
	c->arg = memory->arg;
	c->release = memory->release;
	r = load_memory(c, memory, ret_what);
	if (r < 0) {
		tls_config_unref(c);
		return r;
	}
	*ret_config = c;
	return PM_OK;
}

struct tls_config *tls_config_ref(struct tls_config *config)
{
	atomic_fetch_add(&config->count, 1);
	return config;
}

void tls_config_unref(struct tls_config *config)
{
	if (!config || atomic_fetch_sub(&config->count, 1) != 1)
		return;
	mbedtls_ssl_config_free(&config->ssl);
	mbedtls_x509_crt_free(&config->cert);
	mbedtls_x509_crt_free(&config->ca);
	mbedtls_pk_free(&config->key);
	if (config->release)
		config->release(config->arg);
	free(config);
}

/* --- connections ----------------------------------------------------------------------------- */

static int on_send(void *arg, const unsigned char *bytes, size_t len)
{
	const struct tls *tls = arg;
	ssize_t n = send(tls->fd, bytes, len, MSG_NOSIGNAL);

	if (n >= 0)
		return (int)n;
	return errno == EAGAIN || errno == EINTR ? MBEDTLS_ERR_SSL_WANT_WRITE
						 : MBEDTLS_ERR_SSL_CONN_EOF;
}

static int on_receive(void *arg, unsigned char *bytes, size_t len)
{
	const struct tls *tls = arg;
	ssize_t n = recv(tls->fd, bytes, len, 0);

	if (n > 0)
		return (int)n;
	if (n == 0)
		return MBEDTLS_ERR_SSL_CONN_EOF; /* without close_notify: the end may be forged */
	return errno == EAGAIN || errno == EINTR ? MBEDTLS_ERR_SSL_WANT_READ
						 : MBEDTLS_ERR_SSL_CONN_EOF;
}

struct tls *tls_new(struct tls_config *config, int fd)
{
	struct tls *tls = calloc(1, sizeof(*tls));

	if (!tls)
		return NULL;
	tls->config = tls_config_ref(config);
	tls->fd = fd;
	mbedtls_ssl_init(&tls->ssl);
	if (mbedtls_ssl_setup(&tls->ssl, &config->ssl) != 0) {
		tls_free(tls);
		return NULL;
	}
	mbedtls_ssl_set_bio(&tls->ssl, tls, on_send, on_receive, NULL);
	return tls;
}

void tls_free(struct tls *tls)
{
	if (!tls)
		return;
	mbedtls_ssl_free(&tls->ssl);
	tls_config_unref(tls->config);
	free(tls->peer);
	free(tls);
}

/* The certificate lives as long as the connection: sessions are not resumed. */
const struct tls_peer *tls_peer(struct tls *tls)
{
	const mbedtls_x509_crt *cert = mbedtls_ssl_is_handshake_over(&tls->ssl)
					       ? mbedtls_ssl_get_peer_cert(&tls->ssl)
					       : NULL;

	if (tls->peer || !cert)
		return tls->peer;
	tls->peer = calloc(1, sizeof(*tls->peer));
	if (tls->peer)
		read_peer(cert, tls->peer);
	return tls->peer;
}

static int outcome(int r)
{
	switch (r) {
	case MBEDTLS_ERR_SSL_WANT_READ:
		return TLS_WANT_READ;
	case MBEDTLS_ERR_SSL_WANT_WRITE:
		return TLS_WANT_WRITE;
	case MBEDTLS_ERR_SSL_PEER_CLOSE_NOTIFY:
		return TLS_CLOSED;
	default:
		return TLS_BROKEN;
	}
}

int tls_handshake(struct tls *tls)
{
	int r = mbedtls_ssl_handshake(&tls->ssl);

	return r == 0 ? 1 : outcome(r);
}

ssize_t tls_read(struct tls *tls, void *bytes, size_t len)
{
	int r = mbedtls_ssl_read(&tls->ssl, bytes, len);

	return r > 0 ? r : outcome(r == 0 ? MBEDTLS_ERR_SSL_CONN_EOF : r);
}

ssize_t tls_write(struct tls *tls, const void *bytes, size_t len)
{
	size_t n = tls->pending_write ? tls->pending_write : len;
	int r = mbedtls_ssl_write(&tls->ssl, bytes, n);

	tls->pending_write =
		r == MBEDTLS_ERR_SSL_WANT_WRITE || r == MBEDTLS_ERR_SSL_WANT_READ ? n : 0;
	return r > 0 ? r : outcome(r);
}

bool tls_has_pending(const struct tls *tls)
{
	return mbedtls_ssl_check_pending(&tls->ssl);
}

void tls_shutdown(struct tls *tls)
{
	(void)mbedtls_ssl_close_notify(&tls->ssl);
}
