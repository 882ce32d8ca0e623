// SPDX-License-Identifier: GPL-2.0-only
/*
 * A peer with the key that misbehaves: links a member over TLS as swblockctl does,
 * keeps its copy of the socket, and on a line from stdin sends one record that is
 * no data, as an attacker with the key or a wrong library might.
 *
 *	guest_misfit VOLUME/REPLICA PEER HOST:PORT KEYFILE alert|keyupdate|data
 */
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

#include "format/wire.h"
#include "handshake.h"
#include "nl.h"
#include "tls.h"

#ifndef SOL_TLS
#define SOL_TLS		282
#endif

const struct verb *const ctl_verbs[] = { NULL };

static int give_up(const char *what, const char *why)
{
	fprintf(stderr, "guest_misfit: %s: %s\n", what, why);
	return 1;
}

static const struct kern_volume *find(const struct kern_dump *dump, const char *replica)
{
	unsigned int i;

	for (i = 0; i < dump->count; i++)
		if (!strcmp(dump->volume[i].replica_label, replica))
			return &dump->volume[i];
	return NULL;
}

static int send_record(int fd, unsigned char type, const void *body, size_t len)
{
	union {
		char buf[CMSG_SPACE(1)];
		struct cmsghdr align;
	} control = { 0 };
	struct iovec iov = { .iov_base = (void *)(uintptr_t)body, .iov_len = len };
	struct msghdr msg = { .msg_iov = &iov, .msg_iovlen = 1,
			      .msg_control = control.buf,
			      .msg_controllen = sizeof(control.buf) };
	struct cmsghdr *c = CMSG_FIRSTHDR(&msg);

	c->cmsg_level = SOL_TLS;
	c->cmsg_type = TLS_SET_RECORD_TYPE;
	c->cmsg_len = CMSG_LEN(1);
	*CMSG_DATA(c) = type;
	return sendmsg(fd, &msg, MSG_NOSIGNAL) == (ssize_t)len ? 0 : 1;
}

static int misbehave(int fd, const char *how)
{
	static const unsigned char alert[] = { 1, 0 };		/* close_notify */
	static const unsigned char update[] = { 24, 0, 0, 1, 0 };	/* KeyUpdate */

	if (!strcmp(how, "alert"))
		return send_record(fd, 21, alert, sizeof(alert));
	if (!strcmp(how, "keyupdate"))
		return send_record(fd, 22, update, sizeof(update));
	return send_record(fd, 23, "not a frame of ours", 19);
}

static bool greet(int fd, const struct kern_volume *v, const struct kern_volume *o,
		  const char *key_file, char why[256])
{
	struct hello me = { .volume = v->volume, .from = v->replica, .to = o->replica,
			    .proto_min = SWB_WIRE_PROTO_MIN,
			    .proto_max = SWB_WIRE_PROTO_MAX };
	uint64_t deadline = boottime_ns() + 10 * NSEC_PER_SEC;
	struct hello_result hello;
	struct tls_result tls;
	struct tls_keys keys;

	if (!tls_keys_load(key_file, &keys, why, 256))
		return false;
	if (!tls_run(fd, TLS_CLIENT, &keys, deadline, &tls)) {
		text_copy(why, tls.text, 256);
		return false;
	}
	tls_keys_wipe(&keys);
	if (hello_run(fd, &me, deadline, &hello))
		return true;
	text_copy(why, hello.text, 256);
	return false;
}

int main(int argc, char **argv)
{
	const struct kern_volume *v, *o;
	struct kern_dump dump;
	char why[256], line[16];
	struct kern *kern;
	int fd;

	if (argc != 6 || !strchr(argv[1], '/'))
		return give_up("usage", "VOLUME/REPLICA PEER HOST:PORT KEYFILE RECORD");
	if (kern_open(&kern) || kern_dump_volumes(kern, &dump))
		return give_up("kernel", "no module");
	v = find(&dump, strchr(argv[1], '/') + 1);
	o = find(&dump, argv[2]);
	if (!v || !o)
		return give_up(argv[1], "no such member");
	fd = net_connect(argv[3], boottime_ns() + 10 * NSEC_PER_SEC, why, sizeof(why));
	if (fd < 0 || !greet(fd, v, o, argv[4], why))
		return give_up(argv[3], why);
	if (kern_link(kern, v->id, &o->replica, fd, 0, 1))
		return give_up("link", kern_error(kern));
	puts("linked");
	fflush(stdout);
	if (!fgets(line, sizeof(line), stdin))
		return give_up("stdin", "closed");
	return misbehave(fd, argv[5]) ? give_up("send", "failed") : 0;
}
