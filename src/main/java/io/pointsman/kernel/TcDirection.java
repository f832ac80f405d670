// SPDX-License-Identifier: Apache-2.0
package io.pointsman.kernel;

/** Where on a device a tc program sits; numbers of enum bpf_attach_type and libbpf's tc API. */
public enum TcDirection {
  INGRESS(46, 1, 0xfffffff2),
  EGRESS(47, 2, 0xfffffff3);

  private final int tcxAttachType;
  private final int attachPoint;
  private final int parent;

  TcDirection(int tcxAttachType, int attachPoint, int parent) {
    this.tcxAttachType = tcxAttachType;
    this.attachPoint = attachPoint;
    this.parent = parent;
  }

  /** BPF_TCX_INGRESS or BPF_TCX_EGRESS. */
  public int tcxAttachType() {
    return tcxAttachType;
  }

  /** BPF_TC_INGRESS or BPF_TC_EGRESS of libbpf. */
  int attachPoint() {
    return attachPoint;
  }

  /** The handle of clsact's filter list for this direction (linux/pkt_sched.h). */
  int parent() {
    return parent;
  }
}
