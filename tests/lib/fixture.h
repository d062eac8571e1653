/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * fixture.h - small configurations and models for tests, plain arrays that stand for the maps,
 * and the rules that hold for these after every single step.
 */
#ifndef LIB_FIXTURE_H
#define LIB_FIXTURE_H

#include "model/model.h"
#include "model/plan.h"
#include "model/view.h"

/* Configurations made by hand. fx_conf() aborts when memory is out; conf_free() frees it. */
struct conf *fx_conf(void);
struct conf_service *fx_service(struct conf *c, const char *name, const char *listen);
struct conf_endpoint *fx_endpoint(struct conf *c, const char *service, const char *addr,
				  uint32_t weight);
struct conf_service *fx_find(struct conf *c, const char *service);
void fx_endpoint_del(struct conf *c, const char *service, const char *addr);
struct addr fx_addr(const char *text);

#define FX_E1 "10.0.0.1:8443"
#define FX_E2 "10.0.0.2:8443"
#define FX_E3 "10.0.0.3:8443"
/* One service "web" at 192.0.2.10:443 with these three, weight 100. */
struct conf *fx_web_conf(void);

/* Model. */
struct fx_world {
	struct conf *c;
	struct model *m;
};
struct fx_world fx_world(void); /* fx_web_conf(), applied and all up at 100 s */
void fx_world_free(struct fx_world *w);
struct model *fx_model(const struct conf *c, mono_t now); /* applied; interface slot 0 is up */
uint32_t fx_id(const struct model *m, const char *service, const char *addr); /* 0 = not shown */
struct view_endpoint fx_view(const struct model *m, const char *service, const char *addr);
enum ep_state fx_state(const struct model *m, const char *service, const char *addr);
size_t fx_available(const struct model *m, const char *service);
uint64_t fx_hop(uint32_t endpoint);
void fx_hops(struct model *m, mono_t now); /* every endpoint gets a hop and a source address */
/*
 * model_due(), the targets alone; their runs are kept for fx_result(). A target that has one member
 * has its id.
 */
size_t fx_due(struct model *m, uint32_t *target, size_t max, mono_t now);
struct model_run fx_run_of(uint32_t target); /* the probe that fx_due() last started */
/* A probe that is in flight ends. */
void fx_result(struct model *m, uint32_t target, enum reason why, mono_t now);
void fx_all_up(struct model *m, mono_t now); /* hops, and the first probe of all passes */
enum model_rc fx_verb(struct model *m, enum model_verb v, const char *service, const char *addr,
		      mono_t now);
/* Takes all events; how many were of this kind. */
size_t fx_events(struct model *m, const char *kind);

/* The maps. */
struct fx_maps {
	struct plan *have;
	struct plan_image *img;
	size_t steps, diffs; /* counted over its life */
};
void fx_maps_init(struct fx_maps *x);
void fx_maps_free(struct fx_maps *x);
/* Plan, diff, and every step with all rules checked. NULL, or what is wrong. */
const char *fx_push(struct fx_maps *x, struct model *m);
/*
 * Have -> want with all rules checked; owns `want` afterwards. `steady` = services in both must
 * stay reachable.
 */
const char *fx_steps(struct fx_maps *x, struct plan *want, bool steady);
/* For what says NULL or what is wrong. */
#define assert_ok(err) \
	do { \
		const char *err_ = (err); \
		if (err_) \
			fail_msg("%s", err_); \
	} while (0)
struct plan *fx_plan(const struct model *m); /* what the model wants now; the caller's */
/* Rules for one state of the maps. NULL, or what is wrong. */
const char *fx_check(const struct plan_image *img);
/* Is the endpoint in the rotation that packets walk? */
bool fx_in_rotation(const struct fx_maps *x, uint32_t service, uint32_t endpoint);
uint32_t fx_service_id(const struct model *m, const char *service);

/* Small generator for tests: the same in every run. */
struct fx_rng {
	uint64_t s;
};
uint32_t fx_rand(struct fx_rng *r, uint32_t n); /* 0 .. n-1 */

#endif
