// SPDX-License-Identifier: GPL-2.0-only
/*
 * Conversions between what people type and what the kernel takes. No I/O but
 * clock and random numbers.
 */
#include <ctype.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <time.h>

#include "ctl.h"

void uuid_text(const struct swb_uuid *u, char out[CTL_UUID_TEXT])
{
	char *p = out;
	int i;

	for (i = 0; i < 16; i++) {
		if (i == 4 || i == 6 || i == 8 || i == 10)
			*p++ = '-';
		p += sprintf(p, "%02x", u->b[i]);
	}
}

static int hex_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c = (char)tolower((unsigned char)c);
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

bool uuid_parse(const char *s, struct swb_uuid *u)
{
	int i, hi, lo;

	if (strlen(s) != CTL_UUID_TEXT - 1)
		return false;
	for (i = 0; i < 16; i++) {
		if ((i == 4 || i == 6 || i == 8 || i == 10) && *s++ != '-')
			return false;
		hi = hex_digit(s[0]);
		lo = hi < 0 ? -1 : hex_digit(s[1]);
		if (lo < 0)
			return false;
		u->b[i] = (u8)(hi << 4 | lo);
		s += 2;
	}
	return true;
}

static void random_bytes(void *buf, size_t len)
{
	if (getrandom(buf, len, 0) != (ssize_t)len) {
		perror("swblockctl: getrandom");
		exit(CTL_FAILED);
	}
}

void uuid_random(struct swb_uuid *u)
{
	random_bytes(u->b, sizeof(u->b));
	u->b[6] = (u8)((u->b[6] & 0x0f) | 0x40);	/* version 4, variant 1 */
	u->b[8] = (u8)((u->b[8] & 0x3f) | 0x80);
}

uint64_t random_u64(void)
{
	uint64_t v;

	do
		random_bytes(&v, sizeof(v));
	while (!v);
	return v;
}

uint64_t boottime_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_BOOTTIME, &ts);
	return (uint64_t)ts.tv_sec * NSEC_PER_SEC + (uint64_t)ts.tv_nsec;
}

bool number_parse(const char *s, uint64_t max, uint64_t *out)
{
	char *end;

	if (!isdigit((unsigned char)*s))
		return false;
	errno = 0;
	*out = strtoull(s, &end, 10);
	return !errno && !*end && *out <= max;
}

/* "10G", "512MiB", "4k", "4096": powers of 1024, as block devices are sold to us */
bool size_parse(const char *s, uint64_t *bytes)
{
	static const char units[] = "KMGTP";
	const char *unit;
	uint64_t v;
	char *end;
	int shift;

	if (!isdigit((unsigned char)*s))
		return false;
	errno = 0;
	v = strtoull(s, &end, 10);
	if (errno)
		return false;
	shift = 0;
	if (*end) {
		unit = strchr(units, toupper((unsigned char)*end));
		if (!unit || !*unit) {
			if (strcmp(end, "B"))
				return false;
		} else {
			shift = 10 * (int)(unit - units + 1);
			end++;
			if (*end && strcmp(end, "B") && strcmp(end, "iB"))
				return false;
		}
	}
	if (v > UINT64_MAX >> shift)
		return false;
	*bytes = v << shift;
	return true;
}

bool duration_parse(const char *s, uint64_t *ms)
{
	static const struct {
		const char *name;
		uint64_t ms;
	} units[] = { { "ms", 1 }, { "s", 1000 }, { "", 1000 },
		      { "m", 60000 }, { "min", 60000 }, { "h", 3600000 } };
	uint64_t v;
	char *end;
	size_t i;

	if (!isdigit((unsigned char)*s))
		return false;
	errno = 0;
	v = strtoull(s, &end, 10);
	if (errno)
		return false;
	for (i = 0; i < ARRAY_SIZE(units); i++) {
		if (strcmp(end, units[i].name))
			continue;
		if (v > 86400000ULL / units[i].ms)
			return false;
		*ms = v * units[i].ms;
		return true;
	}
	return false;
}

void size_text(uint64_t bytes, char *out, size_t len)
{
	static const char *const units[] = { "B", "KiB", "MiB", "GiB", "TiB", "PiB" };
	uint64_t whole = bytes, rest = 0;
	size_t i = 0;

	while (whole >= 1024 && i + 1 < ARRAY_SIZE(units)) {
		rest = whole % 1024;
		whole /= 1024;
		i++;
	}
	if (rest * 10 / 1024)
		snprintf(out, len, "%" PRIu64 ".%" PRIu64 " %s", whole,
			 rest * 10 / 1024, units[i]);
	else
		snprintf(out, len, "%" PRIu64 " %s", whole, units[i]);
}

void duration_text(uint64_t ns, char *out, size_t len)
{
	uint64_t ms = ns / 1000000;

	if (ms < 10000)
		snprintf(out, len, "%" PRIu64 " ms", ms);
	else if (ms < 600000)
		snprintf(out, len, "%" PRIu64 " s", ms / 1000);
	else if (ms < 7200000)
		snprintf(out, len, "%" PRIu64 " min", ms / 60000);
	else
		snprintf(out, len, "%" PRIu64 " h", ms / 3600000);
}

/* A label may become part of a name and of a command line: keep it plain. */
bool label_ok(const char *s)
{
	size_t i, len = strlen(s);
	struct swb_uuid u;

	if (!len || len >= SWBLOCK_LABEL_MAX || uuid_parse(s, &u))
		return false;
	for (i = 0; i < len; i++)
		if (!isalnum((unsigned char)s[i]) && !strchr("._-", s[i]))
			return false;
	return isalpha((unsigned char)s[0]) && strncmp(s, "swblock", 7);
}

void text_copy(char *dst, const char *src, size_t len)
{
	size_t n = strlen(src);

	if (n >= len)
		n = len - 1;
	memcpy(dst, src, n);
	memset(dst + n, 0, len - n);
}

/* Splits "a,b,c" in place; returns max + 1 if there are more than @max. */
unsigned int words_split(char *list, const char **out, unsigned int max)
{
	unsigned int n = 0;
	char *save = NULL, *word;

	for (word = strtok_r(list, ",", &save); word;
	     word = strtok_r(NULL, ",", &save)) {
		if (n == max)
			return max + 1;
		out[n++] = word;
	}
	return n;
}

bool mode_parse(const char *s, uint8_t *mode)
{
	if (!strcmp(s, "best_effort"))
		*mode = SWBLOCK_MODE_BEST_EFFORT;
	else if (!strcmp(s, "sync_quorum"))
		*mode = SWBLOCK_MODE_SYNC_QUORUM;
	else if (!strcmp(s, "sync_all"))
		*mode = SWBLOCK_MODE_SYNC_ALL;
	else
		return false;
	return true;
}

bool policy_parse(const char *s, uint8_t *policy)
{
	if (!strcmp(s, "local"))
		*policy = SWBLOCK_POLICY_LOCAL;
	else if (!strcmp(s, "received"))
		*policy = SWBLOCK_POLICY_RECEIVED;
	else if (!strcmp(s, "written"))
		*policy = SWBLOCK_POLICY_WRITTEN;
	else
		return false;
	return true;
}
