// Cases: what the privacy officer has to look into, and what comes of it.
#ifndef CPIS_WEB_CASES_H
#define CPIS_WEB_CASES_H

#include "clients/web/page.h"

void cases_show(struct page *page);         // GET /audit: those that are not closed; ?show=all; ?after=ID
void cases_show_one(struct page *page);     // GET /audit/case?id=ID
void cases_assign(struct page *page);       // POST /audit/case/assign
void cases_note(struct page *page);         // POST /audit/case/note
void cases_outcome(struct page *page);      // POST /audit/case/outcome: asks for a proof
void cases_close(struct page *page);        // POST /audit/case/close: asks for a proof

// The alerts that were created or got their outcome in [from, until), each as <alert> under the node: @opened, @decided or both. `ret_cut` becomes true when there are more in all than
// are looked at. False: the visit has been answered.
bool cases_add_all(struct page *page, struct model *model, struct model_node *node, uint64_t from_ms, uint64_t until_ms, bool *ret_cut);

#endif
