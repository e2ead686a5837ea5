// What the page's script is told when it asks for a challenge: JSON.
#ifndef CPIS_WEB_CHALLENGE_H
#define CPIS_WEB_CHALLENGE_H

#include "clients/web/proof.h"

// `sealed` is what is to be proven, for the form that brings the proof; with NULL the answer is `problem`.
void challenge_send(struct page *page, const char *sealed, const uint8_t challenge[PROOF_CHALLENGE_BYTES], const char *problem);

#endif
