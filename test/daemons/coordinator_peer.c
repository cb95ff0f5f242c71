/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Owners, clients and workloads of a coordinator, for tests that are scripts: one call a process.
 *
 *   coordinator-peer attest URL MANIFEST MEMORY|- [sealed]   lines NAME=VALUE
 *   coordinator-peer consent OWNER-KEY PROCESS-KEY LINK SHARE COMMITMENT    the box in base64
 *   coordinator-peer open XWING-KEY LABEL AAD BOX            what was in it
 *   coordinator-peer join URL ROLE tls|sign MANIFEST|- COMMAND FOLDER       lines NAME=VALUE
 *   coordinator-peer history SHARE SHARE TEMPLATE COUNT FOLDER
 *
 * history writes FOLDER/history, of COUNT manifests as TEMPLATE is with numbers in the places of
 * SERIAL and PREVIOUS, signed by the key of the seed that two shares give. Bytes are hexadecimal,
 * keys and manifests files, the box base64. COMMAND makes a bundle in FOLDER/bundle of
 * FOLDER/{nonce,key,document} (the nonce in hexadecimal). Exit status 1: no.
 */
#include <err.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <pm/pm.h>

#define FILE_MAX (8u << 20)

static uint8_t *read_file(const char *path, size_t *ret_len)
{
	FILE *f = fopen(path, "re");
	uint8_t *bytes = calloc(1, FILE_MAX + 1);

	if (!f || !bytes)
		err(2, "%s", path);
	*ret_len = fread(bytes, 1, FILE_MAX, f);
	fclose(f);
	return bytes;
}

static void write_file(const char *folder, const char *name, const void *bytes, size_t len)
{
	char path[512];
	FILE *f;

	snprintf(path, sizeof(path), "%s/%s", folder, name);
	f = fopen(path, "we");
	if (!f || fwrite(bytes, 1, len, f) != len || fclose(f))
		err(2, "%s", path);
}

static void print_hex(const char *name, const uint8_t *bytes, size_t len)
{
	char *text = malloc(2 * len + 1);

	if (!text)
		errx(2, "out of memory");
	pm_hex_encode(bytes, len, text);
	printf("%s=%s\n", name, text);
	free(text);
}

static void get_hex(const char *text, uint8_t *ret, size_t size)
{
	if (pm_hex_decode(text, ret, size) < 0)
		errx(2, "'%s' is not hexadecimal of %zu bytes", text, size);
}

static struct pm_manifest *get_manifest(const char *path)
{
	struct pm_manifest *manifest = NULL;
	size_t len;
	uint8_t *bytes = read_file(path, &len);

	if (pm_manifest_parse(bytes, len, NULL, &manifest) < 0)
		errx(2, "%s: no manifest", path);
	free(bytes);
	return manifest;
}

static int say_no(int r, const struct pm_verdict *verdict, const struct pm_report *report)
{
	const char *reason = pm_verdict_reason(verdict);

	printf("no=%s: %s\n", pm_strerror(r), *reason ? reason : pm_report_reason(report));
	return 1;
}

/* --- attest ---------------------------------------------------------------------------------- */

static void print_deployment(const struct pm_deployment *d)
{
	const struct pm_history *history = pm_deployment_history(d);
	const struct pm_history_link *last = pm_history_at(history, pm_history_count(history) - 1);
	const struct pm_claims *claims = &pm_deployment_appraised(d)->claims;
	const struct pm_sign_public *audit = pm_deployment_audit_key(d);
	uint64_t entries = 0;
	size_t len;
	const uint8_t *bytes = pm_deployment_log(d, &entries);

	printf("state=%s\n", pm_coordinator_state_name((int)pm_deployment_state(d)));
	printf("serial=%llu\n", (unsigned long long)last->serial);
	print_hex("link", last->hash, sizeof(last->hash));
	print_hex("process", claims->key, claims->key_len);
	print_hex("commitment", pm_deployment_commitment(d), 32);
	printf("entries=%llu\n", (unsigned long long)entries);
	if (bytes)
		print_hex("log", bytes, 32);
	if (audit)
		print_hex("audit", audit->spki, audit->spki_size);
	bytes = pm_deployment_root_ca(d, &len);
	if (bytes)
		print_hex("root", bytes, len);
	bytes = pm_deployment_mesh_ca(d, &len);
	if (bytes)
		print_hex("mesh", bytes, len);
}

