/* SPDX-License-Identifier: Apache-2.0 */
/*
 * TLS 1.3 and 1.2 for servers, by mbedTLS: the one door to it in daemons. With a CA each client
 * must show a certificate of it, and a check may ask who the client is: a certificate of the mesh
 * says that somebody is in the mesh, not that he may ask this of us.
 */
#ifndef COMMON_TLS_H
#define COMMON_TLS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/* DNS names that are read of a peer's certificate, at most. */
#define TLS_NAMES_MAX 16
/* Longest of them, with its NUL. */
#define TLS_NAME_SIZE 256

/* A client that proved to hold the key of a certificate that the CA signed. */
struct tls_peer {
	const uint8_t *cert; /* the leaf, DER */
	size_t cert_len;
	size_t name_count;
	char names[TLS_NAMES_MAX][TLS_NAME_SIZE];
};

struct tls_files {
	const char *cert; /* PEM, the leaf first */
	const char *key;  /* PEM */
	const char *ca;	  /* PEM; NULL: clients need no certificate */
	/* 0 for yes; NULL: every client of the CA may. Called in any thread. */
	int (*check_peer)(const struct tls_peer *peer, void *arg);
	void *arg;
};

/* The same from memory, and for TLS 1.3 alone; all is copied but check_peer's. */
struct tls_memory {
	const char *cert; /* PEM text, the leaf first */
	const char *key;  /* PEM text; the caller wipes it */
	const void *ca;	  /* DER, or PEM text with its NUL; NULL: clients need no certificate */
	size_t ca_len;	  /* with the NUL */
	int (*check_peer)(const struct tls_peer *peer, void *arg);
	void *arg;
	/* Called for arg when the last connection is gone, also when no config came of it;
	 * or NULL. */
	void (*release)(void *arg);
};

/* What connections share. Counted: a reload makes a new one, old connections keep theirs. */
struct tls_config;

/* 0; PM_E_FORMAT; PM_E_REJECTED when key and certificate don't fit; *ret_what: which file. */
int tls_config_load(
	const struct tls_files *files, struct tls_config **ret_config, const char **ret_what);
int tls_config_new_memory(
	const struct tls_memory *memory, struct tls_config **ret_config, const char **ret_what);
struct tls_config *tls_config_ref(struct tls_config *config);
void tls_config_unref(struct tls_config *config);

struct tls;

enum {
	TLS_CLOSED = 0,	     /* the peer said that it will send no more */
	TLS_WANT_READ = -1,  /* again when the socket has bytes */
	TLS_WANT_WRITE = -2, /* again when the socket takes bytes */
	TLS_BROKEN = -3,
};

/* Takes its own reference. NULL without memory. The socket stays the caller's. */
struct tls *tls_new(struct tls_config *config, int fd);
void tls_free(struct tls *tls);

/* Who the client is; NULL before the handshake is done, without a certificate, without memory. */
const struct tls_peer *tls_peer(struct tls *tls);

/* 1 when done, or one of the above. */
int tls_handshake(struct tls *tls);
/* Bytes read, or one of the above. */
ssize_t tls_read(struct tls *tls, void *bytes, size_t len);
/* Bytes taken, or one of the above; after TLS_WANT_... the same bytes must be given again. */
ssize_t tls_write(struct tls *tls, const void *bytes, size_t len);
/* Are there bytes that the socket does not show? */
bool tls_has_pending(const struct tls *tls);
/* Says that no more will be sent. */
void tls_shutdown(struct tls *tls);

#endif
