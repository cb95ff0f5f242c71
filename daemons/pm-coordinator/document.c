/* SPDX-License-Identifier: Apache-2.0 */
/* The document that the coordinator's evidence binds: what holds, and by which keys. */
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "pm-coordinator/coordinator.h"
#include "pm-coordinator/message.h"

static json_t *bytes_or_null(const void *bytes, size_t len)
{
	return len ? message_new_base64(bytes, len) : json_null();
}

static json_t *key_or_null(const struct pm_sign_key *key)
{
	const struct pm_sign_public *public_key = key ? pm_sign_key_public(key) : NULL;

	return public_key ? message_new_base64(public_key->spki, public_key->spki_size)
			  : json_null();
}

static json_t *log_or_null(const struct coordinator *c)
{
	struct pm_audit_head head;

	if (!journal_head(c->journal, &head))
		return json_null();
	return json_pack("{s:I,s:o}", "entries", (json_int_t)head.entries, "head",
		message_new_hex(head.hash, sizeof(head.hash)));
}

static json_t *make(const struct coordinator *c, enum machine_state state)
{
	const struct tenure *t = coordinator_newest(c);
	const struct head *head = t ? t->head : NULL;
	/* The seed vouches for what is here; a sealed one tells what it was shown. */
	const struct pm_authority *a = t && t->authority ? t->authority : NULL;

	return json_pack("{s:i,s:s,s:o,s:o,s:o,s:o,s:o,s:o,s:o,s:o}", "version", 1, "state",
		coordinator_state_name(state), "manifest",
		t && t->manifest ? message_new_base64(t->bytes, t->len) : json_null(), "history",
		head ? head_history(head) : json_null(), "history_key",
		key_or_null(a ? pm_authority_history_key(a) : NULL), "audit_key",
		key_or_null(a ? pm_authority_audit_key(a) : NULL), "root_ca",
		bytes_or_null(head ? head->root_ca : NULL, a ? head->root_ca_len : 0), "mesh_ca",
		bytes_or_null(head ? head->mesh_ca : NULL, a ? head->mesh_ca_len : 0), "log",
		a ? log_or_null(c) : json_null(), "commitment",
		head ? message_new_hex(head->commitment, sizeof(head->commitment)) : json_null());
}

int document_refresh(struct coordinator *c)
{
	enum machine_state state = coordinator_state(c);
	struct pm_audit_head log = {0};
	json_t *root;
	char *text;
	int r;

	(void)journal_head(c->journal, &log);
	if (!c->is_document_old && state == c->document_state && log.entries == c->document_entries)
		return PM_OK;
	root = make(c, state);
	text = root ? json_dumps(root, JSON_COMPACT) : NULL;
	json_decref(root);
	r = text ? evidence_set_document(c->evidence, text, strlen(text)) : PM_E_NOMEM;
	free(text);
	if (r < 0)
		return r;
	c->is_document_old = false;
	c->document_state = state;
	c->document_entries = log.entries;
	return PM_OK;
}
