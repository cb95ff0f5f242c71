/* SPDX-License-Identifier: Apache-2.0 */
/* The verbs of pm-sim gpu: options in, files out. */
#include "pm-sim/sim_gpu.h"

#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

#include <openssl/pem.h>

/* Which verbs take an option. */
#define INIT   1u
#define REPORT 2u
#define RIM    4u
#define OCSP   8u
#define SERVE  16u
#define TOKEN  32u

static const char usage_text[] =
	"Usage: pm-sim gpu init DIR [--arch hopper|blackwell|ls10] [--count N] [--switches N]\n"
	"                   [--seed HEX] [--driver V] [--vbios V] [--bios V]\n"
	"       pm-sim gpu report DIR --gpu N | --switch N --nonce HEX -o FILE [--certs FILE]\n"
	"                   [--evidence FILE] [--driver V] [--vbios V]\n"
	"       pm-sim gpu rim DIR --kind driver|vbios|switch -o FILE [--driver V] [--vbios V]\n"
	"       pm-sim gpu ocsp DIR --cert FILE [--nonce HEX] -o FILE\n"
	"       pm-sim gpu ocsp DIR --all FOLDER\n"
	"       pm-sim gpu token DIR --nonce HEX -o FILE [--jwks FILE] [--of gpu|switch]\n"
	"       pm-sim gpu serve DIR --listen 127.0.0.1:PORT [--down] [--lying] [--stale]\n"
	"                   [--delay MILLISECONDS]\n"
	"       pm-sim gpu defects\n"
	"\n"
	"Software GPUs with confidential computing, and the services of their maker, for\n"
	"development and tests. DIR may be a folder of pm-sim init: both make one host.\n"
	"TEST ROOT: nothing that this tool signs proves anything.\n"
	"\n"
	"  --defect NAME   make one thing wrong, repeatable; names: pm-sim gpu defects\n"
	"  --time T        issue as if it were this time (2026-03-01T00:00:00Z)\n"
	"  --evidence FILE the report and certificates as JSON, as other tools exchange them\n"
	"  --listen        port 0 takes a free one, and prints it\n"
	"\n"
	"Exit status: 0 done, 1 a file is malformed or too long, 2 wrong usage or input and "
	"output.\n"
	"\n"
	"Examples:\n"
	"  pm-sim gpu init /tmp/sim --arch hopper --count 8 --switches 4\n"
	"  pm-sim gpu report /tmp/sim --gpu 0 --nonce $(openssl rand -hex 32) \\\n"
	"      -o report.bin --certs chain.pem\n"
	"  pm-sim gpu rim /tmp/sim --kind driver -o driver.xml\n"
	"  pm-sim gpu ocsp /tmp/sim --all /tmp/ocsp\n";

struct options {
	/* Also the versions that report and rim take. */
	struct sim_gpu_wish wish;
	const char *gpu, *nvswitch, *nonce, *output, *certs, *evidence;
	const char *kind, *cert, *all, *listen, *delay, *jwks, *of;
	bool down, lying, stale;
	/* 0: the clock's */
	int64_t time;
	struct sim_gpu_request request;
};

/* --- options ---------------------------------------------------------------------------------- */

#define TEXT(member) offsetof(struct options, member)

/* Options with an argument that is only stored, and the verbs that take them. */
static const struct {
	const char *name;
	unsigned int verbs;
	size_t member;
} texts[] = {
	{"arch", INIT, TEXT(wish.arch)},
	{"count", INIT, TEXT(wish.count)},
	{"switches", INIT, TEXT(wish.switches)},
	{"seed", INIT, TEXT(wish.seed)},
	{"driver", INIT | REPORT | RIM, TEXT(wish.driver)},
	{"vbios", INIT | REPORT | RIM, TEXT(wish.vbios)},
	{"bios", INIT | REPORT | RIM, TEXT(wish.bios)},
	{"gpu", REPORT, TEXT(gpu)},
	{"switch", REPORT, TEXT(nvswitch)},
	{"nonce", REPORT | OCSP | TOKEN, TEXT(nonce)},
	{"output", REPORT | RIM | OCSP | TOKEN, TEXT(output)},
	{"certs", REPORT, TEXT(certs)},
	{"evidence", REPORT, TEXT(evidence)},
	{"kind", RIM, TEXT(kind)},
	{"cert", OCSP, TEXT(cert)},
	{"all", OCSP, TEXT(all)},
	{"listen", SERVE, TEXT(listen)},
	{"delay", SERVE, TEXT(delay)},
	{"jwks", TOKEN, TEXT(jwks)},
	{"of", TOKEN, TEXT(of)},
};

