// A throw-away authority and a register file beside it, made anew for each test of the test_register programs: Ed25519 keys are cheap.
#ifndef CPIS_TESTS_UNIT_REGISTER_FILES_H
#define CPIS_TESTS_UNIT_REGISTER_FILES_H

#include <check.h>
#include <stdint.h>

#include "broker/register.h"

#define DAY_MS (UINT64_C(24) * 3600 * 1000)
#define ORGANISATIONS                                                                                        \
	"organisations:\n"                                                                                   \
	"  - {ods: RXH, name: Brighton, type: care_provider, care_settings: [emergency_department]}\n"       \
	"  - {ods: RY7, name: Community, type: care_provider, care_settings: [school_nursing, maternity]}\n" \
	"  - {ods: 383, name: Leeds, type: local_authority}\n"
#define PROFILES "role_profiles:\n"
#define NURSE "  - {uid: 555000000001, role: R8001, organisation: RXH, from: 2026-01-01}\n" // line 6
#define GOOD ORGANISATIONS PROFILES NURSE

extern char directory[], trust_directory[64], enrolled_directory[64], register_file[64], out_directory[64];
extern const struct register_paths paths; // of these
extern struct policy *policy;             // the shipped one
extern uint64_t now_ms;

// Around each test. make_authority also makes out_directory, for what is issued.
void make_authority(void);
void remove_authority(void);

void write_register(const char *text);
// Of what is written, or of `text`; it has to be good. The caller releases it.
struct register_snapshot *load_at(uint64_t time_ms);
struct register_snapshot *load(const char *text);
// `expected` is what follows the register file's path.
void refuses(const char *text, const char *expected);

struct ods_code ods(const char *text);
// Whether that person held that role at `instant`; NULL: no.
const struct role_profile *profile_on(const struct register_snapshot *snapshot, const char *uid, const char *role,
				      const char *organisation, const char *instant);

#endif
