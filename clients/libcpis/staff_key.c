// A member of staff's key, open for as long as it takes to sign.
#include <errno.h>
#include <fcntl.h>

#include "certs/key_token.h"
#include "clients/libcpis/client_priv.h"

// Of this process; whatever others hold, it waits for. It ends with the process too.
static bool set_lock(const struct cpis_client *client, short kind)
{
	struct flock lock = {.l_type = kind, .l_whence = SEEK_SET};
	if (client->key_lock <= 0)
		return true;
	while (fcntl(client->key_lock, F_SETLKW, &lock) != 0)
		if (errno != EINTR)
			return false;
	return true;
}

enum cpis_status client_key_open(struct cpis_client *client, const char *where, struct signing_key **ret)
{
	char detail[CERTS_DETAIL_BYTES] = "";
	if (!set_lock(client, F_WRLCK))
		return client_fail(client, CPIS_USAGE, "key_lock cannot be locked");
	if (signing_key_open(where, ret, detail) == CERTS_OK)
		return CPIS_OK;
	(void)set_lock(client, F_UNLCK);
	return client_fail(client, CPIS_CREDENTIALS, "%s", detail);
}

void client_key_close(struct cpis_client *client, struct signing_key *key)
{
	if (key == NULL)
		return;
	signing_key_free(key);
	(void)set_lock(client, F_UNLCK);
}
