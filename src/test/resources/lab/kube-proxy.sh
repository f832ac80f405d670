#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Starts kube-proxy with the iptables that this kernel has, as the Kubernetes project's image does.
if ! nft --check add table ip probe > /dev/null 2>&1; then
  for name in iptables iptables-save iptables-restore ip6tables ip6tables-save ip6tables-restore; do
    ln -sf xtables-legacy-multi "/usr/sbin/$name"
  done
fi
exec /usr/local/bin/kube-proxy "$@"
