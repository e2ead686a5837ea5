// Shared keys, from one broker's files to another's.
#include "broker/join.h"

#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "broker/clock.h"
#include "broker/process.h"
#include "broker/share.h"
#include "certs/identity.h"
#include "certs/key_memory.h"
#include "certs/secret_file.h"

#define ASIDE_ENDING ".joining"
#define PATH_BYTES 4200

enum { EXIT_DONE, EXIT_USAGE_ERROR, EXIT_CANNOT };

static const char *const settings[SHARE_FILES] = {
	[SHARE_STORE_KEY] = "store_key",
	[SHARE_SESSION_KEY] = "session_key",
	[SHARE_SESSION_KEY_PREVIOUS] = "session_key_previous",
	[SHARE_LOG_KEY] = "log_key",
};

static const char *path_of(const struct config *config, int file)
{
	const char *const paths[SHARE_FILES] = {
		[SHARE_STORE_KEY] = config->store_key,
		[SHARE_SESSION_KEY] = config->session_key,
		[SHARE_SESSION_KEY_PREVIOUS] = config->session_key_previous,
		[SHARE_LOG_KEY] = config->log_key,
	};
	return paths[file];
}

static bool fail(char detail[PROCESS_DETAIL_BYTES], const char *path, const char *what)
{
	snprintf(detail, PROCESS_DETAIL_BYTES, "%.150s: %.350s", path, what);
	return false;
}

static bool has_database(const struct config *config, const char *what, char detail[PROCESS_DETAIL_BYTES])
{
	if (config->store_postgres == NULL)
		snprintf(detail, PROCESS_DETAIL_BYTES, "%s is for a store_postgres, and the configuration has store_file: the broker of a file "
						       "has a log of its own and shares its keys with nobody", what);
	return config->store_postgres != NULL;
}

// ------------------------------------------------------------------ files

// At most so many bytes; more is a refusal, and so is a secret that others may read.
static bool read_file(const char *path, bool secret, uint8_t *out, size_t bytes_max, size_t *ret_bytes, char detail[PROCESS_DETAIL_BYTES])
{
	struct stat status;
	int file = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	if (file < 0)
		return fail(detail, path, strerror(errno));
	bool good = false;
	if (fstat(file, &status) != 0)
		fail(detail, path, strerror(errno));
	else if (!S_ISREG(status.st_mode))
		fail(detail, path, "is not a file");
	else if (secret && !secret_file_is_closed(path, &status))
		fail(detail, path, "can be read or written by others: chmod 600");
	else if (status.st_size > (off_t)bytes_max)
		fail(detail, path, "is too long for what it should be");
	else {
		ssize_t got = read(file, out, bytes_max);
		good = got == status.st_size;
		if (!good)
			fail(detail, path, got < 0 ? strerror(errno) : "was changed while it was read");
		else
			*ret_bytes = (size_t)got;
	}
	close(file);
	return good;
}