static const struct {
	const char *name;
	size_t member;
} flags[] = {{"down", TEXT(down)}, {"lying", TEXT(lying)}, {"stale", TEXT(stale)}};

#define TEXTS (sizeof(texts) / sizeof(texts[0]))
#define FLAGS (sizeof(flags) / sizeof(flags[0]))
/* Values of getopt_long: texts, then flags, then these. */
#define BASE	 256
#define O_DEFECT ((int)(BASE + TEXTS + FLAGS))
#define O_TIME	 (O_DEFECT + 1)

static void long_options(struct option *ret)
{
	size_t n = 0;

	for (size_t i = 0; i < TEXTS; i++, n++)
		ret[n] = (struct option){texts[i].name, required_argument, NULL, (int)(BASE + i)};
	for (size_t i = 0; i < FLAGS; i++, n++)
		ret[n] = (struct option){flags[i].name, no_argument, NULL, (int)(BASE + TEXTS + i)};
	ret[n++] = (struct option){"defect", required_argument, NULL, O_DEFECT};
	ret[n++] = (struct option){"time", required_argument, NULL, O_TIME};
	ret[n] = (struct option){0};
}

static int add_defect(struct options *o, const char *name)
{
	if (!sim_gpu_defect_known(name))
		return sim_fail("%s: unknown defect; see: pm-sim gpu defects", name);
	if (o->request.count == SIM_LIST_MAX)
		return sim_fail("too many defects");
	o->request.defects[o->request.count++] = name;
	return TOOL_OK;
}

static int take(struct options *o, unsigned int verb, int id)
{
	size_t i = (size_t)(id - BASE);

	if (id == 'o')
		for (i = 0; strcmp(texts[i].name, "output") != 0; i++)
			;
	if (id == O_DEFECT)
		return verb == INIT ? sim_fail("init makes no defects") : add_defect(o, optarg);
	if (id == O_TIME)
		return sim_time_option(optarg, 0, &o->time);
	if (i >= TEXTS && verb != SERVE)
		return sim_fail("only serve takes --%s", flags[i - TEXTS].name);
	if (i >= TEXTS) {
		*(bool *)(void *)((char *)o + flags[i - TEXTS].member) = true;
		return TOOL_OK;
	}
	if (!(texts[i].verbs & verb))
		return sim_fail("this verb does not take --%s; see --help", texts[i].name);
	*(const char **)(void *)((char *)o + texts[i].member) = optarg;
	return TOOL_OK;
}

static int parse(int argc, char **argv, unsigned int verb, struct options *o)
{
	struct option list[TEXTS + FLAGS + 3];
	int id, r = TOOL_OK;

	long_options(list);
	while (r == TOOL_OK && (id = getopt_long(argc, argv, "o:", list, NULL)) != -1)
		r = id == '?' ? TOOL_USAGE : take(o, verb, id);
	if (r != TOOL_OK)
		return r;
	if (optind != argc - 1)
		return sim_fail("needs one folder; see --help");
	o->wish.dir = argv[optind];
	return TOOL_OK;
}

static int64_t time_of(const struct options *o)
{
	return o->time ? o->time : (int64_t)time(NULL);
}

static int number(const char *text, const char *fallback, uint64_t max, unsigned int *ret)
{
	uint64_t n = 0;
	int r = sim_number_parse(text ? text : fallback, max, &n);

	*ret = (unsigned int)n;
	return r;
}

static int nonce_of(const struct options *o, uint8_t *ret)
{
	if (!o->nonce || strlen(o->nonce) != (size_t)2 * SIM_GPU_NONCE ||
		pm_hex_decode(o->nonce, ret, SIM_GPU_NONCE) != PM_OK)
		return sim_fail("needs --nonce with %d bytes in hexadecimal", SIM_GPU_NONCE);
	return TOOL_OK;
}

