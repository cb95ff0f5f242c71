/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A coordinator that believes everybody (--listen), and a secret service (--mesh-listen), of one
 * mesh: what they say has the form that it must have. Orders come by standard input, one a line:
 *
 *     manifest FILE         from now on this manifest, with a new mesh CA
 *     put ID HEX SECONDS    the service has a secret
 *     end ID                it has not, and says so to who watches
 *     forget ID             it has not, and says nothing
 *     cut                   who watches is cut off
 *     mute 1|0              nobody may watch
 *     refuse 1|0            nobody may join
 *     stall 1|0             nobody is given secrets, nor told that there is none
 *     life SECONDS          of certificates to come
 *     instance NAME         of the service
 *     cert ROLE PATH        writes PATH.crt, PATH.key and PATH.ca of a member of the mesh
 *     counts                "JOINS FETCHES WATCHES"
 */
#include <err.h>
#include <jansson.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <pm/authority.h>
#include <pm/join.h>
#include <pm/box.h>
#include <pm/bundle.h>
#include <pm/mesh.h>
#include <pm/text.h>

#include "common/buffer.h"
#include "common/daemon.h"

#define BODY_MAX    8388608
#define SECRETS_MAX 64
#define WATCHES_MAX 64

struct secret {
	char id[128];
	uint8_t bytes[32];
	long long expires;
};

struct state {
	struct service *service;
	struct loop *loop;
	pthread_t thread;
	bool has_thread, is_muted, is_refusing;
	char *manifest_text;
	struct pm_manifest *manifest;
	struct pm_seed *seed;
	struct pm_authority *authority;
	struct pm_mesh_key *key;
	uint8_t nonce[PM_BUNDLE_NONCE_SIZE];
	int64_t life;
	char instance[65];
	struct secret secrets[SECRETS_MAX];
	struct http_exchange *watches[WATCHES_MAX];
	unsigned int joins, fetches, watched;
	bool is_holding, is_stalled;
	struct http_exchange *held_for;
	json_t *held;
};

static struct state state = {.life = 3600, .instance = "first"};

static void must(int r, const char *what)
{
	if (r < 0)
		errx(1, "%s: %s", what, pm_strerror(r));
}

/* --- JSON ------------------------------------------------------------------------------------ */

static json_t *base64(const void *bytes, size_t len)
{
	char *text = malloc((len + 2) / 3 * 4 + 1);
	json_t *json;

	must(pm_text_base64_encode(bytes, len, text, (len + 2) / 3 * 4 + 1), "base64");
	json = json_string(text);
	free(text);
	return json;
}

static uint8_t *bytes_of(const json_t *root, const char *name, size_t *ret_len)
{
	const char *text = json_string_value(json_object_get(root, name));
	uint8_t *bytes;

	if (!text)
		return NULL;
	bytes = malloc(strlen(text) + 1);
	if (pm_text_base64_decode(text, strlen(text), bytes, strlen(text), ret_len) == PM_OK)
		return bytes;
	free(bytes);
	return NULL;
}

static void reply(struct http_exchange *x, int status, json_t *json)
{
	char *text = json_dumps(json, JSON_COMPACT);

	http_reply(x, status, "application/json", text, strlen(text));
	free(text);
	json_decref(json);
}

static void fail(struct http_exchange *x, int status, const char *code)
{
	reply(x, status, json_pack("{s:{s:s, s:s}}", "error", "code", code, "message", code));
}

/* --- the mesh -------------------------------------------------------------------------------- */

static char *issue(
	const uint8_t *spki, const char *role, enum pm_mesh_purpose purpose, int64_t *ret_until)
{
	struct pm_mesh_identity who = {.purpose = purpose};
	char *pem = NULL;

	snprintf(who.role, sizeof(who.role), "%s", role);
	snprintf(who.replica, sizeof(who.replica), "r1");
	must(pm_authority_issue(state.authority, spki, PM_MESH_SPKI_SIZE, &who, (int64_t)time(NULL),
		     state.life, NULL, &pem, ret_until),
		"certificate");
	return pem;
}

