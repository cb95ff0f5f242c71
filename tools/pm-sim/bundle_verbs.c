/* SPDX-License-Identifier: Apache-2.0 */
/* The verb pm-sim bundle: options in, a bundle out. */
#include "pm-sim/sim_bundle.h"

#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

static const char usage_text[] =
	"Usage: pm-sim bundle DIR --nonce HEX --role NAME [--model NAME=ROOT]... -o FILE\n"
	"                   [--gpus N] [--switches N] [--key FILE] [--tls-spki HEX] [--tree N]\n"
	"                   [--document FILE]\n"
	"       pm-sim bundle defects\n"
	"\n"
	"Issue an evidence bundle, as a worker would: processor of pm-sim init, GPUs of pm-sim "
	"gpu\n"
	"init in the same folder, claims, and all collateral.\n"
	"TEST ROOT: nothing that this tool signs proves anything.\n"
	"\n"
	"  --nonce HEX          the verifier's nonce, 32 bytes\n"
	"  --role NAME          the role to claim\n"
	"  --model NAME=ROOT    a model that is mounted, by the root hash of its disk; repeatable\n"
	"  --gpus N             the first N GPUs of the folder (default: all)\n"
	"  --switches N         the first N switches of the folder (default: all)\n"
	"  --key FILE           X-Wing public key, or SubjectPublicKeyInfo in DER (default: "
	"drawn)\n"
	"  --tls-spki HEX       SHA-256 of the TLS key's SubjectPublicKeyInfo (default: none)\n"
	"  --document FILE      a document that goes with the bundle (default: none)\n"
	"  --tree N             put the nonce among those of N verifiers, at most 1024\n"
	"  --defect NAME        make one thing wrong, repeatable; names: pm-sim bundle defects,\n"
	"                       and those of the processor: pm-sim defects\n"
	"  --gpu-defect NAME    the same with the GPUs; names: pm-sim gpu defects\n"
	"  --field NAME=VALUE   set a field of the processor's report, repeatable\n"
	"  --time T             issue as if it were this time (2026-03-01T00:00:00Z)\n"
	"\n"
	"Exit status: 0 done, 1 a file is malformed or too long, 2 wrong usage or input and "
	"output.\n"
	"\n"
	"Examples:\n"
	"  pm-sim init /tmp/sim && pm-sim gpu init /tmp/sim --count 8\n"
	"  pm-sim bundle /tmp/sim --nonce $NONCE --role worker --model llama=$ROOT -o "
	"worker.bundle\n";

enum {
	O_NONCE = 256,
	O_ROLE,
	O_MODEL,
	O_GPUS,
	O_SWITCHES,
	O_KEY,
	O_TLS,
	O_DOCUMENT,
	O_TREE,
	O_DEFECT,
	O_GPU_DEFECT,
	O_FIELD,
	O_TIME,
};

static const struct option long_options[] = {
	{"nonce", required_argument, NULL, O_NONCE},
	{"role", required_argument, NULL, O_ROLE},
	{"model", required_argument, NULL, O_MODEL},
	{"gpus", required_argument, NULL, O_GPUS},
	{"switches", required_argument, NULL, O_SWITCHES},
	{"key", required_argument, NULL, O_KEY},
	{"tls-spki", required_argument, NULL, O_TLS},
	{"document", required_argument, NULL, O_DOCUMENT},
	{"tree", required_argument, NULL, O_TREE},
	{"defect", required_argument, NULL, O_DEFECT},
	{"gpu-defect", required_argument, NULL, O_GPU_DEFECT},
	{"field", required_argument, NULL, O_FIELD},
	{"time", required_argument, NULL, O_TIME},
	{"output", required_argument, NULL, 'o'},
	{"help", no_argument, NULL, 'h'},
	{0},
};

struct options {
	struct sim_bundle_wish wish;
	const char *nonce, *output;
	bool help;
};

/* Of the bundle, or of the processor: their names differ. */
static int add_defect(struct sim_bundle_wish *wish, const char *name)
{
	const struct sim_bundle_defect *d = sim_bundle_defect_find(name);
	const struct sim_defect *snp = d ? NULL : sim_defect_find(name);

	if (wish->defect_count == SIM_LIST_MAX || wish->snp.defect_count == SIM_LIST_MAX)
		return sim_fail("too many defects");
	if (d)
		wish->defects[wish->defect_count++] = d;
	else if (snp)
		wish->snp.defects[wish->snp.defect_count++] = snp;
	else
		return TOOL_USAGE; /* sim_defect_find() has said why */
	return TOOL_OK;
}

