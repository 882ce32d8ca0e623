// SPDX-License-Identifier: GPL-2.0-only
/*
 * Random messages from a seed. usage: nl_fuzz SEED COUNT VOLUME_ID
 * Every message must be answered; what is said does not matter here. After each
 * hundred, GET_INFO and a dump must work. The device under VOLUME_ID may lose
 * its role or be removed by a lucky hit: use one that nobody needs.
 */
#include <inttypes.h>

#include "nlx.h"

static uint64_t state;

static uint32_t rnd(uint32_t below)
{
	state ^= state << 13;
	state ^= state >> 7;
	state ^= state << 17;
	return (uint32_t)((state >> 16) % below);
}

static void random_bytes(uint8_t *p, size_t n)
{
	while (n--)
		*p++ = (uint8_t)rnd(256);
}

/* Lengths near the right ones are more interesting than any. */
static size_t random_len(void)
{
	static const size_t often[] = { 0,  1,	4,  8,	 16,  2,
					15, 17, 32, 255, 256, 257 };

	return rnd(4) ? often[rnd(12)] : rnd(600);
}

static void put_random(struct nlx *x, uint32_t id, int depth)
{
	uint8_t bytes[600];
	uint16_t type = (uint16_t)rnd(SWBLOCK_A_MAX + 3);
	struct nlattr *nest;
	size_t len;

	if (x->nlh->nlmsg_len > 8000)
		return;
	if (rnd(3) == 0) {
		mnl_attr_put_u32(x->nlh, SWBLOCK_A_VOLUME_ID,
				 rnd(4) ? id : rnd(5));
		return;
	}
	if (depth < 4 && rnd(4) == 0) {
		static const uint16_t nests[] = {
			SWBLOCK_A_CONFIG,      SWBLOCK_A_CERT,
			SWBLOCK_CERT_A_CONFIG, SWBLOCK_CERT_A_JUDGE,
			SWBLOCK_CERT_A_REPORT, SWBLOCK_A_PEER,
		};
		int n = (int)rnd(12);

		nest = mnl_attr_nest_start(x->nlh, nests[rnd(6)]);
		while (n--)
			put_random(x, id, depth + 1);
		mnl_attr_nest_end(x->nlh, nest);
		if (rnd(8) == 0)
			nest->nla_len = (uint16_t)(nest->nla_len + rnd(9) - 4);
		return;
	}
	len = random_len();
	random_bytes(bytes, len);
	if (rnd(3) == 0) /* small numbers hit more */
		memset(bytes + 1, 0, len > 1 ? len - 1 : 0);
	if (depth)
		type = (uint16_t)rnd(14);
	mnl_attr_put(x->nlh, type, len, bytes);
}

int main(int argc, char **argv)
{
	uint32_t count, id;
	struct nlx_volume v;
	struct nlx x;
	uint64_t seed;
	int answers[3] = { 0 };

	if (argc != 4) {
		fprintf(stderr, "usage: nl_fuzz SEED COUNT VOLUME_ID\n");
		return 2;
	}
	seed = strtoull(argv[1], NULL, 0);
	count = (uint32_t)strtoul(argv[2], NULL, 0);
	id = (uint32_t)strtoul(argv[3], NULL, 0);
	state = seed * 0x9e3779b97f4a7c15ULL + 1;
	if (nlx_open(&x)) {
		fprintf(stderr, "nl_fuzz: no family\n");
		return 1;
	}
	for (uint32_t i = 0; i < count; i++) {
		uint8_t cmd = (uint8_t)rnd(SWBLOCK_CMD_MAX + 2);
		int n = (int)rnd(10), err;

		/* a good add or link needs more luck than this and would only
		 * leave things behind
		 */
		nlx_begin(&x, cmd);
		while (n--)
			put_random(&x, id, 0);
		err = nlx_send(&x, NULL, NULL);
		if (err == -EAGAIN) {
			fprintf(stderr,
				"nl_fuzz: seed %" PRIu64
				" message %u (command %u) was not answered\n",
				seed, i, cmd);
			return 1;
		}
		answers[err == 0 ? 0 : x.text[0] ? 1 : 2]++;
		if (i % 100 == 99 && (nlx_info(&x) || nlx_dump(&x, &v))) {
			fprintf(stderr,
				"nl_fuzz: seed %" PRIu64
				": after message %u the family is out of order\n",
				seed, i);
			return 1;
		}
	}
	printf("seed %" PRIu64
	       ": %d accepted, %d refused with words, %d without\n",
	       seed, answers[0], answers[1], answers[2]);
	return 0;
}
