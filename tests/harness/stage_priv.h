// What the stage's files share: the cast, the props, and how to complain.
#ifndef CPIS_TESTS_HARNESS_STAGE_PRIV_H
#define CPIS_TESTS_HARNESS_STAGE_PRIV_H

#include "tests/harness/stage.h"

struct stage_cast {
	const char *uid, *role;
	enum stage_system system;
	const char *from, *until; // of the role profile; NULL `from`: there is none
	const char *additional;   // activities beyond the role
};
extern const struct stage_cast stage_cast[STAGE_PERSONS];

struct stage_props {
	const char *ods, *name;
	const char *type;         // NULL: not in the register on its own account
	const char *care_settings;
	const char *place;        // NULL: not known
	const char *web_host;     // NULL: none
};
extern const struct stage_props stage_props[STAGE_SYSTEMS];

void stage_must(bool good, const char *what, const char *detail);
const char *stage_path(const struct stage *stage, const char *format, ...) __attribute__((format(printf, 2, 3)));

#endif
