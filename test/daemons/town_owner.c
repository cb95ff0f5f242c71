/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What owners do, for tests that want it well and badly:
 *
 *     client OUT                            a client's request for a secret, in a file: "ok ID"
 *     operator URL                          agrees on a secret: "ok ID"
 *     ask METHOD PATH BODY ANSWER           a sealed request: "ok STATUS", the answer's body in a
 *     file
 *     command OUT OP ID CONTENT EXPIRES ROLES MODELS EXCHANGE ISSUED KEY...
 *                                           a command with signatures; CONTENT: a file with salt
 *                                           and
 *                                           value, ISSUED and EXPIRES: seconds from now; "-": none,
 *                                           or of EXCHANGE the operator's
 *     open - BACKUP KEY NAME...             the key of a backup, by the shares of these holders
 */
#include "town.h"

#include <err.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

static void answer(int r, struct pm_report *report, const char *text)
{
	if (r == PM_OK)
		printf("ok %s\n", text);
	else
		printf("no %s: %s\n", pm_strerror(r), pm_report_reason(report));
	pm_report_free(report);
}

static void agree(struct town *town, const char *url)
{
	uint8_t hash[PM_MANIFEST_HASH_SIZE];
	struct pm_operator_options options = {.size = sizeof(options), .manifest_hash = hash};
	struct pm_report *report = pm_report_new();
	int r;

	pm_manifest_hash(town->manifest, hash);
	options.mesh_ca = pm_authority_mesh_ca(town->authority, &options.mesh_ca_len);
	pm_operator_free(town->op);
	town->op = NULL;
	r = pm_operator_new(url, &options, report, &town->op);
	answer(r, report, r == PM_OK ? pm_operator_exchange(town->op) : "");
}

/* Whoever posts it is answered, and nobody has the key. */
static void make_client(struct town *town, char **words)
{
	char json[PM_KEYEX_REQUEST_SIZE];
	struct pm_keyex_client *client;

	must(pm_keyex_client_new(&client), "key");
	pm_keyex_client_request(client, json);
	write_file(town->folder, words[1], json, strlen(json));
	answer(PM_OK, NULL, pm_keyex_client_id(client));
	pm_keyex_client_free(client);
}

static void ask(struct town *town, char **words)
{
	struct pm_report *report = pm_report_new();
	struct pm_operator_answer a = {0};
	char text[16];
	size_t len;
	char *body = read_file(words[3], &len);
	int r = pm_operator_ask(town->op, words[1], words[2], body, len, report, &a);

	if (r == PM_OK)
		write_file(town->folder, words[4], a.body, a.len);
	snprintf(text, sizeof(text), "%d", a.status);
	answer(r, report, text);
	pm_operator_answer_clear(&a);
	free(body);
}

static size_t split(char *list, const char **names)
{
	size_t count = 0;

	for (char *w = strtok(list, ","); w && strcmp(w, "-") != 0; w = strtok(NULL, ","))
		names[count++] = w;
	return count;
}

static void sign(struct pm_command *command, char **paths)
{
	struct pm_sign_key *key;
	size_t len;

	for (; *paths; paths++) {
		char *pem = read_file(*paths, &len);

		must(pm_sign_key_parse(pem, len, NULL, &key), *paths);
		must(pm_command_sign(command, key), *paths);
		pm_sign_key_free(key);
		free(pem);
	}
}

static int op_of(const char *name)
{
	int op = PM_COMMAND_PUT;

	while (op <= PM_COMMAND_LOG && strcmp(pm_command_op_name(op), name) != 0)
		op++;
	return op;
}