static int attest(int argc, char **argv)
{
	struct pm_coordinator_options options = {.size = sizeof(options)};
	struct pm_coordinator_trust trust = {.size = sizeof(trust)};
	struct pm_verdict *verdict = pm_verdict_new();
	struct pm_report *report = pm_report_new();
	struct pm_coordinator *coordinator = NULL;
	struct pm_deployment *deployment = NULL;
	struct pm_manifest *manifest;
	int r;

	if (argc < 3)
		errx(2, "attest URL MANIFEST MEMORY|- [sealed]");
	manifest = get_manifest(argv[1]);
	options.memory_file = strcmp(argv[2], "-") ? argv[2] : NULL;
	trust.manifest = manifest;
	trust.allow_sealed = argc > 3;
	r = pm_coordinator_new(argv[0], &options, report, &coordinator);
	if (r == PM_OK)
		r = pm_coordinator_attest(coordinator, &trust, verdict, report, &deployment);
	if (r == PM_OK)
		print_deployment(deployment);
	else
		r = say_no(r, verdict, report);
	pm_deployment_free(deployment);
	pm_coordinator_free(coordinator);
	pm_manifest_free(manifest);
	pm_verdict_free(verdict);
	pm_report_free(report);
	return r;
}

/* --- boxes ----------------------------------------------------------------------------------- */

static void print_base64(const uint8_t *bytes, size_t len)
{
	size_t room = (len + 2) / 3 * 4 + 1;
	char *text = malloc(room);

	if (!text || pm_text_base64_encode(bytes, len, text, room) < 0)
		errx(2, "out of memory");
	puts(text);
	free(text);
}

static int seal_consent(const struct pm_recover_consent *what, const struct pm_sign_key *owner,
	const uint8_t *commitment, uint8_t *ret_box, size_t *ret_len)
{
	uint8_t signature[PM_RECOVER_SIGNATURE_MAX];
	char share[64], text[160], id[65], plain[512];
	size_t len = 0;
	int r = pm_recover_sign(what, owner, signature, &len);

	if (r == PM_OK)
		r = pm_text_base64_encode(what->share, PM_SHARE_SIZE, share, sizeof(share));
	if (r == PM_OK)
		r = pm_text_base64_encode(signature, len, text, sizeof(text));
	if (r < 0)
		return r;
	pm_hex_encode(pm_sign_key_public(owner)->id, PM_SIGN_ID_SIZE, id);
	*ret_len = (size_t)snprintf(plain, sizeof(plain),
		"{\"share\":\"%s\",\"signature\":\"%s\",\"key_id\":\"%s\"}", share, text, id);
	r = pm_box_seal(what->process_key, PM_COORDINATOR_RECOVER_LABEL, commitment, 32, plain,
		*ret_len, ret_box);
	*ret_len += PM_BOX_OVERHEAD;
	return r;
}

static int consent(int argc, char **argv)
{
	uint8_t process[PM_BOX_PUBLIC_SIZE], link[32], share[PM_SHARE_SIZE], commitment[32];
	uint8_t box[512 + PM_BOX_OVERHEAD];
	const struct pm_recover_consent what = {process, link, share};
	struct pm_sign_key *owner = NULL;
	size_t len;
	uint8_t *pem;

	if (argc != 5)
		errx(2, "consent OWNER-KEY PROCESS-KEY LINK SHARE COMMITMENT");
	pem = read_file(argv[0], &len);
	get_hex(argv[1], process, sizeof(process));
	get_hex(argv[2], link, sizeof(link));
	get_hex(argv[3], share, sizeof(share));
	get_hex(argv[4], commitment, sizeof(commitment));
	if (pm_sign_key_parse(pem, len, NULL, &owner) < 0 ||
		seal_consent(&what, owner, commitment, box, &len) < 0)
		errx(2, "it can't be sealed");
	print_base64(box, len);
	pm_sign_key_free(owner);
	free(pem);
	return 0;
}

