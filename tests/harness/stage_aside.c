// Requests put aside.
#include "tests/harness/stage_aside.h"

#include <stdlib.h>

#include "tests/harness/stage_priv.h"

struct stage_aside *stage_put_aside(struct stage *stage, enum stage_person person, Cpis__V1__Request *request)
{
	struct stage_aside *aside = malloc(sizeof *aside);
	stage_must(aside != NULL, "request", "out of memory");
	stage_park_as(stage, person, request);
	aside->parked = stage->parked;
	return aside;
}

bool stage_aside_is_woken(struct stage *stage, const struct stage_aside *aside)
{
	stage->parked = aside->parked;
	return stage_is_woken(stage);
}

const struct stage_reply *stage_aside_resume(struct stage *stage, struct stage_aside *aside, bool may_wait)
{
	stage->parked = aside->parked;
	const struct stage_reply *reply = stage_resume(stage, may_wait);
	if (reply != NULL)
		stage_aside_free(aside);
	return reply;
}

void stage_aside_free(struct stage_aside *aside)
{
	free(aside);
}
