# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# One non-recursive Makefile. Everything is built into build/. `make help` lists the targets.
#   V=1 shows commands · SANITIZER=address,undefined · DEBUG=1 · B=build · CLANG= BPFTOOL= CC=
#
# Tests. A test is a program that prints TAP ("ok", "not ok", "# SKIP"); scripts/test counts these
# lines.
#   tests/unit/test_X.c          cmocka, no root; linked with util api core conf model flow, or with
#   tests/sim/sim_X.c            util api ctl when it includes "ctl/..", and tests/lib; ASan and
#   tests/golden/golden_X.c      UBSan on
#   tests/bpf/test_X.c           cmocka, as root; all layers but rrlbd/main.o and ctl, and libbpf
#                                and the rest
#   tests/bpf/X.bpf.c            helper objects for them: build/tests/bpf/X.bpf.o
#   tests/fuzz/fuzz_X.c          LLVMFuzzerTestOneInput; seeds in tests/fuzz/corpus/X/
#   tests/unit/test-X.sh, tests/golden/run.sh, tests/net/test-X.sh   shell, TAP as well
#   tests/bpf/bench*.c           not a test: optimised; build/bench/bench, run by scripts/bench
# The layers are linked as archives: a test that includes a .c to reach its statics does not clash
# with it. Tests run from the top of the tree; RRLB_BUILD names the build folder.

B        := build
# One name for one folder, whether B= is given from the tree or absolute: the .d files name their
# objects by it, and make takes "build/x.o" and "/here/build/x.o" for two files, so that a header's
# change would be missed by one of them.
override B := $(shell realpath -m --relative-base=. '$(B)')
CC       ?= gcc
CLANG    ?= clang
BPFTOOL  ?= $(firstword $(wildcard /usr/sbin/bpftool /sbin/bpftool) bpftool)
Q        := $(if $(V),,@)
# The nearest tag v1.2.3, else what NEWS is about: tags do not always travel with a tree.
VERSION  := $(shell git describe --tags --match 'v[0-9]*' --dirty 2>/dev/null | sed 's/^v//')
VERSION  := $(or $(VERSION),$(shell sed -nE 's/^([0-9]+(\.[0-9]+)+).*/\1/p' NEWS | head -n 1))
ARCH_INC := -I/usr/include/$(shell gcc -print-multiarch 2>/dev/null)

WARN     := -Wall -Wextra -Werror -Wshadow -Wmissing-prototypes -Wstrict-prototypes \
            -Wpointer-arith -Wcast-qual -Wsign-compare -Wundef -Wvla
SAN      := $(if $(SANITIZER),-fsanitize=$(SANITIZER) -fno-omit-frame-pointer \
            -fno-sanitize-recover=all)
OPT      := $(if $(DEBUG),-O0 -g,-O2 -g)
PKGS     := libbpf libxdp libnl-3.0 libnl-route-3.0 libevent libcurl jansson libcap-ng
CFLAGS   += -std=gnu11 $(OPT) $(WARN) $(SAN)
CPPFLAGS += -D_GNU_SOURCE -DRRLB_VERSION='"$(VERSION)"' -Iinclude -Icontroller -I$(B) \
            $(shell pkg-config --cflags $(PKGS) 2>/dev/null)
LDFLAGS  += $(SAN)
LDLIBS   := $(shell pkg-config --libs $(PKGS) 2>/dev/null) -lssl -lcrypto -lm

O        := $(B)/obj$(if $(SANITIZER),-san)$(if $(DEBUG),-debug)

