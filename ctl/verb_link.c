// SPDX-License-Identifier: GPL-2.0-only
/*
 * swblockctl link, unlink: connect or accept, say hello, hand the socket to the
 * kernel. The kernel makes no connection and authenticates nobody.
 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "core/text.h"
#include "format/wire.h"
#include "epoch.h"
#include "handshake.h"
#include "tls.h"
#include "verbs.h"

static uint64_t matched_session(const struct kern_volume *v,
				const struct swb_uuid *peer)
{
	unsigned int i;

	for (i = 0; i < v->peer_count; i++)
		if (swb_uuid_equal(&v->peer[i].uuid, peer) &&
		    v->peer[i].state == SWBLOCK_PEER_IN_SYNC)
			return v->peer[i].session;
	return 0;
}

static void fill_hello(const struct kern_volume *v, const struct swb_uuid *peer,
		       struct hello *h)
{
	*h = (struct hello){
		.volume = v->volume, .from = v->replica, .to = *peer,
		.proto_min = SWB_WIRE_PROTO_MIN, .proto_max = SWB_WIRE_PROTO_MAX,
		.epoch = v->epoch, .session = matched_session(v, peer),
	};
}

/*
 * A socket lives for ever in the network namespace it was made in: the netlink
 * socket, open by now, in the initial one. Return: 0, or a negative errno.
 */
static int enter_netns(const char *name)
{
	char path[PATH_MAX];
	int fd, err;

	snprintf(path, sizeof(path), "%s%s", strchr(name, '/') ? "" : "/run/netns/",
		 name);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	err = setns(fd, CLONE_NEWNET) ? -errno : 0;
	close(fd);
	return err;
}

/* In clear text beyond this host only if somebody said so. */
static int refuse_clear_text(struct ctl *ctl, const char *where)
{
	return out_fail(ctl, &err_refused,
			"give both sides the same --key FILE, or --insecure on a network that nobody else can reach",
			"%s is beyond this host, and without a key a link is neither encrypted nor authenticated",
			where);
}

static bool clear_text_allowed(struct ctl *ctl)
{
	return opt_has(ctl, "key") || opt_has(ctl, "insecure");
}

static int connect_here(struct ctl *ctl, const char *to, uint64_t deadline_ns, int *fd)
{
	char why[256];

	*fd = net_connect(to, deadline_ns, why, sizeof(why));
	if (*fd < 0)
		return out_fail(ctl, &err_hello, NULL, "%s", why);
	if (net_peer_is_local(*fd) || clear_text_allowed(ctl))
		return CTL_OK;
	close(*fd);
	return refuse_clear_text(ctl, to);
}

static int open_socket_here(struct ctl *ctl, uint64_t deadline_ns, int *fd)
{
	const char *to = opt_get(ctl, "connect"), *at = opt_get(ctl, "listen");
	bool loopback;
	char why[256];
	int listener;

	if (to)
		return connect_here(ctl, to, deadline_ns, fd);
	listener = net_listen(at, &loopback, why, sizeof(why));
	if (listener < 0)
		return out_fail(ctl, &err_hello, NULL, "%s", why);
	if (!loopback && !clear_text_allowed(ctl)) {
		close(listener);
		return refuse_clear_text(ctl, at);
	}
	out_line(ctl, "waiting for a peer on %s", at);
	*fd = net_accept(listener, deadline_ns, why, sizeof(why));
	close(listener);
	if (*fd < 0)
		return out_fail(ctl, &err_timeout, NULL, "%s: %s", at, why);
	return CTL_OK;
}

static int open_socket(struct ctl *ctl, uint64_t deadline_ns, int *fd)
{
	const char *netns = opt_get(ctl, "netns");
	int err = netns ? enter_netns(netns) : 0;

	if (err)
		return out_fail(ctl, err == -ENOENT ? &err_no_object : &err_system,
				"see ip netns list", "network namespace %s: %s",
				netns, strerror(-err));
	return open_socket_here(ctl, deadline_ns, fd);
}

