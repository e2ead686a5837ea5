// systemd's notification protocol, over a socket that is connected once.
#include "broker/service_manager.h"

#include <errno.h>
#include <inttypes.h>
#include <poll.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#define FEEDS_PER_TIMEOUT 4u
#define FEED_UNTOLD_US 1000000u
#define MESSAGE_BYTES (SERVICE_MANAGER_STATUS_BYTES + 128)

static bool refuse(char detail[SERVICE_MANAGER_DETAIL_BYTES], const char *path, const char *why)
{
	snprintf(detail, SERVICE_MANAGER_DETAIL_BYTES, "NOTIFY_SOCKET %.108s: %s; start the broker by its service manager, or without "
		 "that variable", path, why);
	return false;
}

static bool connect_to(const char *path, int *ret, char detail[SERVICE_MANAGER_DETAIL_BYTES])
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	size_t bytes = strlen(path);
	if ((path[0] != '/' && path[0] != '@') || bytes < 2 || bytes >= sizeof address.sun_path)
		return refuse(detail, path, "is neither an absolute path nor an abstract name (@...), or too long");
	memcpy(address.sun_path, path, bytes);
	// An abstract name begins with a zero byte and has none at its end.
	if (path[0] == '@')
		address.sun_path[0] = '\0';
	socklen_t address_bytes = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + bytes + (path[0] == '@' ? 0 : 1));
	int opened = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (opened < 0 || connect(opened, (const struct sockaddr *)&address, address_bytes) != 0) {
		refuse(detail, path, strerror(errno));
		if (opened >= 0)
			close(opened);
		return false;
	}
	*ret = opened;
	return true;
}

static bool read_number(const char *text, uint64_t *ret)
{
	size_t digits = strspn(text, "0123456789");
	errno = 0;
	uintmax_t value = strtoumax(text, NULL, 10);
	if (digits == 0 || text[digits] != '\0' || errno != 0)
		return false;
	*ret = value;
	return true;
}

// Meant for another process where it names one: variables are inherited.
static bool read_watchdog(const char *usec, const char *pid, uint64_t *ret_feed_us, char detail[SERVICE_MANAGER_DETAIL_BYTES])
{
	uint64_t timeout_us = 0, whose = 0;
	if (usec == NULL)
		return true;
	if (!read_number(usec, &timeout_us) || timeout_us < FEEDS_PER_TIMEOUT || (pid != NULL && !read_number(pid, &whose))) {
		snprintf(detail, SERVICE_MANAGER_DETAIL_BYTES, "WATCHDOG_USEC and WATCHDOG_PID must be numbers");
		return false;
	}
	if (pid == NULL || whose == (uint64_t)getpid())
		*ret_feed_us = timeout_us / FEEDS_PER_TIMEOUT;
	return true;
}

bool service_manager_open(struct service_manager *ret, char detail[SERVICE_MANAGER_DETAIL_BYTES])
{
	struct service_manager manager = SERVICE_MANAGER_NONE;
	const char *path = getenv("NOTIFY_SOCKET");
	bool good = path == NULL || (connect_to(path, &manager.socket, detail) &&
				     read_watchdog(getenv("WATCHDOG_USEC"), getenv("WATCHDOG_PID"), &manager.feed_us, detail));
	unsetenv("NOTIFY_SOCKET");
	unsetenv("WATCHDOG_USEC");
	unsetenv("WATCHDOG_PID");
	if (good)
		*ret = manager;
	else
		service_manager_close(&manager);
	return good;
}

void service_manager_take_over(struct service_manager *manager)
{
	if (manager->feed_us == 0)
		manager->feed_us = FEED_UNTOLD_US;
}

void service_manager_close(struct service_manager *manager)
{
	if (manager->socket >= 0)
		close(manager->socket);
	*manager = (struct service_manager)SERVICE_MANAGER_NONE;
}

// ------------------------------------------------------------------ telling

// False: not now. Whatever else is wrong does not become better by trying again.
static bool try_to_send(const struct service_manager *manager, const char *message)
{
	ssize_t sent;
	do
		sent = send(manager->socket, message, strlen(message), MSG_NOSIGNAL | MSG_DONTWAIT);
	while (sent < 0 && errno == EINTR);
	return sent >= 0 || (errno != EAGAIN && errno != EWOULDBLOCK && errno != ENOBUFS);
}

static void tell(const struct service_manager *manager, bool patient, const char *message)
{
	if (manager->socket < 0 || try_to_send(manager, message) || !patient)
		return;
	struct pollfd item = {.fd = manager->socket, .events = POLLOUT};
	if (poll(&item, 1, SERVICE_MANAGER_PATIENCE_MS) > 0)
		(void)try_to_send(manager, message);
}

// A line's end would make another message of what follows.
static void tell_with_status(const struct service_manager *manager, bool patient, const char *head, const char *status)
{
	char message[MESSAGE_BYTES];
	int written = snprintf(message, sizeof message, "%sSTATUS=%.*s", head, SERVICE_MANAGER_STATUS_BYTES - 1, status);
	for (char *byte = message + strlen(head); written > 0 && *byte != '\0'; byte++)
		if ((unsigned char)*byte < ' ' || *byte == '\x7f')
			*byte = ' ';
	tell(manager, patient, message);
}

void service_manager_ready(const struct service_manager *manager, const char *status)
{
	tell_with_status(manager, true, "READY=1\n", status);
}

void service_manager_reloading(const struct service_manager *manager, uint64_t now_us)
{
	char message[MESSAGE_BYTES];
	snprintf(message, sizeof message, "RELOADING=1\nMONOTONIC_USEC=%" PRIu64, now_us);
	tell(manager, true, message);
}

void service_manager_stopping(const struct service_manager *manager, const char *status)
{
	tell_with_status(manager, true, "STOPPING=1\n", status);
}

void service_manager_status(const struct service_manager *manager, const char *status)
{
	tell_with_status(manager, false, "", status);
}

void service_manager_main_pid(const struct service_manager *manager, pid_t pid)
{
	char message[MESSAGE_BYTES];
	snprintf(message, sizeof message, "MAINPID=%ld", (long)pid);
	tell(manager, true, message);
}

void service_manager_alive(struct service_manager *manager, uint64_t now_us)
{
	if (manager->feed_us == 0 || (manager->fed_us != 0 && now_us - manager->fed_us < manager->feed_us))
		return;
	manager->fed_us = now_us;
	tell(manager, false, "WATCHDOG=1");
}
