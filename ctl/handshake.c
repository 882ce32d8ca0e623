// SPDX-License-Identifier: GPL-2.0-only
/*
 * The hello: fixed size, checksummed, versioned, with a deadline for all of it.
 * Whatever bytes arrive, it ends with a yes or with one reason of a fixed list.
 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "handshake.h"

#define TLS_ALERT	21
#define TLS_HANDSHAKE	22

/* Bytes on the socket, little-endian. */
struct wire_hello {
	uint8_t magic[8];
	__le32 version;
	__le32 crc;		/* of all bytes with this field as zero */
	uint8_t volume[16];
	uint8_t from[16];
	uint8_t to[16];
	__le32 proto_min;
	__le32 proto_max;
	__le64 epoch;
	__le64 endpoint_version;
	__le64 last_epoch;
	__le64 log_end;
	__le64 session;
	__le64 move;
	uint8_t reserved[HELLO_BYTES - 120];
};

struct wire_verdict {
	uint8_t magic[8];
	__le32 reason;
	__le32 crc;
	char text[HELLO_TEXT_MAX];
	uint8_t reserved[HELLO_VERDICT_BYTES - 16 - HELLO_TEXT_MAX];
};

static_assert(sizeof(struct wire_hello) == HELLO_BYTES);
static_assert(sizeof(struct wire_verdict) == HELLO_VERDICT_BYTES);

static const char *const reasons[] = {
	[HELLO_OK] = "ok", [HELLO_TIMEOUT] = "timeout",
	[HELLO_CLOSED] = "peer_closed", [HELLO_IO_ERROR] = "socket_error",
	[HELLO_BAD_MAGIC] = "bad_magic", [HELLO_BAD_CRC] = "bad_crc",
	[HELLO_BAD_VERSION] = "bad_version", [HELLO_BAD_PROTO] = "bad_protocol",
	[HELLO_FOREIGN_VOLUME] = "foreign_volume",
	[HELLO_FOREIGN_REPLICA] = "foreign_replica",
	[HELLO_NOT_WANTED] = "not_wanted", [HELLO_SELF] = "self",
	[HELLO_PEER_REFUSED] = "peer_refused",
	[HELLO_SPEAKS_TLS] = "speaks_tls", [HELLO_NOT_MEMBER] = "not_member",
	[HELLO_BUSY] = "busy", [HELLO_OTHER_KEY] = "other_key",
};

/* What the other side is told, and what we print. */
static const char *const sentences[] = {
	[HELLO_OK] = "welcome",
	[HELLO_TIMEOUT] = "nothing complete was heard before the deadline",
	[HELLO_CLOSED] = "the other end closed the connection",
	[HELLO_IO_ERROR] = "the socket failed",
	[HELLO_BAD_MAGIC] = "what answers there is not swblock",
	[HELLO_BAD_CRC] = "the hello was damaged on its way",
	[HELLO_BAD_VERSION] = "the hello has another version; update the older side",
	[HELLO_BAD_PROTO] = "no protocol version in common; update the older side",
	[HELLO_FOREIGN_VOLUME] = "it belongs to another volume",
	[HELLO_FOREIGN_REPLICA] = "it is another replica than the one asked for",
	[HELLO_NOT_WANTED] = "it asked for another replica than this one",
	[HELLO_SELF] = "it is this very replica: a member cannot be its own peer",
	[HELLO_PEER_REFUSED] = "the other side refused",
	[HELLO_SPEAKS_TLS] = "the other side speaks TLS: give this side the key file, too",
	[HELLO_NOT_MEMBER] = "this member has no link to that replica",
	[HELLO_BUSY] = "a connection the other way is under way already",
	[HELLO_OTHER_KEY] = "the key that was used is not the one of this volume",
};

const char *hello_reason_text(enum hello_reason reason)
{
	return reason < __HELLO_REASON_MAX ? reasons[reason] : "?";
}

