// SPDX-License-Identifier: GPL-2.0-only
/* Key files. What they hold leaves memory only through explicit_bzero(). */
#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <gnutls/gnutls.h>

#include "late.h"
#include "tls.h"

#define FILE_MAX_BYTES	(16 * 1024)

static const char bad_name[] =
	"the name of a key has letters, digits, \".\", \"_\", \"-\", at most 63";

const struct tls_key *tls_keys_find(const struct tls_keys *keys, const char *id)
{
	unsigned int i;

	for (i = 0; i < keys->count; i++)
		if (!strcmp(keys->key[i].id, id))
			return &keys->key[i];
	return NULL;
}

bool tls_keys_add(struct tls_keys *keys, const struct tls_key *key)
{
	const struct tls_key *old = tls_keys_find(keys, key->id);

	if (old)
		return !memcmp(old->key, key->key, TLS_KEY_BYTES);
	if (keys->count >= TLS_KEYS_MAX)
		return false;
	keys->key[keys->count++] = *key;
	return true;
}

void tls_keys_wipe(struct tls_keys *keys)
{
	explicit_bzero(keys, sizeof(*keys));
}

/* An inherited or world-readable key is no key. */
static bool check_file(int fd, const char *path, char *why, size_t len)
{
	struct stat st;

	if (fstat(fd, &st)) {
		snprintf(why, len, "%s: %s", path, strerror(errno));
		return false;
	}
	if (!S_ISREG(st.st_mode))
		snprintf(why, len, "%s is no file", path);
	else if (st.st_uid && st.st_uid != geteuid())
		snprintf(why, len, "%s belongs to another user: chown it", path);
	else if (st.st_mode & 037)
		snprintf(why, len, "%s can be read or changed by others (mode %03o): chmod 600 %s",
			 path, (unsigned int)st.st_mode & 0777, path);
	else if (st.st_size > FILE_MAX_BYTES)
		snprintf(why, len, "%s is too long for a key file", path);
	else
		return true;
	return false;
}

static bool id_ok(const char *id, size_t len)
{
	size_t i;

	if (!len || len >= TLS_ID_MAX)
		return false;
	for (i = 0; i < len; i++)
		if (!isalnum((unsigned char)id[i]) && !strchr("._-", id[i]))
			return false;
	return true;
}

static bool decode(const char *text, size_t len, uint8_t out[TLS_KEY_BYTES])
{
	const gnutls_datum_t in = { .data = (void *)(uintptr_t)text,
				    .size = (unsigned int)len };
	gnutls_datum_t raw = { 0 };
	bool good;

	if (len == 2 * TLS_KEY_BYTES)
		good = !gnutls.hex_decode2(&in, &raw);
	else
		good = !gnutls.base64_decode2(&in, &raw);
	good = good && raw.size == TLS_KEY_BYTES;
	if (good)
		memcpy(out, raw.data, TLS_KEY_BYTES);
	if (raw.data) {
		explicit_bzero(raw.data, raw.size);
		(*gnutls.free)(raw.data);
	}
	return good;
}

static bool all_equal(const uint8_t *p)
{
	unsigned int i;

	for (i = 1; i < TLS_KEY_BYTES; i++)
		if (p[i] != p[0])
			return false;
	return true;
}

/* One line, without its end and without blanks around it. */
static const char *parse_line(const char *line, size_t len, struct tls_keys *keys)
{
	const char *colon = memchr(line, ':', len);
	struct tls_key key = { .id = TLS_ID_DEFAULT };
	const char *bad = NULL;

	if (colon) {
		if (!id_ok(line, (size_t)(colon - line)))
			return bad_name;
		text_copy(key.id, line, (size_t)(colon - line) + 1);
		len -= (size_t)(colon + 1 - line);
		line = colon + 1;
	}
	if (!decode(line, len, key.key))
		bad = "a key is 32 bytes, as 64 hex digits or in base64";
	else if (all_equal(key.key))
		bad = "this key could be guessed: make one with openssl rand -hex 32";
	else if (tls_keys_find(keys, key.id))
		bad = "there is a key of this name above";
	else if (!tls_keys_add(keys, &key))
		bad = "too many keys";
	explicit_bzero(&key, sizeof(key));
	return bad;
}

static bool parse(char *text, const char *path, struct tls_keys *keys, char *why,
		  size_t len)
{
	unsigned int number = 0;
	const char *bad;
	char *line, *end;

	while ((line = strsep(&text, "\n"))) {
		number++;
		while (isspace((unsigned char)*line))
			line++;
		end = line + strlen(line);
		while (end > line && isspace((unsigned char)end[-1]))
			end--;
		if (end == line || *line == '#')
			continue;
		bad = parse_line(line, (size_t)(end - line), keys);
		if (bad) {
			snprintf(why, len, "%s:%u: %s", path, number, bad);
			return false;
		}
	}
	if (!keys->count)
		snprintf(why, len, "%s has no key in it", path);
	return keys->count;
}

static bool read_file(int fd, char *buf, size_t len, const char *path, char *why,
		      size_t why_len)
{
	size_t have = 0;
	ssize_t did;

	do {
		did = read(fd, buf + have, len - 1 - have);
		if (did > 0)
			have += (size_t)did;
	} while (did > 0 || (did < 0 && errno == EINTR));
	buf[have] = 0;
	if (did < 0)
		snprintf(why, why_len, "%s: %s", path, strerror(errno));
	else if (memchr(buf, 0, have))
		snprintf(why, why_len, "%s is no text: a key is written in hex or base64",
			 path);
	else
		return true;
	return false;
}

bool tls_keys_load(const char *path, struct tls_keys *keys, char *why, size_t len)
{
	char buf[FILE_MAX_BYTES + 2];
	bool good;
	int fd;

	memset(keys, 0, sizeof(*keys));
	if (!late_gnutls_load(why, len))
		return false;
	fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	if (fd < 0) {
		snprintf(why, len, "%s: %s", path, strerror(errno));
		return false;
	}
	good = check_file(fd, path, why, len) &&
	       read_file(fd, buf, sizeof(buf), path, why, len) &&
	       parse(buf, path, keys, why, len);
	explicit_bzero(buf, sizeof(buf));
	close(fd);
	if (!good)
		tls_keys_wipe(keys);
	return good;
}
