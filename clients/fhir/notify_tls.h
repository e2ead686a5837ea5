// The files of TLS, looked at before anything is sent.
#ifndef CPIS_FHIR_NOTIFY_TLS_H
#define CPIS_FHIR_NOTIFY_TLS_H

#include "clients/fhir/notify_secret.h"
#include "clients/fhir/notify_settings.h"

// Read by notify_tls_read, wiped and freed by notify_tls_free.
struct notify_tls {
	struct notify_file authorities;      // PEM
	struct notify_file certificate, key; // PEM; empty without a certificate of our own
};

// False: `detail` says which file is wrong, and why: no certificate in it, a key that others may read, or of another certificate,
// or with a passphrase.
__attribute__((warn_unused_result)) bool notify_tls_read(const struct notify_settings *settings, struct notify_tls *ret,
							  char detail[NOTIFY_DETAIL_BYTES]);
void notify_tls_free(struct notify_tls *tls);

#endif
