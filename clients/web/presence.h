// Who is at the other end, by the cookies that the browser brings: a visitor, or a person who is signed in. Both are sealed, and the
// gateway has no other memory of them. And whether a form is one of ours.
#ifndef CPIS_WEB_PRESENCE_H
#define CPIS_WEB_PRESENCE_H

#include "clients/web/page.h"

// Fills in visitor or person, the lock and the mark. False: no memory.
__attribute__((warn_unused_result)) bool presence_read(struct page *page);
// The cookies of the answer: the person's is renewed with what changed, a visitor's is made where there is none.
void presence_write(struct page *page);

// From now on this person is here, and the visitor is not: a cookie that was there before is worth nothing any more.
void presence_sign_in(struct page *page, Cpis__Web__V1__Person *person);
void presence_sign_out(struct page *page);

// Whether a POST comes from a form of ours in this browser: the mark in it, and what the browser says of where it comes from.
__attribute__((warn_unused_result)) bool presence_is_our_form(const struct page *page);

#endif
