/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Load for pm-secrets, by bench_secrets.py: each connection has one request after the other.
 *
 * bench_secrets exchange URL COUNT CONNECTIONS
 * bench_secrets fetch URL COUNT CONNECTIONS ID CERT KEY
 */
#include <curl/curl.h>
#include <err.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <pm/pm.h>

struct load {
	char **bodies; /* one of each request, or one for all */
	size_t body_count, count;
	const char *url, *cert, *key;
	atomic_size_t next, good;
};

static double now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static size_t ignore(char *bytes, size_t size, size_t count, void *arg)
{
	(void)bytes;
	(void)arg;
	return size * count;
}

static CURL *open_handle(const struct load *load)
{
	CURL *curl = curl_easy_init();

	curl_easy_setopt(curl, CURLOPT_URL, load->url);
	curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, ignore);
	if (load->cert) {
		/* Its name is not the address; what is measured is the service. */
		curl_easy_setopt(curl, CURLOPT_SSL_VERIFYPEER, 0L);
		curl_easy_setopt(curl, CURLOPT_SSL_VERIFYHOST, 0L);
		curl_easy_setopt(curl, CURLOPT_SSLCERT, load->cert);
		curl_easy_setopt(curl, CURLOPT_SSLKEY, load->key);
	}
	return curl;
}

static void *run(void *arg)
{
	struct load *load = arg;
	CURL *curl = open_handle(load);
	long status;
	size_t i;

	while ((i = atomic_fetch_add(&load->next, 1)) < load->count) {
		curl_easy_setopt(curl, CURLOPT_POSTFIELDS, load->bodies[i % load->body_count]);
		status = 0;
		if (curl_easy_perform(curl) == CURLE_OK)
			curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &status);
		if (status == 200)
			atomic_fetch_add(&load->good, 1);
	}
	curl_easy_cleanup(curl);
	return NULL;
}

/* Before the clock runs. */
static void make_exchanges(struct load *load)
{
	load->body_count = load->count;
	load->bodies = calloc(load->count, sizeof(*load->bodies));
	for (size_t i = 0; i < load->count; i++) {
		struct pm_keyex_client *client;

		load->bodies[i] = malloc(PM_KEYEX_REQUEST_SIZE);
		if (!load->bodies[i] || pm_keyex_client_new(&client) < 0)
			errx(1, "out of memory");
		pm_keyex_client_request(client, load->bodies[i]);
		pm_keyex_client_free(client);
	}
}

static void make_fetch(struct load *load, const char *id)
{
	load->body_count = 1;
	load->bodies = calloc(1, sizeof(*load->bodies));
	if (asprintf(&load->bodies[0], "{\"Id\":\"%s\"}", id) < 0)
		errx(1, "out of memory");
}

int main(int argc, char **argv)
{
	struct load load = {0};
	pthread_t threads[256];
	size_t connections;
	double began, took;

	if (argc != 5 && argc != 8)
		errx(2, "wrong usage");
	load.url = argv[2];
	load.count = strtoul(argv[3], NULL, 10);
	connections = strtoul(argv[4], NULL, 10);
	if (connections > 256)
		errx(2, "at most 256 connections");
	load.cert = argc == 8 ? argv[6] : NULL;
	load.key = argc == 8 ? argv[7] : NULL;
	curl_global_init(CURL_GLOBAL_DEFAULT);
	if (argc == 8)
		make_fetch(&load, argv[5]);
	else
		make_exchanges(&load);
	began = now();
	for (size_t i = 0; i < connections; i++)
		pthread_create(&threads[i], NULL, run, &load);
	for (size_t i = 0; i < connections; i++)
		pthread_join(threads[i], NULL);
	took = now() - began;
	printf("%.0f\n", (double)atomic_load(&load.good) / took);
	if (atomic_load(&load.good) != load.count)
		warnx("%zu of %zu were refused", load.count - atomic_load(&load.good), load.count);
	return 0;
}
