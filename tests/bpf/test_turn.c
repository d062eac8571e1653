/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * test_turn.c - what was asked for in a batch is one push and one save, and each is answered after
 * that; what readers see is one snapshot. The control socket is real, the batch is made by sending
 * before the loop runs.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <cmocka.h>

#include "collect/counters.h"
#include "lib/netbox.h"
#include "lib/running.h"
#include "rrlbd/state.h"
#include "serve/call.h"
#include "serve/control.h"
#include "serve/snapshot.h"
#include "util/file.h"

/* push.c's writes to maps that are not mapped fail when this test says so. */
static int map_fails;

static int test_dp_set(struct dp *dp, enum rr_map map, uint32_t key, const void *value)
{
	return map_fails ? map_fails : dp_set(dp, map, key, value);
}

#define dp_set test_dp_set
#include "daemon/push.c"
#undef dp_set

static int setup(void **state)
{
	struct running *r = calloc(1, sizeof(*r));

	assert_non_null(r);
	running_start(r);
	*state = r;
	return 0;
}

static int teardown(void **state)
{
	map_fails = 0;
	running_stop(*state);
	free(*state);
	return 0;
}

static const char *member(const json_t *reply, const char *name)
{
	const char *s = json_string_value(json_object_get(json_object_get(reply, "data"), name));

	return s ? s : "";
}

static bool is_ok(const json_t *reply)
{
	return json_is_true(json_object_get(reply, "ok"));
}

static json_t *ask(struct running *r, int fd)
{
	running_until(r, fd);
	return running_reply(fd);
}

static uint64_t inode(const char *path)
{
	struct stat st;

	return stat(path, &st) ? 0 : st.st_ino;
}

/* What the state file holds is on disk when the answer comes. */
static bool file_says(const struct running *r, const char *what)
{
	char *text;
	size_t len;
	bool found;

	assert_int_equal(file_read(r->d->state, 1 << 20, &text, &len), 0);
	found = strstr(text, what);
	free(text);
	return found;
}

static const char *last_audit(const struct control *ctl)
{
	for (uint64_t i = ctl->ring_next; i > 0; i--) {
		if (ctl->ring[(i - 1) % MODEL_EVENTS].kind == EVENT_AUDIT)
			return ctl->ring[(i - 1) % MODEL_EVENTS].text;
	}
	return "";
}

/* Connections are taken in one batch, so that what they then send comes in one as well. */
static void clients(struct running *r, int *fd, size_t n)
{
	int probe;

	for (size_t i = 0; i < n; i++)
		fd[i] = running_connect(r);
	probe = running_connect(r);
	running_send(probe, "version", "");
	json_decref(ask(r, probe));
	close(probe);
	assert_true(state_flush(r->d, MONO_S(10)));
}

static void test_one_push(void **state)
{
	struct running *r = *state;
	uint64_t pushes, was;
	json_t *reply[3];
	int fd[3];

	clients(r, fd, 3);
	pushes = r->d->push_total;
	was = inode(r->d->state);
	running_weigh(fd[0], "50");
	running_weigh(fd[1], "+10%");
	running_send(fd[2], "endpoint add", "\"service\":\"web\",\"address\":\"10.0.0.3:443\"");
	reply[0] = ask(r, fd[0]);
	assert_int_equal(r->turns, 3); /* one that reads, one that writes, one that has written */
	for (int i = 1; i < 3; i++)
		reply[i] = running_reply(fd[i]);
	assert_int_equal(r->d->push_total, pushes + 1);
	assert_int_not_equal(inode(r->d->state), was);
	for (int i = 0; i < 3; i++) {
		assert_true(is_ok(reply[i]));
		assert_string_equal(member(reply[i], "warning"), "");
		json_decref(reply[i]);
		close(fd[i]);
	}
	/* Each was decided on what the one before it had made, and the maps have it. */
	assert_true(file_says(r, "\"weight\": 55"));
	assert_non_null(strstr(last_audit(r->d->control), "endpoint add"));
}

/* Both of one client: the second is not read before the first has its answer. */
static void test_in_order(void **state)
{
	struct running *r = *state;
	json_t *reply;
	int fd;

	clients(r, &fd, 1);
	running_weigh(fd, "50");
	running_weigh(fd, "+100%");
	running_send(fd, "endpoint show", "\"endpoint\":\"web/" RUNNING_EP1 "\"");
	shutdown(fd, SHUT_WR);
	for (int i = 0; i < 3; i++) {
		const json_t *base;

		reply = ask(r, fd);
		assert_true(is_ok(reply));
		base = json_object_get(json_object_get(reply, "data"), "weight_base");
		assert_int_equal(json_integer_value(base), i ? 100 : 50);
		json_decref(reply);
	}
	running_until(r, fd);
	assert_null(running_reply(fd));
	close(fd);
}

