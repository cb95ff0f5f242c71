/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The reader against a naive model: the input is a length, so many bytes to be read, and a sequence
 * of reads, each an operation and an argument.
 */
#include "base/rd.h"
#include "fuzz.h"

struct model {
	const uint8_t *bytes;
	size_t size, at;
	bool failed;
};

/* The next n bytes, or NULL and a failed model. */
static const uint8_t *take(struct model *m, size_t n)
{
	const uint8_t *p = m->bytes + m->at;

	if (m->failed || n > m->size - m->at) {
		m->failed = true;
		return NULL;
	}
	m->at += n;
	return p;
}

static uint64_t number(struct model *m, size_t n, bool most_significant_first)
{
	const uint8_t *p = take(m, n);
	uint64_t value = 0;

	for (size_t i = 0; p && i < n; i++)
		value |= (uint64_t)p[i] << 8 * (most_significant_first ? n - 1 - i : i);
	return value;
}

static void read_number(struct pm_rd *rd, struct model *m, unsigned int kind)
{
	switch (kind) {
	case 0:
		FUZZ_CHECK(pm_rd_u8(rd) == number(m, 1, false));
		break;
	case 1:
		FUZZ_CHECK(pm_rd_le16(rd) == number(m, 2, false));
		break;
	case 2:
		FUZZ_CHECK(pm_rd_le32(rd) == number(m, 4, false));
		break;
	case 3:
		FUZZ_CHECK(pm_rd_le64(rd) == number(m, 8, false));
		break;
	case 4:
		FUZZ_CHECK(pm_rd_be16(rd) == number(m, 2, true));
		break;
	case 5:
		FUZZ_CHECK(pm_rd_be32(rd) == number(m, 4, true));
		break;
	default:
		FUZZ_CHECK(pm_rd_be64(rd) == number(m, 8, true));
	}
}

static void check_view(struct pm_view v, const uint8_t *wanted, size_t n)
{
	FUZZ_CHECK(v.len == (wanted ? n : 0));
	FUZZ_CHECK(v.len == 0 || v.ptr == wanted);
}

static void read_prefixed(struct pm_rd *rd, struct model *m, size_t max)
{
	uint64_t n = number(m, 4, true);

	if (n > max)
		m->failed = true;
	check_view(pm_rd_prefixed_be32(rd, max), take(m, (size_t)n), (size_t)n);
}

static void read_copy(struct pm_rd *rd, struct model *m, size_t n)
{
	const uint8_t *wanted = take(m, n);
	uint8_t copy[256];

	for (size_t i = 0; i < sizeof(copy); i++)
		copy[i] = 0x5a;
	pm_rd_copy(rd, copy, n);
	for (size_t i = 0; i < sizeof(copy); i++)
		FUZZ_CHECK(copy[i] == (i >= n ? 0x5a : wanted ? wanted[i] : 0));
}

static void read_zero(struct pm_rd *rd, struct model *m, size_t n)
{
	const uint8_t *p = take(m, n);

	for (size_t i = 0; p && i < n; i++)
		m->failed |= p[i] != 0;
	pm_rd_zero(rd, n);
}

/* A child sees n bytes, and its end does not touch its parent. */
static void read_child(struct pm_rd *rd, struct model *m, size_t n)
{
	const uint8_t *p = take(m, n);
	struct pm_rd child = pm_rd_child(rd, n);

	FUZZ_CHECK(pm_rd_ok(&child) == (p != NULL));
	check_view(pm_rd_rest(&child), p, n);
	FUZZ_CHECK(pm_rd_done(&child) == (p != NULL));
	(void)pm_rd_u8(&child);
	FUZZ_CHECK(!pm_rd_ok(&child));
}

static void step(struct pm_rd *rd, struct model *m, unsigned int op, size_t arg)
{
	switch (op % 14) {
	case 7:
		check_view(pm_rd_bytes(rd, arg), take(m, arg), arg);
		break;
	case 8:
		read_prefixed(rd, m, arg);
		break;
	case 9:
		read_child(rd, m, arg);
		break;
	case 10:
		read_copy(rd, m, arg);
		break;
	case 11:
		pm_rd_skip(rd, arg);
		(void)take(m, arg);
		break;
	case 12:
		read_zero(rd, m, arg);
		break;
	case 13: /* lengths near the end of the address space */
		check_view(pm_rd_bytes(rd, SIZE_MAX - arg), take(m, SIZE_MAX - arg), 0);
		break;
	default:
		read_number(rd, m, op % 14);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct model m = {0};
	struct pm_rd rd;
	size_t at;

	if (!size)
		return 0;
	m.size = data[0] < size - 1 ? data[0] : size - 1;
	m.bytes = data + 1;
	rd = pm_rd(pm_view(m.bytes, m.size));
	for (at = 1 + m.size; at + 1 < size; at += 2) {
		step(&rd, &m, data[at], data[at + 1]);
		FUZZ_CHECK(pm_rd_ok(&rd) == !m.failed);
		FUZZ_CHECK(pm_rd_done(&rd) == (!m.failed && m.at == m.size));
	}
	return 0;
}
