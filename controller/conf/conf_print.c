/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * conf_print.c - struct conf -> canonical text: the order of the keyword tables, one statement a line, only what
 * differs from its default plus what a reader must see. It parses back to an equal struct, so two configurations
 * are equal exactly when their texts are, and a diff of two texts is a diff of what they mean.
 */
#include <string.h>

#include "conf/conf_int.h"

static void indent(struct strbuf *sb, size_t depth)
{
	strbuf_fill(sb, '\t', depth);
}

/* The plain statements of a block that are not as in `dflt`. */
static void rows_print(const struct conf_block *b, const void *base, const void *dflt, size_t depth,
		       struct strbuf *sb)
{
	size_t i;

	for (i = 0; i < b->rows; i++) {
		const struct conf_row *row = &b->row[i];

		if (row->kind >= KIND_BLOCK)
			continue;
		if (!(row->flags & ROW_ALWAYS) && value_equal(row, base, dflt))
			continue;
		indent(sb, depth);
		strbuf_printf(sb, "%s ", row->word);
		value_print(row, base, sb);
		strbuf_putc(sb, '\n');
	}
}

/* `head` and the block behind it; without braces when everything is as in `dflt`, if it can stand so. */
static void block_print(const char *head, const struct conf_block *b, const void *base,
			const void *dflt, size_t depth, struct strbuf *sb)
{
	size_t start, before = sb->len;

	indent(sb, depth);
	strbuf_printf(sb, "%s {\n", head);
	start = sb->len;
	rows_print(b, base, dflt, depth + 1, sb);
	if (sb->len > start) {
		indent(sb, depth);
		strbuf_puts(sb, "}\n");
		return;
	}
	strbuf_truncate(sb, before);
	if (b == &conf_iface_block || b == &conf_health_block) {
		indent(sb, depth);
		strbuf_printf(sb, "%s\n", head);
	}
}

static void ifaces_print(const struct conf *c, struct strbuf *sb)
{
	struct conf_iface dflt = { 0 };
	struct strbuf head = { 0 };
	size_t i;

	block_defaults(&conf_iface_block, &dflt);
	for (i = 0; i < c->ifaces; i++) {
		strbuf_truncate(&head, 0);
		strbuf_puts(&head, "interface ");
		name_print(c->iface[i].name, &head);
		block_print(strbuf_str(&head), &conf_iface_block, &c->iface[i], &dflt, 0, sb);
	}
	sb->failed |= head.failed;
	strbuf_free(&head);
}

static void health_print(const struct conf_health *h, struct strbuf *sb)
{
	struct conf_service dflt;
	char head[32] = "health ";

	conf_service_init(&dflt);
	if (h->ca[0])
		dflt.health.verify = PROBE_VERIFY_FULL;
	strncat(head, word_of(probe_type_words, (int)h->type), sizeof(head) - sizeof("health "));
	block_print(head, &conf_health_block, h, &dflt.health, 1, sb);
}

static void endpoint_print(const struct conf_service *s, const struct conf_endpoint *e,
			   struct strbuf *sb)
{
	char buf[ADDR_STRLEN];

	strbuf_printf(sb, "\tendpoint %s", addr_print(&e->addr, buf, sizeof(buf)));
	if (e->weight != s->weight_default)
		strbuf_printf(sb, " weight %u", e->weight);
	if (e->admin != EP_READY)
		strbuf_printf(sb, " admin %s", word_of(ep_admin_words, (int)e->admin));
	strbuf_putc(sb, '\n');
}

static void service_print(const struct conf_service *s, struct strbuf *sb)
{
	struct conf_service dflt;
	char buf[ADDR_STRLEN];
	size_t i;

	conf_service_init(&dflt);
	strbuf_printf(sb, "\nservice %s {\n", s->name);
	rows_print(&conf_service_block, s, &dflt, 1, sb);
	for (i = 0; i < s->locals; i++)
		strbuf_printf(sb, "\tlocal-address %s\n",
			      addr_print(&s->local[i], buf, sizeof(buf)));
	health_print(&s->health, sb);
	for (i = 0; i < s->endpoints; i++)
		endpoint_print(s, &s->endpoint[i], sb);
	strbuf_puts(sb, "}\n");
}

char *conf_print(const struct conf *c)
{
	struct conf *dflt = conf_new();
	struct strbuf sb = { 0 };
	size_t i;

	if (!dflt)
		return NULL;
	ifaces_print(c, &sb);
	for (i = 0; i < conf_main_block.rows; i++) {
		const struct conf_row *row = &conf_main_block.row[i];

		if (row->kind == KIND_BLOCK)
			block_print(row->word, row->block, c, dflt, 0, &sb);
	}
	rows_print(&conf_main_block, c, dflt, 0, &sb);
	for (i = 0; i < c->services; i++)
		service_print(&c->service[i], &sb);
	conf_free(dflt);
	return strbuf_take(&sb);
}
