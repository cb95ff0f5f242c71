/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A mesh for tests: town MANIFEST FOLDER. It serves what a coordinator serves to those who join,
 * and
 * believes whatever they claim; and takes lines from standard input, each answered by "ok ..." or
 * "no ...":
 *
 *     issue NAME ROLE REPLICA MODELS tls|sign    a key and certificate: NAME.key, NAME.crt
 *     secret                                     the workload secret of role secrets, in
 *     hexadecimal
 *     operator, ask, command                     see town_owner.c
 *
 * Words have no spaces; MODELS is a list with commas, or -.
 */
#include "town.h"

#include <arpa/inet.h>
#include <err.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define REQUEST_MAX (4u << 20)
#define LIFETIME    3600

void must(int r, const char *what)
{
	if (r < 0)
		errx(1, "%s: %s", what, pm_strerror(r));
}

json_t *b64(const void *bytes, size_t len)
{
	size_t room = len / 3 * 4 + 5;
	char *text = malloc(room);
	json_t *json;

	must(pm_text_base64_encode(bytes, len, text, room), "base64");
	json = json_string(text);
	free(text);
	return json;
}

uint8_t *unb64(const json_t *text, size_t *ret_len)
{
	size_t len = json_string_length(text);
	uint8_t *bytes = malloc(len + 1);

	must(pm_text_base64_decode(json_string_value(text), len, bytes, len, ret_len), "base64");
	return bytes;
}

char *read_file(const char *path, size_t *ret_len)
{
	FILE *f = fopen(path, "re");
	char *text = calloc(1, REQUEST_MAX * 16);

	if (!f || !text)
		err(1, "%s", path);
	*ret_len = fread(text, 1, REQUEST_MAX * 16 - 1, f);
	fclose(f);
	return text;
}

void write_file(const char *folder, const char *name, const void *bytes, size_t len)
{
	char path[4096];
	FILE *f;

	snprintf(path, sizeof(path), "%s/%s", folder, name);
	f = fopen(path, "we");
	if (!f || fwrite(bytes, 1, len, f) != len || fclose(f) != 0)
		err(1, "%s", path);
}

/* --- what a coordinator answers -------------------------------------------------------------- */

static char *issue(struct town *town, const uint8_t *spki, size_t len,
	const struct pm_mesh_identity *who, int64_t *ret_until)
{
	char *pem;

	must(pm_authority_issue(
		     town->authority, spki, len, who, time(NULL), LIFETIME, NULL, &pem, ret_until),
		"issue");
	return pem;
}

static json_t *certificate(
	const uint8_t *(*get)(const struct pm_authority *, size_t *), const struct town *town)
{
	size_t len;
	const uint8_t *der = get(town->authority, &len);

	return b64(der, len);
}

static json_t *box(struct town *town, const char *role, const json_t *document)
{
	uint8_t secret[PM_AUTHORITY_SECRET_SIZE], *key, *sealed;
	json_t *plain = json_object(), *json;
	bool has = pm_authority_workload_secret(town->authority, role, secret) == PM_OK;
	uint8_t aad[PM_JOIN_BOX_AAD_SIZE];
	size_t key_len, mesh_len;
	const uint8_t *mesh_ca = pm_authority_mesh_ca(town->authority, &mesh_len);
	char *text;

	json_object_set_new(
		plain, "workload_secret", has ? b64(secret, sizeof(secret)) : json_null());
	text = json_dumps(plain, JSON_COMPACT);
	key = unb64(document, &key_len);
	sealed = malloc(strlen(text) + PM_BOX_OVERHEAD);
	must(pm_join_box_aad(town->nonce, mesh_ca, mesh_len, aad), "AAD");
	must(pm_box_seal(key, "join", aad, sizeof(aad), text, strlen(text), sealed), "box");
	json = b64(sealed, strlen(text) + PM_BOX_OVERHEAD);
	free(sealed);
	free(key);
	free(text);
	json_decref(plain);
	return json;
}

static struct pm_mesh_identity *identity_of(struct town *town, const struct pm_claims *claims)
{
	struct pm_mesh_identity *who = calloc(1, sizeof(*who));

	snprintf(who->role, sizeof(who->role), "%s", claims->role);
	snprintf(who->replica, sizeof(who->replica), "r%u", ++town->joined);
	who->purpose = claims->has_tls ? PM_MESH_TLS : PM_MESH_SIGN;
	return who;
}