static char *pem_of(const uint8_t *der, size_t len)
{
	json_t *text = base64(der, len);
	char *pem;

	if (asprintf(&pem, "-----BEGIN CERTIFICATE-----\n%s\n-----END CERTIFICATE-----\n",
		    json_string_value(text)) < 0)
		errx(1, "out of memory");
	json_decref(text);
	return pem;
}

static void serve_mesh(void)
{
	struct tls_memory memory = {0};
	struct tls_config *tls = NULL;
	char key[PM_MESH_KEY_PEM_SIZE], *cert, *ca;
	const char *what = "";
	size_t len;
	const uint8_t *der = pm_authority_mesh_ca(state.authority, &len);

	ca = pem_of(der, len);
	cert = issue(pm_mesh_key_spki(state.key, NULL), PM_MESH_ROLE_SECRETS, PM_MESH_TLS, NULL);
	must(pm_mesh_key_pem(state.key, key), "key");
	memory = (struct tls_memory){.cert = cert, .key = key, .ca = ca, .ca_len = strlen(ca) + 1};
	must(tls_config_new_memory(&memory, &tls, &what), what);
	must(daemon_set_mesh_tls(state.service, tls), "TLS");
	tls_config_unref(tls);
	pm_authority_pem_free(cert);
	free(ca);
}

static void set_manifest(const char *path)
{
	FILE *f = fopen(path, "re");
	char *text = calloc(1, PM_MANIFEST_SIZE_MAX + 1);

	if (!f || !fread(text, 1, PM_MANIFEST_SIZE_MAX, f))
		err(1, "%s", path);
	fclose(f);
	free(state.manifest_text);
	state.manifest_text = text;
	pm_manifest_free(state.manifest);
	must(pm_manifest_parse(text, strlen(text), NULL, &state.manifest), "manifest");
	pm_authority_free(state.authority);
	must(pm_authority_new(state.seed, state.manifest, NULL, NULL, 0, (int64_t)time(NULL), NULL,
		     &state.authority),
		"authority");
	serve_mesh();
}

/* --- the coordinator ------------------------------------------------------------------------- */

static void answer_status(struct http_exchange *x)
{
	uint8_t hash[PM_MANIFEST_HASH_SIZE];
	char hex[2 * PM_MANIFEST_HASH_SIZE + 1];

	pm_manifest_hash(state.manifest, hash);
	pm_hex_encode(hash, sizeof(hash), hex);
	reply(x, 200,
		json_pack("{s:s, s:I, s:s, s:i, s:n}", "State", "ready", "Serial",
			(json_int_t)pm_manifest_serial(state.manifest), "Manifest", hex, "Replicas",
			1, "Shares"));
}

static void answer_challenge(struct http_exchange *x)
{
	json_t *json = json_object();

	for (size_t i = 0; i < sizeof(state.nonce); i++)
		state.nonce[i] = (uint8_t)random();
	json_object_set_new(json, "Nonce", base64(state.nonce, sizeof(state.nonce)));
	reply(x, 200, json);
}

static json_t *box_for(const uint8_t *public_key)
{
	static const char plain[] = "{\"workload_secret\":null}";
	uint8_t box[sizeof(plain) + PM_BOX_OVERHEAD], aad[PM_JOIN_BOX_AAD_SIZE];
	size_t len;
	const uint8_t *mesh_ca = pm_authority_mesh_ca(state.authority, &len);

	must(pm_join_box_aad(state.nonce, mesh_ca, len, aad), "AAD");
	must(pm_box_seal(public_key, "join", aad, sizeof(aad), plain, sizeof(plain) - 1, box),
		"box");
	return base64(box, sizeof(plain) - 1 + PM_BOX_OVERHEAD);
}

