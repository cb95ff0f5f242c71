/* SPDX-License-Identifier: Apache-2.0 */
/* A mesh for tests: town.c has its authority, town_owner.c speaks for owners. */
#ifndef PM_TEST_TOWN_H
#define PM_TEST_TOWN_H

#include <jansson.h>
#include <pm/pm.h>

struct town {
	const char *folder;
	char *manifest_text;
	struct pm_manifest *manifest;
	struct pm_seed *seed;
	struct pm_authority *authority;
	struct pm_mesh_key *signer_key; /* of role "coordinator" */
	uint8_t nonce[PM_BUNDLE_NONCE_SIZE];
	unsigned int joined;
	struct pm_operator *op;
};

/* Ends the program when a call of libpm failed. */
void must(int r, const char *what);

/* base64, as a JSON string; and of one, to be freed. */
json_t *b64(const void *bytes, size_t len);
uint8_t *unb64(const json_t *text, size_t *ret_len);

char *read_file(const char *path, size_t *ret_len);
void write_file(const char *folder, const char *name, const void *bytes, size_t len);

/* operator URL; ask METHOD PATH BODY ANSWER; command ...: words end with NULL. */
void owner_do(struct town *town, char **words);

#endif
