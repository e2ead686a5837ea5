// libcurl, told all that matters: what it would take from its environment it does not.
#include "clients/fhir/notify_post.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <curl/curl.h>
#include <jansson.h>

struct transfer {
	CURL *curl;
	struct curl_slist *headers;
	size_t answered_bytes;
	bool too_large;
	char words[CURL_ERROR_SIZE]; // libcurl's
};

bool notify_post_begin(void)
{
	// It would write the session's keys there.
	unsetenv("SSLKEYLOGFILE");
	json_set_alloc_funcs(notify_secret_allocate, notify_secret_free);
	return curl_global_init_mem(CURL_GLOBAL_DEFAULT, notify_secret_allocate, notify_secret_free, notify_secret_resize,
				    notify_secret_copy, notify_secret_allocate_zeroed) == CURLE_OK;
}

void notify_post_end(void)
{
	curl_global_cleanup();
}

// ------------------------------------------------------------------ the answer

static size_t count(char *data, size_t size, size_t items, void *context)
{
	struct transfer *transfer = context;
	(void)data;
	transfer->answered_bytes += size * items;
	if (transfer->answered_bytes <= NOTIFY_ANSWER_BYTES_MAX)
		return size * items;
	transfer->too_large = true;
	return 0; // ends the transfer
}

// ------------------------------------------------------------------ the request

static bool add_header(struct transfer *transfer, const char *name, const char *value)
{
	char *line = NULL;
	if (asprintf(&line, "%s: %s", name, value) < 0)
		return false;
	struct curl_slist *longer = curl_slist_append(transfer->headers, line);
	notify_secret_free(line);
	if (longer != NULL)
		transfer->headers = longer;
	return longer != NULL;
}

static bool add_headers(struct transfer *transfer, const struct notify_post *post)
{
	return add_header(transfer, "Content-Type", "application/fhir+json; charset=utf-8") &&
	       add_header(transfer, "Accept", "application/fhir+json") && add_header(transfer, "X-Request-ID", post->id) &&
	       add_header(transfer, "Expect", "") && // "Expect:" takes libcurl's own away
	       (post->authorization == NULL || add_header(transfer, "Authorization", post->authorization));
}

static CURLcode give(CURL *curl, CURLoption option, const struct notify_file *file)
{
	struct curl_blob blob = {.data = file->data, .len = file->bytes, .flags = CURL_BLOB_NOCOPY};
	return file->bytes == 0 ? CURLE_OK : curl_easy_setopt(curl, option, &blob);
}

#define SET(option, value) (curl_easy_setopt(curl, (option), (value)) == CURLE_OK)

static bool set_tls(CURL *curl, const struct notify_tls *tls)
{
	return SET(CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2) && SET(CURLOPT_SSL_VERIFYPEER, 1L) &&
	       SET(CURLOPT_SSL_VERIFYHOST, 2L) && SET(CURLOPT_CAINFO, (char *)NULL) && SET(CURLOPT_CAPATH, (char *)NULL) &&
	       give(curl, CURLOPT_CAINFO_BLOB, &tls->authorities) == CURLE_OK &&
	       give(curl, CURLOPT_SSLCERT_BLOB, &tls->certificate) == CURLE_OK &&
	       give(curl, CURLOPT_SSLKEY_BLOB, &tls->key) == CURLE_OK;
}