static bool flush_directory_of(const char *path)
{
	char copy[PATH_BYTES];
	snprintf(copy, sizeof copy, "%s", path);
	int directory = open(dirname(copy), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	bool flushed = directory >= 0 && fsync(directory) == 0;
	if (directory >= 0)
		close(directory);
	return flushed;
}

static bool fill(int file, const uint8_t *data, size_t bytes)
{
	for (size_t done = 0; done < bytes;) {
		ssize_t put = write(file, data + done, bytes - done);
		if (put < 0 && errno == EINTR)
			continue;
		if (put <= 0)
			return false;
		done += (size_t)put;
	}
	return fsync(file) == 0;
}

// Whole or not at all: beside it, and then renamed, never in the place of another one. What one that was killed left beside goes.
static bool write_file(const char *path, const uint8_t *data, size_t bytes, char detail[PROCESS_DETAIL_BYTES])
{
	char aside[PATH_BYTES];
	snprintf(aside, sizeof aside, "%s" ASIDE_ENDING, path);
	unlink(aside);
	int file = open(aside, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (file < 0)
		return fail(detail, aside, strerror(errno));
	bool written = fill(file, data, bytes);
	int error = errno;
	if (close(file) != 0 && written) {
		written = false;
		error = errno;
	}
	if (written && renameat2(AT_FDCWD, aside, AT_FDCWD, path, RENAME_NOREPLACE) != 0) {
		written = false;
		error = errno;
	}
	if (!written) {
		unlink(aside);
		return fail(detail, path, error == EEXIST ? "is there already and is not overwritten" : strerror(error));
	}
	return flush_directory_of(path) || fail(detail, path, "its directory cannot be flushed");
}

// ------------------------------------------------------------------ sharing

// They are what they are called: what is wrong with them is told here, and not on the other machine.
static bool check_vault_keys(const struct config *config, char detail[PROCESS_DETAIL_BYTES])
{
	for (int i = 0; i < SHARE_LOG_KEY; i++) {
		struct vault *vault = NULL;
		if (path_of(config, i) != NULL && !vault_open_key(path_of(config, i), &vault, detail))
			return false;
		vault_free(vault);
	}
	return true;
}

static bool read_keys(const struct config *config, struct shared_keys *keys, char detail[PROCESS_DETAIL_BYTES])
{
	for (int i = 0; i < SHARE_FILES; i++)
		if (path_of(config, i) != NULL &&
		    !read_file(path_of(config, i), true, keys->data[i], SHARE_KEY_BYTES_MAX, &keys->bytes[i], detail))
			return false;
	return true;
}

// Whom the keys are for: another broker, whose certificate holds.
static bool check_certificate(const struct broker *broker, const char *path, struct broker_identity *ret,
			      char detail[PROCESS_DETAIL_BYTES])
{
	struct certificate_description claim;
	char why[CERTS_DETAIL_BYTES] = "";
	if (certificate_describe_file(path, &claim, why) != CERTS_OK)
		return fail(detail, path, why);
	if (claim.kind != CERTIFICATE_BROKER)
		return fail(detail, path, "is not a broker's certificate");
	if (trust_verify_broker_file(register_trust(broker->snapshot), path, claim.name, clock_now_ms(), ret, why) != CERTS_OK)
		return fail(detail, path, why);
	if (strcmp(ret->name, broker->config->broker_name) == 0)
		return fail(detail, path, "is of this broker's own name: a new broker has a name and a certificate of its own");
	if (memcmp(ret->curve_public, broker->key.public_key, KEY_BYTES) == 0)
		return fail(detail, path, "has this broker's own key: a new broker makes its own (`cpis certs request-broker`)");
	return true;
}

static bool share(struct broker *broker, const char *config_path, const char *certificate, const char *to,
		  struct broker_identity *ret_recipient, char detail[PROCESS_DETAIL_BYTES])
{
	uint8_t file[SHARE_BYTES_MAX];
	size_t bytes = 0;
	if (!process_load(broker, config_path, detail) || !has_database(broker->config, "--share", detail) ||
	    !check_certificate(broker, certificate, ret_recipient, detail) || !check_vault_keys(broker->config, detail))
		return false;
	struct shared_keys *keys = shared_keys_new();
	const struct share_recipient recipient = {ret_recipient->name, ret_recipient->curve_public};
	bool made = keys != NULL && read_keys(broker->config, keys, detail);
	if (made && !share_make(keys, &recipient, broker->log_verifier.origin, broker->log_key, clock_now_ms(), file, &bytes))
		made = fail(detail, to, "the cryptographic library failed");
	if (keys == NULL)
		fail(detail, to, "out of memory");
	shared_keys_free(keys);
	return made && write_file(to, file, bytes, detail);
}

int join_share(const char *config_path, const char *certificate, const char *to)
{
	struct broker broker = PROCESS_NEW;
	struct broker_identity recipient;
	char detail[PROCESS_DETAIL_BYTES] = "";
	process_harden();
	bool done = share(&broker, config_path, certificate, to, &recipient, detail);
	if (done)
		printf("%s: the shared keys, sealed for %s and good for 7 days; there: cpis-broker --join CONFIG FILE\n", to, recipient.name);
	else
		fprintf(stderr, "cpis-broker: %s\n", detail);
	process_close(&broker);
	return done ? EXIT_DONE : EXIT_CANNOT;
}

// ------------------------------------------------------------------ joining

// Both brokers have the same keys, or they would not know each other's sessions.
static bool check_settings(const struct config *config, const struct shared_keys *keys, const char *config_path,
			   char detail[PROCESS_DETAIL_BYTES])
{
	for (int i = 0; i < SHARE_FILES; i++)
		if ((path_of(config, i) != NULL) != (keys->bytes[i] != 0)) {
			snprintf(detail, PROCESS_DETAIL_BYTES, "%.200s: %s is %s", config_path, settings[i],
				 keys->bytes[i] != 0 ? "missing, and the broker that shares its keys has one: say where it shall be"
						     : "given, and the broker that shares its keys has none: take it out");
			return false;
		}
	return true;
}

// What is there is this, or there is nothing.
static bool look(const char *path, const struct shared_keys *keys, int file, bool *ret_is_there, char detail[PROCESS_DETAIL_BYTES])
{
	*ret_is_there = access(path, F_OK) == 0;
	if (!*ret_is_there)
		return errno == ENOENT || fail(detail, path, strerror(errno));
	uint8_t *found = key_memory_new(SHARE_KEY_BYTES_MAX);
	size_t bytes = 0;
	bool good = found != NULL && read_file(path, true, found, SHARE_KEY_BYTES_MAX, &bytes, detail);
	if (found == NULL)
		fail(detail, path, "out of memory");
	else if (good && (bytes != keys->bytes[file] || !seal_equal(found, keys->data[file], bytes)))
		good = fail(detail, path, "is there with another key than the shared one: nothing was written; move it away if no log or store needs it");
	key_memory_free(found, SHARE_KEY_BYTES_MAX);
	return good;
}

static bool place_keys(const struct config *config, const struct shared_keys *keys, char detail[PROCESS_DETAIL_BYTES])
{
	bool is_there[SHARE_FILES] = {false};
	for (int i = 0; i < SHARE_FILES; i++)
		if (path_of(config, i) != NULL && !look(path_of(config, i), keys, i, &is_there[i], detail))
			return false;
	for (int i = 0; i < SHARE_FILES; i++) {
		if (path_of(config, i) == NULL)
			continue;
		// Two settings may name one file: look again.
		if (!look(path_of(config, i), keys, i, &is_there[i], detail) ||
		    (!is_there[i] && !write_file(path_of(config, i), keys->data[i], keys->bytes[i], detail)))
			return false;
	}
	return true;
}

static bool take_keys(const char *config_path, const char *from, char detail[PROCESS_DETAIL_BYTES])
{
	struct broker broker = PROCESS_NEW;
	uint8_t file[SHARE_BYTES_MAX];
	char why[SHARE_DETAIL_BYTES] = "";
	size_t bytes = 0;
	struct shared_keys *keys = shared_keys_new();
	bool taken = keys != NULL || fail(detail, from, "out of memory");
	taken = taken && process_load_own(&broker, config_path, detail) && has_database(broker.config, "--join", detail) &&
		read_file(from, false, file, sizeof file, &bytes, detail);
	if (taken) {
		const struct share_reader reader = {broker.config->broker_name, &broker.key, &broker.log_verifier, clock_now_ms()};
		taken = (share_open(file, bytes, &reader, keys, why) || fail(detail, from, why)) &&
			check_settings(broker.config, keys, config_path, detail) && place_keys(broker.config, keys, detail);
	}
	shared_keys_free(keys);
	process_close(&broker);
	return taken;
}

int join_join(const char *config_path, const char *from)
{
	struct broker broker = PROCESS_NEW;
	char detail[PROCESS_DETAIL_BYTES] = "";
	process_harden();
	// Then as a broker does at its start: keys of another database do not open its log.
	bool taken = take_keys(config_path, from, detail);
	bool joined = taken && process_load(&broker, config_path, detail) && process_open_store(&broker, detail);
	if (joined)
		printf("joined: the log has %llu records\n", (unsigned long long)core_log_size(broker.core));
	else
		fprintf(stderr, "cpis-broker: %s%s\n", taken ? "the shared keys are in their files, and the store cannot be opened with them: " : "",
			detail);
	process_close(&broker);
	return joined ? EXIT_DONE : EXIT_CANNOT;
}