void hello_encode(const struct hello *h, uint8_t out[HELLO_BYTES])
{
	struct wire_hello w = { .version = cpu_to_le32(HELLO_VERSION) };

	memcpy(w.magic, HELLO_MAGIC, sizeof(w.magic));
	memcpy(w.volume, h->volume.b, 16);
	memcpy(w.from, h->from.b, 16);
	memcpy(w.to, h->to.b, 16);
	w.proto_min = cpu_to_le32(h->proto_min);
	w.proto_max = cpu_to_le32(h->proto_max);
	w.epoch = cpu_to_le64(h->epoch);
	w.endpoint_version = cpu_to_le64(h->endpoint_version);
	w.last_epoch = cpu_to_le64(h->last_epoch);
	w.log_end = cpu_to_le64(h->log_end);
	w.session = cpu_to_le64(h->session);
	w.move = cpu_to_le64(h->move);
	w.crc = cpu_to_le32(swb_crc32c(0, &w, sizeof(w)));
	memcpy(out, &w, sizeof(w));
}

enum hello_reason hello_decode(const uint8_t in[HELLO_BYTES], struct hello *h)
{
	struct wire_hello w;
	uint32_t crc;

	memcpy(&w, in, sizeof(w));
	memset(h, 0, sizeof(*h));
	if (memcmp(w.magic, HELLO_MAGIC, sizeof(w.magic)))
		return HELLO_BAD_MAGIC;
	crc = le32_to_cpu(w.crc);
	w.crc = 0;
	if (swb_crc32c(0, &w, sizeof(w)) != crc)
		return HELLO_BAD_CRC;
	if (le32_to_cpu(w.version) != HELLO_VERSION)
		return HELLO_BAD_VERSION;
	memcpy(h->volume.b, w.volume, 16);
	memcpy(h->from.b, w.from, 16);
	memcpy(h->to.b, w.to, 16);
	h->proto_min = le32_to_cpu(w.proto_min);
	h->proto_max = le32_to_cpu(w.proto_max);
	h->epoch = le64_to_cpu(w.epoch);
	h->endpoint_version = le64_to_cpu(w.endpoint_version);
	h->last_epoch = le64_to_cpu(w.last_epoch);
	h->log_end = le64_to_cpu(w.log_end);
	h->session = le64_to_cpu(w.session);
	h->move = le64_to_cpu(w.move);
	return HELLO_OK;
}

void hello_verdict_encode(enum hello_reason reason, const char *text,
			  uint8_t out[HELLO_VERDICT_BYTES])
{
	struct wire_verdict w = { .reason = cpu_to_le32(reason) };

	memcpy(w.magic, HELLO_MAGIC, sizeof(w.magic));
	text_copy(w.text, text, sizeof(w.text));
	w.crc = cpu_to_le32(swb_crc32c(0, &w, sizeof(w)));
	memcpy(out, &w, sizeof(w));
}

enum hello_reason hello_verdict_decode(const uint8_t in[HELLO_VERDICT_BYTES],
				       enum hello_reason *verdict,
				       char text[HELLO_TEXT_MAX])
{
	struct wire_verdict w;
	uint32_t crc, reason;
	size_t i;

	memcpy(&w, in, sizeof(w));
	text[0] = 0;
	if (memcmp(w.magic, HELLO_MAGIC, sizeof(w.magic)))
		return HELLO_BAD_MAGIC;
	crc = le32_to_cpu(w.crc);
	w.crc = 0;
	if (swb_crc32c(0, &w, sizeof(w)) != crc)
		return HELLO_BAD_CRC;
	reason = le32_to_cpu(w.reason);
	*verdict = reason < __HELLO_REASON_MAX ? (enum hello_reason)reason :
		   HELLO_PEER_REFUSED;
	w.text[HELLO_TEXT_MAX - 1] = 0;
	/* a stranger's words go to a terminal */
	for (i = 0; w.text[i]; i++)
		text[i] = w.text[i] >= ' ' && w.text[i] <= '~' ? w.text[i] : '?';
	text[i] = 0;
	return HELLO_OK;
}

