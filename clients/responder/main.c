// cpis-responder: a small neighbouring register. Answers, beside a broker, for ranges of NHS numbers from a file of plans.
#include <getopt.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "clients/cli/commands.h"
#include "clients/responder/plans.h"
#include "clients/responder/serving_brokers.h"

static bool answer(void *context, const Cpis__V1__ResponderWork *work, Cpis__V1__ResponderAnswer *ret)
{
	struct timespec now;
	if (work->question_case != CPIS__V1__RESPONDER_WORK__QUESTION_PLANS)
		return false;
	clock_gettime(CLOCK_REALTIME, &now);
	plans_answer(context, work->plans, (uint64_t)now.tv_sec * 1000u, ret);
	return true;
}

static void print_help(FILE *out)
{
	fprintf(out, "usage: cpis-responder --profile FILE --range FIRST-LAST [--range ...] PLANS.csv\n\n"
		     "Answers the broker's questions about NHS numbers in these ranges, which the broker's register must give to\n"
		     "the profile's organisation, until SIGTERM. clients/README.md describes both files.\n");
}

static int complain(const char *what)
{
	fprintf(stderr, "cpis-responder: %s\n", what);
	return EXIT_USAGE;
}

static int run(const char *profile_path, const struct serving_range *ranges, unsigned range_count, const char *plans_path)
{
	struct profile *profile = NULL;
	struct plans *plans = NULL;
	char detail[PROFILE_DETAIL_BYTES] = "";
	int code = EXIT_USAGE;
	if (!profile_load(profile_path, &profile, detail) || !plans_load(plans_path, &plans, detail)) {
		complain(detail);
	} else if (profile->role == NULL) {
		complain("the profile names no member of staff");
	} else {
		struct serving_job job = {.program = "cpis-responder",
					  .profile = profile,
					  .kind = CPIS__V1__RESPONDER_KIND__PLANS,
					  .ranges = ranges,
					  .range_count = range_count,
					  .context = plans,
					  .answer = answer};
		code = serving_run(&job);
	}
	plans_free(plans);
	profile_free(profile);
	return code;
}

int main(int argc, char **argv)
{
	static const struct option options[] = {
		{"profile", required_argument, NULL, 'p'}, {"range", required_argument, NULL, 'r'},
		{"help", no_argument, NULL, 'h'},          {"version", no_argument, NULL, 'v'},
		{NULL, 0, NULL, 0},
	};
	struct serving_range ranges[SERVING_RANGES_MAX];
	unsigned range_count = 0;
	const char *profile = NULL;
	if (!serving_block_signals())
		return complain("signals cannot be blocked");
	for (int option; (option = getopt_long(argc, argv, "", options, NULL)) != -1;) {
		if (option == 'h' || option == 'v') {
			option == 'h' ? print_help(stdout) : (void)puts("cpis-responder " CPIS_VERSION);
			return EXIT_DONE;
		}
		if (option == 'p')
			profile = optarg;
		else if (option == 'r' && range_count < SERVING_RANGES_MAX && serving_range_parse(optarg, &ranges[range_count]))
			range_count++;
		else
			return complain("a wrong option, or no range as 9995000000-9995999999; see cpis-responder --help");
	}
	if (profile == NULL || range_count == 0 || optind != argc - 1) {
		print_help(stderr);
		return EXIT_USAGE;
	}
	return run(profile, ranges, range_count, argv[optind]);
}
