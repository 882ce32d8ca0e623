// SPDX-License-Identifier: GPL-2.0-only
/* Histograms for machines: one object a line, as docs/schema/swblock-lat.json says. */
#include <errno.h>
#include <jansson.h>

#include "core/core.h"
#include "core/text.h"
#include "draw.h"

static const struct {
	const char *key;
	uint32_t parts;
} percent[] = {
	{ "p50_ns", 5000 }, { "p90_ns", 9000 }, { "p99_ns", 9900 }, { "p999_ns", 9990 },
};

/* Beyond 2^63 there is nothing to count here; a sum that wrapped must not be negative. */
static json_t *number(uint64_t v)
{
	return json_integer((json_int_t)(v & INT64_MAX));
}

static json_t *slots_json(const struct swblock_lat_hist *h)
{
	json_t *list = json_array();
	unsigned int i;

	for (i = 0; i < SWBLOCK_LAT_SLOTS; i++)
		if (h->slot[i])
			json_array_append_new(list, json_pack("{s:o, s:o}", "from_ns",
							      number(hist_edge(i)), "count",
							      number(h->slot[i])));
	return list;
}

static json_t *row_json(const struct draw *d, const struct lat_row *row)
{
	const struct name_volume *v = names_find(d->names, row->key.volume);
	bool peer = row->key.peer != SWBLOCK_LAT_NOBODY;
	json_t *o = json_object();
	char name[NAME_MAX_LEN];
	unsigned int i;

	json_object_set_new(o, "volume", number(row->key.volume));
	json_object_set_new(o, "member", v ? json_string(v->member) : json_null());
	snprintf(name, sizeof(name), "swblock%u", v ? v->minor : 0);
	json_object_set_new(o, "device", v ? json_string(name) : json_null());
	json_object_set_new(o, "stage", json_string(swb_text_stage(row->key.stage)));
	json_object_set_new(o, "peer", peer ?
			    json_string(names_peer(d->names, &row->key, name)) : json_null());
	json_object_set_new(o, "peer_index", peer ? number(row->key.peer) : json_null());
	json_object_set_new(o, "count", number(hist_events(&row->hist)));
	json_object_set_new(o, "sum_ns", number(row->hist.sum_ns));
	for (i = 0; i < sizeof(percent) / sizeof(*percent); i++)
		json_object_set_new(o, percent[i].key,
				    number(hist_percentile(&row->hist, percent[i].parts)));
	json_object_set_new(o, "slots", slots_json(&row->hist));
	return o;
}

int draw_json(const struct draw *d, const struct lat_snap *s)
{
	json_t *list = json_array(), *o = json_object();
	unsigned int i;
	int err;

	json_object_set_new(o, "time_ms", number(s->at_ns / 1000000));
	json_object_set_new(o, "length_ns", number(s->length_ns));
	json_object_set_new(o, "attach", json_string(d->how));
	json_object_set_new(o, "lost", number(s->lost));
	for (i = 0; i < s->count; i++)
		json_array_append_new(list, row_json(d, &s->row[i]));
	json_object_set_new(o, "rows", list);
	err = json_dumpf(o, d->out, JSON_COMPACT) ? -ENOMEM : 0;
	fputc('\n', d->out);
	json_decref(o);
	return err;
}
