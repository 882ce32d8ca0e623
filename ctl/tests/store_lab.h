/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * etcd on loopback for the tests: members with their data in a temporary directory,
 * on ports that were free a moment ago. Killed at the end, whatever happens.
 */
#ifndef SWB_CTL_TESTS_STORE_LAB_H
#define SWB_CTL_TESTS_STORE_LAB_H

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "ctl.h"
#include "etcd.h"
#include "tap.h"

#define LAB_MAX		3
#define LAB_READY_MS	20000
#define LAB_FN		static __attribute__((unused))

/**
 * struct lab - a cluster
 * @count: members
 * @tls: clients speak TLS, with the files of lab_certificates()
 * @token: of the initial cluster: another one is another cluster id
 * @dir: for data, logs and keys
 * @client: ports
 * @peer: ports
 * @pid: of members, 0 = down
 */
struct lab {
	unsigned int count;
	bool tls;
	char token[32];
	char dir[64];
	unsigned int client[LAB_MAX], peer[LAB_MAX];
	pid_t pid[LAB_MAX];
};

LAB_FN unsigned int lab_port(void)
{
	struct sockaddr_in a = { .sin_family = AF_INET,
				 .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t len = sizeof(a);
	int fd = socket(AF_INET, SOCK_STREAM, 0);
	unsigned int port = 0;

	if (fd >= 0 && !bind(fd, (struct sockaddr *)&a, sizeof(a)) &&
	    !getsockname(fd, (struct sockaddr *)&a, &len))
		port = ntohs(a.sin_port);
	close(fd);
	return port;
}

LAB_FN int lab_run(const char *fmt, ...)
{
	char cmd[2048];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(cmd, sizeof(cmd), fmt, ap);
	va_end(ap);
	return system(cmd);
}

LAB_FN void lab_exec(const struct lab *l, unsigned int i)
{
	char cluster[256] = "", client[64], peer[64], name[16], data[96], log[96];
	char ca[96], crt[96], key[96];
	const char *argv[40];
	unsigned int k, n = 0;
	int fd;

	for (k = 0; k < l->count; k++)
		snprintf(cluster + strlen(cluster), 64, "%sm%u=http://127.0.0.1:%u",
			 k ? "," : "", k, l->peer[k]);
	snprintf(client, sizeof(client), "%s://127.0.0.1:%u", l->tls ? "https" : "http",
		 l->client[i]);
	snprintf(peer, sizeof(peer), "http://127.0.0.1:%u", l->peer[i]);
	snprintf(name, sizeof(name), "m%u", i);
	snprintf(data, sizeof(data), "%s/m%u", l->dir, i);
	snprintf(log, sizeof(log), "%s/m%u.log", l->dir, i);
	snprintf(ca, sizeof(ca), "%s/ca.pem", l->dir);
	snprintf(crt, sizeof(crt), "%s/server.pem", l->dir);
	snprintf(key, sizeof(key), "%s/server.key", l->dir);
	{
		const char *const fixed[] = {
			"etcd", "--name", name, "--data-dir", data,
			"--listen-client-urls", client, "--advertise-client-urls", client,
			"--listen-peer-urls", peer, "--initial-advertise-peer-urls", peer,
			"--initial-cluster", cluster, "--initial-cluster-token", l->token,
			"--heartbeat-interval", "50", "--election-timeout", "500",
			"--log-level", "error", "--logger", "zap" };
		const char *const tls[] = { "--cert-file", crt, "--key-file", key,
					    "--client-cert-auth", "--trusted-ca-file", ca };

		for (k = 0; k < ARRAY_SIZE(fixed); k++)
			argv[n++] = fixed[k];
		for (k = 0; l->tls && k < ARRAY_SIZE(tls); k++)
			argv[n++] = tls[k];
		argv[n] = NULL;
	}
	fd = open(log, O_WRONLY | O_CREAT | O_APPEND, 0600);
	dup2(fd, 1);
	dup2(fd, 2);
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	execvp(argv[0], (char *const *)argv);
	_exit(127);
}

LAB_FN void lab_up(struct lab *l, unsigned int i)
{
	l->pid[i] = fork();
	if (!l->pid[i])
		lab_exec(l, i);
}

LAB_FN void lab_down(struct lab *l, unsigned int i, int sig)
{
	if (!l->pid[i])
		return;
	kill(l->pid[i], sig);
	waitpid(l->pid[i], NULL, 0);
	l->pid[i] = 0;
}

LAB_FN void lab_address(const struct lab *l, char *out, size_t len)
{
	unsigned int i;

	snprintf(out, len, "etcd:");
	for (i = 0; i < l->count; i++)
		snprintf(out + strlen(out), len - strlen(out), "%s127.0.0.1:%u",
			 i ? "," : "", l->client[i]);
	if (l->tls)
		snprintf(out + strlen(out), len - strlen(out),
			 "?ca=%s/ca.pem&cert=%s/client.pem&key=%s/client.key", l->dir,
			 l->dir, l->dir);
}

LAB_FN int lab_open(struct store **s, const char *address, bool create,
		    unsigned int timeout_ms)
{
	char why[256] = "";
	int err = store_open(s, address, create, timeout_ms, why, sizeof(why));

	if (err)
		printf("# %s: %d, %s\n", address, err, why);
	return err;
}

/* Waits until the cluster answers; false after LAB_READY_MS. */
LAB_FN bool lab_ready(const char *address)
{
	uint64_t end = boottime_ns() + LAB_READY_MS * 1000000ULL;
	struct store *s;
	char why[256];
	int err;

	do {
		err = store_open(&s, address, true, 2000, why, sizeof(why));
		if (!err)
			store_close(s);
		else
			usleep(100000);
	} while (err && boottime_ns() < end);
	if (err)
		printf("# %s: %s\n", address, why);
	return !err;
}

LAB_FN bool lab_start(struct lab *l, unsigned int count)
{
	char address[512];
	unsigned int i;

	l->count = count;
	if (!*l->token)
		strcpy(l->token, "one");
	if (!*l->dir) {
		strcpy(l->dir, "/tmp/swb-etcd-XXXXXX");
		if (!mkdtemp(l->dir))
			return false;
	}
	for (i = 0; i < count; i++) {
		l->client[i] = lab_port();
		l->peer[i] = lab_port();
	}
	for (i = 0; i < count; i++)
		lab_up(l, i);
	lab_address(l, address, sizeof(address));
	if (l->tls)
		return true;	/* the caller knows how to log in */
	return lab_ready(address);
}

LAB_FN void lab_end(struct lab *l)
{
	unsigned int i;

	for (i = 0; i < l->count; i++)
		lab_down(l, i, SIGKILL);
	if (*l->dir)
		lab_run("rm -rf %s", l->dir);
	memset(l, 0, sizeof(*l));
}

LAB_FN bool lab_have(const char *program)
{
	return !lab_run("command -v %s >/dev/null 2>&1", program);
}

/* The index of the leader, or -1: each member says who it is and who leads. */
LAB_FN int lab_leader(const struct lab *l)
{
	char address[64];
	struct store *s;
	unsigned int i;
	json_t *answer;
	int leader = -1;
	const char *id, *lead;
	char why[256];

	for (i = 0; i < l->count && leader < 0; i++) {
		snprintf(address, sizeof(address), "etcd:127.0.0.1:%u", l->client[i]);
		if (!l->pid[i] || store_open(&s, address, false, 1000, why, sizeof(why)))
			continue;
		if (!etcd_call((struct etcd *)s, "/v3/maintenance/status", json_object(),
			       ETCD_READ, boottime_ns() + NSEC_PER_SEC, &answer, NULL)) {
			id = json_string_value(json_object_get(
				json_object_get(answer, "header"), "member_id"));
			lead = json_string_value(json_object_get(answer, "leader"));
			if (id && lead && !strcmp(id, lead))
				leader = (int)i;
			json_decref(answer);
		}
		store_close(s);
	}
	return leader;
}

#define skip(n, ...) \
	do { \
		for (int skip_i = 0; skip_i < (n); skip_i++) { \
			printf("ok %d # SKIP ", ++tap_count); \
			printf(__VA_ARGS__); \
			putchar('\n'); \
		} \
	} while (0)

#endif /* SWB_CTL_TESTS_STORE_LAB_H */
