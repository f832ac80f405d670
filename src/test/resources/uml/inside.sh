#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Process 1 once the root is writable: inside.sh MODULES, the folder of the kernel's modules. It
# never ends, because the kernel would with it. The folder of this script holds "modules", "command"
# and "directory"; "output", "release" and "code" are what comes out of it.

out=/mnt/outside
export PATH=/usr/sbin:/usr/bin:/sbin:/bin
uname -r >"$out/release"
mount -t proc proc /proc
mount -t sysfs sys /sys
mount -t cgroup2 cgroup /sys/fs/cgroup
mount -t bpf bpf /sys/fs/bpf
mount -t devtmpfs dev /dev
mkdir -p /dev/shm
mount -t tmpfs -o mode=1777 shm /dev/shm
mount -t tmpfs -o mode=755 run /run
mkdir -p /run/netns /run/lock
mkdir -p /usr/lib/modules
mount --bind "$1" /usr/lib/modules
while read -r module; do modprobe "$module"; done <"$out/modules"
if ! nft list tables >/dev/null 2>&1; then
  for name in iptables iptables-save iptables-restore ip6tables ip6tables-save ip6tables-restore; do
    ln -sf xtables-legacy-multi "/usr/sbin/$name"
  done
fi
ip link set lo up

(
  cd "$(cat "$out/directory")" || exit 1
  . "$out/command"
)
echo $? >"$out/code"
sync
echo o >/proc/sysrq-trigger
while :; do sleep 1; done
