// What the broker tells the service manager that started it, by systemd's notification protocol (sd_notify(3): datagrams of
// "KEY=VALUE" lines to the Unix socket that $NOTIFY_SOCKET names). Without such a socket every function here does nothing.
//
// By the protocol and not by libsystemd: its sd_notify makes and connects a socket at each call, which the core's sandbox denies
// everybody. This one is connected before there is a sandbox, and is only written to afterwards. A manager that is executed
// anew (systemctl daemon-reexec) keeps its end; one that made another socket would no longer be told.
//
// Nothing blocks: a message that the manager has no room for is given up, except those of service_manager_ready,
// _reloading and _stopping, for which there is some patience (SERVICE_MANAGER_PATIENCE_MS). One thread.
#ifndef CPIS_BROKER_SERVICE_MANAGER_H
#define CPIS_BROKER_SERVICE_MANAGER_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#define SERVICE_MANAGER_DETAIL_BYTES 300
#define SERVICE_MANAGER_STATUS_BYTES 256 // of a status line; what is longer is cut
#define SERVICE_MANAGER_PATIENCE_MS 1000

struct service_manager {
	int socket;            // -1: nobody to tell
	uint64_t feed_us;      // how often the watchdog is fed; 0: there is none
	uint64_t fed_us;       // monotonic: when it last was; 0: never
};

#define SERVICE_MANAGER_NONE {.socket = -1}

// By NOTIFY_SOCKET, WATCHDOG_USEC and WATCHDOG_PID, which are taken out of the environment: what the broker starts is not to
// speak for it. Before the first thread and before the sandbox. True, too, where there is no manager. False with a sentence when
// there is one that cannot be told: it would end the broker for want of a word, later and without saying why.
__attribute__((warn_unused_result)) bool service_manager_open(struct service_manager *ret, char detail[SERVICE_MANAGER_DETAIL_BYTES]);
// For one that takes over: only the process that systemd itself starts as the main one is told of a watchdog. It is fed each second then, enough
// for a WatchdogSec of 2 s or more; who has none passes it over.
void service_manager_take_over(struct service_manager *manager);
void service_manager_close(struct service_manager *manager);

// It serves; also after a reload, whether that did anything or not. `status` as in service_manager_status.
void service_manager_ready(const struct service_manager *manager, const char *status);
// A reload begins; service_manager_ready ends it. With the time that Type=notify-reload wants.
void service_manager_reloading(const struct service_manager *manager, uint64_t now_us);
void service_manager_stopping(const struct service_manager *manager, const char *status);
// One line for `systemctl status`: no child, no member of staff. Control characters become spaces.
void service_manager_status(const struct service_manager *manager, const char *status);
// Another process is the service's main one from now on. It has to be a child of the manager's or of this one, and in the unit.
void service_manager_main_pid(const struct service_manager *manager, pid_t pid);
// Something was done: a turn of the main loop came to its end. At `now_us`, monotonic. Tells the manager no more often than it
// has to know: four times in its watchdog's time.
void service_manager_alive(struct service_manager *manager, uint64_t now_us);

#endif