/* Says in the result what the link is. */
static int encrypt(struct ctl *ctl, const struct tls_keys *keys, uint64_t deadline_ns,
		   int fd)
{
	enum tls_role role = opt_has(ctl, "connect") ? TLS_CLIENT : TLS_SERVER;
	struct tls_result res;

	out_set(ctl, "encrypted", json_boolean(keys->count));
	if (!keys->count)
		return CTL_OK;
	if (!tls_run(fd, role, keys, deadline_ns, &res))
		return out_fail(ctl, res.reason == TLS_TIMEOUT ? &err_timeout : &err_hello,
				NULL, "TLS: %s%s (%s)",
				res.by_peer ? "the peer refused: " : "", res.text,
				tls_reason_text(res.reason));
	out_set(ctl, "key", json_string(res.key_id));
	return CTL_OK;
}

static int greet(struct ctl *ctl, const struct kern_volume *v,
		 const struct swb_uuid *peer, uint64_t deadline_ns, int fd,
		 uint64_t *move)
{
	struct hello_result res;
	struct hello me;

	fill_hello(v, peer, &me);
	if (hello_run(fd, &me, deadline_ns, &res)) {
		*move = res.move;
		return CTL_OK;
	}
	return out_fail(ctl, res.reason == HELLO_TIMEOUT ? &err_timeout : &err_hello,
			res.by_peer ? "the peer's controller printed the same" : NULL,
			"hello: %s%s (%s)", res.by_peer ? "the peer refused: " : "",
			res.text, hello_reason_text(res.reason));
}

static bool compared(const struct ctl *ctl, const struct kern_peer *p)
{
	switch ((enum swblock_peer_state)p->state) {
	case SWBLOCK_PEER_IN_SYNC:
	case SWBLOCK_PEER_NEEDS_REBUILD:
	case SWBLOCK_PEER_REFUSED:
		return true;
	case SWBLOCK_PEER_CATCHING_UP:
	case SWBLOCK_PEER_REBUILDING:
		return !opt_has(ctl, "sync");
	case SWBLOCK_PEER_OPENING:
		return false;
	case SWBLOCK_PEER_DETACHED:
		/* the link before this one may still be on its way out */
		return p->reason != SWBLOCK_REASON_REPLACED &&
		       p->reason != SWBLOCK_REASON_NONE;
	}
	return false;
}

static const struct kern_peer *peer_in(const struct kern_volume *v,
				       const struct swb_uuid *peer)
{
	unsigned int i;

	for (i = 0; i < v->peer_count; i++)
		if (swb_uuid_equal(&v->peer[i].uuid, peer))
			return &v->peer[i];
	return NULL;
}

static int say_peer(struct ctl *ctl, const struct kern_volume *v,
		    const struct kern_peer *p, const char *label)
{
	char name[MEMBER_NAME_MAX], line[256];
	const char *state = swb_text_peer_state(p->state);

	case_line(SWBLOCK_TABLE_RESYNC, p->letter, line, sizeof(line));
	out_line(ctl, "%s - %s: %s%s%s", member_name(v, name), label, state,
		 *line ? ", " : "", line);
	out_set(ctl, "member", json_string(name));
	out_set(ctl, "peer", json_uuid(&p->uuid));
	out_set(ctl, "peer_label", json_string(label));
	out_set(ctl, "state", json_string(state));
	out_set(ctl, "case", json_letter(p->letter));
	out_set(ctl, "case_text", *line ? json_string(line) : json_null());
	out_set(ctl, "reason", json_string(swb_text_reason(p->reason)));
	if (p->state == SWBLOCK_PEER_REFUSED ||
	    p->state == SWBLOCK_PEER_NEEDS_REBUILD)
		return out_fail(ctl, &err_refused,
				swb_text_hint(SWBLOCK_TABLE_RESYNC, p->letter),
				"linked, but %s: %s", state, line);
	if (p->state == SWBLOCK_PEER_DETACHED)
		return out_fail(ctl, &err_failed,
				swb_text_hint(SWBLOCK_TABLE_RESYNC, p->letter),
				"the link to %s ended: %s", label,
				swb_text_reason(p->reason));
	return CTL_OK;
}

