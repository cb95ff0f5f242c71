/* SPDX-License-Identifier: Apache-2.0 */
#include "common/memory.h"

#include <event2/event.h>
#include <jansson.h>
#include <malloc.h>
#include <stdlib.h>
#include <string.h>

/* jansson 2.14 writes beyond its memory where it gets none while it reads: rather the end. */
static void *malloc_or_end(size_t size)
{
	void *memory = malloc(size);

	if (!memory)
		abort();
	return memory;
}

static void wipe_free(void *memory)
{
	if (memory)
		explicit_bzero(memory, malloc_usable_size(memory));
	free(memory);
}

/* realloc() would leave a copy behind. */
static void *wipe_realloc(void *memory, size_t size)
{
	size_t before = memory ? malloc_usable_size(memory) : 0;
	void *grown = malloc(size);

	if (!grown)
		return NULL;
	if (memory)
		memcpy(grown, memory, before < size ? before : size);
	wipe_free(memory);
	return grown;
}

void memory_wipe_freed(void)
{
	json_set_alloc_funcs(malloc_or_end, wipe_free);
	event_set_mem_functions(malloc, wipe_realloc, wipe_free);
}