static char *make_answer(struct town *town, const struct pm_claims *claims, const json_t *document)
{
	struct pm_mesh_identity *who = identity_of(town, claims);
	json_t *a = json_object();
	int64_t until = 0;
	char *pem = issue(town, claims->key, claims->key_len, who, &until), *text;

	json_object_set_new(a, "version", json_integer(1));
	json_object_set_new(a, "nonce", b64(town->nonce, sizeof(town->nonce)));
	json_object_set_new(a, "certificate", json_string(pem));
	json_object_set_new(a, "mesh_ca", certificate(pm_authority_mesh_ca, town));
	json_object_set_new(a, "root_ca", certificate(pm_authority_root_ca, town));
	json_object_set_new(a, "manifest", b64(town->manifest_text, strlen(town->manifest_text)));
	json_object_set_new(a, "expires", json_integer(until));
	json_object_set_new(a, "box", box(town, claims->role, document));
	text = json_dumps(a, JSON_COMPACT);
	pm_authority_pem_free(pem);
	json_decref(a);
	free(who);
	return text;
}

static json_t *sign_answer(struct town *town, const char *text)
{
	struct pm_mesh_identity *who = calloc(1, sizeof(*who));
	uint8_t der[PM_MESH_CERT_SIZE_MAX], signature[PM_MESH_SIGNATURE_MAX];
	size_t der_len, len;
	json_t *reply = json_object();
	char *pem;

	strcpy(who->role, PM_MESH_ROLE_COORDINATOR);
	strcpy(who->replica, "c1");
	who->purpose = PM_MESH_SIGN;
	pem = issue(town, pm_mesh_key_spki(town->signer_key, NULL), PM_MESH_SPKI_SIZE, who, NULL);
	must(pm_mesh_leaf(pem, strlen(pem), der, &der_len), "leaf");
	must(pm_mesh_sign(town->signer_key, "join", text, strlen(text), signature, &len), "sign");
	json_object_set_new(reply, "Answer", b64(text, strlen(text)));
	json_object_set_new(reply, "Signature", b64(signature, len));
	json_object_set_new(reply, "Signer", b64(der, der_len));
	pm_authority_pem_free(pem);
	free(who);
	return reply;
}

static json_t *join(struct town *town, const json_t *question)
{
	struct pm_bundle *bundle;
	size_t len;
	uint8_t *bytes = unb64(json_object_get(question, "Evidence"), &len);
	json_t *reply;
	char *text;

	must(pm_bundle_parse(bytes, len, NULL, &bundle), "bundle");
	text = make_answer(
		town, pm_bundle_untrusted_claims(bundle), json_object_get(question, "Document"));
	reply = sign_answer(town, text);
	free(text);
	pm_bundle_free(bundle);
	free(bytes);
	return reply;
}

static json_t *status(const struct town *town)
{
	uint8_t hash[PM_MANIFEST_HASH_SIZE];
	char text[2 * PM_MANIFEST_HASH_SIZE + 1];

	pm_manifest_hash(town->manifest, hash);
	pm_hex_encode(hash, sizeof(hash), text);
	return json_pack("{s:s, s:I, s:s, s:i, s:n}", "State", "ready", "Serial",
		(json_int_t)pm_manifest_serial(town->manifest), "Manifest", text, "Replicas", 1,
		"Shares");
}

static json_t *answer(struct town *town, const char *path, const char *body, size_t len)
{
	json_t *question, *reply;

	if (!strcmp(path, "/pm/v1/status"))
		return status(town);
	if (!strcmp(path, "/pm/v1/challenge")) {
		if (getrandom(town->nonce, sizeof(town->nonce), 0) != sizeof(town->nonce))
			err(1, "getrandom");
		return json_pack("{s:o}", "Nonce", b64(town->nonce, sizeof(town->nonce)));
	}
	question = json_loadb(body, len, 0, NULL);
	reply = join(town, question);
	json_decref(question);
	return reply;
}

/* --- HTTP, one request a connection ---------------------------------------------------------- */

static void serve(struct town *town, int fd)
{
	char *request = calloc(1, REQUEST_MAX + 1), path[64] = "", *body = NULL, *length, *text;
	size_t len = 0, want = 0;
	ssize_t n;
	json_t *reply;

	while (len < REQUEST_MAX && (!body || len < want) &&
		(n = read(fd, request + len, REQUEST_MAX - len)) > 0) {
		len += (size_t)n;
		body = body ? body : strstr(request, "\r\n\r\n");
		length = strcasestr(request, "\r\ncontent-length:");
		if (body && !want)
			want = (size_t)(body + 4 - request) +
			       (length ? strtoul(length + 17, NULL, 10) : 0);
	}
	if (body && sscanf(request, "%*s %63s", path) == 1) {
		reply = answer(town, path, body + 4, len - (size_t)(body + 4 - request));
		text = json_dumps(reply, JSON_COMPACT);
		dprintf(fd,
			"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nConnection: "
			"close\r\nContent-Length: %zu\r\n\r\n%s",
			strlen(text), text);
		free(text);
		json_decref(reply);
	}
	free(request);
	close(fd);
}

