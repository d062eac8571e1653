/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * bpf_host.h - what bpf/pkt.h, bpf/parse/ and bpf/csum.h take from the BPF environment, for a
 * native build: they use no map and no helper, so types, byte order and one attribute are all.
 */
#ifndef LIB_BPF_HOST_H
#define LIB_BPF_HOST_H

#include <stdbool.h>
#include <stddef.h>

#include <arpa/inet.h>
#include <linux/if_ether.h>
#include <linux/in.h>
#include <linux/ip.h>
#include <linux/ipv6.h>
#include <linux/tcp.h>
#include <linux/types.h>

#include "rr_table.h"
#include "rr_verdict.h"

/* glibc has one of its own, without the static that these headers write in front */
#undef __always_inline
#define __always_inline inline __attribute__((always_inline))

#define bpf_htons(x) htons(x)
#define bpf_ntohs(x) ntohs(x)
#define bpf_htonl(x) htonl(x)
#define bpf_ntohl(x) ntohl(x)

/*
 * For the BPF target void pointers are counted in bytes, and loops are unrolled by a pragma of
 * clang's.
 */
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wpointer-arith"
#pragma GCC diagnostic ignored "-Wunknown-pragmas"
#include "bpf/pkt.h"
#include "bpf/parse/eth.h"
#include "bpf/csum.h"
#pragma GCC diagnostic pop

#endif
