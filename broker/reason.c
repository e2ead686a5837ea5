// The table of reasons, read three ways.
#include "broker/reason.h"

#include "proto/invariant.h"

static const struct {
	const char *word;
	const char *sentence;
	Cpis__V1__Outcome outcome;
} reasons[REASONS] = {
#define X(name, word_, outcome_, sentence_) \
	[name] = {.word = word_, .sentence = sentence_, .outcome = CPIS__V1__OUTCOME__##outcome_},
	REASON_TABLE(X)
#undef X
};

const char *reason_word(enum reason reason)
{
	INVARIANT((unsigned)reason < REASONS);
	return reasons[reason].word;
}

const char *reason_sentence(enum reason reason)
{
	INVARIANT((unsigned)reason < REASONS);
	return reasons[reason].sentence;
}

Cpis__V1__Outcome reason_outcome(enum reason reason)
{
	INVARIANT((unsigned)reason < REASONS);
	return reasons[reason].outcome;
}