static void test_failed_save(void **state)
{
	struct running *r = *state;
	json_t *reply;
	int fd;

	clients(r, &fd, 1);
	assert_int_equal(netbox_sh("rm -f %s && mkdir %s", r->d->state, r->d->state), 0);
	running_weigh(fd, "50");
	reply = ask(r, fd);
	assert_true(is_ok(reply));
	assert_non_null(strstr(member(reply, "warning"), "will not survive a restart"));
	json_decref(reply);
	assert_int_equal(netbox_sh("rmdir %s", r->d->state), 0);
	running_weigh(fd, "60");
	reply = ask(r, fd);
	assert_string_equal(member(reply, "warning"), "");
	json_decref(reply);
	close(fd);
}

static void test_failed_push(void **state)
{
	static const uint8_t mac[6] = { 2, 0, 0, 0, 0, 1 };
	struct running *r = *state;
	json_t *reply;
	int fd;

	clients(r, &fd, 1);
	map_fails = -EIO;
	model_iface(r->d->model, 3, 1, mac, 1500, daemon_now(r->d));
	running_weigh(fd, "50");
	reply = ask(r, fd);
	assert_true(is_ok(reply));
	assert_non_null(strstr(member(reply, "warning"), "tried again"));
	json_decref(reply);
	assert_true(r->d->push_retry);
	map_fails = 0;
	r->d->push_retry = false; /* a second later */
	running_weigh(fd, "60");
	reply = ask(r, fd);
	assert_string_equal(member(reply, "warning"), "");
	json_decref(reply);
	close(fd);
}

/* What has been asked for is done and on record, also when nobody hears the answer. */
static void test_left_meanwhile(void **state)
{
	struct running *r = *state;
	json_t *reply;
	int fd[2];

	clients(r, fd, 2);
	running_send(fd[0], "version", "");
	running_until(r, fd[0]); /* not read: closing says so, and the daemon lets go at once */
	running_weigh(fd[0], "70");
	running_events(r);
	close(fd[0]);
	for (int i = 0; i < 3; i++)
		running_events(r);
	assert_null(TAILQ_FIRST(&r->d->control->turn)->client);
	running_send(fd[1], "version", "");
	reply = ask(r, fd[1]);
	json_decref(reply);
	running_send(fd[1], "endpoint show", "\"endpoint\":\"web/" RUNNING_EP1 "\"");
	reply = ask(r, fd[1]);
	assert_int_equal(
		json_integer_value(json_object_get(json_object_get(reply, "data"), "weight_base")),
		70);
	assert_true(state_flush(r->d, MONO_S(10)));
	control_turn(r->d);
	assert_non_null(strstr(last_audit(r->d->control), "weight=70: ok"));
	json_decref(reply);
	close(fd[1]);
}

/* The last turn is for those who have asked; then what waits to be written is sent. */
static void test_stopping(void **state)
{
	struct running *r = *state;
	json_t *reply;
	int fd;

	clients(r, &fd, 1);
	running_weigh(fd, "80");
	r->d->stopping = true;
	running_batch(r);
	assert_true(state_flush(r->d, MONO_S(10)));
	control_turn(r->d);
	control_close(r->d);
	reply = running_reply(fd);
	assert_true(is_ok(reply));
	assert_true(file_says(r, "\"weight\": 80"));
	json_decref(reply);
	close(fd);
}

static json_int_t generation(const json_t *reply)
{
	return json_integer_value(json_object_get(json_object_get(reply, "data"), "generation"));
}

static void test_reload(void **state)
{
	struct running *r = *state;
	json_t *reply;
	uint64_t pushes;
	int fd[2];

	clients(r, fd, 2);
	pushes = r->d->push_total;
	running_conf(r, 42);
	running_send(fd[0], "config reload", "");
	running_send(fd[1], "config reload", "\"reset\":true");
	for (int i = 0; i < 2; i++) {
		reply = i ? running_reply(fd[i]) : ask(r, fd[i]);
		assert_true(is_ok(reply));
		assert_int_equal(generation(reply), 2 + i);
		json_decref(reply);
	}
	assert_int_equal(r->turns, 2); /* one that reads, one that writes */
	assert_true(r->d->push_total <= pushes + 1);
	running_conf(r, 0);
	running_send(fd[0], "config reload", "");
	reply = ask(r, fd[0]);
	assert_false(is_ok(reply));
	assert_int_equal(generation(reply), 3);
	assert_non_null(strstr(member(reply, "report"), "nonsense"));
	assert_non_null(strstr(last_audit(r->d->control), "config reload: failed"));
	json_decref(reply);
	close(fd[0]);
	close(fd[1]);
}

/* ---- the snapshot -------------------------------------------------------------------------- */

