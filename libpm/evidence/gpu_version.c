/* SPDX-License-Identifier: Apache-2.0 */
#include "evidence/gpu_version.h"

#include "base/rd.h"

#define DIGITS_MAX 8

/* The value of a digit, or -1; lower case becomes upper case. */
static int digit(uint8_t *c, int base)
{
	if (*c >= '0' && *c <= '9')
		return *c - '0';
	if (*c >= 'a' && *c <= 'f')
		*c = (uint8_t)(*c - 'a' + 'A');
	return base == 16 && *c >= 'A' && *c <= 'F' ? *c - 'A' + 10 : -1;
}

struct reading {
	struct pm_gpu_version *v;
	int base;
	size_t at, part, digits;
};

static bool take(struct reading *r, uint8_t c)
{
	int value;

	if (c == '.') {
		if (!r->digits || ++r->part == PM_GPU_VERSION_PARTS)
			return false;
		r->digits = 0;
	} else {
		value = digit(&c, r->base);
		if (value < 0 || ++r->digits > DIGITS_MAX)
			return false;
		r->v->parts[r->part] = r->v->parts[r->part] * (uint32_t)r->base + (uint32_t)value;
	}
	r->v->text[r->at++] = (char)c;
	return true;
}

int pm_gpu_version_parse(struct pm_view text, int base, struct pm_gpu_version *ret)
{
	struct pm_gpu_version v = {0};
	struct reading r = {&v, base, 0, 0, 0};
	struct pm_rd rd = pm_rd(text);

	if (text.len >= sizeof(v.text))
		return PM_E_FORMAT;
	while (rd.left) {
		if (!take(&r, pm_rd_u8(&rd)))
			return PM_E_FORMAT;
	}
	if (!r.digits)
		return PM_E_FORMAT;
	*ret = v;
	return PM_OK;
}

int pm_gpu_version_compare(const struct pm_gpu_version *a, const struct pm_gpu_version *b)
{
	for (size_t i = 0; i < PM_GPU_VERSION_PARTS; i++) {
		if (a->parts[i] != b->parts[i])
			return a->parts[i] < b->parts[i] ? -1 : 1;
	}
	return 0;
}
