// The registrar before a browser, with a passkey and with a certificate in it that prove sessions and acts in place of a signature. For
// test_browser_proofs, test_browser_acts and test_signing_out.
#ifndef CPIS_TESTS_SCENARIO_PROVEN_REGISTRAR_H
#define CPIS_TESTS_SCENARIO_PROVEN_REGISTRAR_H

#include <check.h>
#include <stdint.h>

#include "tests/harness/prover.h"
#include "tests/harness/stage.h"

#define WAYS 2

extern struct stage *stage;
extern struct prover passkey, browser;
extern const struct stage_prover by_passkey, by_browser;
extern const struct stage_prover *const ways[WAYS]; // those two

// Around each test.
void raise_curtain(void);
void drop_curtain(void);

struct prover *prover_of(const struct stage_prover *way);
// Good, by the certificate of that way.
struct stage_statement statement_by(const struct stage_prover *way);
// Opens a session that must succeed, and keeps its token.
const struct stage_reply *sign_in(const struct stage_prover *way);
// A record as the national reviewer sees it.
const Cpis__V1__AuditDetail *shown(uint64_t index);

#endif