static void test_made_once(void **state)
{
	struct running *r = *state;
	uint64_t made;
	int fd[3];

	clients(r, fd, 3);
	made = r->d->snapshots;
	for (int i = 0; i < 3; i++)
		running_send(fd[i], i == 1 ? "service list" : "status", "");
	json_decref(ask(r, fd[0]));
	assert_int_equal(r->turns, 2); /* one that reads, one that writes */
	for (int i = 1; i < 3; i++)
		json_decref(running_reply(fd[i]));
	assert_int_equal(r->d->snapshots, made + 1);
	assert_null(r->d->snapshot); /* held by nobody: it went with the turn */
	/* One to look up whom it is about, one of what stands there after the turn. */
	running_weigh(fd[0], "50");
	json_decref(ask(r, fd[0]));
	assert_int_equal(r->d->snapshots, made + 3);
	assert_null(r->d->snapshot);
	for (int i = 0; i < 3; i++)
		close(fd[i]);
}

/* Who holds one reads on, whatever becomes of model and configuration. */
static void test_held(void **state)
{
	struct running *r = *state;
	struct snapshot *old = snapshot_get(r->d), *same = snapshot_get(r->d), *now;
	const struct conf *conf = old->config.conf;
	json_t *reply;
	int fd;

	assert_ptr_equal(old, same);
	snapshot_put(same);
	assert_ptr_equal(conf, r->d->conf); /* shared, not copied */
	running_conf(r, 7);
	fd = running_connect(r);
	running_send(fd, "config reload", "");
	reply = ask(r, fd);
	assert_true(is_ok(reply));
	json_decref(reply);
	now = snapshot_get(r->d);
	assert_ptr_not_equal(now, old);
	assert_int_equal(now->view->service[0].endpoint[0].weight_base, 7);
	assert_int_equal(now->view->service[0].conf->endpoint[0].weight, 7);
	assert_int_equal(now->config.generation, 2);
	assert_int_equal(old->view->service[0].endpoint[0].weight_base, 100);
	assert_int_equal(old->view->service[0].conf->endpoint[0].weight, 100);
	assert_int_equal(old->config.conf->service[0].endpoint[0].weight, 100);
	assert_int_equal(old->config.generation, 1);
	snapshot_put(old);
	snapshot_put(now);
	close(fd);
}

static void packets(const struct running *r, uint32_t id, uint64_t n)
{
	struct rr_stats *cpu = calloc((size_t)libbpf_num_possible_cpus(), sizeof(*cpu));
	int fd = bpf_obj_get("/sys/fs/bpf/rrlb-running/ep_stats_v2");

	(void)r;
	assert_non_null(cpu);
	assert_true(fd >= 0);
	cpu[0].packets[RR_DIR_REV] = n;
	cpu[0].conns = n / 2;
	assert_int_equal(bpf_map_update_elem(fd, &id, cpu, 0), 0);
	close(fd);
	free(cpu);
}

/*
 * The packets that were there at the first reading are the past; then each growth is known by its
 * time.
 */
static void test_last_packet(void **state)
{
	struct running *r = *state;
	struct snapshot *s = snapshot_get(r->d);
	const struct view_endpoint *e = &s->view->service[0].endpoint[0];
	mono_t grew;

	packets(r, e->id, 10);
	snapshot_count(s);
	assert_int_equal(snapshot_endpoint(s, e)->stats.packets[RR_DIR_REV], 10);
	assert_int_equal(snapshot_endpoint(s, e)->packet_at.us, 0);
	packets(r, e->id, 12);
	snapshot_count(s); /* once for each snapshot */
	assert_int_equal(snapshot_endpoint(s, e)->stats.packets[RR_DIR_REV], 10);
	assert_int_equal(collect_period(r->d), 0);
	snapshot_put(s);
	snapshot_forget(r->d);
	s = snapshot_get(r->d);
	e = &s->view->service[0].endpoint[0];
	grew = snapshot_endpoint(s, e)->packet_at;
	assert_int_equal(grew.us, r->d->counters->at.us);
	assert_true(snapshot_endpoint(s, e)->cps > 0);
	assert_int_equal(collect_period(r->d), 0); /* nothing new */
	snapshot_put(s);
	snapshot_forget(r->d);
	s = snapshot_get(r->d);
	e = &s->view->service[0].endpoint[0];
	assert_int_equal(snapshot_endpoint(s, e)->packet_at.us, grew.us);
	assert_true(snapshot_endpoint(s, e)->cps == 0);
	snapshot_put(s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_one_push, setup, teardown),
		cmocka_unit_test_setup_teardown(test_in_order, setup, teardown),
		cmocka_unit_test_setup_teardown(test_failed_save, setup, teardown),
		cmocka_unit_test_setup_teardown(test_failed_push, setup, teardown),
		cmocka_unit_test_setup_teardown(test_left_meanwhile, setup, teardown),
		cmocka_unit_test_setup_teardown(test_stopping, setup, teardown),
		cmocka_unit_test_setup_teardown(test_reload, setup, teardown),
		cmocka_unit_test_setup_teardown(test_made_once, setup, teardown),
		cmocka_unit_test_setup_teardown(test_held, setup, teardown),
		cmocka_unit_test_setup_teardown(test_last_packet, setup, teardown),
	};

	if (!netbox_enter())
		return 0;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
