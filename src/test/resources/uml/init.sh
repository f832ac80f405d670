#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# The first process of a User-Mode Linux whose root is the host's, read-only by hostfs. It puts a
# writable layer over it and goes on with inside.sh.

here=${0%/*}
release=$(uname -r)
modules=/usr/lib/uml/modules/$release
export PATH=/usr/sbin:/usr/bin:/sbin:/bin

mount -t proc proc /proc
mount -t tmpfs -o mode=755 layer /mnt
mkdir -p /mnt/upper /mnt/work /mnt/root
insmod "$modules/kernel/fs/overlayfs/overlay.ko"
mount -t overlay -o lowerdir=/,upperdir=/mnt/upper,workdir=/mnt/work overlay /mnt/root
mkdir -p /mnt/root/mnt/old /mnt/root/mnt/outside
mount -t hostfs -o "$here" outside /mnt/root/mnt/outside
cd /mnt/root || exit 1
# Not a mere change of root: the kernel's own modprobe must see the modules, too.
pivot_root . mnt/old
exec chroot . /bin/sh /mnt/outside/inside.sh /usr/lib/uml/modules >/mnt/outside/console 2>&1
