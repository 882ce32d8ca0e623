// SPDX-License-Identifier: GPL-2.0-only
/* How etcd's gateway writes bytes and numbers, and the parts of its requests. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "etcd.h"

static const char digits[] =
	"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

json_t *etcd_b64(const void *data, size_t len)
{
	const unsigned char *in = data;
	char *text = malloc((len + 2) / 3 * 4 + 1), *p = text;
	uint32_t v;
	json_t *j;
	size_t i;

	if (!text)
		return NULL;
	for (i = 0; i < len; i += 3) {
		v = (uint32_t)in[i] << 16;
		if (i + 1 < len)
			v |= (uint32_t)in[i + 1] << 8;
		if (i + 2 < len)
			v |= in[i + 2];
		*p++ = digits[v >> 18];
		*p++ = digits[v >> 12 & 63];
		*p++ = i + 1 < len ? digits[v >> 6 & 63] : '=';
		*p++ = i + 2 < len ? digits[v & 63] : '=';
	}
	*p = 0;
	j = json_string(text);
	free(text);
	return j;
}

static int digit_of(char c)
{
	if (c >= 'A' && c <= 'Z')
		return c - 'A';
	if (c >= 'a' && c <= 'z')
		return c - 'a' + 26;
	if (c >= '0' && c <= '9')
		return c - '0' + 52;
	return c == '+' ? 62 : c == '/' ? 63 : -1;
}

char *etcd_unb64(const json_t *j, size_t *len)
{
	const char *s = json_string_value(j);
	size_t i, n = json_string_length(j), used = 0, pad = 0;
	uint32_t v = 0;
	int digit = 0;
	char *out;

	if (!s || n % 4)
		return NULL;
	out = malloc(n / 4 * 3 + 1);
	if (!out)
		return NULL;
	while (pad < 2 && pad < n && s[n - 1 - pad] == '=')
		pad++;
	for (i = 0; i < n - pad && digit >= 0; i++) {
		digit = digit_of(s[i]);
		v = v << 6 | (uint32_t)(digit & 63);
		if (i % 4)
			out[used++] = (char)(v >> (6 - 2 * (i % 4)));
	}
	if (digit < 0) {
		free(out);
		return NULL;
	}
	out[used] = 0;
	*len = used;
	return out;
}

uint64_t etcd_u64(const json_t *j, const char *name)
{
	const json_t *v = json_object_get(j, name);
	const char *s = json_string_value(v);

	if (s)
		return strtoull(s, NULL, 10);
	return json_is_integer(v) ? (uint64_t)json_integer_value(v) : 0;
}

json_t *etcd_key(const struct etcd *h, const char *key)
{
	char full[2 * STORE_KEY_MAX];

	snprintf(full, sizeof(full), "%s/%s", h->cfg.prefix, key);
	return etcd_b64(full, strlen(full));
}

json_t *etcd_range(const struct etcd *h, const char *key, bool prefix)
{
	char full[2 * STORE_KEY_MAX];
	json_t *j = json_object();
	size_t len;

	snprintf(full, sizeof(full), "%s/%s", h->cfg.prefix, key);
	len = strlen(full);
	json_object_set_new(j, "key", etcd_b64(full, len));
	if (prefix) {
		full[len - 1]++;	/* printable: no overflow */
		json_object_set_new(j, "range_end", etcd_b64(full, len));
	}
	return j;
}

json_t *etcd_compare(const struct etcd *h, const char *key, uint64_t revision)
{
	json_t *j = json_object();

	json_object_set_new(j, "target", json_string("MOD"));
	json_object_set_new(j, "result", json_string("EQUAL"));
	json_object_set_new(j, "key", etcd_key(h, key));
	json_object_set_new(j, "mod_revision", json_integer((json_int_t)revision));
	return j;
}

json_t *etcd_request_put(const struct etcd *h, const char *key, const char *value,
			 const char *lease)
{
	json_t *put = json_object(), *j = json_object();

	json_object_set_new(put, "key", etcd_key(h, key));
	json_object_set_new(put, "value", etcd_b64(value, strlen(value)));
	if (lease)
		json_object_set_new(put, "lease", json_string(lease));
	json_object_set_new(j, "request_put", put);
	return j;
}

json_t *etcd_request_delete(const struct etcd *h, const char *key)
{
	json_t *del = json_object(), *j = json_object();

	json_object_set_new(del, "key", etcd_key(h, key));
	json_object_set_new(j, "request_delete_range", del);
	return j;
}

json_t *etcd_request_range(const struct etcd *h, const char *key)
{
	json_t *j = json_object(), *range = etcd_range(h, key, false);

	json_object_set_new(range, "keys_only", json_true());
	json_object_set_new(j, "request_range", range);
	return j;
}

json_t *etcd_txn_json(json_t *compares, json_t *success, json_t *failure)
{
	json_t *j = json_object();

	json_object_set_new(j, "compare", compares);
	json_object_set_new(j, "success", success);
	json_object_set_new(j, "failure", failure);
	return j;
}