static int add_gpu_defect(struct sim_gpu_request *request, const char *name)
{
	if (!sim_gpu_defect_known(name))
		return sim_fail("%s: unknown defect; see: pm-sim gpu defects", name);
	if (request->count == SIM_LIST_MAX)
		return sim_fail("too many defects");
	request->defects[request->count++] = name;
	return TOOL_OK;
}

static int add_field(struct sim_request *request, const char *assignment)
{
	if (request->field_count == SIM_LIST_MAX - 1)
		return sim_fail("too many fields");
	request->fields[request->field_count++] = assignment;
	return TOOL_OK;
}

static int add_model(struct sim_bundle_wish *wish, const char *model)
{
	if (wish->model_count == PM_CLAIMS_MODELS_MAX)
		return sim_fail("at most %d models", PM_CLAIMS_MODELS_MAX);
	wish->models[wish->model_count++] = model;
	return TOOL_OK;
}

static const char **text_of(struct options *o, int id)
{
	switch (id) {
	case O_NONCE:
		return &o->nonce;
	case O_ROLE:
		return &o->wish.role;
	case O_GPUS:
		return &o->wish.gpus;
	case O_SWITCHES:
		return &o->wish.switches;
	case O_KEY:
		return &o->wish.key;
	case O_TLS:
		return &o->wish.tls;
	case O_DOCUMENT:
		return &o->wish.document;
	case 'o':
		return &o->output;
	default:
		return NULL;
	}
}

static int take(struct options *o, int id)
{
	const char **text = text_of(o, id);

	if (text) {
		*text = optarg;
		return TOOL_OK;
	}
	switch (id) {
	case O_MODEL:
		return add_model(&o->wish, optarg);
	case O_TREE:
		return sim_number_parse(optarg, SIM_TREE_MAX, &o->wish.tree);
	case O_DEFECT:
		return add_defect(&o->wish, optarg);
	case O_GPU_DEFECT:
		return add_gpu_defect(&o->wish.gpu, optarg);
	case O_FIELD:
		return add_field(&o->wish.snp, optarg);
	case O_TIME:
		return sim_time_option(optarg, o->wish.now, &o->wish.now);
	case 'h':
		o->help = true;
		return TOOL_OK;
	default:
		return TOOL_USAGE; /* getopt has said why */
	}
}

static int complete(struct options *o)
{
	if (!o->nonce || pm_hex_decode(o->nonce, o->wish.nonce, sizeof(o->wish.nonce)) < 0)
		return sim_fail("bundle needs --nonce with 32 bytes in hexadecimal");
	if (!o->wish.role)
		return sim_fail("bundle needs --role");
	return o->output ? TOOL_OK : sim_fail("bundle needs -o FILE");
}

static int issue(const struct options *o)
{
	struct sim_bundle *b = calloc(1, sizeof(*b));
	int r;

	if (!b)
		return sim_fail("out of memory");
	r = sim_bundle_make(&o->wish, b);
	if (r == TOOL_OK)
		r = tool_write_file(o->output, b->bytes.ptr, b->bytes.len, 0644);
	sim_bundle_free(b);
	free(b);
	return r;
}

int sim_bundle_main(int argc, char **argv)
{
	struct options o = {.wish.now = (int64_t)time(NULL)};
	int id, r = TOOL_OK;

	if (argc == 2 && strcmp(argv[1], "defects") == 0) {
		sim_bundle_defect_list();
		return TOOL_OK;
	}
	while (r == TOOL_OK && (id = getopt_long(argc, argv, "o:h", long_options, NULL)) != -1)
		r = take(&o, id);
	if (r == TOOL_OK && o.help) {
		fputs(usage_text, stdout);
		return TOOL_OK;
	}
	if (r == TOOL_OK && optind != argc - 1)
		r = sim_fail("bundle needs one folder; see --help");
	if (r == TOOL_OK)
		r = complete(&o);
	if (r != TOOL_OK)
		return r;
	o.wish.dir = argv[optind];
	return issue(&o);
}
