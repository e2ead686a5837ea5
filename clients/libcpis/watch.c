// The descriptor that a caller's event loop waits for: one that stands for libzmq's, which have a trap each, for the interrupt and for
// the time. Level-triggered itself: it stays readable until cpis_call_continue has seen to what there is.
#include <string.h>
#include <sys/epoll.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include <zmq.h>

#include "clients/libcpis/client_priv.h"

static bool add(const struct client_watch *watch, int fd)
{
	struct epoll_event event = {.events = EPOLLIN};
	return epoll_ctl(watch->epoll, EPOLL_CTL_ADD, fd, &event) == 0;
}

static int descriptor_of(void *socket)
{
	int fd = -1;
	size_t bytes = sizeof fd;
	return zmq_getsockopt(socket, ZMQ_FD, &fd, &bytes) == 0 ? fd : -1;
}

// Those of a socket are the same all its life.
static bool watch_link(const struct client_watch *watch, struct client_link *link)
{
	if (link->watched)
		return true;
	int socket = descriptor_of(link->socket), monitor = descriptor_of(link->monitor);
	link->watched = add(watch, socket) && add(watch, monitor);
	if (!link->watched)
		(void)epoll_ctl(watch->epoll, EPOLL_CTL_DEL, socket, NULL);
	return link->watched;
}

static void unwatch_link(const struct client_watch *watch, struct client_link *link)
{
	if (!link->watched)
		return;
	(void)epoll_ctl(watch->epoll, EPOLL_CTL_DEL, descriptor_of(link->socket), NULL);
	(void)epoll_ctl(watch->epoll, EPOLL_CTL_DEL, descriptor_of(link->monitor), NULL);
	link->watched = false;
}

// A plain file cannot be waited for. It can always be read, so the call does not come to wait.
static void watch_interrupt(struct client_watch *watch, int fd)
{
	if (watch->interrupt == fd)
		return;
	if (watch->interrupt >= 0)
		(void)epoll_ctl(watch->epoll, EPOLL_CTL_DEL, watch->interrupt, NULL);
	watch->interrupt = fd >= 0 && add(watch, fd) ? fd : -1;
}

static bool set_timer(const struct client_watch *watch, uint64_t due_ms)
{
	struct itimerspec when = {0};
	when.it_value.tv_sec = (time_t)(due_ms / 1000);
	when.it_value.tv_nsec = (long)(due_ms % 1000 * 1000000);
	return timerfd_settime(watch->timer, TFD_TIMER_ABSTIME, &when, NULL) == 0;
}

bool client_watch_open(struct cpis_client *client)
{
	struct client_watch *watch = &client->watch;
	if (watch->open)
		return true;
	*watch = (struct client_watch){.open = true, .interrupt = -1};
	watch->epoll = epoll_create1(EPOLL_CLOEXEC);
	watch->timer = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK);
	if (watch->epoll >= 0 && watch->timer >= 0 && add(watch, watch->timer))
		return true;
	client_watch_close(client);
	return false;
}

bool client_watch_until(struct cpis_client *client, uint64_t due_ms)
{
	struct client_watch *watch = &client->watch;
	bool all = true;
	for (size_t i = 0; i < client->link_count; i++)
		if (client->links[i].open)
			all = watch_link(watch, &client->links[i]) && all;
		else
			unwatch_link(watch, &client->links[i]);
	watch_interrupt(watch, client->interruptible ? client->interrupt : -1);
	return set_timer(watch, due_ms) && all;
}

// Late answers and lost connections between two calls are the next one's to see to; a loop that looks at the descriptor all the time
// is not woken for them.
void client_watch_none(struct cpis_client *client)
{
	struct client_watch *watch = &client->watch;
	if (!watch->open)
		return;
	for (size_t i = 0; i < client->link_count; i++)
		unwatch_link(watch, &client->links[i]);
	watch_interrupt(watch, -1);
	(void)set_timer(watch, 0);
}

void client_watch_close(struct cpis_client *client)
{
	struct client_watch *watch = &client->watch;
	if (!watch->open)
		return;
	if (watch->timer >= 0)
		close(watch->timer);
	if (watch->epoll >= 0)
		close(watch->epoll);
	watch->open = false;
}