/* --- report ----------------------------------------------------------------------------------- */

static int load(const struct options *o, struct sim_gpu_machine *ret)
{
	int r = sim_gpu_machine_load(o->wish.dir, ret);

	return r ? r : sim_gpu_set_versions(&o->wish, ret);
}

static int device_of(
	const struct options *o, const struct sim_gpu_machine *m, struct sim_gpu_device *ret)
{
	unsigned int n;
	int r;

	if (!o->gpu == !o->nvswitch)
		return sim_fail("needs --gpu N or --switch N");
	r = number(o->gpu ? o->gpu : o->nvswitch, NULL, SIM_GPU_DEVICES, &n);
	if (r == TOOL_OK && n >= (o->gpu ? m->gpus : m->switches))
		r = sim_fail("%s: has no such device", m->dir);
	return r ? r : sim_gpu_device(m, o->gpu ? n : m->gpus + n, ret);
}

/* [{arch, certificate, evidence, nonce}], as NVIDIA's own tools write it. */
static int write_json(const char *path, const struct sim_gpu_plan *plan, const char *nonce,
	const struct sim_bytes *chain)
{
	char *report = sim_base64(plan->report.bytes, plan->report.size);
	char *certs = sim_base64(chain->ptr, chain->len);
	__attribute__((cleanup(sim_cleanup_text))) struct sim_text t = {0};
	int r = TOOL_OK;

	sim_text_add(&t,
		"[{\"arch\": \"%s\", \"certificate\": \"%s\", \"evidence\": \"%s\", "
		"\"nonce\": \"%s\"}]\n",
		plan->device.arch == &sim_gpu_ls10	  ? "LS10"
		: plan->device.arch == &sim_gpu_blackwell ? "BLACKWELL"
							  : "HOPPER",
		certs ? certs : "", report ? report : "", nonce);
	if (!report || !certs || t.failed)
		r = sim_fail("out of memory");
	free(report);
	free(certs);
	return r ? r : tool_write_file(path, t.text, t.len, 0644);
}

static int write_report(const struct options *o, struct sim_gpu_plan *plan)
{
	sim_cleanup_buf struct sim_bytes chain = {0};
	int r;

	sim_gpu_apply(&o->request, SIM_GPU_CERTS, plan);
	r = sim_gpu_chain_make(plan, &chain);
	if (r == TOOL_OK && o->certs)
		r = tool_write_file(o->certs, chain.ptr, chain.len, 0644);
	if (r == TOOL_OK && o->evidence)
		r = write_json(o->evidence, plan, o->nonce, &chain);
	if (r == TOOL_OK && o->output)
		r = tool_write_file(o->output, plan->report.bytes, plan->report.size, 0644);
	return r;
}

static int verb_report(const struct options *o)
{
	struct sim_gpu_plan *plan = malloc(sizeof(*plan));
	struct sim_gpu_machine m;
	struct sim_gpu_device d;
	uint8_t nonce[SIM_GPU_NONCE];
	int r = plan ? load(o, &m) : sim_fail("out of memory");

	if (r == TOOL_OK && !o->output && !o->evidence)
		r = sim_fail("report needs -o FILE or --evidence FILE");
	if (r == TOOL_OK)
		r = nonce_of(o, nonce);
	if (r == TOOL_OK)
		r = device_of(o, &m, &d);
	if (r == TOOL_OK) {
		sim_gpu_plan_init(plan, &m, &d, time_of(o));
		r = sim_gpu_report_make(plan, &o->request, nonce);
	}
	if (r == TOOL_OK)
		r = write_report(o, plan);
	free(plan);
	return r;
}

/* --- rim, ocsp, token ------------------------------------------------------------------------- */

static int kind_of(const char *text, enum sim_rim_kind *ret)
{
	static const char *const names[] = {"driver", "vbios", "switch"};

	for (size_t i = 0; text && i < 3; i++)
		if (strcmp(names[i], text) == 0) {
			*ret = (enum sim_rim_kind)i;
			return TOOL_OK;
		}
	return sim_fail("rim needs --kind driver, vbios or switch");
}

