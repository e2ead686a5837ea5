// What sandbox.c asks of the kernel's two ways.
#ifndef CPIS_BROKER_SANDBOX_PRIV_H
#define CPIS_BROKER_SANDBOX_PRIV_H

#include "broker/sandbox.h"

// Each: DONE, WITHOUT where the kernel has it not, FAILED for anything else.
enum sandbox_outcome sandbox_landlock(const struct sandbox_options *options, char detail[SANDBOX_DETAIL_BYTES]);
enum sandbox_outcome sandbox_seccomp(const struct sandbox_options *options, char detail[SANDBOX_DETAIL_BYTES]);

#endif