layer     = $(patsubst controller/%.c,$(O)/%.o,$(wildcard controller/$(1)/*.c))
UTIL     := $(call layer,util)
API      := $(call layer,api)
CORE     := $(call layer,core)
CONF     := $(call layer,conf)
MODEL    := $(call layer,model)
SYS      := $(call layer,sys)
FLOW     := $(call layer,flow)
DAEMON   := $(foreach l,daemon collect serve rrlbd,$(call layer,$(l)))
CTL      := $(call layer,ctl)
PURE     := $(CORE) $(CONF) $(MODEL) $(FLOW) $(API) \
            $(patsubst controller/%.c,$(O)/%.o,$(wildcard controller/rrlbd/state_rows.c)) \
            $(filter-out $(O)/util/log.o $(O)/util/file.o,$(UTIL))

all: $(B)/rr_xdp.bpf.o $(B)/rrlbd $(B)/rrctl ## build everything

# ---- packet path ----
BPF_HEADERS := $(wildcard bpf/*.h bpf/*/*.h include/*.h)
BPF_CFLAGS := -target bpf -mcpu=v3 -O2 -g -Wall -Wextra -Werror -Wno-address-of-packed-member \
              -Iinclude -Ibpf $(ARCH_INC)
$(B)/rr_xdp.bpf.o: bpf/rr_xdp.bpf.c $(BPF_HEADERS) | $(B)
	@echo "  BPF     $@"
	$(Q)$(CLANG) $(BPF_CFLAGS) -c $< -o $@
$(B)/rr_xdp.skel.h: $(B)/rr_xdp.bpf.o
	@echo "  SKEL    $@"
	$(Q)$(BPFTOOL) gen skeleton $< name rr_xdp > $@.tmp && mv $@.tmp $@

# ---- controller ----
$(O)/%.o: controller/%.c | $(B)
	@mkdir -p $(@D)
	@echo "  CC      $@"
	$(Q)$(CC) $(CPPFLAGS) $(CFLAGS) -MMD -MP -c $< -o $@
$(SYS) $(DAEMON): | $(B)/rr_xdp.skel.h
# Programs say one version, also when only some of their objects had to be compiled.
VERSIONED := $(shell grep -ls RRLB_VERSION controller/*/*.c)
$(patsubst controller/%.c,$(O)/%.o,$(VERSIONED)): $(B)/version
$(B)/version: FORCE | $(B)
	@echo '$(VERSION)' | cmp -s - $@ || echo '$(VERSION)' >$@
$(B)/rrlbd: $(DAEMON) $(SYS) $(FLOW) $(MODEL) $(CONF) $(CORE) $(API) $(UTIL)
	@echo "  LD      $@"
	$(Q)$(CC) $(LDFLAGS) $^ $(LDLIBS) -o $@
$(B)/rrctl: $(CTL) $(API) $(UTIL)
	@echo "  LD      $@"
	$(Q)$(CC) $(LDFLAGS) $^ $(LDLIBS) -o $@
$(B):
	@mkdir -p $@


# ---- tests: sanitized objects of their own, next to the ordinary ones ----
S        := $(B)/san
TEST_SAN := -fsanitize=address,undefined -fno-omit-frame-pointer -fno-sanitize-recover=all
TEST_INC := -Itests -Ibpf -I.
# Packet headers are unaligned by nature; tests compile them natively.
TEST_FLAGS := $(TEST_INC) $(TEST_SAN) -fno-sanitize=alignment
TEST_LIBS  := -lcmocka -ljansson -lm
PURE_LAYERS := util api core conf model flow
DAEMON_LAYERS := daemon collect serve rrlbd
ALL_LAYERS  := $(PURE_LAYERS) sys $(DAEMON_LAYERS) ctl

# $(call sources,folder) -> its .c files that are not BPF programs
sources    = $(filter-out %.bpf.c,$(wildcard $(1)/*.c))
# $(call archives,objects-folder,layers) -> the archives of these layers
archives   = $(foreach l,$(2),$(1)/$(l).a)
progs      = $(patsubst tests/%.c,$(B)/tests/%,$(wildcard $(1)))

PURE_PROGS := $(call progs,tests/unit/test_*.c tests/sim/sim_*.c tests/golden/golden_*.c)
BPF_PROGS  := $(call progs,$(filter-out %.bpf.c,$(wildcard tests/bpf/test_*.c)))
BPF_HELP   := $(patsubst tests/%.bpf.c,$(B)/tests/%.bpf.o,$(wildcard tests/bpf/*.bpf.c))
NET_HELP   := $(patsubst tests/%.bpf.c,$(B)/tests/%.bpf.o,$(wildcard tests/net/*.bpf.c))
FUZZERS    := $(patsubst tests/fuzz/%.c,$(B)/fuzz/%,$(wildcard tests/fuzz/fuzz_*.c))
BENCH_HELP := $(patsubst tests/%.bpf.c,$(B)/tests/%.bpf.o,$(wildcard tests/bpf/bench*.bpf.c))

# The mains stay out of the archives, so that a test brings its own.
MAINS      := rrlbd/main ctl/rrctl
define archive_rule
$(1)/$(2).a: $$(filter-out $$(MAINS:%=$(1)/%.o),\
		$$(patsubst controller/%.c,$(1)/%.o,$$(wildcard controller/$(2)/*.c)))
	@mkdir -p $$(@D) && rm -f $$@
	$$(Q)ar rcs $$@ $$^
endef
$(foreach l,$(ALL_LAYERS),$(eval $(call archive_rule,$(S),$(l))))
$(foreach l,$(ALL_LAYERS),$(eval $(call archive_rule,$(O),$(l))))
$(foreach l,$(PURE_LAYERS),$(eval $(call archive_rule,$(B)/fuzz/obj,$(l))))

$(S)/%.o: controller/%.c | $(B)
	@mkdir -p $(@D)
	@echo "  CC      $@"
	$(Q)$(CC) $(CPPFLAGS) $(CFLAGS) $(TEST_SAN) -MMD -MP -c $< -o $@
$(S)/tests/%.o: tests/%.c | $(B)
	@mkdir -p $(@D)
	@echo "  CC      $@"
	$(Q)$(CC) $(CPPFLAGS) $(TEST_FLAGS) $(CFLAGS) -fno-sanitize=alignment -MMD -MP -c $< -o $@
# Order only and explicit: a pattern rule without a recipe adds no dependency.
$(patsubst controller/%.c,$(S)/%.o,\
	$(foreach l,sys $(DAEMON_LAYERS),$(wildcard controller/$(l)/*.c))) \
$(patsubst %.c,$(S)/%.o,$(call sources,tests/bpf) $(call sources,tests/lib)): | $(B)/rr_xdp.skel.h
$(S)/testlib.a: $(patsubst %.c,$(S)/%.o,$(call sources,tests/lib))
	@mkdir -p $(@D) && rm -f $@
	$(Q)ar rcs $@ $^
$(B)/tests/%.bpf.o: tests/%.bpf.c $(BPF_HEADERS) $(wildcard tests/*/*.h)
	@mkdir -p $(@D)
	@echo "  BPF     $@"
	$(Q)$(CLANG) $(BPF_CFLAGS) $(TEST_INC) -c $< -o $@

# rrctl and rrlbd share no program, and their layers may use the same names: a test that includes
# "ctl/..." gets rrctl's layers, every other one rrlbd's pure ones.
CTL_USERS  := $(patsubst tests/%.c,$(B)/tests/%,\
              $(shell grep -ls '^\#include "ctl/' tests/unit/*.c tests/sim/*.c tests/golden/*.c))
CTL_LIBS   := $(S)/testlib.a $(call archives,$(S),ctl api util)
PURE_LIBS  := $(S)/testlib.a $(call archives,$(S),$(PURE_LAYERS))
$(filter-out $(CTL_USERS),$(PURE_PROGS)): TEST_OBJS = $(PURE_LIBS)
$(CTL_USERS): TEST_OBJS = $(CTL_LIBS)
$(PURE_PROGS): $(B)/tests/%: $(S)/tests/%.o $(CTL_LIBS) $(PURE_LIBS)
	@mkdir -p $(@D)
	@echo "  LD      $@"
	$(Q)$(CC) $(TEST_SAN) $< -Wl,--start-group $(TEST_OBJS) -Wl,--end-group $(TEST_LIBS) -o $@
$(S)/pathlib.a: $(patsubst %.c,$(S)/%.o,$(wildcard tests/bpf/path_*.c tests/bpf/cases_*.c))
	@mkdir -p $(@D) && rm -f $@
	$(Q)ar rcs $@ $^
BPF_LIBS   := $(S)/pathlib.a $(S)/testlib.a \
              $(call archives,$(S),$(DAEMON_LAYERS) sys $(PURE_LAYERS))
$(BPF_PROGS): $(B)/tests/%: $(S)/tests/%.o $(BPF_LIBS) $(BPF_HELP) $(B)/rr_xdp.bpf.o
	@mkdir -p $(@D)
	@echo "  LD      $@"
	$(Q)$(CC) $(TEST_SAN) -pthread $< -Wl,--start-group $(BPF_LIBS) -Wl,--end-group \
		$(TEST_LIBS) $(LDLIBS) -o $@

# ---- fuzzers: clang, libFuzzer ----
FUZZ_FLAGS := -g -O1 -fsanitize=address,undefined -fno-sanitize=alignment -fno-sanitize-recover=all
FUZZ_WARN  := $(filter-out -Wcast-qual,$(WARN)) -Wno-missing-prototypes
$(B)/fuzz/obj/%.o: controller/%.c | $(B)
	@mkdir -p $(@D)
	@echo "  FUZZCC  $@"
	$(Q)$(CLANG) $(CPPFLAGS) -std=gnu11 $(FUZZ_WARN) $(FUZZ_FLAGS) -fsanitize=fuzzer-no-link \
		-MMD -MP -c $< -o $@
FUZZ_LIBS  := $(call archives,$(B)/fuzz/obj,$(PURE_LAYERS))
$(FUZZERS): $(B)/fuzz/%: tests/fuzz/%.c $(FUZZ_LIBS) $(BPF_HEADERS) $(wildcard tests/lib/*.h)
	@mkdir -p $(@D)
	@echo "  FUZZ    $@"
	$(Q)$(CLANG) $(CPPFLAGS) $(TEST_INC) -std=gnu11 $(FUZZ_WARN) $(FUZZ_FLAGS) \
		-fsanitize=fuzzer $< \
		-Wl,--start-group $(FUZZ_LIBS) -Wl,--end-group -ljansson -lm -o $@

# ---- bench ----
$(B)/bench/bench: $(filter-out %.bpf.c,$(wildcard tests/bpf/bench*.c)) \
		$(wildcard tests/bpf/bench*.h include/*.h) | $(BENCH_HELP) $(B)/rr_xdp.bpf.o
	@mkdir -p $(@D)
	@echo "  LD      $@"
	$(Q)$(CC) $(CPPFLAGS) $(TEST_INC) $(CFLAGS) $(filter %.c,$^) -lbpf -ljansson -o $@

tests-pure: $(PURE_PROGS)
tests-bpf: $(BPF_PROGS) $(BPF_HELP)
tests-net: all $(NET_HELP)
tests-fuzz: $(FUZZERS)
tests-bench: $(B)/bench/bench $(BENCH_HELP) $(B)/rr_xdp.bpf.o
pure-objects: $(PURE)
tests: tests-pure tests-bpf tests-net tests-fuzz ## build every test program

RUN := RRLB_BUILD=$(B) MAKE="$(MAKE)" scripts/test
check: ## format, layers, circles, purity, shellcheck, man pages, unit, sim, golden; no root
	+@$(RUN) lint unit sim golden
check-root: all ## packet path and network namespaces; as root
	+@$(RUN) bpf net leftovers
fuzz: ## every fuzzer for FUZZ_TIME seconds (30)
	+@FUZZ_TIME=$(or $(FUZZ_TIME),30) $(RUN) fuzz
bench: all tests-bench ## speed of the packet path, side by side; as root
	@RRLB_BUILD=$(B) scripts/bench
budget: all $(B)/tests/bpf/test_budget ## tests/bpf/budget.golden anew; as root
	@RRLB_BUILD=$(B) scripts/budget

# ---- for people working on it ----
C_FILES := $(wildcard include/*.h bpf/*.[ch] bpf/*/*.h controller/*/*.[ch] tests/*/*.[ch])
format: ## clang-format every file in place
	clang-format -i $(C_FILES)
format-check: ## fail where clang-format would change something
	@clang-format --dry-run -Werror $(C_FILES)
header-check: | $(B)/rr_xdp.skel.h ## every header compiles alone
	@CC='$(CC) $(CPPFLAGS) $(TEST_INC) $(CFLAGS)' BPF_CC='$(CLANG) $(BPF_CFLAGS)' \
		scripts/check-headers
metrics: ## function and file lengths, comment share
	@scripts/metrics
version: ## of this tree
	@echo '$(VERSION)'
tags: ## ctags
	ctags $(C_FILES)
compile_commands.json: | $(B) ## for clangd and clang-tidy
	@rows() { for f in $$2; do printf '%s\t%s\n' "$$f" "$$1"; done; }; { \
	rows '$(CC) $(CPPFLAGS) $(CFLAGS)' '$(wildcard controller/*/*.c)'; \
	rows '$(CC) $(CPPFLAGS) $(TEST_INC) $(CFLAGS)' '$(call sources,tests/*)'; \
	rows '$(CLANG) $(BPF_CFLAGS) $(TEST_INC)' '$(wildcard bpf/*.bpf.c tests/*/*.bpf.c)'; \
	} >$(B)/cc.tsv
	@awk -F'\t' -v dir='$(CURDIR)' '{ gsub(/"/, "\\\"", $$2); \
		printf "%s{ \"directory\": \"%s\",\n", (NR > 1 ? "," : "["), dir; \
		printf "\"file\": \"%s\", \"command\": \"%s -c %s\" }\n", $$1, $$2, $$1 } \
		END { print "]" }' $(B)/cc.tsv >$@

# ---- install ----
PREFIX     := /usr
SYSCONFDIR := /etc
INSTALL    := install
MANS       := $(wildcard controller/man/*.[1-8])
install: all ## into $(DESTDIR), PREFIX=/usr SYSCONFDIR=/etc
	$(INSTALL) -D -m 755 $(B)/rrlbd $(DESTDIR)$(PREFIX)/sbin/rrlbd
	$(INSTALL) -D -m 755 $(B)/rrctl $(DESTDIR)$(PREFIX)/bin/rrctl
	$(INSTALL) -D -m 644 $(B)/rr_xdp.bpf.o $(DESTDIR)$(PREFIX)/lib/rrlb/rr_xdp.bpf.o
	for m in $(MANS); do to=$(DESTDIR)$(PREFIX)/share/man/man$${m##*.}/$${m##*/}; \
		$(INSTALL) -D -m 644 $$m $$to || exit 1; done
	$(INSTALL) -D -m 644 scripts/rrlbd.service \
		$(DESTDIR)$(PREFIX)/lib/systemd/system/rrlbd.service
	$(INSTALL) -D -m 644 scripts/rrlbd.conf.example \
		$(DESTDIR)$(PREFIX)/share/doc/rrlb/rrlbd.conf.example
	test -e $(DESTDIR)$(SYSCONFDIR)/rrlb/rrlbd.conf || \
		$(INSTALL) -D -m 640 scripts/rrlbd.conf.example \
			$(DESTDIR)$(SYSCONFDIR)/rrlb/rrlbd.conf
	$(INSTALL) -d $(DESTDIR)$(PREFIX)/share/bash-completion/completions
	$(B)/rrctl completion bash >$(DESTDIR)$(PREFIX)/share/bash-completion/completions/rrctl
uninstall: ## what install put there; the configuration stays
	rm -f $(DESTDIR)$(PREFIX)/sbin/rrlbd $(DESTDIR)$(PREFIX)/bin/rrctl
	rm -f $(DESTDIR)$(PREFIX)/lib/systemd/system/rrlbd.service
	rm -f $(DESTDIR)$(PREFIX)/share/bash-completion/completions/rrctl
	for m in $(MANS); do rm -f $(DESTDIR)$(PREFIX)/share/man/man$${m##*.}/$${m##*/}; done
	rm -rf $(DESTDIR)$(PREFIX)/lib/rrlb $(DESTDIR)$(PREFIX)/share/doc/rrlb

clean: ## remove build/
	rm -rf $(B)
help: ## this list
	@grep -hE '^[a-z_.-]+:.*##' $(firstword $(MAKEFILE_LIST)) | \
		sed -E 's/:.*## /\t/' | expand -t 24
	@echo
	@echo 'DEBUG_TESTENV=1 tests/net/run.sh    a shell inside the test network'

-include $(wildcard $(O)/*/*.d $(S)/*/*.d $(S)/tests/*/*.d $(B)/fuzz/obj/*/*.d)
.SECONDARY:
.DELETE_ON_ERROR:
.PHONY: all tests tests-pure tests-bpf tests-net tests-fuzz tests-bench pure-objects check \
	check-root fuzz bench budget format format-check header-check metrics version \
	tags compile_commands.json install uninstall clean help FORCE
