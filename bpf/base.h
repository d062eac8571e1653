/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * base.h - what every header of this folder stands on: types, byte order, inlining, helpers.
 * Headers that use no map and no helper (pkt.h, parse/, csum.h) also compile natively, for unit
 * tests and fuzzers.
 */
#ifndef RR_BPF_BASE_H
#define RR_BPF_BASE_H

#include <stdbool.h>
#include <stddef.h>
#include <linux/bpf.h>
#include <linux/types.h>
#ifdef __bpf__
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_endian.h>
#endif

#endif