static void fill(struct town *town, char **words, uint8_t *content, const char **roles,
	const char **models, struct pm_command_statement *s)
{
	size_t len;

	s->op = (enum pm_command_op)op_of(words[2]);
	s->id = strcmp(words[3], "-") ? words[3] : "";
	if (strcmp(words[4], "-") != 0) {
		char *bytes = read_file(words[4], &len);

		must(pm_command_content((uint8_t *)bytes, bytes + 32, len - 32, content),
			"content");
		s->content = content;
		free(bytes);
	}
	s->expires = strcmp(words[5], "-") ? time(NULL) + atol(words[5]) : 0;
	s->role_count = split(words[6], roles);
	s->roles = s->role_count ? roles : NULL;
	s->model_count = split(words[7], models);
	s->models = s->model_count ? models : NULL;
	s->exchange = strcmp(words[8], "-") ? words[8] : pm_operator_exchange(town->op);
	s->issued = time(NULL) + atol(words[9]);
}

static void make_command(struct town *town, char **words)
{
	uint8_t hash[PM_MANIFEST_HASH_SIZE], content[PM_COMMAND_DIGEST_SIZE];
	const char *roles[64], *models[64];
	struct pm_command_statement s = {.manifest = hash};
	struct pm_report *report = pm_report_new();
	struct pm_command *command = NULL;
	char *text = malloc(PM_COMMAND_SIZE_MAX);
	size_t len = 0;
	int r;

	pm_manifest_hash(town->manifest, hash);
	fill(town, words, content, roles, models, &s);
	r = pm_command_new(&s, report, &command);
	if (r == PM_OK) {
		sign(command, words + 10);
		r = pm_command_text(command, text, &len);
		write_file(town->folder, words[1], text, len);
	}
	answer(r, report, "");
	pm_command_free(command);
	free(text);
}

static const json_t *find_box(const json_t *first, const char *name)
{
	const json_t *entry, *list = json_object_get(first, "shares");
	size_t i;

	json_array_foreach(
		list, i, entry) if (!strcmp(json_string_value(json_object_get(entry, "name")),
					    name)) return json_object_get(entry, "box");
	errx(1, "no box for %s", name);
}

static void open_share(struct town *town, const json_t *first, char **words, uint8_t *ret)
{
	uint8_t hash[PM_MANIFEST_HASH_SIZE];
	size_t len, box_len;
	char *pem = read_file(words[0], &len);
	uint8_t *box = unb64(find_box(first, words[1]), &box_len);
	struct pm_box_key *key = NULL;

	must(pm_box_key_parse(pem, len, NULL, &key), words[0]);
	pm_manifest_hash(town->manifest, hash);
	if (box_len != PM_SHARE_SIZE + PM_BOX_OVERHEAD)
		errx(1, "a box has %zu bytes", box_len);
	must(pm_box_open(key, "secrets backup", hash, sizeof(hash), box, box_len, ret), words[1]);
	pm_box_key_free(key);
	free(box);
	free(pem);
}

static void open_backup(struct town *town, char **words)
{
	uint8_t shares[PM_SHARES_MAX * PM_SHARE_SIZE], key[PM_SHARES_SECRET_SIZE];
	size_t len, count = 0;
	char *text = read_file(words[2], &len);
	json_t *first;

	*strchr(text, '\n') = '\0';
	first = json_loads(text, 0, NULL);
	for (words += 3; words[0] && words[1]; words += 2)
		open_share(town, first, words, shares + count++ * PM_SHARE_SIZE);
	must(pm_shares_combine(shares, count, key), "shares");
	write_file(town->folder, "backup-key", key, sizeof(key));
	answer(PM_OK, NULL, "");
	json_decref(first);
	free(text);
}

void owner_do(struct town *town, char **words)
{
	if (words[0] && words[1] && !strcmp(words[0], "operator"))
		agree(town, words[1]);
	else if (words[0] && words[1] && !strcmp(words[0], "client"))
		make_client(town, words);
	else if (words[0] && words[4] && !strcmp(words[0], "ask"))
		ask(town, words);
	else if (words[0] && words[9] && !strcmp(words[0], "command"))
		make_command(town, words);
	else if (words[0] && words[4] && !strcmp(words[0], "open"))
		open_backup(town, words);
	else
		puts("no such words");
}
