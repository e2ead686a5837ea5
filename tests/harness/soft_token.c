// SoftHSM2 through its own tools.
#include "tests/harness/soft_token.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

#define MODULE "/usr/lib/softhsm/libsofthsm2.so"

__attribute__((format(printf, 1, 2))) static void run(const char *format, ...)
{
	char command[1024];
	va_list arguments;
	va_start(arguments, format);
	vsnprintf(command, sizeof command, format, arguments);
	va_end(arguments);
	if (system(command) == 0)
		return;
	fprintf(stderr, "soft token: this failed: %s\n", command);
	abort();
}

// SoftHSM2 2.6.1 forgets the ASN.1 objects that it reads a key's parameters into, three at each opening; its module is unloaded
// by the time the leak sanitizer asks whose they were. Nothing else allocates through these two in a process that reads
// a key from a token and ends.
#define FORGOTTEN_BY_SOFTHSM "leak:CRYPTO_zalloc\nleak:ASN1_STRING_set\n"
const char *__lsan_default_suppressions(void);
const char *__lsan_default_suppressions(void)
{
	return FORGOTTEN_BY_SOFTHSM;
}

static void suppress_in_children(const char *directory)
{
	char path[512], options[600];
	snprintf(path, sizeof path, "%s/lsan.txt", directory);
	FILE *file = fopen(path, "w");
	if (file == NULL || fputs(FORGOTTEN_BY_SOFTHSM, file) < 0 || fclose(file) != 0)
		abort();
	snprintf(options, sizeof options, "suppressions=%s:print_suppressions=0", path);
	setenv("LSAN_OPTIONS", options, 1);
}

void soft_token_init(const char *directory)
{
	char path[512];
	suppress_in_children(directory);
	snprintf(path, sizeof path, "%s/tokens", directory);
	mkdir(path, 0700);
	snprintf(path, sizeof path, "%s/softhsm2.conf", directory);
	FILE *file = fopen(path, "w");
	if (file == NULL)
		abort();
	fprintf(file, "directories.tokendir = %s/tokens\nobjectstore.backend = file\nlog.level = ERROR\n", directory);
	fclose(file);
	setenv("SOFTHSM2_CONF", path, 1);
	run("softhsm2-util --init-token --free --label " SOFT_TOKEN_LABEL " --so-pin 314159 --pin " SOFT_TOKEN_PIN " >/dev/null");
}

void soft_token_make_key(const char *type, const char *label, const char *id)
{
	run("pkcs11-tool --module " MODULE " --token-label " SOFT_TOKEN_LABEL " --login --pin " SOFT_TOKEN_PIN
	    " --keypairgen --key-type %s --label %s --id %s >/dev/null 2>&1", type, label, id);
}

void soft_token_tool(const char *arguments)
{
	run("pkcs11-tool --module " MODULE " --token-label " SOFT_TOKEN_LABEL " --login --pin " SOFT_TOKEN_PIN " %s >/dev/null 2>&1",
	    arguments);
}
