// The authority is as `cpis certs` makes it.
#include "tests/unit/broker/register_files.h"

#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "certs/authority.h"
#include "proto/date.h"

char directory[] = "/tmp/cpis-register-XXXXXX";
char trust_directory[64], enrolled_directory[64], register_file[64], out_directory[64];
const struct register_paths paths = {trust_directory, enrolled_directory, register_file, NULL};
struct policy *policy;
uint64_t now_ms;

void make_authority(void)
{
	char detail[POLICY_DETAIL_BYTES] = "", pki[48];
	ck_assert(instant_parse("2026-03-01", 10, &now_ms));
	ck_assert_ptr_nonnull(mkdtemp(directory));
	snprintf(pki, sizeof pki, "%s/pki", directory);
	snprintf(trust_directory, sizeof trust_directory, "%s/trust", pki);
	snprintf(enrolled_directory, sizeof enrolled_directory, "%s/enrolled", pki);
	snprintf(register_file, sizeof register_file, "%s/register.yaml", directory);
	snprintf(out_directory, sizeof out_directory, "%s/out", directory);
	ck_assert_msg(authority_init(pki, "broker-1", "cpis.example/audit", now_ms, detail) == CERTS_OK, "%s",
		      detail);
	ck_assert_int_eq(mkdir(out_directory, 0700), 0);
	ck_assert_msg(policy_load("broker/policy.yaml", &policy, detail), "%s", detail);
}

static int remove_one(const char *path, const struct stat *status, int type, struct FTW *place)
{
	(void)status, (void)type, (void)place;
	return remove(path);
}

void remove_authority(void)
{
	policy_free(policy);
	ck_assert_int_eq(nftw(directory, remove_one, 16, FTW_DEPTH | FTW_PHYS), 0);
	memcpy(directory + strlen(directory) - 6, "XXXXXX", 6);
}

void write_register(const char *text)
{
	FILE *file = fopen(register_file, "w");
	ck_assert_ptr_nonnull(file);
	ck_assert_int_ge(fputs(text, file), 0);
	ck_assert_int_eq(fclose(file), 0);
}

struct register_snapshot *load_at(uint64_t time_ms)
{
	struct register_snapshot *snapshot = NULL;
	char detail[REGISTER_DETAIL_BYTES] = "";
	ck_assert_msg(register_load(&paths, policy, time_ms, &snapshot, detail), "%s", detail);
	return snapshot;
}

struct register_snapshot *load(const char *text)
{
	write_register(text);
	return load_at(now_ms);
}

// `expected` is what follows the register file's path.
void refuses(const char *text, const char *expected)
{
	struct register_snapshot *snapshot = NULL;
	char detail[REGISTER_DETAIL_BYTES] = "", whole[REGISTER_DETAIL_BYTES];
	write_register(text);
	ck_assert(!register_load(&paths, policy, now_ms, &snapshot, detail));
	ck_assert_ptr_null(snapshot);
	snprintf(whole, sizeof whole, "%s%s", register_file, expected);
	ck_assert_str_eq(detail, whole);
}

struct ods_code ods(const char *text)
{
	struct ods_code ret;
	ck_assert(ods_code_parse(text, strlen(text), &ret));
	return ret;
}

const struct role_profile *profile_on(const struct register_snapshot *snapshot, const char *uid,
					     const char *role, const char *organisation, const char *instant)
{
	uint64_t time_ms;
	struct ods_code code = ods(organisation);
	ck_assert(instant_parse(instant, strlen(instant), &time_ms));
	return register_profile(snapshot, uid, role, &code, time_ms);
}
