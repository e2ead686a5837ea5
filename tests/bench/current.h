// Whether what follows from questions is there when they have been answered: fast answers whose history, notifications and search
// index came later would be another service. For a town whose plans are Leeds's.
#ifndef CPIS_TESTS_BENCH_CURRENT_H
#define CPIS_TESTS_BENCH_CURRENT_H

#include "tests/bench/town.h"

// Asked over the wire, as Leeds, as a nurse and as a reviewer: the inbox has each look of the town so far (when no child had to be
// taken twice), or at least one of the last; the last child's history begins with a look; the newest record of the first nurse is
// that of her last question. Ends the process with a sentence unless all of it is so.
void current_check(struct town *town);

#endif
