#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Process 1 once the root is writable; it never ends, because the kernel would with it.

out=/mnt/outside
mount -t proc proc /proc
mount -t sysfs sys /sys
mount -t cgroup2 cgroup /sys/fs/cgroup
mount -t bpf bpf /sys/fs/bpf
mount -t devtmpfs dev /dev
mkdir -p /dev/shm
mount -t tmpfs -o mode=1777 shm /dev/shm
mount -t tmpfs -o mode=755 run /run
mkdir -p /run/netns /run/lock
mount --bind /usr/lib/uml/modules /usr/lib/modules
while read -r module; do modprobe "$module"; done <"$out/modules"
# This kernel has no nf_tables.
for name in iptables iptables-save iptables-restore ip6tables ip6tables-save ip6tables-restore; do
  ln -sf xtables-legacy-multi "/usr/sbin/$name"
done
ip link set lo up

(
  cd "$(cat "$out/directory")" || exit 1
  . "$out/command"
)
echo $? >"$out/code"
sync
echo o >/proc/sysrq-trigger
while :; do sleep 1; done
