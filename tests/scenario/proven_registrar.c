// Both proofs are of one person, by the stage's own authority.
#include "tests/scenario/proven_registrar.h"

struct stage *stage;
struct prover passkey, browser;
const struct stage_prover by_passkey = {prover_prove, &passkey}, by_browser = {prover_prove, &browser};
const struct stage_prover *const ways[WAYS] = {&by_passkey, &by_browser};

void raise_curtain(void)
{
	stage = stage_new();
	prover_init_passkey(&passkey, stage->directory, "ra", stage_uid(REGISTRAR), "Person 12", STAGE_WEB_HOST, STAGE_MADE_MS);
	prover_init_certificate(&browser, stage->directory, "ra", stage_uid(REGISTRAR), "Person 12", STAFF_KEY_P256, STAGE_WEB_HOST,
				STAGE_MADE_MS);
}

void drop_curtain(void)
{
	prover_done(&passkey);
	prover_done(&browser);
	stage_free(stage);
}

struct prover *prover_of(const struct stage_prover *way)
{
	return way->context;
}

struct stage_statement statement_by(const struct stage_prover *way)
{
	struct stage_statement statement = stage_statement(stage, REGISTRAR);
	statement.uid = "";
	statement.certificate = prover_of(way)->certificate_file;
	statement.prover = way;
	return statement;
}

const struct stage_reply *sign_in(const struct stage_prover *way)
{
	struct stage_statement statement = statement_by(way);
	const struct stage_reply *got = stage_present(stage, &statement);
	stage_expect_ok(got);
	stage_take_token(stage, REGISTRAR, got);
	return got;
}

const Cpis__V1__AuditDetail *shown(uint64_t index)
{
	if (stage->token_bytes[REVIEWER] == 0)
		stage_sign_in(stage, REVIEWER);
	return stage_shown(stage, REVIEWER, index)->detail;
}