static json_t *answer_for(const struct pm_claims *claims, const uint8_t *public_key)
{
	enum pm_mesh_purpose purpose = PM_MESH_SIGN;
	int64_t until = 0;
	json_t *a = json_object();
	const uint8_t *der;
	char *pem;
	size_t len;

	must(pm_mesh_claims_purpose(claims, &purpose), "purpose");
	pem = issue(claims->key, claims->role, purpose, &until);
	json_object_set_new(a, "version", json_integer(1));
	json_object_set_new(a, "nonce", base64(state.nonce, sizeof(state.nonce)));
	json_object_set_new(a, "certificate", json_string(pem));
	der = pm_authority_mesh_ca(state.authority, &len);
	json_object_set_new(a, "mesh_ca", base64(der, len));
	der = pm_authority_root_ca(state.authority, &len);
	json_object_set_new(a, "root_ca", base64(der, len));
	json_object_set_new(
		a, "manifest", base64(state.manifest_text, strlen(state.manifest_text)));
	json_object_set_new(a, "expires", json_integer(until));
	json_object_set_new(a, "box", box_for(public_key));
	pm_authority_pem_free(pem);
	return a;
}

static json_t *sign(json_t *answer)
{
	char *text = json_dumps(answer, JSON_COMPACT);
	uint8_t der[PM_MESH_CERT_SIZE_MAX], signature[PM_MESH_SIGNATURE_MAX];
	char *pem = issue(
		pm_mesh_key_spki(state.key, NULL), PM_MESH_ROLE_COORDINATOR, PM_MESH_SIGN, NULL);
	json_t *json = json_object();
	size_t der_len, len;

	must(pm_mesh_leaf(pem, strlen(pem), der, &der_len), "leaf");
	must(pm_mesh_sign(state.key, "join", text, strlen(text), signature, &len), "signature");
	json_object_set_new(json, "Answer", base64(text, strlen(text)));
	json_object_set_new(json, "Signature", base64(signature, len));
	json_object_set_new(json, "Signer", base64(der, der_len));
	pm_authority_pem_free(pem);
	free(text);
	json_decref(answer);
	return json;
}

static void answer_join(struct http_exchange *x, const json_t *root)
{
	size_t len = 0, key_len = 0;
	uint8_t *evidence = bytes_of(root, "Evidence", &len);
	uint8_t *document = bytes_of(root, "Document", &key_len);
	struct pm_bundle *bundle = NULL;
	const struct pm_claims *claims;

	state.joins++;
	if (state.is_refusing || !evidence || !document ||
		pm_bundle_parse(evidence, len, NULL, &bundle) < 0) {
		fail(x, 403, "refused");
	} else {
		claims = pm_bundle_untrusted_claims(bundle);
		if (!claims->has_document)
			errx(1, "the claims bind no document");
		reply(x, 200, sign(answer_for(claims, document)));
	}
	pm_bundle_free(bundle);
	free(evidence);
	free(document);
}

/* --- the secret service ---------------------------------------------------------------------- */

static struct secret *find(const char *id)
{
	for (size_t i = 0; id && i < SECRETS_MAX; i++)
		if (!strcmp(state.secrets[i].id, id))
			return &state.secrets[i];
	return NULL;
}

/* An answer that was given, and is on its way for long. */
static void hold(struct http_exchange *x, json_t *json)
{
	state.held_for = x;
	state.held = json;
}

static void let_go(void)
{
	if (state.held)
		reply(state.held_for, 200, state.held);
	state.held = NULL;
}

static void answer_fetch(struct http_exchange *x, const json_t *root)
{
	const char *id = json_string_value(json_object_get(root, "Id"));
	const struct secret *secret = id && *id ? find(id) : NULL;
	json_t *json;

	state.fetches++;
	if (state.is_stalled)
		return;
	if (!secret) {
		fail(x, 404, "not_found");
		return;
	}
	json = json_pack("{s:o, s:I, s:s}", "Secret", base64(secret->bytes, 32), "Expires",
		(json_int_t)secret->expires, "Instance", state.instance);
	if (state.is_holding)
		hold(x, json);
	else
		reply(x, 200, json);
}

