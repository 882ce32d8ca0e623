// SPDX-License-Identifier: GPL-2.0-only
#include <dlfcn.h>
#include <pthread.h>
#include <stdio.h>

#include "late.h"

_Static_assert(sizeof(SONAME_CURL) > 1 && sizeof(SONAME_GNUTLS) > 1,
	       "objdump names the libraries");

struct late_curl curl;
struct late_gnutls gnutls;

/**
 * struct late - one library
 * @soname: as the linker would have recorded it; from the Makefile
 * @package: of Debian
 * @why: why it is not there, "" if it is
 */
struct late {
	const char *soname;
	const char *package;
	char why[200];
};

struct symbol {
	const char *name;
	void **to;
};

#define CURL_CALL(name) { "curl_" #name, (void **)&curl.name }

static const struct symbol curl_symbols[] = {
	CURL_CALL(easy_cleanup),
	CURL_CALL(easy_getinfo),
	CURL_CALL(easy_init),
	CURL_CALL(easy_perform),
	CURL_CALL(easy_reset),
	CURL_CALL(easy_setopt),
	CURL_CALL(easy_strerror),
	CURL_CALL(global_init),
	CURL_CALL(multi_add_handle),
	CURL_CALL(multi_cleanup),
	CURL_CALL(multi_info_read),
	CURL_CALL(multi_init),
	CURL_CALL(multi_perform),
	CURL_CALL(multi_poll),
	CURL_CALL(multi_remove_handle),
	CURL_CALL(slist_append),
	CURL_CALL(slist_free_all),
};

#define GNUTLS_CALL(name) { "gnutls_" #name, (void **)&gnutls.name }

static const struct symbol gnutls_symbols[] = {
	GNUTLS_CALL(alert_get),
	GNUTLS_CALL(alert_send),
	GNUTLS_CALL(alert_send_appropriate),
	GNUTLS_CALL(base64_decode2),
	GNUTLS_CALL(cipher_get),
	GNUTLS_CALL(credentials_set),
	GNUTLS_CALL(deinit),
	GNUTLS_CALL(error_is_fatal),
	GNUTLS_CALL(free),
	GNUTLS_CALL(handshake),
	GNUTLS_CALL(handshake_get_last_out),
	GNUTLS_CALL(hex_decode2),
	GNUTLS_CALL(init),
	GNUTLS_CALL(malloc),
	GNUTLS_CALL(priority_set_direct),
	GNUTLS_CALL(protocol_get_version),
	GNUTLS_CALL(psk_allocate_client_credentials),
	GNUTLS_CALL(psk_allocate_server_credentials),
	GNUTLS_CALL(psk_free_client_credentials),
	GNUTLS_CALL(psk_free_server_credentials),
	GNUTLS_CALL(psk_set_client_credentials_function),
	GNUTLS_CALL(psk_set_server_credentials_function),
	GNUTLS_CALL(record_check_pending),
	GNUTLS_CALL(record_get_state),
	GNUTLS_CALL(session_get_ptr),
	GNUTLS_CALL(session_set_ptr),
	GNUTLS_CALL(strdup),
	GNUTLS_CALL(transport_set_ptr),
	GNUTLS_CALL(transport_set_pull_function),
	GNUTLS_CALL(transport_set_push_function),
};

#define COUNT(list)	(sizeof(list) / sizeof(*(list)))

_Static_assert(COUNT(curl_symbols) == sizeof(curl) / sizeof(void *) &&
	       COUNT(gnutls_symbols) == sizeof(gnutls) / sizeof(void *),
	       "no call of the tables is left out");

static struct late curl_library = { SONAME_CURL, "libcurl3-gnutls", "" };
static struct late gnutls_library = { SONAME_GNUTLS, "libgnutls30", "" };

/* Never unloaded: threads may be in it until the program ends. */
static void load(struct late *lib, const struct symbol *symbol, size_t count)
{
	void *so = dlopen(lib->soname, RTLD_NOW | RTLD_LOCAL);
	size_t i;

	if (!so) {
		snprintf(lib->why, sizeof(lib->why), "%s: install %s", dlerror(),
			 lib->package);
		return;
	}
	for (i = 0; i < count; i++) {
		*symbol[i].to = dlsym(so, symbol[i].name);
		if (*symbol[i].to)
			continue;
		snprintf(lib->why, sizeof(lib->why), "%s has no %s: it is too old",
			 lib->soname, symbol[i].name);
		return;
	}
}

static void load_curl(void)
{
	load(&curl_library, curl_symbols, COUNT(curl_symbols));
	if (!*curl_library.why)
		curl.global_init(CURL_GLOBAL_DEFAULT);
}

static void load_gnutls(void)
{
	load(&gnutls_library, gnutls_symbols, COUNT(gnutls_symbols));
}

static bool say(const struct late *lib, char *why, size_t len)
{
	if (*lib->why)
		snprintf(why, len, "%s", lib->why);
	return !*lib->why;
}

bool late_curl_load(char *why, size_t len)
{
	static pthread_once_t once = PTHREAD_ONCE_INIT;

	pthread_once(&once, load_curl);
	return say(&curl_library, why, len);
}

bool late_gnutls_load(char *why, size_t len)
{
	static pthread_once_t once = PTHREAD_ONCE_INIT;

	pthread_once(&once, load_gnutls);
	return say(&gnutls_library, why, len);
}
