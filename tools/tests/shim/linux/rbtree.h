/* SPDX-License-Identifier: GPL-2.0-only */
/* As much of an rbtree as kmod/dirty.c uses: a plain search tree, unbalanced. */
#ifndef SHIM_RBTREE_H
#define SHIM_RBTREE_H

#include <stddef.h>

struct rb_node {
	struct rb_node *parent;
	struct rb_node *rb_left;
	struct rb_node *rb_right;
};

struct rb_root {
	struct rb_node *rb_node;
};

#define RB_ROOT ((struct rb_root){ NULL })
#define rb_entry_safe(ptr, type, member) \
	((ptr) ? (type *)((char *)(ptr) - offsetof(type, member)) : NULL)

static inline void rb_link_node(struct rb_node *n, struct rb_node *parent,
				struct rb_node **link)
{
	*n = (struct rb_node){ .parent = parent };
	*link = n;
}

static inline void rb_insert_color(struct rb_node *n, struct rb_root *root)
{
	(void)n;
	(void)root;
}

static inline void shim_replace(struct rb_root *root, struct rb_node *old,
				struct rb_node *by)
{
	if (!old->parent)
		root->rb_node = by;
	else if (old->parent->rb_left == old)
		old->parent->rb_left = by;
	else
		old->parent->rb_right = by;
	if (by)
		by->parent = old->parent;
}

static inline void rb_erase(struct rb_node *n, struct rb_root *root)
{
	struct rb_node *s = n->rb_right;

	if (!n->rb_left || !n->rb_right) {
		shim_replace(root, n, n->rb_left ? n->rb_left : n->rb_right);
		return;
	}
	while (s->rb_left)
		s = s->rb_left;
	if (s->parent != n) {
		shim_replace(root, s, s->rb_right);
		s->rb_right = n->rb_right;
		s->rb_right->parent = s;
	}
	shim_replace(root, n, s);
	s->rb_left = n->rb_left;
	s->rb_left->parent = s;
}

static inline struct rb_node *rb_next(const struct rb_node *n)
{
	struct rb_node *up;

	if (n->rb_right) {
		for (up = n->rb_right; up->rb_left; up = up->rb_left)
			;
		return up;
	}
	for (up = n->parent; up && up->rb_right == n; up = up->parent)
		n = up;
	return up;
}

#endif /* SHIM_RBTREE_H */