static void answer_watch(struct http_exchange *x)
{
	char line[128];
	int n = snprintf(line, sizeof(line), "{\"Instance\":\"%s\"}\n", state.instance);
	size_t i = 0;

	while (i < WATCHES_MAX && state.watches[i])
		i++;
	if (state.is_muted || i == WATCHES_MAX) {
		fail(x, 503, "busy");
		return;
	}
	state.watched++;
	state.watches[i] = x;
	http_respond(x, 200, "application/x-ndjson", NULL, 0, -1);
	http_send(x, line, (size_t)n);
}

static void tell(const char *id)
{
	char line[256];
	int n = snprintf(line, sizeof(line), "{\"Id\":\"%s\",\"Event\":\"revoked\"}\n", id);

	for (size_t i = 0; i < WATCHES_MAX; i++)
		if (state.watches[i])
			http_send(state.watches[i], line, (size_t)n);
}

static void cut(void)
{
	for (size_t i = 0; i < WATCHES_MAX; i++) {
		struct http_exchange *x = state.watches[i];

		state.watches[i] = NULL;
		if (x)
			http_abort(x);
	}
}

/* --- requests -------------------------------------------------------------------------------- */

static void begin(struct http_exchange *x, void *arg)
{
	(void)arg;
	http_set_user(x, calloc(1, sizeof(struct buffer)));
}

static void take_body(struct http_exchange *x, const char *bytes, size_t len)
{
	buffer_add(http_user(x), bytes, len, BODY_MAX);
}

static json_t *question(struct http_exchange *x)
{
	const struct buffer *in = http_user(x);

	return json_loadb(in->bytes ? in->bytes : "", in->len, 0, NULL);
}

static void end_public(struct http_exchange *x)
{
	const char *target = http_request(x)->target;
	json_t *root = question(x);

	if (!strcmp(target, "/pm/v1/status"))
		answer_status(x);
	else if (!strcmp(target, "/pm/v1/challenge"))
		answer_challenge(x);
	else if (!strcmp(target, "/pm/v1/join"))
		answer_join(x, root);
	else
		fail(x, 404, "not_found");
	json_decref(root);
}

static void end_mesh(struct http_exchange *x)
{
	const char *target = http_request(x)->target;
	json_t *root = question(x);

	if (!http_peer(x))
		errx(1, "a client without a certificate");
	if (!strcmp(target, "/pm/v1/fetch"))
		answer_fetch(x, root);
	else if (!strcmp(target, "/pm/v1/watch"))
		answer_watch(x);
	else
		fail(x, 404, "not_found");
	json_decref(root);
}

static void drained(struct http_exchange *x)
{
	(void)x;
}

static void done(struct http_exchange *x, bool whole)
{
	(void)whole;
	for (size_t i = 0; i < WATCHES_MAX; i++)
		if (state.watches[i] == x)
			state.watches[i] = NULL;
	buffer_free(http_user(x));
	free(http_user(x));
}

static const struct http_handler public_handler = {
	begin, take_body, end_public, drained, done, NULL};
static const struct http_handler mesh_handler = {begin, take_body, end_mesh, drained, done, NULL};

/* --- orders ---------------------------------------------------------------------------------- */

static void put(const char *id, const char *hex, long long seconds)
{
	struct secret *secret = find(id);

	if (!secret)
		secret = find("");
	if (!secret || pm_hex_decode(hex, secret->bytes, sizeof(secret->bytes)) < 0)
		errx(1, "put");
	snprintf(secret->id, sizeof(secret->id), "%s", id);
	secret->expires = (long long)time(NULL) + seconds;
}

static void write_text(const char *path, const char *suffix, const char *text)
{
	char name[400];
	FILE *f;

	snprintf(name, sizeof(name), "%s.%s", path, suffix);
	f = fopen(name, "we");
	if (!f || fputs(text, f) < 0 || fclose(f))
		err(1, "%s", name);
}