enum hello_reason hello_judge(const struct hello *me, const struct hello *peer,
			      uint32_t *proto)
{
	uint32_t top = min_t(uint32_t, me->proto_max, peer->proto_max);

	if (!swb_uuid_equal(&me->volume, &peer->volume))
		return HELLO_FOREIGN_VOLUME;
	if (swb_uuid_equal(&me->from, &peer->from))
		return HELLO_SELF;
	/* an address is never an identity: who answers must be who was meant */
	if (!swb_uuid_is_null(&me->to) && !swb_uuid_equal(&me->to, &peer->from))
		return HELLO_FOREIGN_REPLICA;
	if (!swb_uuid_is_null(&peer->to) && !swb_uuid_equal(&peer->to, &me->from))
		return HELLO_NOT_WANTED;
	if (top < me->proto_min || top < peer->proto_min)
		return HELLO_BAD_PROTO;
	*proto = top;
	return HELLO_OK;
}

static enum hello_reason wait_for(int fd, short what, uint64_t deadline_ns)
{
	struct pollfd p = { .fd = fd, .events = what };
	uint64_t now;
	int ret;

	for (;;) {
		now = boottime_ns();
		if (now >= deadline_ns)
			return HELLO_TIMEOUT;
		ret = poll(&p, 1, (int)min_t(uint64_t, 1000,
					     (deadline_ns - now) / 1000000 + 1));
		if (ret > 0)
			return HELLO_OK;
		if (ret < 0 && errno != EINTR)
			return HELLO_IO_ERROR;
	}
}

static enum hello_reason send_all(int fd, const void *buf, size_t len,
				  uint64_t deadline_ns)
{
	const char *p = buf;
	enum hello_reason why;
	ssize_t did;

	while (len) {
		why = wait_for(fd, POLLOUT, deadline_ns);
		if (why)
			return why;
		did = send(fd, p, len, MSG_NOSIGNAL | MSG_DONTWAIT);
		if (did < 0) {
			if (errno == EAGAIN || errno == EINTR)
				continue;
			return errno == EPIPE || errno == ECONNRESET ?
			       HELLO_CLOSED : HELLO_IO_ERROR;
		}
		p += did;
		len -= (size_t)did;
	}
	return HELLO_OK;
}

/* Never reads beyond @len: the next byte may be the peer kernel's. */
static enum hello_reason recv_all(int fd, void *buf, size_t len,
				  uint64_t deadline_ns)
{
	char *p = buf;
	enum hello_reason why;
	ssize_t did;

	while (len) {
		why = wait_for(fd, POLLIN, deadline_ns);
		if (why)
			return why;
		did = recv(fd, p, len, MSG_DONTWAIT);
		if (!did)
			return HELLO_CLOSED;
		if (did < 0) {
			if (errno == EAGAIN || errno == EINTR)
				continue;
			return errno == ECONNRESET ? HELLO_CLOSED : HELLO_IO_ERROR;
		}
		p += did;
		len -= (size_t)did;
	}
	return HELLO_OK;
}

static void refuse(struct hello_result *res, enum hello_reason reason)
{
	res->reason = reason;
	text_copy(res->text, sentences[reason], sizeof(res->text));
}

static bool read_verdict(int fd, uint64_t deadline_ns, struct hello_result *res)
{
	uint8_t buf[HELLO_VERDICT_BYTES];
	enum hello_reason why, verdict = HELLO_OK;
	char text[HELLO_TEXT_MAX] = "";

	why = recv_all(fd, buf, sizeof(buf), deadline_ns);
	if (!why)
		why = hello_verdict_decode(buf, &verdict, text);
	/* our own refusal is the better explanation */
	if (res->reason)
		return false;
	if (why) {
		refuse(res, why);
		return false;
	}
	if (verdict) {
		res->reason = verdict;
		res->by_peer = true;
		text_copy(res->text, text, sizeof(res->text));
		return false;
	}
	return true;
}

/* The first bytes of a TLS record, where a hello was expected. */
static bool is_tls(const uint8_t *in)
{
	return (in[0] == TLS_HANDSHAKE || in[0] == TLS_ALERT) && in[1] == 3;
}