static int open_box(int argc, char **argv)
{
	uint8_t box[4096], plain[4096], *pem;
	size_t len, aad_len;
	struct pm_box_key *key = NULL;
	uint8_t aad[64];

	if (argc != 4)
		errx(2, "open XWING-KEY LABEL AAD BOX");
	pem = read_file(argv[0], &len);
	aad_len = strlen(argv[2]) / 2;
	if (aad_len > sizeof(aad) || pm_box_key_parse(pem, len, NULL, &key) < 0)
		errx(2, "no key, or too much AAD");
	get_hex(argv[2], aad, aad_len);
	if (pm_text_base64_decode(argv[3], strlen(argv[3]), box, sizeof(box), &len) < 0 ||
		pm_box_open(key, argv[1], aad, aad_len, box, len, plain) < 0)
		return 1;
	print_hex("plain", plain, len - PM_BOX_OVERHEAD);
	pm_box_key_free(key);
	free(pem);
	return 0;
}

/* --- join ------------------------------------------------------------------------------------ */

struct maker {
	const char *command, *folder;
};

static int collect(void *arg, const struct pm_join_request *request, struct pm_report *report,
	uint8_t **ret_bundle, size_t *ret_len)
{
	const struct maker *maker = arg;
	char nonce[65], path[512], line[1024];
	uint8_t *bundle;

	(void)report;
	pm_hex_encode(request->nonce, PM_BUNDLE_NONCE_SIZE, nonce);
	write_file(maker->folder, "nonce", nonce, 64);
	write_file(maker->folder, "key", request->key, request->key_len);
	write_file(maker->folder, "document", request->document, request->document_len);
	snprintf(line, sizeof(line), "%s %s", maker->command, request->is_tls ? "tls" : "sign");
	if (system(line) != 0)
		return PM_E_SYS;
	snprintf(path, sizeof(path), "%s/bundle", maker->folder);
	bundle = read_file(path, ret_len);
	*ret_bundle = bundle;
	return PM_OK;
}

static void print_membership(const struct pm_membership *m)
{
	const struct pm_mesh_identity *who = pm_membership_identity(m);
	size_t len;
	const uint8_t *bytes = pm_membership_mesh_ca(m, &len);

	print_hex("mesh", bytes, len);
	if (who)
		printf("role=%s\nreplica=%s\nserial=%llu\nlifetime=%lld\n", who->role, who->replica,
			(unsigned long long)who->manifest_serial,
			(long long)(who->not_after - who->not_before));
	for (size_t i = 0; who && i < who->model_count; i++)
		printf("model=%s\n", who->models[i]);
	if (pm_membership_secret(m))
		print_hex("secret", pm_membership_secret(m), PM_JOIN_SECRET_SIZE);
	if (pm_membership_seed(m))
		print_hex("seed", pm_membership_seed(m), PM_JOIN_SECRET_SIZE);
	if (pm_membership_mesh_key(m, &len))
		printf("mesh_key=%zu bytes\n", len);
}

/* For who goes on by TLS. */
static void write_papers(const struct pm_membership *m, const char *folder)
{
	char key[PM_MESH_KEY_PEM_SIZE];
	size_t len;
	const char *cert = pm_membership_certificate(m, &len);
	const uint8_t *ca;

	if (!cert || pm_mesh_key_pem(pm_membership_key(m), key) < 0)
		return;
	write_file(folder, "cert.pem", cert, strlen(cert));
	write_file(folder, "key.pem", key, strlen(key));
	ca = pm_membership_mesh_ca(m, &len);
	write_file(folder, "ca.der", ca, len);
	printf("papers=%s\n", folder);
}

static int join(int argc, char **argv)
{
	struct pm_join_options options = {.size = sizeof(options), .collect = collect};
	struct pm_verdict *verdict = pm_verdict_new();
	struct pm_report *report = pm_report_new();
	struct pm_membership *membership = NULL;
	struct pm_manifest *manifest = NULL;
	struct maker maker;
	int r;

	if (argc != 6)
		errx(2, "join URL ROLE tls|sign MANIFEST|- COMMAND FOLDER");
	if (strcmp(argv[3], "-") != 0)
		manifest = get_manifest(argv[3]);
	maker = (struct maker){argv[4], argv[5]};
	options.role = argv[1];
	options.purpose = strcmp(argv[2], "tls") ? PM_MESH_SIGN : PM_MESH_TLS;
	options.arg = &maker;
	options.manifest = manifest;
	r = pm_join(argv[0], &options, verdict, report, &membership);
	if (r == PM_OK) {
		print_membership(membership);
		write_papers(membership, maker.folder);
	} else {
		r = say_no(r, verdict, report);
	}
	pm_membership_free(membership);
	pm_manifest_free(manifest);
	pm_verdict_free(verdict);
	pm_report_free(report);
	return r;
}