static void write_member(const char *role, const char *path)
{
	struct pm_mesh_key *key;
	char text[PM_MESH_KEY_PEM_SIZE], *pem, *ca;
	size_t len;
	const uint8_t *der = pm_authority_mesh_ca(state.authority, &len);

	must(pm_mesh_key_new(&key), "key");
	must(pm_mesh_key_pem(key, text), "key");
	pem = issue(pm_mesh_key_spki(key, NULL), role, PM_MESH_TLS, NULL);
	ca = pem_of(der, len);
	write_text(path, "crt", pem);
	write_text(path, "key", text);
	write_text(path, "ca", ca);
	free(ca);
	pm_authority_pem_free(pem);
	pm_mesh_key_free(key);
}

static void obey(const char *line)
{
	char a[300] = "", b[300] = "";
	long long n = 0;

	if (sscanf(line, "manifest %299s", a) == 1)
		set_manifest(a);
	else if (sscanf(line, "put %299s %299s %lld", a, b, &n) == 3)
		put(a, b, n);
	else if (sscanf(line, "end %299s", a) == 1 || sscanf(line, "forget %299s", a) == 1)
		*find(a) = (struct secret){0};
	else if (sscanf(line, "cert %299s %299s", a, b) == 2)
		write_member(a, b);
	else if (!strncmp(line, "cut", 3))
		cut();
	else if (sscanf(line, "stall %lld", &n) == 1)
		state.is_stalled = n;
	else if (sscanf(line, "mute %lld", &n) == 1)
		state.is_muted = n;
	else if (sscanf(line, "hold %lld", &n) == 1)
		state.is_holding = n;
	else if (sscanf(line, "refuse %lld", &n) == 1)
		state.is_refusing = n;
	else if (sscanf(line, "life %lld", &n) == 1)
		state.life = n;
	else if (sscanf(line, "instance %64s", a) == 1)
		strcpy(state.instance, a);
	if (!strncmp(line, "end ", 4))
		tell(a);
	if (!state.is_holding)
		let_go();
}

static void take_order(void *arg)
{
	char *line = arg;

	obey(line);
	printf("%u %u %u\n", state.joins, state.fetches, state.watched);
	fflush(stdout);
	free(line);
}

static void *run(void *arg)
{
	char line[1024];

	(void)arg;
	while (fgets(line, sizeof(line), stdin))
		loop_post(state.loop, take_order, strdup(line));
	return NULL;
}

static int begin_thread(struct service *service, void *arg)
{
	(void)arg;
	state.service = service;
	must(pm_seed_new(&state.seed), "seed");
	must(pm_mesh_key_new(&state.key), "key");
	state.has_thread = pthread_create(&state.thread, NULL, run, NULL) == 0;
	return state.has_thread ? PM_OK : PM_E_SYS;
}

static void end_thread(void *arg)
{
	(void)arg;
	if (state.has_thread)
		pthread_join(state.thread, NULL);
}

static int open_loop(struct loop *loop, void *arg)
{
	(void)arg;
	state.loop = loop;
	return PM_OK;
}

static const struct option long_options[] = {COMMON_OPTION_ROWS, MESH_LISTEN_ROW, {0}};

int main(int argc, char **argv)
{
	const struct daemon_program program = {
		.name = "mesh-double",
		.metrics_prefix = "mesh_double",
		.handler = &public_handler,
		.mesh_handler = &mesh_handler,
		.open_loop = open_loop,
		.begin = begin_thread,
		.end = end_thread,
	};
	struct common_options options;
	int id;

	common_options_init(&options);
	while ((id = getopt_long(argc, argv, "h", long_options, NULL)) != -1)
		if (id == '?' || common_option(&options, id, optarg) != 0)
			return 2;
	options.threads = 1;
	return daemon_run(&options, &program);
}
