// SPDX-License-Identifier: GPL-2.0-only
/* Capabilities, and the lock of the single instance. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <linux/capability.h>

#include "privileges.h"

static bool bounding_drop(void)
{
	int cap;

	/* the set ends where the kernel knows no more */
	for (cap = 0; prctl(PR_CAPBSET_READ, cap, 0, 0, 0) >= 0; cap++) {
		if (cap == CAP_NET_ADMIN)
			continue;
		/* without CAP_SETPCAP it cannot be made smaller, only empty */
		if (prctl(PR_CAPBSET_DROP, cap, 0, 0, 0) && errno != EPERM)
			return false;
	}
	return true;
}

bool privileges_drop(char *why, size_t len)
{
	struct __user_cap_header_struct head = {
		.version = _LINUX_CAPABILITY_VERSION_3,
	};
	struct __user_cap_data_struct have[2], want[2];

	memset(want, 0, sizeof(want));
	if (syscall(SYS_capget, &head, have)) {
		snprintf(why, len, "capget: %s", strerror(errno));
		return false;
	}
	if (!bounding_drop() || prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)) {
		snprintf(why, len, "prctl: %s", strerror(errno));
		return false;
	}
	want[0].permitted = have[0].permitted & 1u << CAP_NET_ADMIN;
	want[0].effective = want[0].permitted;
	if (syscall(SYS_capset, &head, want)) {
		snprintf(why, len, "capset: %s", strerror(errno));
		return false;
	}
	return true;
}

int instance_lock(const char *dir, const char *node, char *why, size_t len)
{
	char path[4096], pid[32];
	int fd, n;

	if (mkdir(dir, 0755) && errno != EEXIST) {
		snprintf(why, len, "%s: %s", dir, strerror(errno));
		return -1;
	}
	snprintf(path, sizeof(path), "%s/swblockd-%s.lock", dir, node);
	fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0644);
	if (fd < 0) {
		snprintf(why, len, "%s: %s", path, strerror(errno));
		return -1;
	}
	if (flock(fd, LOCK_EX | LOCK_NB)) {
		snprintf(why, len, "%s is locked: another swblockd runs as node %s",
			 path, node);
		close(fd);
		return -1;
	}
	n = snprintf(pid, sizeof(pid), "%d\n", (int)getpid());
	/* for people; the lock is what counts */
	if (ftruncate(fd, 0) || pwrite(fd, pid, (size_t)n, 0) != n) {
		snprintf(why, len, "%s: %s", path, strerror(errno));
		close(fd);
		return -1;
	}
	return fd;
}