/* A plan of the machine's first device: what manifests, responses and tokens start from. */
static int plan_new(const struct options *o, struct sim_gpu_machine *m, struct sim_gpu_plan **ret)
{
	struct sim_gpu_device d;
	int r = load(o, m);

	if (r == TOOL_OK)
		r = sim_gpu_device(m, 0, &d);
	if (r != TOOL_OK)
		return r;
	*ret = calloc(1, sizeof(**ret));
	if (!*ret)
		return sim_fail("out of memory");
	sim_gpu_plan_init(*ret, m, &d, time_of(o));
	return TOOL_OK;
}

static int rim(const struct options *o, struct sim_gpu_plan *plan)
{
	sim_cleanup_buf struct sim_bytes xml = {0};
	enum sim_rim_kind kind = SIM_RIM_DRIVER;
	char id[SIM_RIM_ID];
	int r = kind_of(o->kind, &kind);

	if (r == TOOL_OK && !o->output)
		r = sim_fail("rim needs -o FILE");
	if (r == TOOL_OK)
		r = sim_rim_id(plan->machine, kind, id);
	if (r != TOOL_OK)
		return r;
	sim_rim_init(plan, kind);
	sim_gpu_apply(&o->request, SIM_GPU_RIM, plan);
	r = sim_rim_make(plan, &xml);
	if (r == TOOL_OK)
		r = tool_write_file(o->output, xml.ptr, xml.len, 0644);
	if (r == TOOL_OK && strcmp(o->output, "-") != 0)
		printf("%s\n", id);
	return r;
}

struct all {
	const struct sim_gpu_plan *plan;
	const char *folder;
	const struct sim_bytes *nonce;
};

static int write_one(void *arg, const struct sim_gpu_cert *spec, X509 *cert)
{
	const struct all *all = arg;
	sim_cleanup_buf struct sim_bytes der = {0};
	char path[4096];
	int r = sim_ocsp_make(all->plan, cert, all->nonce, &der);

	snprintf(path, sizeof(path), "%s/%s.ocsp.der", all->folder, spec->name);
	return r ? r : tool_write_file(path, der.ptr, der.len, 0644);
}

static int read_cert(const char *path, X509 **ret)
{
	sim_cleanup_buf struct sim_bytes file = {0};
	const uint8_t *p;
	BIO *bio;
	int r = tool_read_file(path, 65536, &file.ptr, &file.len);

	if (r != TOOL_OK)
		return r;
	bio = BIO_new_mem_buf(file.ptr, (int)file.len);
	*ret = bio ? PEM_read_bio_X509(bio, NULL, NULL, NULL) : NULL;
	BIO_free(bio);
	p = file.ptr;
	if (!*ret)
		*ret = d2i_X509(NULL, &p, (long)file.len);
	return *ret ? TOOL_OK : sim_fail("%s: not a certificate", path);
}

static int ocsp_one(
	const struct options *o, const struct sim_gpu_plan *plan, const struct sim_bytes *nonce)
{
	sim_cleanup_buf struct sim_bytes der = {0};
	sim_cleanup(X509) X509 *cert = NULL;
	int r = read_cert(o->cert, &cert);

	if (r == TOOL_OK)
		r = sim_ocsp_make(plan, cert, nonce, &der);
	return r ? r : tool_write_file(o->output, der.ptr, der.len, 0644);
}

static int ocsp(const struct options *o, struct sim_gpu_plan *plan)
{
	uint8_t bytes[SIM_GPU_NONCE];
	struct sim_bytes nonce = {bytes, o->nonce ? sizeof(bytes) : 0};
	struct all all = {plan, o->all, &nonce};
	int r = o->nonce ? nonce_of(o, bytes) : TOOL_OK;

	if (r == TOOL_OK && (!o->all == !o->cert || !o->cert != !o->output))
		r = sim_fail("ocsp needs --cert FILE and -o FILE, or --all FOLDER");
	if (r != TOOL_OK)
		return r;
	sim_gpu_apply(&o->request, SIM_GPU_OCSP, plan);
	if (o->cert)
		return ocsp_one(o, plan, &nonce);
	if (mkdir(o->all, 0700) < 0 && errno != EEXIST)
		return sim_fail("%s: %s", o->all, strerror(errno));
	return sim_ocsp_each(plan->machine, write_one, &all);
}

