# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# One non-recursive Makefile. Everything is built into build/. `make help` lists the targets.
#   V=1 shows commands · SANITIZER=address,undefined · DEBUG=1 · CLANG= BPFTOOL= CC=

B        := build
CC       ?= gcc
CLANG    ?= clang
BPFTOOL  ?= $(firstword $(wildcard /usr/sbin/bpftool /sbin/bpftool) bpftool)
Q        := $(if $(V),,@)
VERSION  := $(shell git describe --tags --always --dirty 2>/dev/null || echo 0.1.0)
ARCH_INC := -I/usr/include/$(shell gcc -print-multiarch 2>/dev/null)

WARN     := -Wall -Wextra -Werror -Wshadow -Wmissing-prototypes -Wstrict-prototypes -Wpointer-arith \
            -Wcast-qual -Wsign-compare -Wundef -Wvla
SAN      := $(if $(SANITIZER),-fsanitize=$(SANITIZER) -fno-omit-frame-pointer -fno-sanitize-recover=all)
OPT      := $(if $(DEBUG),-O0 -g,-O2 -g)
PKGS     := libbpf libxdp libnl-3.0 libnl-route-3.0 libevent libcurl jansson libcap-ng
CFLAGS   += -std=gnu11 $(OPT) $(WARN) $(SAN)
CPPFLAGS += -D_GNU_SOURCE -DRRLB_VERSION='"$(VERSION)"' -Iinclude -Icontroller -I$(B) $(shell pkg-config --cflags $(PKGS) 2>/dev/null)
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
DAEMON   := $(call layer,daemon)
CTL      := $(call layer,ctl)
PURE     := $(CORE) $(CONF) $(MODEL) $(API) $(filter-out $(O)/util/log.o,$(UTIL))

all: $(B)/rr_xdp.bpf.o $(B)/rrlbd $(B)/rrctl ## build everything

# ---- packet path ----
BPF_CFLAGS := -target bpf -mcpu=v3 -O2 -g -Wall -Wextra -Werror -Wno-address-of-packed-member -Iinclude $(ARCH_INC)
$(B)/rr_xdp.bpf.o: bpf/rr_xdp.bpf.c $(wildcard bpf/*.h include/*.h) | $(B)
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
$(SYS): | $(B)/rr_xdp.skel.h
$(B)/rrlbd: $(DAEMON) $(SYS) $(MODEL) $(CONF) $(CORE) $(API) $(UTIL)
	@echo "  LD      $@"
	$(Q)$(CC) $(LDFLAGS) $^ $(LDLIBS) -o $@
$(B)/rrctl: $(CTL) $(API) $(UTIL)
	@echo "  LD      $@"
	$(Q)$(CC) $(LDFLAGS) $^ $(LDLIBS) -o $@
$(B):
	@mkdir -p $@

clean: ## remove build/
	rm -rf $(B)
help: ## this list
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 20

-include $(wildcard $(O)/*/*.d)
.PHONY: all clean help
