// What is still within reach when the network is spoken to: no file but those that finding a host takes. cpis-fhir-notify runs as the
// follower's user, whose files the person's key is among; whoever came in through TLS or HTTP would have this one item, and not that key.
// Linux only, by Landlock; the kernel keeps the process from looking into others, `cpis` among them, too.
#ifndef CPIS_FHIR_NOTIFY_SANDBOX_H
#define CPIS_FHIR_NOTIFY_SANDBOX_H

#include <stdbool.h>

#include "clients/fhir/notify_secret.h"

// True where the kernel has Landlock.
bool notify_sandbox_is_there(void);

// For good, for this thread and those that it makes: after all files were read and libraries begun, before the first thread. Without
// Landlock, and in a build with a sanitizer, it does nothing and is true. False: `detail` says why.
__attribute__((warn_unused_result)) bool notify_sandbox_enter(char detail[NOTIFY_DETAIL_BYTES]);

#endif