/* --- lines ----------------------------------------------------------------------------------- */

static void issue_files(struct town *town, char **words)
{
	struct pm_mesh_identity *who = calloc(1, sizeof(*who));
	char key[PM_MESH_KEY_PEM_SIZE], name[256], *model, *pem;
	struct pm_mesh_key *k;

	snprintf(who->role, sizeof(who->role), "%s", words[2]);
	snprintf(who->replica, sizeof(who->replica), "%s", words[3]);
	for (model = strtok(words[4], ","); model && strcmp(model, "-") != 0;
		model = strtok(NULL, ","))
		snprintf(who->models[who->model_count++], sizeof(who->models[0]), "%s", model);
	who->purpose = strcmp(words[5], "tls") ? PM_MESH_SIGN : PM_MESH_TLS;
	must(pm_mesh_key_new(&k), "key");
	must(pm_mesh_key_pem(k, key), "key");
	pem = issue(town, pm_mesh_key_spki(k, NULL), PM_MESH_SPKI_SIZE, who, NULL);
	snprintf(name, sizeof(name), "%s.key", words[1]);
	write_file(town->folder, name, key, strlen(key));
	snprintf(name, sizeof(name), "%s.crt", words[1]);
	write_file(town->folder, name, pem, strlen(pem));
	pm_authority_pem_free(pem);
	pm_mesh_key_free(k);
	free(who);
	puts("ok");
}

static void tell_secret(const struct town *town)
{
	uint8_t secret[PM_AUTHORITY_SECRET_SIZE];
	char text[2 * sizeof(secret) + 1];

	must(pm_authority_workload_secret(town->authority, PM_MESH_ROLE_SECRETS, secret), "secret");
	pm_hex_encode(secret, sizeof(secret), text);
	printf("ok %s\n", text);
}

static void obey(struct town *town, char *line)
{
	char *words[32] = {NULL}, *save = NULL;
	size_t count = 0;

	for (char *w = strtok_r(line, " \n", &save); w && count < 31;
		w = strtok_r(NULL, " \n", &save))
		words[count++] = w;
	if (count == 6 && !strcmp(words[0], "issue"))
		issue_files(town, words);
	else if (count == 1 && !strcmp(words[0], "secret"))
		tell_secret(town);
	else
		owner_do(town, words);
	fflush(stdout);
}

static int open_socket(void)
{
	struct sockaddr_in a = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	socklen_t len = sizeof(a);

	if (fd < 0 || bind(fd, (struct sockaddr *)&a, sizeof(a)) || listen(fd, 64) ||
		getsockname(fd, (struct sockaddr *)&a, &len))
		err(1, "socket");
	printf("ok %d\n", ntohs(a.sin_port));
	fflush(stdout);
	return fd;
}

/* Lines and connections, one after the other. */
static void run(struct town *town)
{
	struct pollfd fds[2] = {
		{.fd = open_socket(), .events = POLLIN}, {.fd = STDIN_FILENO, .events = POLLIN}};
	char line[8192];

	setvbuf(stdin, NULL, _IONBF, 0); /* what is not read must be seen by poll() */
	while (poll(fds, 2, -1) > 0) {
		if (fds[0].revents)
			serve(town, accept(fds[0].fd, NULL, NULL));
		if (!fds[1].revents)
			continue;
		if (!fgets(line, sizeof(line), stdin))
			return;
		obey(town, line);
	}
}

int main(int argc, char **argv)
{
	struct town town = {0};
	const uint8_t *ca;
	size_t len;

	if (argc != 3)
		errx(2, "town MANIFEST FOLDER");
	town.folder = argv[2];
	town.manifest_text = read_file(argv[1], &len);
	must(pm_manifest_parse(town.manifest_text, len, NULL, &town.manifest), argv[1]);
	must(pm_seed_new(&town.seed), "seed");
	must(pm_authority_new(
		     town.seed, town.manifest, NULL, NULL, 0, time(NULL), NULL, &town.authority),
		"authority");
	must(pm_mesh_key_new(&town.signer_key), "key");
	ca = pm_authority_mesh_ca(town.authority, &len);
	write_file(town.folder, "mesh-ca.der", ca, len);
	run(&town);
	pm_operator_free(town.op);
	pm_mesh_key_free(town.signer_key);
	pm_authority_free(town.authority);
	pm_seed_free(town.seed);
	pm_manifest_free(town.manifest);
	free(town.manifest_text);
	return 0;
}
