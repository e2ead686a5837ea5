// Signing in, by passkey or certificate; signing out; and what the registration authority needs to certify a new passkey.
#ifndef CPIS_WEB_SIGN_IN_H
#define CPIS_WEB_SIGN_IN_H

#include "clients/web/page.h"

void sign_in_show(struct page *page);               // GET /sign-in, and in place of any page when nobody is signed in
void sign_in_passkey_challenge(struct page *page);  // POST /sign-in/passkey/challenge: JSON, for the page's script
void sign_in_passkey(struct page *page);            // POST /sign-in/passkey
void sign_in_certificate(struct page *page);        // POST /sign-in/certificate: to the host that takes the proof
void sign_in_prove(struct page *page);              // GET /proof/sign-in, there
void sign_in_arrive(struct page *page);             // GET /sign-in/arrive, back again
void sign_in_out(struct page *page);                // POST /sign-out
void sign_in_locked(struct page *page);             // GET /locked
void sign_in_stay(struct page *page);               // POST /stay: the person is still there

void passkey_show(struct page *page);               // GET /passkey
void passkey_request(struct page *page);            // POST /passkey/request: the file for the registration authority

#endif
