// Works off an organisation's inbox, beside others like it: takes an item for a minute, does what there is to do, and acknowledges it.
// An item of a worker that died is given out again when the minute is over. SIGTERM ends it between two items.
//	inbox_worker [ITEMS]     (without a number: until it is told to stop)
#include <inttypes.h>
#include <signal.h>
#include <sys/signalfd.h>

#include "sign_in.h"

// Readable when we are to stop: the wait at the broker ends then.
static int stop_descriptor(void)
{
	sigset_t signals;
	sigemptyset(&signals);
	sigaddset(&signals, SIGTERM);
	sigaddset(&signals, SIGINT);
	sigprocmask(SIG_BLOCK, &signals, NULL);
	return signalfd(-1, &signals, SFD_CLOEXEC);
}

static enum cpis_status take(struct cpis_client *client, const Cpis__V1__Reply **ret)
{
	Cpis__V1__InboxTakeRequest body = CPIS__V1__INBOX_TAKE_REQUEST__INIT;
	Cpis__V1__Request request = CPIS__V1__REQUEST__INIT;
	body.limit = 1;
	body.lease_ms = 60000;
	body.wait_ms = 20000;
	request.body_case = CPIS__V1__REQUEST__BODY_INBOX_TAKE;
	request.inbox_take = &body;
	return cpis_call(client, &request, 30000, ret);
}

static void acknowledge(struct cpis_client *client, uint64_t id)
{
	Cpis__V1__InboxAcknowledgeRequest body = CPIS__V1__INBOX_ACKNOWLEDGE_REQUEST__INIT;
	Cpis__V1__Request request = CPIS__V1__REQUEST__INIT;
	const Cpis__V1__Reply *reply = NULL;
	body.ids = &id;
	body.n_ids = 1;
	body.settlement = CPIS__V1__SETTLEMENT__SEEN;
	request.body_case = CPIS__V1__REQUEST__BODY_INBOX_ACKNOWLEDGE;
	request.inbox_acknowledge = &body;
	enum cpis_status status = cpis_call(client, &request, 5000, &reply);
	check(client, status, reply);
	cpis_reply_free(reply);
}

int main(int argc, char **argv)
{
	unsigned long left = argc > 1 ? strtoul(argv[1], NULL, 10) : 0;
	bool for_ever = left == 0;
	int stop = stop_descriptor();
	struct cpis_client *client = sign_in();
	while (for_ever || left > 0) {
		const Cpis__V1__Reply *reply = NULL;
		// The wait alone ends then: what was taken is acknowledged.
		cpis_set_interrupt(client, stop);
		enum cpis_status status = take(client, &reply);
		cpis_set_interrupt(client, -1);
		if (status == CPIS_INTERRUPTED)
			break;
		check(client, status, reply);
		for (size_t i = 0; i < reply->inbox_take->n_items; i++) {
			const Cpis__V1__InboxItem *item = reply->inbox_take->items[i];
			// What is to be done stands here: into the case system, before it is acknowledged.
			printf("item %" PRIu64 " of kind %d\n", item->id, (int)item->kind_case);
			fflush(stdout);
			acknowledge(client, item->id);
			left -= left > 0;
		}
		cpis_reply_free(reply);
	}
	cpis_close(client);
	return 0;
}
