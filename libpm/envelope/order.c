/* SPDX-License-Identifier: Apache-2.0 */
#include "envelope/order.h"

/* Up to so many items insertion is quicker, above all when they are nearly in order. */
#define INSERTION_MAX 16

static void insertion_sort(const struct pm_order *order, void *items, size_t count)
{
	for (size_t i = 1; i < count; i++)
		for (size_t k = i; k > 0 && order->less(items, k, k - 1); k--)
			order->swap(items, k, k - 1);
}

/* Lets the item at i sink to its place in a heap of count items. */
static void sift(const struct pm_order *order, void *items, size_t i, size_t count)
{
	for (size_t child; (child = 2 * i + 1) < count; i = child) {
		if (child + 1 < count && order->less(items, child, child + 1))
			child++;
		if (!order->less(items, i, child))
			return;
		order->swap(items, i, child);
	}
}

static void heap_sort(const struct pm_order *order, void *items, size_t count)
{
	for (size_t i = count / 2; i > 0; i--)
		sift(order, items, i - 1, count);
	for (size_t end = count - 1; end > 0; end--) {
		order->swap(items, 0, end);
		sift(order, items, 0, end);
	}
}

void pm_sort(const struct pm_order *order, void *items, size_t count)
{
	if (count <= INSERTION_MAX)
		insertion_sort(order, items, count);
	else
		heap_sort(order, items, count);
}
