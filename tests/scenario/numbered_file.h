// The Leeds authority's numbered file on a stage, for the test_files programs: it is described, opened, sent and committed. What is not
// said to return a reply must be answered OK.
#ifndef CPIS_TESTS_SCENARIO_NUMBERED_FILE_H
#define CPIS_TESTS_SCENARIO_NUMBERED_FILE_H

#include <check.h>
#include <stdbool.h>
#include <stdint.h>

#include "tests/harness/stage.h"

#define CPP CPIS__V1__PLAN_TYPE__CPP
#define LAC CPIS__V1__PLAN_TYPE__LAC
#define UCPP CPIS__V1__PLAN_TYPE__UCPP
#define FULL CPIS__V1__PUBLICATION_KIND__FULL
#define DELTA CPIS__V1__PUBLICATION_KIND__DELTA
#define TEXT(literal) ((char *)(uintptr_t)(literal))

extern struct stage *stage;
extern struct stage_file rows; // of the file that is under way

struct numbered_file {
	uint8_t id[PUBLICATION_ID_BYTES];
	Cpis__V1__PublicationKind kind;
	uint32_t sequence, records;
	uint64_t created_ms;
	bool dry_run, accept_vanished;
};
extern struct numbered_file file; // the one that is under way

// Around each test.
void raise_curtain(void);
void drop_curtain(void);
void sign_all_in(void); // again, when a session's time is over

// A file of the first `records` rows, not opened yet. Tests may change what it and the rows say.
void file_of(Cpis__V1__PublicationKind kind, uint32_t sequence, uint32_t records);
const struct stage_reply *open_file(void);
const struct stage_reply *send_rows(uint32_t first, uint32_t count);
const struct stage_reply *commit_file(void);
void open_and_send(void);
// The whole file as it stands, and all that follows from it.
const Cpis__V1__PublicationReport *publish_file(void);

const Cpis__V1__PublicationShowReply *show(uint32_t after_rejected, ProtobufCBinaryData after_vanished, uint32_t limit);
const Cpis__V1__PublicationShowReply *show_all(void);
// What the nurse sees of that child.
const Cpis__V1__DetailsReply *look(const char *nhs_number);

void expect_counts(const Cpis__V1__PublicationReport *report, uint32_t created, uint32_t changed, uint32_t ended, uint32_t withdrawn,
		   uint32_t unchanged, uint32_t rejected, uint32_t vanished);
void expect_says(const struct stage_reply *got, const char *reason_code, const char *part);

#endif
