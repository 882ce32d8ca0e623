// SPDX-License-Identifier: GPL-2.0-only
/*
 * Members that are declared: look at the device, format it if it is blank and the
 * wish says so, attach it; detach those that nobody wishes for. Devices are
 * touched by a thread for each, for a disk may hang; its answer comes through a
 * pipe. What is refused is asked again when the wish changes, or later.
 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "core/codec.h"
#include "core/core.h"
#include "core/recover.h"
#include "core/text.h"
#include "daemon.h"
#include "dev.h"
#include "fault.h"

#define ATTACH_AGAIN_NS	(5 * NSEC_PER_SEC)

struct job {
	struct swb_uuid volume;
	struct board_member member;
	char volume_label[SWBLOCK_LABEL_MAX];
	uint64_t size_bytes;
	char program[CONFIG_TEXT_MAX];
	bool lived;		/* the store has a report of the member */
	uint64_t cookie;
	int answer;		/* end of the pipe */
	bool formatted;
	int err;
	char why[BOARD_TEXT_MAX];
};

/* --- in the thread --- */

static bool refuse(struct job *j, int err, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

static bool refuse(struct job *j, int err, const char *fmt, ...)
{
	va_list ap;

	j->err = err;
	va_start(ap, fmt);
	vsnprintf(j->why, sizeof(j->why), fmt, ap);
	va_end(ap);
	return false;
}

/* Which member is on the device? False: none that can be read. */
static bool read_super(int fd, struct swb_durable *d)
{
	char buf[SWB_SUPER_BYTES] __attribute__((aligned(8)));
	static const off_t at[2] = { SWB_SUPER_OFFSET_0, SWB_SUPER_OFFSET_1 };
	enum swb_super_verdict v[2];
	struct swb_durable slot[2];
	u8 letter = 0;
	int i, pick;

	memset(slot, 0, sizeof(slot));
	for (i = 0; i < 2; i++) {
		v[i] = SWB_SUPER_BAD_MAGIC;
		if (pread(fd, buf, sizeof(buf), at[i]) == sizeof(buf))
			v[i] = swb_codec_super_decode(buf, &slot[i]);
	}
	pick = swb_recover_pick(v[0], &slot[0], v[1], &slot[1], &letter);
	if (pick < 0)
		return false;
	*d = slot[pick];
	return true;
}

/* Return: 1 it is the member, 0 it may be formatted, -1 refused. */
static int look(struct job *j)
{
	const struct board_member *m = &j->member;
	struct dev dev = { .path = m->data };
	struct swb_durable d;
	char what[128] = "";
	int ret;

	dev.fd = open(m->data, O_RDONLY | O_CLOEXEC);
	if (dev.fd < 0) {
		refuse(j, errno, "%s: %s", m->data, strerror(errno));
		return -1;
	}
	if (read_super(dev.fd, &d) && swb_uuid_equal(&d.volume, &j->volume) &&
	    swb_uuid_equal(&d.replica, &m->replica)) {
		close(dev.fd);
		return 1;
	}
	ret = dev_signature(&dev, what, sizeof(what));
	close(dev.fd);
	if (ret < 0) {
		refuse(j, -ret, "%s cannot be probed: %s", m->data, strerror(-ret));
		return -1;
	}
	/* P7: what it promised is gone with its disk; by its id it could vote again */
	if (j->lived) {
		refuse(j, EMEDIUMTYPE,
		       "%s holds %s, and %s has been a member: its disk is lost or another one; bring it back, or give it up: swblockctl volume replace %s %s %s:%s",
		       m->data, ret ? what : "nothing", m->label, j->volume_label,
		       m->label, m->node, m->data);
		return -1;
	}
	if (!m->format && !m->format_force) {
		refuse(j, EMEDIUMTYPE,
		       "%s holds %s, not this member, and the declaration does not allow to format it",
		       m->data, ret ? what : "nothing");
		return -1;
	}
	if (ret && !m->format_force) {
		refuse(j, EEXIST,
		       "%s holds %s; it is overwritten only if the declaration says so (--force)",
		       m->data, what);
		return -1;
	}
	return 0;
}

/* The last line that a child said, for people. */
static void read_words(int fd, char *out, size_t len)
{
	char buf[1024];
	size_t n = 0;
	ssize_t got;

	while ((got = read(fd, buf + n, sizeof(buf) - 1 - n)) > 0) {
		n += (size_t)got;
		if (n == sizeof(buf) - 1)
			n = 0;
	}
	buf[n] = 0;
	buf[strcspn(buf, "\n")] = 0;
	text_copy(out, buf, len);
}

static pid_t spawn(char *const argv[], int *out)
{
	int p[2];
	pid_t pid;

	if (pipe2(p, O_CLOEXEC))
		return -1;
	pid = fork();
	if (!pid) {
		sigset_t none;

		sigemptyset(&none);
		sigprocmask(SIG_SETMASK, &none, NULL);
		dup2(p[1], STDOUT_FILENO);
		dup2(p[1], STDERR_FILENO);
		execv(argv[0], argv);
		_exit(127);
	}
	close(p[1]);
	*out = p[0];
	if (pid < 0)
		close(p[0]);
	return pid;
}

static bool format(struct job *j)
{
	char volume[CTL_UUID_TEXT], replica[CTL_UUID_TEXT], size[24], words[200];
	char *argv[20];
	int n = 0, out, status;
	pid_t pid;

	uuid_text(&j->volume, volume);
	uuid_text(&j->member.replica, replica);
	snprintf(size, sizeof(size), "%" PRIu64, j->size_bytes);
	argv[n++] = j->program;
	argv[n++] = "format";
	argv[n++] = j->member.data;
	argv[n++] = "--volume";
	argv[n++] = j->volume_label;
	argv[n++] = "--volume-uuid";
	argv[n++] = volume;
	argv[n++] = "--replica";
	argv[n++] = j->member.label;
	argv[n++] = "--replica-uuid";
	argv[n++] = replica;
	argv[n++] = "--size";
	argv[n++] = size;
	if (*j->member.wal) {
		argv[n++] = "--wal";
		argv[n++] = j->member.wal;
	}
	if (j->member.format_force)
		argv[n++] = "--force";
#ifdef SWB_CTL_FAULTS
	argv[n++] = "--file";	/* the disks of unit tests are files */
#endif
	argv[n] = NULL;
	fault_point("format", false);
	pid = spawn(argv, &out);
	if (pid < 0)
		return refuse(j, errno, "%s: %s", j->program, strerror(errno));
	read_words(out, words, sizeof(words));
	close(out);
	if (waitpid(pid, &status, 0) != pid || !WIFEXITED(status) ||
	    WEXITSTATUS(status))
		return refuse(j, EIO, "formatting %s failed: %s", j->member.data,
			      words);
	fault_point("format", true);
	j->formatted = true;
	return true;
}

static void add(struct job *j)
{
	struct kern *kern;
	uint32_t id;
	int err = kern_open(&kern);

	if (err) {
		refuse(j, -err, "the module is not there");
		return;
	}
	fault_point("attach", false);
	err = kern_volume_add(kern, j->member.data,
			      *j->member.wal ? j->member.wal : NULL, -1, j->cookie,
			      &id);
	fault_point("attach", true);
	if (err)
		refuse(j, -err, "%s was not attached: %s", j->member.data,
		       *kern_error(kern) ? kern_error(kern) : strerror(-err));
	kern_close(kern);
}

static void *job_run(void *arg)
{
	struct job *j = arg;
	int found = look(j);

	if (found > 0 || (!found && format(j)))
		add(j);
	/* a pointer fits into one write to a pipe */
	if (write(j->answer, &j, sizeof(j)) != sizeof(j))
		free(j);
	return NULL;
}

/* --- in the loop --- */

static void refused(struct daemon *d, const struct vol *v, struct own *o,
		    const char *why)
{
	o->attach = ATTACH_REFUSED;
	o->attach_wish = v && v->b ? v->b->wish.sequence : 0;
	o->attach_next_ns = boottime_ns() + ATTACH_AGAIN_NS;
	snprintf(o->attach_why, sizeof(o->attach_why), "%s", why);
	log_say(LOG_LEVEL_ERROR, &(struct log_about){ .member = o->label,
		.volume = v && v->b ? v->b->wish.label : NULL },
		"the member cannot be attached", "reason=\"%s\"", why);
	turn_wake(d, o->attach_next_ns);
}

static int on_answer(sd_event_source *s, int fd, uint32_t revents, void *arg)
{
	struct daemon *d = arg;
	struct own *o;
	struct vol *v;
	struct job *j;

	(void)s;
	(void)revents;
	if (read(fd, &j, sizeof(j)) != sizeof(j))
		return 0;
	o = observe_own(d, &j->member.replica);
	v = o ? observe_vol(d, &o->volume) : NULL;
	d->dump_due = true;
	if (!o) {
		free(j);
		return 0;
	}
	if (j->formatted)
		log_say(LOG_LEVEL_NOTICE, &(struct log_about){ .member = o->label,
			.volume = j->volume_label }, "a device was formatted",
			"device=%s", j->member.data);
	if (!o->kv && *j->why) {
		refused(d, v, o, j->why);
	} else if (!o->kv) {
		/* the event tells; or, if that is lost, the dump */
		o->attach_next_ns = boottime_ns() +
				    d->cfg.order_ms * SWB_NSEC_PER_MSEC;
		turn_wake(d, o->attach_next_ns);
	}
	free(j);
	return 0;
}

static void start(struct daemon *d, const struct vol *v, struct own *o,
		  const struct board_member *m)
{
	struct job *j = calloc(1, sizeof(*j));
	pthread_attr_t attr;
	pthread_t thread;
	int err;

	if (!j)
		abort();
	j->volume = o->volume;
	j->member = *m;
	text_copy(j->volume_label, v->b->wish.label, sizeof(j->volume_label));
	j->lived = view_report(v, &o->replica);
	j->size_bytes = v->b->wish.size_bytes;
	snprintf(j->program, sizeof(j->program), "%s", d->cfg.swblockctl);
	j->cookie = random_u64();
	j->answer = d->attach_pipe[1];
	pthread_attr_init(&attr);
	pthread_attr_setdetachstate(&attr, PTHREAD_CREATE_DETACHED);
	err = pthread_create(&thread, &attr, job_run, j);
	pthread_attr_destroy(&attr);
	if (err) {
		free(j);
		refused(d, v, o, "no thread could be started");
		return;
	}
	o->attach = ATTACH_BUSY;
	o->attach_cookie = j->cookie;
	o->attach_next_ns = 0;
	o->attach_why[0] = 0;
}

/* Nobody may need what it holds any more, or be told to read it. */
static bool may_detach(const struct vol *v, const struct own *o)
{
	const struct auth_record *r = &v->b->record;
	unsigned int i;

	if (v->b->wish_revision && v->b->wish.deleted)
		return o->kv->role != SWBLOCK_ROLE_PRIMARY;
	if (o->wished || !v->b->record_revision || r->phase != AUTH_SETTLED)
		return false;
	for (i = 0; i < r->granted_count; i++)
		if (swb_core_member_index(&r->granted[i].config, &o->replica) !=
		    SWB_NOBODY)
			return false;
	return swb_core_member_index(&r->config, &o->replica) == SWB_NOBODY;
}

static void detach(struct daemon *d, const struct vol *v, struct own *o)
{
	uint64_t now = boottime_ns();
	int err;

	if (now < o->attach_next_ns)
		return;
	o->attach_next_ns = now + ATTACH_AGAIN_NS;
	fault_point("detach", false);
	err = kern_volume_remove(d->kern, o->kv->id, 0, random_u64());
	fault_point("detach", true);
	d->dump_due = true;
	log_say(err ? LOG_LEVEL_WARNING : LOG_LEVEL_NOTICE,
		&(struct log_about){ .volume = v->b->wish.label,
				     .member = o->label },
		err ? "a removed member cannot be detached" :
		      "a removed member is detached", "reason=\"%s\"",
		err ? kern_error(d->kern) : "nobody declares it any more");
}

void attach_event(struct daemon *d, struct own *o, const struct kern_event *ev)
{
	char why[BOARD_TEXT_MAX];

	if (ev->kind != SWBLOCK_EVENT_FAILED || !o->attach_cookie ||
	    ev->cookie != o->attach_cookie)
		return;
	snprintf(why, sizeof(why), "%.150s; case %c of local recovery", ev->text,
		 ev->letter ? ev->letter : '?');
	refused(d, observe_vol(d, &o->volume), o, why);
}

void attach_turn(struct daemon *d, struct vol *v, struct own *o)
{
	const struct board_member *m = wish_member(v->b, &o->replica);
	uint64_t now = boottime_ns();

	if (!d->kern)
		return;
	if (o->kv) {
		o->attach = ATTACH_IDLE;
		o->attach_why[0] = 0;
		if (may_detach(v, o))
			detach(d, v, o);
		return;
	}
	if (!m || !o->wished || v->b->wish.deleted)
		return;
	if (o->attach == ATTACH_BUSY && (!o->attach_next_ns ||
					 now < o->attach_next_ns))
		return;
	if (o->attach == ATTACH_REFUSED && now < o->attach_next_ns &&
	    o->attach_wish == v->b->wish.sequence)
		return;
	start(d, v, o, m);
}

unsigned int stop_members(struct daemon *d)
{
	unsigned int i, left = 0;
	struct own *o;

	for (i = 0; i < d->own_count; i++) {
		o = d->own[i];
		if (!o->kv)
			continue;
		left++;
		/* one that is open stays, and says so; the deadline ends it */
		if (!o->stop_ns && !kern_volume_remove(d->kern, o->kv->id, 0,
						       random_u64()))
			o->stop_ns = boottime_ns();
	}
	return left;
}

int attach_open(struct daemon *d)
{
	if (pipe2(d->attach_pipe, O_CLOEXEC))
		return -errno;
	return sd_event_add_io(d->ev, NULL, d->attach_pipe[0], EPOLLIN, on_answer,
			       d);
}
