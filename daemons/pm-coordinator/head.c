/* SPDX-License-Identifier: Apache-2.0 */
#include "pm-coordinator/head.h"

#include <stdlib.h>
#include <string.h>

#include "pm-coordinator/message.h"

const struct pm_history_link *head_link(const struct head *head)
{
	return pm_history_at(head->history, pm_history_count(head->history) - 1);
}

static bool has_link(const struct head *head, uint64_t serial, const uint8_t *link)
{
	const struct pm_history_link *at;

	for (size_t i = 0; (at = pm_history_at(head->history, i)); i++)
		if (at->serial == serial)
			return memcmp(at->hash, link, sizeof(at->hash)) == 0;
	return false;
}

static bool is_of_same_seed(const struct head *a, const struct head *b)
{
	return memcmp(a->commitment, b->commitment, sizeof(a->commitment)) == 0 &&
	       a->root_ca_len == b->root_ca_len &&
	       memcmp(a->root_ca, b->root_ca, a->root_ca_len) == 0;
}

bool head_leads_on(const struct head *head, const struct head *from)
{
	return is_of_same_seed(head, from) && has_link(head, from->at.serial, from->at.link);
}

bool head_settle(struct head *head)
{
	const struct pm_history_link *link = head_link(head);

	if (!link || memcmp(link->manifest, head->manifest, sizeof(head->manifest)) != 0)
		return false;
	head->at.serial = link->serial;
	memcpy(head->at.link, link->hash, sizeof(head->at.link));
	return tls_sha256(head->mesh_ca, head->mesh_ca_len, head->at.mesh) == PM_OK;
}

/* --- reading --------------------------------------------------------------------------------- */

static bool read_cert(json_t *value, uint8_t *ret, size_t *ret_len)
{
	uint8_t *bytes = NULL;
	bool good = message_bytes(value, HEAD_CERT_MAX, &bytes, ret_len);

	if (good)
		memcpy(ret, bytes, *ret_len);
	free(bytes);
	return good;
}

static bool read_history(json_t *value, struct head *head)
{
	char *text = json_is_object(value) ? json_dumps(value, JSON_COMPACT) : NULL;
	bool good = text && pm_history_parse(text, strlen(text), NULL, &head->history) == PM_OK;
	const struct pm_history_link *first = good ? pm_history_at(head->history, 0) : NULL;

	free(text);
	return first && first->serial == 1;
}

static bool read_share(json_t *value, struct head_share *ret)
{
	const char *name = NULL;
	json_t *box = NULL;

	if (json_unpack_ex(value, NULL, JSON_STRICT, "{s:s,s:o}", "name", &name, "box", &box) ||
		strlen(name) > PM_MANIFEST_NAME_MAX)
		return false;
	strcpy(ret->name, name);
	return message_fixed(box, ret->box, sizeof(ret->box));
}

static bool read_shares(json_t *value, struct head *head)
{
	if (!json_is_array(value) || json_array_size(value) > PM_SHARES_MAX)
		return false;
	head->share_count = json_array_size(value);
	for (size_t i = 0; i < head->share_count; i++)
		if (!read_share(json_array_get(value, i), &head->shares[i]))
			return false;
	return true;
}

static bool read_all(json_t *root, struct head *head)
{
	json_int_t seq = 0, dealt = 1;
	int version = 0;
	json_t *history, *manifest, *commitment, *mesh_ca, *root_ca, *shares;

	if (json_unpack_ex(root, NULL, JSON_STRICT, "{s:i,s:I,s:o,s:o,s:o,s:o,s:o,s:o,s?I}",
		    "version", &version, "seq", &seq, "history", &history, "manifest", &manifest,
		    "commitment", &commitment, "mesh_ca", &mesh_ca, "root_ca", &root_ca, "shares",
		    &shares, "dealt", &dealt) ||
		version != 1 || seq < 1 || dealt < 1)
		return false;
	head->at.seq = (uint64_t)seq;
	head->dealt = (uint64_t)dealt;
	return read_history(history, head) &&
	       message_hex(manifest, head->manifest, sizeof(head->manifest)) &&
	       message_hex(commitment, head->commitment, sizeof(head->commitment)) &&
	       read_cert(mesh_ca, head->mesh_ca, &head->mesh_ca_len) &&
	       read_cert(root_ca, head->root_ca, &head->root_ca_len) && read_shares(shares, head);
}

struct head *head_parse(const void *bytes, size_t len, uint64_t revision)
{
	json_t *root = json_loadb(bytes, len, JSON_REJECT_DUPLICATES, NULL);
	struct head *head = root ? calloc(1, sizeof(*head)) : NULL;
	bool good = head && read_all(root, head) && head_settle(head) &&
		    tls_sha256(bytes, len, head->text) == PM_OK;

	json_decref(root);
	if (good) {
		head->at.revision = revision;
		return head;
	}
	head_free(head);
	return NULL;
}

/* --- writing --------------------------------------------------------------------------------- */

json_t *head_shares(const struct head *head, const char *name_key, const char *box_key)
{
	json_t *list = json_array();

	for (size_t i = 0; list && i < head->share_count; i++) {
		const struct head_share *share = &head->shares[i];

		if (json_array_append_new(list,
			    json_pack("{s:s,s:o}", name_key, share->name, box_key,
				    message_new_base64(share->box, sizeof(share->box)))) != 0) {
			json_decref(list);
			return NULL;
		}
	}
	return list;
}

json_t *head_history(const struct head *head)
{
	char *text = NULL;
	size_t len = 0;
	json_t *value = NULL;

	if (pm_history_text(head->history, 0, &text, &len) == PM_OK)
		value = json_loadb(text, len, 0, NULL);
	pm_history_text_free(text);
	return value;
}

char *head_text(const struct head *head)
{
	json_t *root = json_pack("{s:i,s:I,s:o,s:o,s:o,s:o,s:o,s:o}", "version", 1, "seq",
		(json_int_t)head->at.seq, "history", head_history(head), "manifest",
		message_new_hex(head->manifest, sizeof(head->manifest)), "commitment",
		message_new_hex(head->commitment, sizeof(head->commitment)), "mesh_ca",
		message_new_base64(head->mesh_ca, head->mesh_ca_len), "root_ca",
		message_new_base64(head->root_ca, head->root_ca_len), "shares",
		head_shares(head, "name", "box"));
	char *text = NULL;

	/* Who deals shares but once does not know of it: so it is there only where it counts. */
	if (root && (head->dealt == 1 || json_object_set_new(root, "dealt",
						 json_integer((json_int_t)head->dealt)) == 0))
		text = json_dumps(root, JSON_COMPACT);
	json_decref(root);
	return text;
}

int head_check_room(const struct head *head)
{
	char *text = head_text(head);
	int r = !text ? PM_E_NOMEM : strlen(text) > HEAD_TEXT_MAX ? PM_E_LIMIT : PM_OK;

	free(text);
	return r;
}

struct head *head_copy(const struct head *head)
{
	char *text = head_text(head);
	struct head *copy = text ? head_parse(text, strlen(text), head->at.revision) : NULL;

	free(text);
	return copy;
}

void head_free(struct head *head)
{
	if (!head)
		return;
	pm_history_free(head->history);
	free(head);
}