/* Until facts were compared: by event, and by a look after lost events. */
static int wait_peer(struct ctl *ctl, const struct kern_volume *v,
		     const struct swb_uuid *peer, const char *label,
		     uint64_t deadline_ns)
{
	const struct kern_peer *p;
	struct kern_volume now;
	struct kern_event ev;
	int err;

	for (;;) {
		err = kern_event_next(ctl->kern, deadline_ns, &ev);
		if (err && err != KERN_LOST)
			return wait_failed(ctl, err, "link");
		if (!err && (ev.volume_id != v->id || !ev.has_peer ||
			     !swb_uuid_equal(&ev.peer.uuid, peer)))
			continue;
		if (!err && compared(ctl, &ev.peer))
			return say_peer(ctl, v, &ev.peer, label);
		if (err == KERN_LOST) {
			err = kern_get_volume(ctl->kern, v->id, &now);
			if (err)
				return kernel_said(ctl, err, "link");
			kern_events_seen(ctl->kern, now.seq);
			p = peer_in(&now, peer);
			if (p && compared(ctl, p))
				return say_peer(ctl, &now, p, label);
		}
	}
}

/* The session continues on the new socket: nothing is compared, no event comes. */
static int say_moved(struct ctl *ctl, const struct kern_volume *v,
		     const struct swb_uuid *peer, const char *label)
{
	const struct kern_peer *p;
	struct kern_volume now;
	int err = kern_get_volume(ctl->kern, v->id, &now);

	if (err)
		return kernel_said(ctl, err, "link");
	p = peer_in(&now, peer);
	if (!p)
		return out_fail(ctl, &err_failed, NULL, "the peer is gone");
	out_set(ctl, "moved", json_true());
	return say_peer(ctl, &now, p, label);
}

static int hand_over(struct ctl *ctl, const struct kern_volume *v,
		     const struct swb_uuid *peer, int fd, uint64_t move)
{
	char name[MEMBER_NAME_MAX];
	int err;

	err = kern_link(ctl->kern, v->id, peer, fd, move, random_u64());
	/* the kernel holds its own reference; ours would keep a dead link open */
	close(fd);
	return err ? kernel_said(ctl, err, member_name(v, name)) : CTL_OK;
}

static int link_pair(struct ctl *ctl, const struct kern_dump *dump,
		     const struct kern_volume *v, const struct swb_uuid *peer)
{
	const struct kern_volume *o = member_by_replica(dump, peer);
	int sv[2], ret;

	if (!o)
		return out_fail(ctl, &err_no_object, "use --connect and --listen",
				"the peer is not attached on this host");
	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, sv))
		return out_fail(ctl, &err_system, NULL, "socketpair: %s",
				strerror(errno));
	/* the side that listens first, so that no frame meets a closed door */
	if (v->role == SWBLOCK_ROLE_PRIMARY) {
		ret = hand_over(ctl, o, &v->replica, sv[1], 0);
		if (ret)
			close(sv[0]);
		return ret ? ret : hand_over(ctl, v, peer, sv[0], 0);
	}
	ret = hand_over(ctl, v, peer, sv[0], 0);
	if (ret)
		close(sv[1]);
	return ret ? ret : hand_over(ctl, o, &v->replica, sv[1], 0);
}

