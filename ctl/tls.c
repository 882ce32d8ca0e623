// SPDX-License-Identifier: GPL-2.0-only
/*
 * The handshake by GnuTLS and the hand-over to the kernel by hand: the library's
 * own offload stays off where it cannot do both directions, silently.
 *
 * GnuTLS reads through pull(), which knows records, so that it is certain and
 * not believed that nothing behind the handshake was read.
 */
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <gnutls/gnutls.h>

#include "late.h"
#include "tls.h"

#define RECORD_HEADER		5
#define RECORD_ALERT		21
#define RECORD_HANDSHAKE	22

#define PRIORITY_HEAD	"NORMAL:-VERS-ALL:+VERS-TLS1.3:-KX-ALL:+ECDHE-PSK:" \
			"-GROUP-ALL:+GROUP-X25519:+GROUP-SECP256R1:" \
			"%DISABLE_TLS13_COMPAT_MODE:-CIPHER-ALL"

static const char *const reasons[] = {
	[TLS_OK] = "ok", [TLS_TIMEOUT] = "timeout", [TLS_CLOSED] = "peer_closed",
	[TLS_IO_ERROR] = "socket_error", [TLS_PLAINTEXT] = "plaintext",
	[TLS_NOT_TLS] = "not_tls", [TLS_NO_KEY] = "no_key",
	[TLS_UNKNOWN_KEY] = "unknown_key", [TLS_WRONG_KEY] = "wrong_key",
	[TLS_ALTERED] = "altered", [TLS_BAD_PEER] = "bad_tls",
	[TLS_REFUSED] = "peer_refused", [TLS_LEFTOVER] = "leftover",
	[TLS_NO_OFFLOAD] = "no_offload", [TLS_NO_MEMORY] = "no_memory",
};

static const char *const sentences[] = {
	[TLS_OK] = "encrypted in both directions",
	[TLS_TIMEOUT] = "the TLS handshake did not end before the deadline",
	[TLS_CLOSED] = "the other end closed the connection in the TLS handshake",
	[TLS_IO_ERROR] = "the socket failed in the TLS handshake",
	[TLS_PLAINTEXT] = "the other side speaks in clear text: give it the key file, too",
	[TLS_NOT_TLS] = "what answers there speaks neither TLS nor swblock",
	[TLS_NO_KEY] = "the other side speaks TLS, but not with a pre-shared key and a cipher of ours",
	[TLS_UNKNOWN_KEY] = "the name of the key is not in the key file",
	[TLS_WRONG_KEY] = "the name of the key is known, but the key is another one",
	[TLS_ALTERED] = "the handshake does not hold together: replayed, or changed on its way",
	[TLS_BAD_PEER] = "the other side broke the rules of TLS 1.3",
	[TLS_REFUSED] = "the other side ended the TLS handshake",
	[TLS_LEFTOVER] = "something came with the handshake that the kernel would never see",
	[TLS_NO_OFFLOAD] = "the kernel did not take the keys",
	[TLS_NO_MEMORY] = "out of memory, or GnuTLS cannot be used",
};

static_assert(ARRAY_SIZE(reasons) == __TLS_REASON_MAX);
static_assert(ARRAY_SIZE(sentences) == __TLS_REASON_MAX);

const char *tls_reason_text(enum tls_reason reason)
{
	return reason < __TLS_REASON_MAX ? reasons[reason] : "?";
}

static bool refuse(struct tls_result *res, enum tls_reason reason, bool by_peer)
{
	res->reason = reason;
	res->by_peer = by_peer;
	text_copy(res->text, sentences[reason], sizeof(res->text));
	return false;
}

/* ---- bytes of the handshake ---------------------------------------------- */

/**
 * struct conversation - one handshake
 * @fd: socket
 * @role: ours
 * @deadline_ns: of all of it
 * @keys: ours
 * @why: what pull() or push() found, better than what the library makes of it
 * @unknown_id: the client named a key that we do not have
 * @key_id: key in use
 * @head: header of the record that is being read
 * @have: bytes of it
 * @left: bytes of the record's body not read yet
 * @begun: something was read
 */
struct conversation {
	int fd;
	enum tls_role role;
	uint64_t deadline_ns;
	const struct tls_keys *keys;
	enum tls_reason why;
	bool unknown_id;
	char key_id[TLS_ID_MAX];
	uint8_t head[RECORD_HEADER];
	unsigned int have;
	size_t left;
	bool begun;
};

static enum tls_reason wait_for(const struct conversation *c, short what)
{
	struct pollfd p = { .fd = c->fd, .events = what };
	uint64_t now;
	int ret;

