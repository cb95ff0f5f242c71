/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Do our comparisons depend on secrets, in time or in addresses? Run under valgrind's memcheck with
 * the secrets marked as undefined: it reports each jump and each address that depends on them. The
 * result is all that may be known, so it is marked as defined again.
 *
 * ct NAME: runs one comparison; "leaky" is one that stops early, which must be reported.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <valgrind/memcheck.h>

#include "base/mem.h"
#include "base/secret.h"

#define SIZE 48

static uint8_t a[SIZE], b[SIZE];

/* What valgrind shall not let pass. */
static bool leaky_equal(const uint8_t *x, const uint8_t *y, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		if (((const volatile uint8_t *)x)[i] != ((const volatile uint8_t *)y)[i])
			return false;
	}
	return true;
}

static bool declassified(bool result)
{
	VALGRIND_MAKE_MEM_DEFINED(&result, sizeof(result));
	return result;
}

static void hide(void)
{
	VALGRIND_MAKE_MEM_UNDEFINED(a, SIZE);
	VALGRIND_MAKE_MEM_UNDEFINED(b, SIZE);
}

static bool run_ct_equal(void)
{
	hide();
	return declassified(pm_ct_equal(a, b, SIZE));
}

static bool run_is_zero(void)
{
	hide();
	return declassified(pm_is_zero(a, SIZE));
}

static bool run_secret_equal(void)
{
	struct pm_secret x = {a, SIZE}, y = {b, SIZE};

	hide();
	return declassified(pm_secret_equal(&x, &y));
}

static bool run_leaky(void)
{
	hide();
	return declassified(leaky_equal(a, b, SIZE));
}

static const struct {
	const char *name;
	bool (*run)(void);
} rows[] = {
	{"pm_ct_equal", run_ct_equal},
	{"pm_is_zero", run_is_zero},
	{"pm_secret_equal", run_secret_equal},
	{"leaky", run_leaky},
};

/* Both answers, as the way to each shall be the same. */
static bool run_both(bool (*run)(void))
{
	bool same, differs;

	same = run();
	VALGRIND_MAKE_MEM_DEFINED(a, SIZE);
	VALGRIND_MAKE_MEM_DEFINED(b, SIZE);
	a[0] = 1;
	differs = !run();
	VALGRIND_MAKE_MEM_DEFINED(a, SIZE);
	return same && differs;
}

int main(int argc, char **argv)
{
	if (!RUNNING_ON_VALGRIND || argc != 2)
		return 2;
	for (size_t i = 0; i < PM_ARRAY_LEN(rows); i++) {
		if (strcmp(argv[1], rows[i].name) == 0)
			return run_both(rows[i].run) ? EXIT_SUCCESS : EXIT_FAILURE;
	}
	return 2;
}
