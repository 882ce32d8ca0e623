/* SPDX-License-Identifier: GPL-2.0-only */
/* Attributes of the netlink contract <-> structs of nl.h; used by nl.c only. */
#ifndef SWB_CTL_NL_ATTR_H
#define SWB_CTL_NL_ATTR_H

#include <netlink/attr.h>
#include <netlink/msg.h>

#include "nl.h"

/* Each decoder takes the attributes of one message or nest, and zeroes @out. */
int nl_attr_info(struct nlattr *head, int len, struct kern_info *out);
int nl_attr_volume(struct nlattr *head, int len, struct kern_volume *out);
int nl_attr_latency(struct nlattr *head, int len, struct kern_latency *out);
/** nl_attr_record() - a piece of a flight record, in place; false: none is there */
bool nl_attr_record(struct nlattr *head, int len, uint32_t *id, const uint8_t **piece,
		    size_t *n);
int nl_attr_event(struct nlattr *head, int len, struct kern_event *out);

/* Each encoder returns 0, or -EMSGSIZE if the message is full. */
int nl_attr_put_config(struct nl_msg *msg, int type, const struct swb_config *c);
int nl_attr_put_cert(struct nl_msg *msg, const struct swb_cert *cert);

/**
 * nl_attr_name_at() - name of the attribute at a byte offset of a request
 * @req: the request as it was sent
 * @offset: as in the extended ack
 *
 * Return: "epoch", "cert.candidate", or NULL.
 */
const char *nl_attr_name_at(const struct nlmsghdr *req, unsigned int offset);

/* nl_attr_name() - name of a top-level attribute, NULL if there is none */
const char *nl_attr_name(unsigned int type);

#endif /* SWB_CTL_NL_ATTR_H */
