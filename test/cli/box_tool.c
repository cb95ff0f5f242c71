/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Boxes, for tests of the programs:
 *
 *     box_tool seal PUBLIC_KEY LABEL AAD_HEX PLAIN_HEX OUT
 *     box_tool open PRIVATE_KEY LABEL AAD_HEX BOX      prints the plaintext
 */
#include <err.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <pm/pm.h>

#define MAX 8192

struct bytes {
	uint8_t ptr[MAX];
	size_t len;
};

static void read_file(const char *path, struct bytes *ret)
{
	FILE *f = fopen(path, "rb");

	if (!f)
		err(2, "%s", path);
	ret->len = fread(ret->ptr, 1, sizeof(ret->ptr), f);
	fclose(f);
}

static void read_hex(const char *text, struct bytes *ret)
{
	ret->len = strlen(text) / 2;
	if (ret->len > MAX || pm_hex_decode(text, ret->ptr, ret->len) < 0)
		errx(2, "not hexadecimal: %s", text);
}

static int seal(char **argv, const struct bytes *aad)
{
	static struct bytes key, plain;
	static uint8_t public_key[PM_BOX_PUBLIC_SIZE], box[MAX + PM_BOX_OVERHEAD];
	FILE *f;

	read_file(argv[2], &key);
	read_hex(argv[5], &plain);
	if (pm_box_public_parse(key.ptr, key.len, NULL, public_key) < 0 ||
		pm_box_seal(public_key, argv[3], aad->ptr, aad->len, plain.ptr, plain.len, box) < 0)
		return 1;
	f = fopen(argv[6], "wb");
	if (!f || fwrite(box, 1, plain.len + PM_BOX_OVERHEAD, f) != plain.len + PM_BOX_OVERHEAD)
		err(2, "%s", argv[6]);
	return fclose(f) ? 2 : 0;
}

static int unseal(char **argv, const struct bytes *aad)
{
	static struct bytes pem, box;
	static uint8_t plain[MAX];
	struct pm_box_key *key = NULL;
	int r;

	read_file(argv[2], &pem);
	read_file(argv[5], &box);
	if (pm_box_key_parse(pem.ptr, pem.len, NULL, &key) < 0)
		return 2;
	r = pm_box_open(key, argv[3], aad->ptr, aad->len, box.ptr, box.len, plain);
	pm_box_key_free(key);
	if (r < 0)
		return 1;
	fwrite(plain, 1, box.len - PM_BOX_OVERHEAD, stdout);
	return 0;
}

int main(int argc, char **argv)
{
	static struct bytes aad;

	if (argc < 6)
		errx(2, "too few arguments");
	read_hex(argv[4], &aad);
	return strcmp(argv[1], "seal") ? unseal(argv, &aad) : seal(argv, &aad);
}