static bool set_all(struct transfer *transfer, const struct notify_post *post)
{
	CURL *curl = transfer->curl;
	return SET(CURLOPT_ERRORBUFFER, transfer->words) && SET(CURLOPT_NOSIGNAL, 1L) && SET(CURLOPT_PROTOCOLS_STR, "https") &&
	       SET(CURLOPT_URL, post->settings->endpoint) && SET(CURLOPT_PROXY, "") &&
	       SET(CURLOPT_NETRC, (long)CURL_NETRC_IGNORED) && SET(CURLOPT_FOLLOWLOCATION, 0L) &&
	       SET(CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1) &&
	       SET(CURLOPT_TIMEOUT, (long)post->settings->deadline_seconds) &&
	       SET(CURLOPT_CONNECTTIMEOUT, (long)post->settings->deadline_seconds) &&
	       SET(CURLOPT_USERAGENT, "cpis-fhir-notify/" CPIS_VERSION) && SET(CURLOPT_WRITEFUNCTION, count) &&
	       SET(CURLOPT_WRITEDATA, transfer) && SET(CURLOPT_HEADERFUNCTION, count) && SET(CURLOPT_HEADERDATA, transfer) &&
	       SET(CURLOPT_POST, 1L) && SET(CURLOPT_POSTFIELDS, post->body) &&
	       SET(CURLOPT_POSTFIELDSIZE, (long)strlen(post->body)) && SET(CURLOPT_HTTPHEADER, transfer->headers) &&
	       set_tls(curl, post->tls);
}

// ------------------------------------------------------------------ what became of it

static enum notify_exit judge_status(long status, const char *host, char *detail)
{
	if (status >= 200 && status < 300)
		return NOTIFY_TOLD;
	bool later = status == 408 || status == 425 || status == 429 || status >= 500;
	snprintf(detail, NOTIFY_DETAIL_BYTES, "%s answered %ld%s", host, status,
		 later                            ? ": it cannot take it now"
		 : status >= 300 && status < 400  ? ", a redirect, which is not followed: put the new address into the settings"
		 : status == 401 || status == 403 ? ": it does not accept who we say we are (authorization_file, certificate)"
						  : ": it refuses it, and will again until somebody has looked into it");
	return later ? NOTIFY_LATER : NOTIFY_REFUSED;
}

static enum notify_exit judge_failure(CURLcode code, const struct transfer *transfer, const char *host, char *detail)
{
	enum notify_exit end = NOTIFY_LATER;
	const char *what = "could not be told";
	if (transfer->too_large) {
		snprintf(detail, NOTIFY_DETAIL_BYTES, "%s answered with more than %u bytes", host, NOTIFY_ANSWER_BYTES_MAX);
		return NOTIFY_REFUSED;
	}
	if (code == CURLE_PEER_FAILED_VERIFICATION || code == CURLE_SSL_CONNECT_ERROR || code == CURLE_SSL_ISSUER_ERROR) {
		end = NOTIFY_UNPROVEN;
		what = "is not proven to be the endpoint";
	} else if (code == CURLE_SSL_CERTPROBLEM || code == CURLE_SSL_CACERT_BADFILE) {
		end = NOTIFY_USAGE;
		what = "was not asked: a certificate file cannot be used";
	} else if (code == CURLE_OUT_OF_MEMORY) {
		end = NOTIFY_FAILED;
	}
	snprintf(detail, NOTIFY_DETAIL_BYTES, "%s %s: %.200s", host, what,
		 transfer->words[0] == '\0' ? curl_easy_strerror(code) : transfer->words);
	// Names out of a certificate may be in it.
	for (char *c = detail; *c != '\0'; c++)
		if ((unsigned char)*c < ' ' || *c == 0x7f)
			*c = '?';
	return end;
}

enum notify_exit notify_post_run(const struct notify_post *post, char detail[NOTIFY_DETAIL_BYTES])
{
	struct transfer transfer = {.curl = curl_easy_init()};
	const char *host = post->settings->host;
	enum notify_exit end = NOTIFY_FAILED;
	long status = 0;
	snprintf(detail, NOTIFY_DETAIL_BYTES, "out of memory");
	if (transfer.curl != NULL && add_headers(&transfer, post) && set_all(&transfer, post)) {
		CURLcode code = curl_easy_perform(transfer.curl);
		if (code != CURLE_OK)
			end = judge_failure(code, &transfer, host, detail);
		else if (curl_easy_getinfo(transfer.curl, CURLINFO_RESPONSE_CODE, &status) == CURLE_OK)
			end = judge_status(status, host, detail);
	}
	curl_easy_cleanup(transfer.curl);
	curl_slist_free_all(transfer.headers);
	return end;
}
