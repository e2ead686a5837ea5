// Whether the process is limited, and what is done when it cannot be.
#include "broker/sandbox.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>

#include "broker/log.h"
#include "broker/sandbox_priv.h"

#ifdef CPIS_SANITIZED
static const bool sanitized = true;
#else
static const bool sanitized = false;
#endif

typedef enum sandbox_outcome limit_function(const struct sandbox_options *options, char detail[SANDBOX_DETAIL_BYTES]);

static enum sandbox_outcome limit(limit_function *function, const struct sandbox_options *options,
				  char detail[SANDBOX_DETAIL_BYTES])
{
	enum sandbox_outcome outcome = SANDBOX_WITHOUT;
	if (options->mode == SANDBOX_OFF) {
		snprintf(detail, SANDBOX_DETAIL_BYTES, "switched off by the configuration");
		return SANDBOX_WITHOUT;
	}
	if (sanitized)
		snprintf(detail, SANDBOX_DETAIL_BYTES, "this program was built with a sanitizer, which needs more than we allow");
	else if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0)
		snprintf(detail, SANDBOX_DETAIL_BYTES, "PR_SET_NO_NEW_PRIVS: %s", strerror(errno));
	else
		outcome = function(options, detail);
	return outcome == SANDBOX_WITHOUT && options->mode == SANDBOX_REQUIRED ? SANDBOX_FAILED : outcome;
}

enum sandbox_outcome sandbox_limit_files(const struct sandbox_options *options, char detail[SANDBOX_DETAIL_BYTES])
{
	return limit(sandbox_landlock, options, detail);
}

enum sandbox_outcome sandbox_limit_calls(const struct sandbox_options *options, char detail[SANDBOX_DETAIL_BYTES])
{
	return limit(sandbox_seccomp, options, detail);
}

bool sandbox_told(enum sandbox_outcome outcome, const char *what, const char *detail)
{
	if (outcome == SANDBOX_DONE)
		log_event(LOG_EVENT_SANDBOXED, "%s limited by %s", what, detail);
	else if (outcome == SANDBOX_WITHOUT)
		log_event(LOG_EVENT_NOT_SANDBOXED, "%s not limited: %s", what, detail);
	return outcome != SANDBOX_FAILED;
}