	for (;;) {
		now = boottime_ns();
		if (now >= c->deadline_ns)
			return TLS_TIMEOUT;
		ret = poll(&p, 1, (int)min_t(uint64_t, 1000,
					     (c->deadline_ns - now) / 1000000 + 1));
		if (ret > 0)
			return TLS_OK;
		if (ret < 0 && errno != EINTR)
			return TLS_IO_ERROR;
	}
}

static bool again(void)
{
	return errno == EAGAIN || errno == EINTR;
}

static enum tls_reason broken(void)
{
	return errno == EPIPE || errno == ECONNRESET ? TLS_CLOSED : TLS_IO_ERROR;
}

/* At most @len bytes; 0 if it ended, with the reason in @c->why. */
static size_t some(struct conversation *c, void *buf, size_t len)
{
	ssize_t did;

	for (;;) {
		c->why = wait_for(c, POLLIN);
		if (c->why)
			return 0;
		did = recv(c->fd, buf, len, MSG_DONTWAIT);
		if (did > 0)
			return (size_t)did;
		if (!did || !again()) {
			c->why = did ? broken() : TLS_CLOSED;
			return 0;
		}
	}
}

/* The very first header tells who is there. */
static enum tls_reason sniff(const uint8_t *head)
{
	if (!memcmp(head, "SWBHE", RECORD_HEADER))
		return TLS_PLAINTEXT;
	if ((head[0] != RECORD_HANDSHAKE && head[0] != RECORD_ALERT) || head[1] != 3)
		return TLS_NOT_TLS;
	return TLS_OK;
}

static bool read_head(struct conversation *c)
{
	size_t did;

	while (c->have < RECORD_HEADER) {
		did = some(c, c->head + c->have, RECORD_HEADER - c->have);
		if (!did)
			return false;
		c->have += did;
	}
	if (!c->begun)
		c->why = sniff(c->head);
	c->begun = true;
	c->left = (size_t)c->head[3] << 8 | c->head[4];
	return !c->why;
}

/*
 * For the library. It asks for a header and then for a body; whatever it asked
 * for, it never gets more than the record it is in.
 */
static ssize_t pull(gnutls_transport_ptr_t ptr, void *buf, size_t len)
{
	struct conversation *c = ptr;
	size_t did;

	if (c->why)
		goto bad;
	if (!c->left && c->have < RECORD_HEADER) {
		if (!read_head(c))
			goto bad;
		if (len < RECORD_HEADER) {
			c->why = TLS_BAD_PEER;
			goto bad;
		}
		memcpy(buf, c->head, RECORD_HEADER);
		if (!c->left)
			c->have = 0;
		return RECORD_HEADER;
	}
	did = some(c, buf, min_t(size_t, len, c->left));
	if (!did)
		goto bad;
	c->left -= did;
	if (!c->left)
		c->have = 0;
	return (ssize_t)did;
bad:
	errno = EIO;
	return -1;
}

static ssize_t push(gnutls_transport_ptr_t ptr, const void *buf, size_t len)
{
	struct conversation *c = ptr;
	ssize_t did;

	for (;;) {
		c->why = wait_for(c, POLLOUT);
		if (c->why)
			break;
		did = send(c->fd, buf, len, MSG_NOSIGNAL | MSG_DONTWAIT);
		if (did >= 0)
			return did;
		if (!again()) {
			c->why = broken();
			break;
		}
	}
	errno = EIO;
	return -1;
}

/* ---- keys ------------------------------------------------------------------ */

static int give_key(const struct tls_key *k, gnutls_datum_t *key)
{
	key->data = (*gnutls.malloc)(TLS_KEY_BYTES);
	if (!key->data)
		return -1;
	memcpy(key->data, k->key, TLS_KEY_BYTES);
	key->size = TLS_KEY_BYTES;
	return 0;
}

static int server_key(gnutls_session_t session, const char *id, gnutls_datum_t *key)
{
	struct conversation *c = gnutls.session_get_ptr(session);
	const struct tls_key *k = tls_keys_find(c->keys, id);

	if (!k) {
		c->unknown_id = true;
		return -1;
	}
	text_copy(c->key_id, k->id, sizeof(c->key_id));
	return give_key(k, key);
}

static int client_key(gnutls_session_t session, char **id, gnutls_datum_t *key)
{
	struct conversation *c = gnutls.session_get_ptr(session);
	const struct tls_key *k = &c->keys->key[0];

	*id = (*gnutls.strdup)(k->id);
	text_copy(c->key_id, k->id, sizeof(c->key_id));
	return *id ? give_key(k, key) : -1;
}

/* ---- the session ----------------------------------------------------------- */

