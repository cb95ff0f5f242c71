/* SPDX-License-Identifier: Apache-2.0 */
#include "common/mesh_papers.h"

#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <pm/text.h>

#define PEM_BEGIN "-----BEGIN CERTIFICATE-----\n"
#define PEM_END	  "-----END CERTIFICATE-----\n"
#define PEM_LINE  64

struct papers {
	struct mesh_identity identity; /* first */
	atomic_int count;
	struct pm_membership *tls, *signing;
	char *ca;
	char key[PM_MESH_KEY_PEM_SIZE];
};

static struct papers *papers_of(const struct mesh_identity *identity)
{
	return (struct papers *)(uintptr_t)identity;
}

struct mesh_identity *mesh_identity_ref(const struct mesh_identity *identity)
{
	if (identity)
		atomic_fetch_add(&papers_of(identity)->count, 1);
	return (struct mesh_identity *)(uintptr_t)identity;
}

void mesh_drop(const struct mesh_identity *identity)
{
	struct papers *p = papers_of(identity);

	if (!p || atomic_fetch_sub(&p->count, 1) != 1)
		return;
	pm_membership_free(p->tls);
	pm_membership_free(p->signing);
	free(p->ca);
	explicit_bzero(p, sizeof(*p));
	free(p);
}

/* --- an identity ----------------------------------------------------------------------------- */

static char *pem_of(const uint8_t *der, size_t len)
{
	size_t room = (len + 2) / 3 * 4 + 1, lines = room / PEM_LINE + 1;
	char *text = malloc(room), *pem = NULL, *at;

	if (text && pm_text_base64_encode(der, len, text, room) == PM_OK)
		pem = malloc(sizeof(PEM_BEGIN) + sizeof(PEM_END) + room + lines);
	if (pem) {
		at = stpcpy(pem, PEM_BEGIN);
		for (size_t i = 0; text[i]; i += strnlen(text + i, PEM_LINE))
			at += sprintf(at, "%.*s\n", PEM_LINE, text + i);
		stpcpy(at, PEM_END);
	}
	free(text);
	return pem;
}

/* Between two joins the manifest may have changed. */
static bool fit(const struct pm_membership *a, const struct pm_membership *b)
{
	const struct pm_mesh_identity *first = pm_membership_identity(a);
	const struct pm_mesh_identity *second = pm_membership_identity(b);
	size_t a_len, b_len;
	const uint8_t *a_ca = pm_membership_mesh_ca(a, &a_len);
	const uint8_t *b_ca = pm_membership_mesh_ca(b, &b_len);

	return !memcmp(first->manifest_hash, second->manifest_hash, PM_MANIFEST_HASH_SIZE) &&
	       a_len == b_len && !memcmp(a_ca, b_ca, a_len);
}

static int fill(struct papers *p, uint64_t generation)
{
	int r = pm_mesh_key_pem(pm_membership_key(p->tls), p->key);
	struct mesh_identity *id = &p->identity;
	size_t len;

	if (r < 0)
		return r;
	id->cert = pm_membership_certificate(p->tls, &len);
	id->key = p->key;
	id->ca_der = pm_membership_mesh_ca(p->tls, &id->ca_len);
	p->ca = pem_of(id->ca_der, id->ca_len);
	id->ca = p->ca;
	id->manifest = pm_membership_manifest(p->tls);
	id->who = pm_membership_identity(p->tls);
	id->secret = pm_membership_secret(p->tls);
	id->signing = p->signing;
	id->tls = p->tls;
	id->generation = generation;
	id->expires = pm_membership_expires(p->tls);
	if (p->signing && pm_membership_expires(p->signing) < id->expires)
		id->expires = pm_membership_expires(p->signing);
	return p->ca ? PM_OK : PM_E_NOMEM;
}

int mesh_identity_new(struct pm_membership *tls, struct pm_membership *signing, uint64_t generation,
	struct mesh_identity **ret_identity)
{
	struct papers *p = calloc(1, sizeof(*p));
	int r;

	if (!p) {
		pm_membership_free(tls);
		pm_membership_free(signing);
		return PM_E_NOMEM;
	}
	atomic_init(&p->count, 1);
	p->tls = tls;
	p->signing = signing;
	r = !signing || fit(tls, signing) ? fill(p, generation) : PM_E_STALE;
	if (r < 0) {
		mesh_drop(&p->identity);
		return r;
	}
	*ret_identity = &p->identity;
	return PM_OK;
}

/* --- peers ----------------------------------------------------------------------------------- */

int mesh_identity_check(const struct mesh_identity *identity, const uint8_t *cert, size_t len,
	struct pm_mesh_identity *ret_who)
{
	int64_t now = (int64_t)time(NULL);
	const struct pm_manifest_role *role;
	struct pm_mesh_identity who;
	int r;

	if (now >= identity->expires)
		return PM_E_STALE;
	r = pm_mesh_verify(cert, len, identity->ca_der, identity->ca_len, now, NULL, &who);
	if (r < 0)
		return r;
	role = pm_manifest_role(identity->manifest, who.role);
	if (who.purpose != PM_MESH_TLS || !role ||
		!pm_manifest_role_may_call(role, identity->who->role))
		return PM_E_REJECTED;
	*ret_who = who;
	return PM_OK;
}

static int check_peer(const struct tls_peer *peer, void *arg)
{
	struct pm_mesh_identity who;

	return mesh_identity_check(arg, peer->cert, peer->cert_len, &who);
}

static void release(void *arg)
{
	mesh_drop(arg);
}

int mesh_identity_tls(const struct mesh_identity *identity, struct tls_config **ret_tls)
{
	const struct tls_memory memory = {
		.cert = identity->cert,
		.key = identity->key,
		.ca = identity->ca,
		.ca_len = strlen(identity->ca) + 1,
		.check_peer = check_peer,
		.arg = mesh_identity_ref(identity),
		.release = release,
	};
	const char *what;

	return tls_config_new_memory(&memory, ret_tls, &what);
}

/* --- requests -------------------------------------------------------------------------------- */

struct note {
	uint64_t generation;
	struct pm_mesh_identity who;
};

static int take_note(const struct mesh_identity *identity, struct http_exchange *x)
{
	const struct tls_peer *peer = http_peer(x);
	struct note *note;
	int r;

	if (!peer)
		return PM_E_REJECTED;
	note = calloc(1, sizeof(*note));
	if (!note)
		return PM_E_NOMEM;
	note->generation = identity->generation;
	r = mesh_identity_check(identity, peer->cert, peer->cert_len, &note->who);
	if (r < 0) {
		free(note);
		return r == PM_E_NOMEM ? r : PM_E_REJECTED;
	}
	http_set_peer_note(x, note, free);
	return PM_OK;
}

int mesh_check_peer(
	struct mesh *mesh, struct http_exchange *x, const struct pm_mesh_identity **ret_who)
{
	const struct mesh_identity *identity = mesh_hold(mesh);
	const struct note *note = http_peer_note(x);
	int r = PM_OK;

	if (!identity)
		return PM_E_STATE;
	if (!note || note->generation != identity->generation ||
		(int64_t)time(NULL) > note->who.not_after)
		r = take_note(identity, x);
	mesh_drop(identity);
	if (r < 0)
		return r;
	note = http_peer_note(x);
	*ret_who = &note->who;
	return PM_OK;
}
