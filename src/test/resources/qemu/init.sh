#!/bin/busybox sh
# SPDX-License-Identifier: Apache-2.0
# The first process of a stock kernel in QEMU: its root is the host's by virtiofs, with a writable
# layer over it. $folder and $kernel are words of the kernel's command line.

/bin/busybox --install -s /bin
while read -r module; do insmod "/modules/$module"; done </modules/order
mkdir -p /host /layer /root
mount -t virtiofs root /host
mount -t tmpfs -o mode=755 layer /layer
mkdir -p /layer/upper /layer/work
mount -t overlay -o lowerdir=/host,upperdir=/layer/upper,workdir=/layer/work overlay /root
mkdir -p /root/mnt/outside
mount --bind "/host$folder" /root/mnt/outside
exec switch_root /root /bin/sh -c \
  'exec /bin/sh /mnt/outside/inside.sh "$0" >/mnt/outside/console 2>&1' "$kernel/lib/modules"