/* The other side's hello, or the reason why there is none. */
static enum hello_reason hear(int fd, uint64_t deadline_ns, struct hello *peer)
{
	uint8_t in[HELLO_BYTES] = { 0 };
	enum hello_reason why = recv_all(fd, in, sizeof(in), deadline_ns);

	/* an alert is shorter than a hello, and the end comes behind it */
	if (is_tls(in))
		return HELLO_SPEAKS_TLS;
	return why ? why : hello_decode(in, peer);
}

/* Half a hello deserves an answer; a stranger gets no word. */
static bool unheard(int fd, enum hello_reason why, struct hello_result *res)
{
	uint8_t out[HELLO_VERDICT_BYTES];

	refuse(res, why);
	if (why == HELLO_TIMEOUT || why == HELLO_BAD_CRC || why == HELLO_BAD_VERSION) {
		hello_verdict_encode(why, sentences[why], out);
		send_all(fd, out, sizeof(out), boottime_ns() + NSEC_PER_SEC);
	}
	return false;
}

/* Both have said who they are: say what we think of it, and hear the other. */
static bool conclude(int fd, enum hello_reason why, uint64_t deadline_ns,
		     struct hello_result *res)
{
	uint8_t out[HELLO_VERDICT_BYTES];

	refuse(res, why);
	hello_verdict_encode(why, sentences[why], out);
	if (send_all(fd, out, sizeof(out), deadline_ns)) {
		if (!res->reason)
			refuse(res, HELLO_CLOSED);
		return false;
	}
	if (why)
		deadline_ns = min_t(uint64_t, deadline_ns,
				    boottime_ns() + NSEC_PER_SEC);
	return read_verdict(fd, deadline_ns, res);
}

/* With the same session at both ends the link may carry it on: one name for that. */
static uint64_t move_of(const struct hello *me, const struct hello *peer)
{
	return me->session && me->session == peer->session ? me->move ^ peer->move : 0;
}

bool hello_run_if(int fd, const struct hello *what, bool (*still)(void *arg), void *arg,
		  uint64_t deadline_ns, struct hello_result *res)
{
	struct hello mine = *what, *me = &mine;
	uint8_t out[HELLO_BYTES];
	enum hello_reason why;

	memset(res, 0, sizeof(*res));
	mine.move = random_u64();
	hello_encode(me, out);
	why = send_all(fd, out, HELLO_BYTES, deadline_ns);
	/* what a peer said before it hung up tells more than that it did */
	if (!why || why == HELLO_CLOSED)
		why = hear(fd, deadline_ns, &res->peer);
	if (why)
		return unheard(fd, why, res);
	why = hello_judge(me, &res->peer, &res->proto);
	if (!why && still && !still(arg))
		why = HELLO_BUSY;
	res->move = move_of(me, &res->peer);
	return conclude(fd, why, deadline_ns, res);
}

bool hello_run(int fd, const struct hello *me, uint64_t deadline_ns,
	       struct hello_result *res)
{
	return hello_run_if(fd, me, NULL, NULL, deadline_ns, res);
}

bool hello_answer(int fd, hello_choose choose, void *arg, uint64_t deadline_ns,
		  struct hello_result *res)
{
	struct hello me = { 0 };
	uint8_t out[HELLO_BYTES];
	enum hello_reason why;

	memset(res, 0, sizeof(*res));
	why = hear(fd, deadline_ns, &res->peer);
	if (why)
		return unheard(fd, why, res);
	why = choose(arg, &res->peer, &me);
	if (!why)
		why = hello_judge(&me, &res->peer, &res->proto);
	me.move = random_u64();
	res->move = move_of(&me, &res->peer);
	hello_encode(&me, out);
	if (send_all(fd, out, HELLO_BYTES, deadline_ns)) {
		refuse(res, why ? why : HELLO_CLOSED);
		return false;
	}
	return conclude(fd, why, deadline_ns, res);
}