static int link_with_keys(struct ctl *ctl, const struct kern_volume *v,
			  const struct swb_uuid *peer, const struct tls_keys *keys,
			  uint64_t deadline_ns, uint64_t *move)
{
	int fd = -1, ret;

	ret = open_socket(ctl, deadline_ns, &fd);
	if (ret)
		return ret;
	ret = encrypt(ctl, keys, deadline_ns, fd);
	if (!ret)
		ret = greet(ctl, v, peer, deadline_ns, fd, move);
	if (!ret)
		return hand_over(ctl, v, peer, fd, *move);
	close(fd);
	return ret;
}

static int load_keys(struct ctl *ctl, struct tls_keys *keys)
{
	const char *file = opt_get(ctl, "key");
	unsigned int ciphers;
	char why[512];

	memset(keys, 0, sizeof(*keys));
	if (!file)
		return CTL_OK;
	if (!tls_keys_load(file, keys, why, sizeof(why)))
		return out_fail(ctl, &err_refused, NULL, "%s", why);
	/* before anybody is kept waiting */
	if (!tls_kernel_check(&ciphers, why, sizeof(why)))
		return out_fail(ctl, &err_system,
				"the kernel encrypts links; there is no other way",
				"%s", why);
	return CTL_OK;
}

static int link_socket(struct ctl *ctl, const struct kern_volume *v,
		       const struct swb_uuid *peer, uint64_t deadline_ns, uint64_t *move)
{
	struct tls_keys keys;
	int ret;

	ret = load_keys(ctl, &keys);
	if (!ret)
		ret = link_with_keys(ctl, v, peer, &keys, deadline_ns, move);
	tls_keys_wipe(&keys);
	return ret;
}

static int bring_in_both(struct ctl *ctl, const struct kern_dump *dump,
			 const struct kern_volume *v, const struct swb_uuid *peer)
{
	const struct kern_volume *o = member_by_replica(dump, peer);
	int ret = epoch_bring_in(ctl, v);

	return ret || !o || !opt_has(ctl, "pair") ? ret : epoch_bring_in(ctl, o);
}

static int check_ways(struct ctl *ctl)
{
	if (opt_has(ctl, "connect") + opt_has(ctl, "listen") +
	    opt_has(ctl, "pair") != 1)
		return out_fail(ctl, &err_usage, "see swblockctl link --help",
				"one of --connect, --listen, --pair");
	if (opt_has(ctl, "key") && (opt_has(ctl, "pair") || opt_has(ctl, "insecure")))
		return out_fail(ctl, &err_usage, NULL, "--key goes with neither %s",
				"--pair nor --insecure");
	return CTL_OK;
}

/* The member that sees the session's verdict is the primary, if it is here. */
static int watch(struct ctl *ctl, const struct kern_dump *dump,
		 const struct kern_volume *v, const struct swb_uuid *peer,
		 const char *label, uint64_t deadline_ns)
{
	const struct kern_volume *o = member_by_replica(dump, peer);

	if (opt_has(ctl, "no-wait") ||
	    (v->role == SWBLOCK_ROLE_NONE && (!o || o->role == SWBLOCK_ROLE_NONE))) {
		out_line(ctl, "linked; facts are compared once there is a primary");
		out_set(ctl, "peer", json_uuid(peer));
		out_set(ctl, "state", json_null());
		return CTL_OK;
	}
	if (v->role != SWBLOCK_ROLE_PRIMARY && o &&
	    o->role == SWBLOCK_ROLE_PRIMARY)
		return wait_peer(ctl, o, &v->replica, v->replica_label,
				 deadline_ns);
	return wait_peer(ctl, v, peer, label, deadline_ns);
}