/** struct library - what of GnuTLS has to be freed */
struct library {
	gnutls_session_t session;
	gnutls_psk_server_credentials_t server;
	gnutls_psk_client_credentials_t client;
};

static void library_free(struct library *lib)
{
	if (lib->session)
		gnutls.deinit(lib->session);
	if (lib->server)
		gnutls.psk_free_server_credentials(lib->server);
	if (lib->client)
		gnutls.psk_free_client_credentials(lib->client);
}

static bool set_credentials(struct library *lib, enum tls_role role)
{
	if (role == TLS_SERVER) {
		if (gnutls.psk_allocate_server_credentials(&lib->server))
			return false;
		gnutls.psk_set_server_credentials_function(lib->server, server_key);
		return !gnutls.credentials_set(lib->session, GNUTLS_CRD_PSK,
					       lib->server);
	}
	if (gnutls.psk_allocate_client_credentials(&lib->client))
		return false;
	gnutls.psk_set_client_credentials_function(lib->client, client_key);
	return !gnutls.credentials_set(lib->session, GNUTLS_CRD_PSK, lib->client);
}

static bool library_start(struct library *lib, struct conversation *c,
			  unsigned int ciphers)
{
	/* a ticket would be a record that the kernel takes for the end */
	unsigned int flags = GNUTLS_NO_TICKETS | GNUTLS_NO_AUTO_SEND_TICKET |
			     GNUTLS_NO_SIGNAL;
	char priority[256];

	snprintf(priority, sizeof(priority), "%s%s%s", PRIORITY_HEAD,
		 !ciphers || ciphers & TLS_CAN_AES_GCM ?
		 ":+AES-128-GCM" : "",
		 !ciphers || ciphers & TLS_CAN_CHACHA ?
		 ":+CHACHA20-POLY1305" : "");
	flags |= c->role == TLS_SERVER ? GNUTLS_SERVER : GNUTLS_CLIENT;
	/* it is there since the first key was read */
	if (!late_gnutls_load(NULL, 0) || gnutls.init(&lib->session, flags))
		return false;
	if (gnutls.priority_set_direct(lib->session, priority, NULL) ||
	    !set_credentials(lib, c->role))
		return false;
	gnutls.session_set_ptr(lib->session, c);
	gnutls.transport_set_ptr(lib->session, c);
	gnutls.transport_set_pull_function(lib->session, pull);
	gnutls.transport_set_push_function(lib->session, push);
	return true;
}

/* ---- how it ended ------------------------------------------------------------ */

static enum tls_reason by_alert(gnutls_session_t session)
{
	switch ((int)gnutls.alert_get(session)) {
	case GNUTLS_A_UNKNOWN_PSK_IDENTITY:
		return TLS_UNKNOWN_KEY;
	case GNUTLS_A_DECRYPT_ERROR:
	case GNUTLS_A_ILLEGAL_PARAMETER:
		return TLS_WRONG_KEY;
	case GNUTLS_A_BAD_RECORD_MAC:
		return TLS_ALTERED;
	case GNUTLS_A_HANDSHAKE_FAILURE:
	case GNUTLS_A_INSUFFICIENT_SECURITY:
	case GNUTLS_A_MISSING_EXTENSION:
	case GNUTLS_A_PROTOCOL_VERSION:
		return TLS_NO_KEY;
	}
	return TLS_REFUSED;
}

static enum tls_reason server_verdict(const struct conversation *c,
				      gnutls_session_t session, int err)
{
	/* behind our Finished nothing but its Finished can be wrong */
	if (gnutls.handshake_get_last_out(session) == GNUTLS_HANDSHAKE_FINISHED)
		return TLS_ALTERED;
	if (c->unknown_id && !*c->key_id)
		return TLS_UNKNOWN_KEY;
	switch (err) {
	case GNUTLS_E_NO_CIPHER_SUITES:
	case GNUTLS_E_INSUFFICIENT_CREDENTIALS:
	case GNUTLS_E_NO_COMMON_KEY_SHARE:
	case GNUTLS_E_MISSING_EXTENSION:
	case GNUTLS_E_UNSUPPORTED_VERSION_PACKET:
		return TLS_NO_KEY;
	case GNUTLS_E_RECEIVED_ILLEGAL_PARAMETER:
		return *c->key_id ? TLS_WRONG_KEY : TLS_BAD_PEER;
	}
	return TLS_BAD_PEER;
}