static int token(const struct options *o, struct sim_gpu_plan *plan)
{
	sim_cleanup_buf struct sim_bytes eat = {0}, jwks = {0};
	bool switches = o->of ? strcmp(o->of, "switch") == 0 : plan->machine->gpus == 0;
	uint8_t nonce[SIM_GPU_NONCE];
	int r = nonce_of(o, nonce);

	if (r == TOOL_OK && !o->output)
		r = sim_fail("token needs -o FILE");
	if (r == TOOL_OK && o->of && !switches && strcmp(o->of, "gpu") != 0)
		r = sim_fail("--of gpu or switch");
	if (r == TOOL_OK)
		r = sim_token_init(plan, nonce, switches);
	if (r != TOOL_OK)
		return r;
	sim_gpu_apply(&o->request, SIM_GPU_TOKEN, plan);
	r = sim_token_make(plan, &eat);
	if (r == TOOL_OK && o->jwks)
		r = sim_jwks_make(plan->machine, &jwks);
	if (r == TOOL_OK && o->jwks)
		r = tool_write_file(o->jwks, jwks.ptr, jwks.len, 0644);
	return r ? r : tool_write_file(o->output, eat.ptr, eat.len, 0644);
}

static int with_plan(
	const struct options *o, int (*run)(const struct options *o, struct sim_gpu_plan *plan))
{
	struct sim_gpu_plan *plan = NULL;
	struct sim_gpu_machine m;
	int r = plan_new(o, &m, &plan);

	if (r != TOOL_OK)
		return r;
	r = run(o, plan);
	sim_gpu_plan_free(plan);
	free(plan);
	return r;
}

static int verb_rim(const struct options *o)
{
	return with_plan(o, rim);
}

static int verb_ocsp(const struct options *o)
{
	return with_plan(o, ocsp);
}

static int verb_token(const struct options *o)
{
	return with_plan(o, token);
}

static int verb_init(const struct options *o)
{
	struct sim_gpu_wish wish = o->wish;

	wish.epoch = time_of(o);
	return sim_gpu_init(&wish);
}

/* --- serve ------------------------------------------------------------------------------------ */

static int verb_serve(const struct options *o)
{
	struct sim_gpu_machine m;
	struct sim_gpu_service s = {.machine = &m,
		.request = &o->request,
		.now = o->time,
		.down = o->down,
		.lying = o->lying,
		.stale = o->stale};
	int r = load(o, &m);

	if (r == TOOL_OK && !o->listen)
		r = sim_fail("serve needs --listen 127.0.0.1:PORT");
	if (r == TOOL_OK)
		r = number(o->delay, "0", 600000, &s.delay_ms);
	return r ? r : sim_gpu_serve(&s, o->listen);
}

/* --- verbs ------------------------------------------------------------------------------------ */

static const struct {
	const char *name;
	unsigned int verb;
	int (*run)(const struct options *o);
} verbs[] = {{"init", INIT, verb_init}, {"report", REPORT, verb_report}, {"rim", RIM, verb_rim},
	{"ocsp", OCSP, verb_ocsp}, {"token", TOKEN, verb_token}, {"serve", SERVE, verb_serve}};

int sim_gpu_main(int argc, char **argv)
{
	struct options o = {0};

	for (int i = 1; i < argc; i++)
		if (strcmp(argv[i], "--help") == 0 || strcmp(argv[i], "-h") == 0) {
			fputs(usage_text, stdout);
			return TOOL_OK;
		}
	if (argc == 2 && strcmp(argv[1], "defects") == 0) {
		sim_gpu_defect_list();
		return TOOL_OK;
	}
	for (size_t i = 0; argc >= 2 && i < sizeof(verbs) / sizeof(verbs[0]); i++)
		if (strcmp(verbs[i].name, argv[1]) == 0) {
			int r = parse(argc - 1, argv + 1, verbs[i].verb, &o);

			return r ? r : verbs[i].run(&o);
		}
	fputs(usage_text, stderr);
	return TOOL_USAGE;
}