static int run_link(struct ctl *ctl)
{
	uint64_t deadline = deadline_after(ctl);
	char label[CTL_UUID_TEXT];
	const struct kern_volume *v;
	struct auth_record rec;
	struct kern_dump dump = { 0 };
	struct swb_uuid peer;
	uint64_t move = 0;
	int ret, err;

	ret = check_ways(ctl);
	if (!ret)
		ret = need_members(ctl, &dump);
	if (!ret)
		ret = member_find(ctl, &dump, ctl->pos[0], &v);
	if (!ret)
		ret = peer_find(ctl, &dump, v, ctl->pos[1], &peer);
	if (ret)
		goto out;
	peer_label(&dump, record_of(ctl, &v->volume, &rec) ? &rec : NULL, &peer,
		   label);
	err = kern_events_open(ctl->kern);
	ret = err ? kernel_said(ctl, err, "events") :
	      bring_in_both(ctl, &dump, v, &peer);
	if (ret)
		goto out;
	if (opt_has(ctl, "pair"))
		ret = link_pair(ctl, &dump, v, &peer);
	else
		ret = link_socket(ctl, v, &peer, deadline, &move);
	if (!ret && move)
		ret = say_moved(ctl, v, &peer, label);
	else if (!ret)
		ret = watch(ctl, &dump, v, &peer, label, deadline);
	/* the link may be what the open record waited for */
	if (!ret && ctl->store)
		epoch_settle(ctl, &v->volume, opt_has(ctl, "no-wait") ? 0 : 300);
out:
	kern_dump_free(&dump);
	return ret;
}

static int run_unlink(struct ctl *ctl)
{
	const struct kern_volume *v;
	char name[MEMBER_NAME_MAX];
	struct kern_dump dump;
	struct swb_uuid peer;
	int ret, err;

	ret = need_members(ctl, &dump);
	if (!ret)
		ret = member_find(ctl, &dump, ctl->pos[0], &v);
	if (!ret)
		ret = peer_find(ctl, &dump, v, ctl->pos[1], &peer);
	if (!ret) {
		member_name(v, name);
		err = kern_unlink(ctl->kern, v->id, &peer);
		if (err)
			ret = kernel_said(ctl, err, name);
	}
	if (!ret) {
		out_line(ctl, "%s: link to %s ended", name, ctl->pos[1]);
		out_set(ctl, "member", json_string(name));
		out_set(ctl, "peer", json_uuid(&peer));
		out_set(ctl, "unlinked", json_true());
	}
	kern_dump_free(&dump);
	return ret;
}

static const struct opt_def link_opts[] = {
	{ "connect", 0, "HOST:PORT", "connect to the peer's swblockctl" },
	{ "listen", 0, "HOST:PORT", "wait for it here" },
	{ "pair", 0, NULL, "both members are on this host" },
	{ "netns", 0, "NAME", "the connection belongs to this network namespace" },
	{ "key", 0, "FILE", "encrypt and authenticate with the key in this file" },
	{ "insecure", 0, NULL, "beyond this host in clear text" },
	{ "sync", 0, NULL, "wait until the peer is in sync" },
	{ "no-wait", 0, NULL, "do not wait until the facts were compared" },
	{ NULL },
};

const struct verb verb_link = {
	.name = "link",
	.synopsis = "MEMBER PEER (--connect HOST:PORT | --listen HOST:PORT | --pair)",
	.summary = "Connect two members and hand the socket to the kernel",
	.detail =
	"Both ends say who they are before the kernels get the socket; an address is\n"
	"never an identity. Waits until the primary has compared the facts, and shows\n"
	"the peer's state with its case letter. Replaces the link before it.",
	.example =
	"  swblockctl link db/a b --pair\n"
	"  swblockctl link db/b a --listen :7800 --key /etc/swblock/db.key\n"
	"  swblockctl link db/a b --connect host2:7800 --key /etc/swblock/db.key",
	.opts = link_opts,
	.pos_min = 2,
	.pos_max = 2,
	.run = run_link,
};

const struct verb verb_unlink = {
	.name = "unlink",
	.synopsis = "MEMBER PEER",
	.summary = "End a link by order",
	.detail = "Nothing is forgotten: a new link compares facts again.",
	.example = "  swblockctl unlink db/a b",
	.pos_min = 2,
	.pos_max = 2,
	.run = run_unlink,
};
