// SPDX-License-Identifier: Apache-2.0
package io.pointsman.dataplane.bpf;

/** The same on a kernel that has no nf_tables for IPv4 and IPv6. */
public class TranslationHoldInside extends TranslationHoldTest {}