/* --- histories ------------------------------------------------------------------------------- */

static char *put_in(char *text, const char *mark, const char *what)
{
	char *place = strstr(text, mark), *whole = NULL;

	if (!place)
		errx(2, "no %s", mark);
	*place = '\0';
	if (asprintf(&whole, "%s%s%s", text, what, place + strlen(mark)) < 0)
		errx(2, "out of memory");
	free(text);
	return whole;
}

static struct pm_manifest *next_manifest(const char *template, const struct pm_history *history)
{
	size_t count = pm_history_count(history);
	const struct pm_history_link *last = count ? pm_history_at(history, count - 1) : NULL;
	char serial[24], previous[2 * PM_MANIFEST_HASH_SIZE + 3] = "null";
	struct pm_manifest *manifest = NULL;
	char *text;

	snprintf(serial, sizeof(serial), "%zu", count + 1);
	if (last) {
		previous[0] = '"';
		pm_hex_encode(last->manifest, sizeof(last->manifest), previous + 1);
		strcat(previous, "\"");
	}
	text = put_in(put_in(strdup(template), "SERIAL", serial), "PREVIOUS", previous);
	if (pm_manifest_parse(text, strlen(text), NULL, &manifest) < 0)
		errx(2, "no manifest: %s", text);
	free(text);
	return manifest;
}

static struct pm_seed *get_seed(const char *first, const char *second)
{
	uint8_t shares[2 * PM_SHARE_SIZE], bytes[PM_SHARES_SECRET_SIZE];
	struct pm_seed *seed = NULL;

	get_hex(first, shares, PM_SHARE_SIZE);
	get_hex(second, shares + PM_SHARE_SIZE, PM_SHARE_SIZE);
	if (pm_shares_combine(shares, 2, bytes) < 0 || pm_seed_from(bytes, &seed) < 0)
		errx(2, "no seed");
	return seed;
}

static int history(int argc, char **argv)
{
	struct pm_authority *authority = NULL;
	struct pm_history *history = NULL;
	struct pm_seed *seed;
	size_t len, count;
	char *template, *text;

	if (argc != 5)
		errx(2, "history SHARE SHARE TEMPLATE COUNT FOLDER");
	seed = get_seed(argv[0], argv[1]);
	template = (char *)read_file(argv[2], &len);
	count = strtoul(argv[3], NULL, 10);
	if (pm_history_new(&history) < 0)
		errx(2, "out of memory");
	while (pm_history_count(history) < count) {
		struct pm_manifest *m = next_manifest(template, history);

		if ((!authority && pm_authority_new(seed, m, NULL, NULL, 0, time(NULL), NULL,
					   &authority) < 0) ||
			pm_history_append(history, m, pm_authority_history_key(authority),
				time(NULL), NULL) < 0)
			errx(2, "it can't be signed");
		pm_manifest_free(m);
	}
	if (pm_history_text(history, 0, &text, &len) < 0)
		errx(2, "out of memory");
	write_file(argv[4], "history", text, len);
	pm_history_text_free(text);
	pm_history_free(history);
	pm_authority_free(authority);
	pm_seed_free(seed);
	free(template);
	return 0;
}

int main(int argc, char **argv)
{
	static const struct {
		const char *name;
		int (*run)(int argc, char **argv);
	} verbs[] = {{"attest", attest}, {"consent", consent}, {"open", open_box}, {"join", join},
		{"history", history}};

	for (size_t i = 0; argc > 1 && i < sizeof(verbs) / sizeof(verbs[0]); i++)
		if (!strcmp(argv[1], verbs[i].name))
			return verbs[i].run(argc - 2, argv + 2);
	errx(2, "attest, consent, open, join or history");
}