static enum tls_reason client_verdict(int err)
{
	switch (err) {
	case GNUTLS_E_DECRYPTION_FAILED:
	case GNUTLS_E_ERROR_IN_FINISHED_PACKET:
		return TLS_ALTERED;
	case GNUTLS_E_NO_CIPHER_SUITES:
	case GNUTLS_E_INSUFFICIENT_CREDENTIALS:
	case GNUTLS_E_UNKNOWN_CIPHER_SUITE:
		return TLS_NO_KEY;
	}
	return TLS_BAD_PEER;
}

static void send_alert(struct conversation *c, gnutls_session_t session,
		       enum tls_reason reason, int err)
{
	/* one that refuses an alert has nothing to add, and a stranger gets no word */
	static const uint8_t unexpected[] = { RECORD_ALERT, 3, 3, 0, 2, 2, 10 };

	c->why = TLS_OK;
	c->deadline_ns = min_t(uint64_t, boottime_ns() + NSEC_PER_SEC,
			       c->deadline_ns + NSEC_PER_SEC / 4);
	if (reason == TLS_PLAINTEXT)
		push(c, unexpected, sizeof(unexpected));
	else if (reason == TLS_UNKNOWN_KEY)
		gnutls.alert_send(session, GNUTLS_AL_FATAL,
				  GNUTLS_A_UNKNOWN_PSK_IDENTITY);
	else if (reason == TLS_WRONG_KEY)
		gnutls.alert_send(session, GNUTLS_AL_FATAL, GNUTLS_A_DECRYPT_ERROR);
	else
		gnutls.alert_send_appropriate(session, err);
}

static void judge(struct conversation *c, gnutls_session_t session, int err,
		  struct tls_result *res)
{
	enum tls_reason reason;

	if (err == GNUTLS_E_FATAL_ALERT_RECEIVED) {
		refuse(res, by_alert(session), true);
		return;
	}
	if (c->why)
		reason = c->why;
	else if (err == GNUTLS_E_MEMORY_ERROR)
		reason = TLS_NO_MEMORY;
	else if (c->role == TLS_SERVER)
		reason = server_verdict(c, session, err);
	else
		reason = client_verdict(err);
	refuse(res, reason, false);
	if (reason != TLS_CLOSED && reason != TLS_IO_ERROR && reason != TLS_NOT_TLS)
		send_alert(c, session, reason, err);
}

static void tell_key(struct tls_result *res, const struct conversation *c)
{
	char sentence[TLS_TEXT_MAX];

	text_copy(res->key_id, c->key_id, sizeof(res->key_id));
	if (res->reason == TLS_OK)
		text_copy(res->text, sentences[TLS_OK], sizeof(res->text));
	if (res->reason != TLS_WRONG_KEY && res->reason != TLS_UNKNOWN_KEY)
		return;
	if (!*c->key_id)
		return;
	text_copy(sentence, res->text, sizeof(sentence));
	snprintf(res->text, sizeof(res->text), "%.120s (key \"%s\")", sentence,
		 c->key_id);
}

/* ---- what the kernel is told ------------------------------------------------- */

static bool fill_gcm(struct tls_direction *d, const gnutls_datum_t *iv,
		     const gnutls_datum_t *key, const uint8_t *seq)
{
	struct tls12_crypto_info_aes_gcm_128 *g = &d->gcm;

	if (key->size != sizeof(g->key) || iv->size != sizeof(g->salt) + sizeof(g->iv))
		return false;
	g->info.version = TLS_1_3_VERSION;
	g->info.cipher_type = TLS_CIPHER_AES_GCM_128;
	memcpy(g->salt, iv->data, sizeof(g->salt));
	memcpy(g->iv, iv->data + sizeof(g->salt), sizeof(g->iv));
	memcpy(g->key, key->data, sizeof(g->key));
	memcpy(g->rec_seq, seq, sizeof(g->rec_seq));
	d->len = sizeof(*g);
	return true;
}

static bool fill_chacha(struct tls_direction *d, const gnutls_datum_t *iv,
			const gnutls_datum_t *key, const uint8_t *seq)
{
	struct tls12_crypto_info_chacha20_poly1305 *g = &d->chacha;

	if (key->size != sizeof(g->key) || iv->size != sizeof(g->iv))
		return false;
	g->info.version = TLS_1_3_VERSION;
	g->info.cipher_type = TLS_CIPHER_CHACHA20_POLY1305;
	memcpy(g->iv, iv->data, sizeof(g->iv));
	memcpy(g->key, key->data, sizeof(g->key));
	memcpy(g->rec_seq, seq, sizeof(g->rec_seq));
	d->len = sizeof(*g);
	return true;
}

static bool fill_direction(gnutls_session_t session, bool read,
			   struct tls_direction *d)
{
	gnutls_datum_t mac, iv, key;
	uint8_t seq[8];

