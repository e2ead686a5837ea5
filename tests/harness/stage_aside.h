// Several requests that wait at a time: each parked as stage_park_as does it, put aside, and taken up again when it is its turn.
#ifndef CPIS_TESTS_HARNESS_STAGE_ASIDE_H
#define CPIS_TESTS_HARNESS_STAGE_ASIDE_H

#include "tests/harness/stage.h"

struct stage_aside {
	__typeof__(((struct stage *)0)->parked) parked;
};

// End it with stage_aside_resume or stage_aside_free.
struct stage_aside *stage_put_aside(struct stage *stage, enum stage_person person, Cpis__V1__Request *request);
// As stage_is_woken.
bool stage_aside_is_woken(struct stage *stage, const struct stage_aside *aside);
// As stage_resume; NULL: it waits on. Otherwise it is freed.
const struct stage_reply *stage_aside_resume(struct stage *stage, struct stage_aside *aside, bool may_wait);
// Its asker has gone.
void stage_aside_free(struct stage_aside *aside);

#endif
