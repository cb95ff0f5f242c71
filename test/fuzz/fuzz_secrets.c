/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What pm-secrets reads of a store that nobody trusts, and of a backup. What is not sealed by its
 * keys is never opened; the parsers behind the seals get the input as if it were.
 */
#include <string.h>

#include <pm/text.h>

#include "crypto/crypto.h"
#include "fuzz.h"
#include "pm-secrets/backup.h"
#include "pm-secrets/state_note.h"

/* Inputs that are sealed: the longest is more than a line has. */
#define SEALED_MAX 80000

static const uint8_t secret[RING_SECRET_SIZE] = {1};

static struct ring *get_ring(void)
{
	static struct ring *ring;

	FUZZ_CHECK(pm_crypto_init() == PM_OK);
	FUZZ_CHECK(ring || ring_new(secret, &ring) == PM_OK);
	return ring;
}

/* A head is written as it was read, and its rule is whole. */
static void read_head(const uint8_t *data, size_t size)
{
	struct record record, again;
	uint8_t head[RECORD_HEAD_MAX];
	size_t len;

	if (record_read_head(data, size, &record) < 0)
		return;
	len = record_write_head(&record, head);
	FUZZ_CHECK(len <= size && len <= sizeof(head) && !memcmp(head, data, len));
	FUZZ_CHECK(record_read_whole_head(head, len, &again) == PM_OK);
	FUZZ_CHECK(
		record_read_whole_head(data, size, &again) == (len == size ? PM_OK : PM_E_FORMAT));
	FUZZ_CHECK(record.expires >= 0 && record.created >= 0);
	(void)record_allows(&record, "worker", "tiny");
	FUZZ_CHECK(record.rule_len != RECORD_NO_RULE || record_allows(&record, "worker", NULL));
	json_decref(record_rule_json(&record));
}

/* The head and what lies behind it were not sealed together: that is nobody's secret. */
static void read_record(const uint8_t *data, size_t size)
{
	struct record_value value = {0};
	struct state_note note;
	struct record record;
	uint32_t epoch;

	FUZZ_CHECK(record_open(get_ring(), "a", data, size, &record, &value) < 0);
	FUZZ_CHECK(!value.bytes);
	(void)record_epoch(data, size, &epoch);
	FUZZ_CHECK(state_note_open(get_ring(), data, size, &note) < 0);
}

static char *seal_line(const uint8_t *data, size_t size)
{
	static uint8_t sealed[SEALED_MAX + PM_SEAL_OVERHEAD];
	static char text[(sizeof(sealed) + 2) / 3 * 4 + 1];
	static const uint8_t number[8] = {0, 0, 0, 0, 0, 0, 0, 1};
	struct pm_seal_key *key = NULL;

	FUZZ_CHECK(pm_seal_key_new(secret, "libpm secrets backup v1", 1, &key) == PM_OK);
	FUZZ_CHECK(pm_seal(key, number, sizeof(number), data, size, sealed) == PM_OK);
	pm_seal_key_free(key);
	FUZZ_CHECK(pm_text_base64_encode(sealed, size + PM_SEAL_OVERHEAD, text, sizeof(text)) ==
		   PM_OK);
	return text;
}

/* A line as it came, and as if whoever has the key had written it. */
static void read_line(const char *line, size_t len)
{
	char id[PM_COMMAND_ID_MAX + 1] = "";
	struct record_value value = {0};
	struct backup backup = {0};
	struct record record;
	int r;

	FUZZ_CHECK(backup_open(&backup, secret) == PM_OK);
	r = backup_read(&backup, line, len, id, &record, &value);
	FUZZ_CHECK(r == PM_OK || r == PM_E_FORMAT || r == PM_E_REJECTED || r == PM_E_LIMIT ||
		   r == PM_E_UNSUPPORTED);
	if (r == PM_OK && !backup.is_whole) {
		FUZZ_CHECK(record_is_id(id) && value.bytes && value.len <= RECORD_VALUE_MAX);
		FUZZ_CHECK(backup.line == 1);
	}
	FUZZ_CHECK(r == PM_OK || (!value.bytes && backup.line == 0));
	record_value_free(&value);
	backup_free(&backup);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *line;

	read_head(data, size);
	read_record(data, size);
	read_line((const char *)data, size);
	if (!size || size > SEALED_MAX)
		return 0;
	line = seal_line(data, size);
	read_line(line, strlen(line));
	return 0;
}