	memset(d, 0, sizeof(*d));
	if (gnutls.record_get_state(session, read, &mac, &iv, &key, seq))
		return false;
	switch ((int)gnutls.cipher_get(session)) {
	case GNUTLS_CIPHER_AES_128_GCM:
		return fill_gcm(d, &iv, &key, seq);
	case GNUTLS_CIPHER_CHACHA20_POLY1305:
		return fill_chacha(d, &iv, &key, seq);
	}
	return false;
}

static bool is_zero(const uint8_t *p, size_t len)
{
	while (len && !*p)
		p++, len--;
	return !len;
}

/* Whatever came or went under the new keys already would be lost. */
static bool nothing_left(const struct conversation *c, gnutls_session_t session)
{
	gnutls_datum_t mac, iv, key;
	uint8_t tx[8], rx[8];

	return !c->have && !c->left && !gnutls.record_check_pending(session) &&
	       !gnutls.record_get_state(session, 0, &mac, &iv, &key, tx) &&
	       !gnutls.record_get_state(session, 1, &mac, &iv, &key, rx) &&
	       is_zero(tx, sizeof(tx)) && is_zero(rx, sizeof(rx));
}

static bool take_secrets(struct conversation *c, gnutls_session_t session,
			 struct tls_secrets *secrets, struct tls_result *res)
{
	if (gnutls.protocol_get_version(session) != GNUTLS_TLS1_3 || !*c->key_id)
		return refuse(res, TLS_BAD_PEER, false);
	if (!nothing_left(c, session))
		return refuse(res, TLS_LEFTOVER, false);
	if (!fill_direction(session, false, &secrets->tx) ||
	    !fill_direction(session, true, &secrets->rx))
		return refuse(res, TLS_BAD_PEER, false);
	res->cipher = secrets->tx.info.cipher_type;
	return true;
}

/* ---- the handshake ----------------------------------------------------------- */

static bool run_handshake(struct conversation *c, unsigned int ciphers,
			  struct tls_secrets *secrets, struct tls_result *res)
{
	struct library lib = { 0 };
	bool good = false;
	int err;

	if (!library_start(&lib, c, ciphers)) {
		refuse(res, TLS_NO_MEMORY, false);
		goto out;
	}
	do {
		err = gnutls.handshake(lib.session);
	} while (err < 0 && !c->why && !gnutls.error_is_fatal(err) &&
		 boottime_ns() < c->deadline_ns);
	if (err)
		judge(c, lib.session, err, res);
	else
		good = take_secrets(c, lib.session, secrets, res);
out:
	library_free(&lib);
	return good;
}

bool tls_handshake(int fd, enum tls_role role, const struct tls_keys *keys,
		   unsigned int ciphers, uint64_t deadline_ns,
		   struct tls_secrets *secrets, struct tls_result *res)
{
	struct conversation c = {
		.fd = fd, .role = role, .keys = keys, .deadline_ns = deadline_ns,
	};
	bool good = false;

	memset(res, 0, sizeof(*res));
	memset(secrets, 0, sizeof(*secrets));
	if (keys->count)
		good = run_handshake(&c, ciphers, secrets, res);
	else
		refuse(res, TLS_UNKNOWN_KEY, false);
	tell_key(res, &c);
	if (!good) {
		explicit_bzero(secrets, sizeof(*secrets));
		shutdown(fd, SHUT_RDWR);
	}
	return good;
}

/* What it could once it can for good; what it cannot somebody may load any moment. */
static bool kernel_can(unsigned int *ciphers, char *why, size_t len)
{
	static unsigned int known;

	*ciphers = __atomic_load_n(&known, __ATOMIC_RELAXED);
	if (*ciphers)
		return true;
	if (!tls_kernel_check(ciphers, why, len))
		return false;
	__atomic_store_n(&known, *ciphers, __ATOMIC_RELAXED);
	return true;
}

bool tls_run(int fd, enum tls_role role, const struct tls_keys *keys,
	     uint64_t deadline_ns, struct tls_result *res)
{
	struct tls_secrets secrets;
	unsigned int ciphers;
	bool good;

	memset(res, 0, sizeof(*res));
	if (!kernel_can(&ciphers, res->text, sizeof(res->text))) {
		res->reason = TLS_NO_OFFLOAD;
		shutdown(fd, SHUT_RDWR);
		return false;
	}
	good = tls_handshake(fd, role, keys, ciphers, deadline_ns, &secrets, res) &&
	       tls_offload(fd, &secrets, res);
	explicit_bzero(&secrets, sizeof(secrets));
	return good;
}
