/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * trust.c - decides which file's authorities a probe believes, and keeps them in memory: files are
 * read when a configuration is checked or loaded, never for a probe.
 *
 * A configuration whose files cannot be read is refused by --check and by a reload. A start goes
 * on: probes that need the file fail on our side, which is shown, and it is tried again every
 * LOOK_GAP. A file that changes or goes while rrlbd runs changes nothing: what was read stays in
 * force until a reload, and the difference is shown.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "collect/trust.h"
#include "sys/authority.h"
#include "util/log.h"
#include "util/strbuf.h"

#define LOOK_GAP MONO_S(5)
#define WHY_MAX 320

struct trust_row {
	char file[sizeof(((struct conf_health *)0)->ca)]; /* "" = the system's */
	struct authority *a; /* NULL = could not be read */
	int rc; /* of reading, or of the last look */
	char why[WHY_MAX]; /* when it could not be read */
	mono_t since; /* of rc; 0 = since it was read */
};

struct trust {
	struct trust_row *row;
	size_t n;
	mono_t looked;
};

static bool verifies(const struct conf_health *h)
{
	return (h->type == PROBE_TLS || h->type == PROBE_HTTPS) && h->verify != PROBE_VERIFY_NONE;
}

static struct trust_row *row_find(const struct trust *t, const char *file)
{
	for (size_t i = 0; i < t->n; i++) {
		if (!strcmp(t->row[i].file, file))
			return &t->row[i];
	}
	return NULL;
}

static void row_read(struct trust_row *r)
{
	r->rc = authority_load(&r->a, r->file, r->why, sizeof(r->why));
}

int trust_load(struct trust **out, const struct conf *c)
{
	struct trust *t = calloc(1, sizeof(*t));

	if (t)
		t->row = calloc(c->services + 1, sizeof(*t->row));
	if (!t || !t->row) {
		trust_free(t);
		return -ENOMEM;
	}
	for (size_t i = 0; i < c->services; i++) {
		const struct conf_health *h = &c->service[i].health;

		if (!verifies(h) || row_find(t, h->ca))
			continue;
		snprintf(t->row[t->n].file, sizeof(t->row[t->n].file), "%s", h->ca);
		row_read(&t->row[t->n++]);
	}
	*out = t;
	return 0;
}

void trust_free(struct trust *t)
{
	if (!t)
		return;
	for (size_t i = 0; i < t->n; i++)
		authority_free(t->row[i].a);
	free(t->row);
	free(t);
}

char *trust_report(const struct trust *t, const struct conf *c, const char *conf_path)
{
	struct strbuf sb = { 0 };

	for (size_t i = 0; i < c->services; i++) {
		const struct conf_service *s = &c->service[i];
		const struct trust_row *r = verifies(&s->health) ? row_find(t, s->health.ca) : NULL;

		if (r && !r->a)
			strbuf_printf(&sb, "%s:%u: error: service %s: ca %s\n", conf_path, s->line,
				      s->name, r->why);
	}
	return sb.len ? strbuf_take(&sb) : NULL;
}

void trust_use(struct daemon *d, struct trust *t)
{
	trust_free(d->trust);
	d->trust = t;
	for (size_t i = 0; t && i < t->n; i++) {
		t->row[i].since = daemon_now(d);
		if (!t->row[i].a)
			log_errx("ca %s; tried again every 5 s", t->row[i].why);
	}
}

const struct authority *trust_find(const struct daemon *d, const struct conf_health *h,
				   const char **why, int *err)
{
	const struct trust_row *r = d->trust ? row_find(d->trust, h->ca) : NULL;

	*why = r ? r->why : "the authorities have not been read";
	*err = r ? -r->rc : ENOENT;
	return r ? r->a : NULL;
}

static void row_look(struct trust_row *r, mono_t now)
{
	const int was = r->rc;

	if (r->a)
		r->rc = authority_look(r->a);
	else
		row_read(r);
	if (r->rc != was)
		r->since = now;
}

void trust_second(struct daemon *d)
{
	mono_t now = daemon_now(d);
	struct trust *t = d->trust;

	if (!t || mono_cmp(mono_sub(now, t->looked), LOOK_GAP) < 0)
		return;
	t->looked = now;
	for (size_t i = 0; i < t->n; i++)
		row_look(&t->row[i], now);
}

size_t trust_problems(const struct daemon *d, struct trust_fact *fact, size_t max)
{
	const struct trust *t = d->trust;
	size_t n = 0;

	for (size_t i = 0; t && i < t->n && n < max; i++) {
		const struct trust_row *r = &t->row[i];

		if (!r->rc)
			continue;
		fact[n] = (struct trust_fact){ .unread = !r->a, .err = -r->rc, .since = r->since };
		snprintf(fact[n].file, sizeof(fact[n].file), "%s", r->file);
		snprintf(fact[n++].why, sizeof(fact[0].why), "%s", r->why);
	}
	return n;
}
