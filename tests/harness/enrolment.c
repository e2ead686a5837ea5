// An authority, its systems and the register of them, in a temporary directory.
#include "tests/harness/enrolment.h"

#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "broker/clock.h"
#include "certs/authority.h"

#define DAY_MS (24u * 3600u * 1000u)
#define MADE_DAYS_AGO 10u

static void must(bool good, const char *what, const char *detail)
{
	if (good)
		return;
	fprintf(stderr, "enrolment: %s: %s\n", what, detail);
	abort();
}

static void write_register(const char *path)
{
	FILE *file = fopen(path, "we");
	must(file != NULL, path, "cannot be written");
	fputs("organisations:\n"
	      "  - {ods: RXH, name: Brighton Hospitals, type: care_provider, care_settings: "
	      "[emergency_department]}\n"
	      "  - {ods: \"383\", name: Leeds City Council, type: local_authority}\n"
	      "  - {ods: \"846\", name: Brighton and Hove City Council, type: local_authority}\n"
	      "role_profiles: []\n",
	      file);
	must(fclose(file) == 0, path, "cannot be written");
}

static struct register_snapshot *load(const struct enrolment *enrolment, uint64_t now_ms)
{
	char trust[80], enrolled[80], file[80], detail[REGISTER_DETAIL_BYTES] = "";
	struct register_paths paths = {
		.trust_directory = trust, .enrolled_directory = enrolled, .register_file = file};
	struct register_snapshot *snapshot = NULL;
	snprintf(trust, sizeof trust, "%s/ra/trust", enrolment->directory);
	snprintf(enrolled, sizeof enrolled, "%s/ra/enrolled", enrolment->directory);
	snprintf(file, sizeof file, "%s/register.yaml", enrolment->directory);
	must(register_load(&paths, enrolment->policy, now_ms, &snapshot, detail), "register", detail);
	return snapshot;
}

static void issue(struct enrolment *enrolment, enum enrolment_system system, uint64_t made_ms)
{
	static const struct {
		const char *ods, *name;
		unsigned days;
	} systems[ENROLMENT_SYSTEMS] = {
		[ENROLMENT_HOSPITAL] = {"RXH", "hospital-record-system", 365},
		[ENROLMENT_LEEDS] = {"383", "leeds-case-system", 365},
		[ENROLMENT_BRIGHTON] = {"846", "brighton-case-system", 365},
		[ENROLMENT_EXPIRED] = {"RXH", "old-record-system", 1},
	};
	char authority[80], out[80], detail[CERTS_DETAIL_BYTES] = "";
	struct authority_paths paths;
	snprintf(authority, sizeof authority, "%s/ra", enrolment->directory);
	snprintf(out, sizeof out, "%s", enrolment->directory);
	must(authority_issue_system(authority, systems[system].ods, systems[system].name, out,
				    systems[system].name, systems[system].days, made_ms, &paths,
				    detail) == CERTS_OK,
	     systems[system].name, detail);
	must(curve_key_load(paths.key, &enrolment->keys[system]) == CERTS_OK, paths.key, "no key");
	snprintf(enrolment->certificates[system], sizeof enrolment->certificates[system], "%s",
		 paths.certificate);
}

struct enrolment *enrolment_new(void)
{
	struct enrolment *enrolment = calloc(1, sizeof *enrolment);
	uint64_t made_ms = clock_now_ms() - (uint64_t)MADE_DAYS_AGO * DAY_MS;
	char path[80], detail[POLICY_DETAIL_BYTES] = "";
	must(enrolment != NULL, "start", "out of memory");
	strcpy(enrolment->directory, "/tmp/cpis-enrolment-XXXXXX");
	must(mkdtemp(enrolment->directory) != NULL, enrolment->directory, "cannot be made");
	snprintf(path, sizeof path, "%s/ra", enrolment->directory);
	must(authority_init(path, "test-broker", "cpis.example/audit", made_ms, detail) == CERTS_OK,
	     "authority", detail);
	for (int i = 0; i < ENROLMENT_SYSTEMS; i++)
		issue(enrolment, (enum enrolment_system)i, made_ms);
	must(curve_key_generate(&enrolment->broker) == CERTS_OK, "broker", "no key");
	must(curve_key_generate(&enrolment->stranger) == CERTS_OK, "stranger", "no key");
	snprintf(path, sizeof path, "%s/register.yaml", enrolment->directory);
	write_register(path);
	must(policy_load("broker/policy.yaml", &enrolment->policy, detail), "policy", detail);
	enrolment->snapshot = load(enrolment, made_ms + DAY_MS / 2);
	enrolment->admission = admission_of_register(enrolment->snapshot);
	must(enrolment->admission != NULL, "admission", "out of memory");
	return enrolment;
}

static int remove_one(const char *path, const struct stat *status, int flag, struct FTW *where)
{
	(void)status;
	(void)flag;
	(void)where;
	return remove(path);
}

void enrolment_free(struct enrolment *enrolment)
{
	if (enrolment == NULL)
		return;
	admission_release(enrolment->admission);
	register_release(enrolment->snapshot);
	policy_free(enrolment->policy);
	nftw(enrolment->directory, remove_one, 16, FTW_DEPTH | FTW_PHYS);
	explicit_bzero(enrolment, sizeof *enrolment);
	free(enrolment);
}

struct admission *enrolment_revoke(struct enrolment *enrolment, enum enrolment_system system)
{
	char authority[80], detail[CERTS_DETAIL_BYTES] = "";
	uint64_t now_ms = clock_now_ms();
	snprintf(authority, sizeof authority, "%s/ra", enrolment->directory);
	must(authority_revoke(authority, enrolment->certificates[system], now_ms, detail) == CERTS_OK,
	     "revoke", detail);
	struct register_snapshot *fresh = load(enrolment, now_ms);
	struct admission *admission = admission_of_register(fresh);
	must(admission != NULL, "admission", "out of memory");
	register_release(fresh);
	return admission;
}
