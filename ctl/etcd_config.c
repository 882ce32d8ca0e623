// SPDX-License-Identifier: GPL-2.0-only
/* The address of an etcd store, taken apart. Reads the password, opens nothing else. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "ctl.h"
#include "etcd.h"

static int bad(char *why, size_t len, const char *what, const char *word)
{
	snprintf(why, len, "address of the store: %s \"%s\"", what, word);
	return -EINVAL;
}

/* Who else can read it knows it: then it is no password. */
static int read_password(struct etcd_config *c, const char *path, char *why,
			 size_t len)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	struct stat st;
	ssize_t n;

	if (fd < 0) {
		snprintf(why, len, "%s: %s", path, strerror(errno));
		return -EACCES;
	}
	if (fstat(fd, &st) || st.st_mode & 0077) {
		snprintf(why, len, "%s may be read by others: chmod 600", path);
		close(fd);
		return -EACCES;
	}
	n = read(fd, c->password, sizeof(c->password) - 1);
	close(fd);
	if (n <= 0 || (size_t)n == sizeof(c->password) - 1) {
		snprintf(why, len, "%s holds no password", path);
		return -EINVAL;
	}
	c->password[n] = 0;
	c->password[strcspn(c->password, "\r\n")] = 0;
	return 0;
}

static int set_prefix(struct etcd_config *c, const char *v, char *why, size_t len)
{
	size_t n = strlen(v);

	/* half of the room of a full key, the other half is the store's key */
	if (n >= sizeof(c->prefix) || strpbrk(v, " \t\n"))
		return bad(why, len, "impossible prefix", v);
	while (n && v[n - 1] == '/')
		n--;
	memcpy(c->prefix, v, n);
	c->prefix[n] = 0;
	return 0;
}

static int set_option(struct etcd_config *c, const char *name, const char *v,
		      char *why, size_t len)
{
	const struct {
		const char *name;
		char *out;
	} files[] = { { "ca", c->ca }, { "cert", c->cert }, { "key", c->key },
		      { "user", c->user } };
	size_t i;

	for (i = 0; i < ARRAY_SIZE(files); i++) {
		if (strcmp(files[i].name, name))
			continue;
		if (!*v || strlen(v) >= ETCD_TEXT_MAX)
			return bad(why, len, "impossible value of", name);
		strcpy(files[i].out, v);
		return 0;
	}
	if (!strcmp(name, "password-file"))
		return read_password(c, v, why, len);
	if (!strcmp(name, "prefix"))
		return set_prefix(c, v, why, len);
	if (!strcmp(name, "tls") && (!strcmp(v, "yes") || !strcmp(v, "no"))) {
		c->tls = !strcmp(v, "yes");
		return 0;
	}
	return bad(why, len, "unknown option", name);
}

static int add_endpoint(struct etcd_config *c, const char *word, char *why,
			size_t len)
{
	const char *colon = strrchr(word, ':');
	uint64_t port;

	if (!colon || colon == word || !number_parse(colon + 1, 65535, &port) ||
	    !port || strlen(word) >= ETCD_TEXT_MAX || strpbrk(word, "/@ #\\"))
		return bad(why, len, "HOST:PORT expected, not", word);
	if (c->endpoint_count == ETCD_ENDPOINTS_MAX)
		return bad(why, len, "too many members at", word);
	strcpy(c->endpoint[c->endpoint_count++], word);
	return 0;
}

static bool is_loopback(const char *endpoint)
{
	return !strncmp(endpoint, "127.", 4) || !strncmp(endpoint, "[::1]:", 6) ||
	       !strncmp(endpoint, "localhost:", 10);
}

static int check(const struct etcd_config *c, char *why, size_t len)
{
	unsigned int i;

	if (!c->endpoint_count)
		return bad(why, len, "no member in", "etcd:");
	if (!*c->user != !*c->password)
		return bad(why, len, "user and password-file go together, not only",
			   *c->user ? "user" : "password-file");
	if (!*c->cert != !*c->key)
		return bad(why, len, "cert and key go together, not only",
			   *c->cert ? "cert" : "key");
	for (i = 0; *c->user && !c->tls && i < c->endpoint_count; i++)
		if (!is_loopback(c->endpoint[i]))
			return bad(why, len, "a password needs TLS (ca=FILE) to reach",
				   c->endpoint[i]);
	return 0;
}

int etcd_config_parse(struct etcd_config *c, const char *address, char *why,
		      size_t len)
{
	char *copy = strdup(address), *options, *word, *save = NULL, *value;
	int err = copy ? 0 : -ENOMEM;

	memset(c, 0, sizeof(*c));
	strcpy(c->prefix, "/swblock");
	options = copy ? strchr(copy, '?') : NULL;
	if (options)
		*options++ = 0;
	for (word = copy ? strtok_r(copy, ",", &save) : NULL; !err && word;
	     word = strtok_r(NULL, ",", &save))
		err = add_endpoint(c, word, why, len);
	for (word = options ? strtok_r(options, "&", &save) : NULL; !err && word;
	     word = strtok_r(NULL, "&", &save)) {
		value = strchr(word, '=');
		if (value)
			*value++ = 0;
		err = set_option(c, word, value ? value : "", why, len);
	}
	c->tls |= *c->ca || *c->cert;
	if (!err)
		err = check(c, why, len);
	free(copy);
	return err;
}
