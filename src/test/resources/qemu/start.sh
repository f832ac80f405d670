#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Boots a kernel in QEMU with the machine's root: start.sh KERNEL-FOLDER MEGABYTES, in a mount and a
# PID namespace of its own. KERNEL-FOLDER is what scripts/stock-kernel made.
set -eu
here=${0%/*} kernel=$1 megabytes=$2
# virtiofsd keeps a lock there that it does not take away.
mount -t tmpfs -o mode=755 run /run

socket=$here/root.socket
if [ -x /usr/lib/qemu/virtiofsd ]; then # Debian 12's QEMU has it
  /usr/lib/qemu/virtiofsd -o source=/,sandbox=chroot,cache=always --socket-path="$socket" >"$here/files" 2>&1 &
else
  /usr/libexec/virtiofsd --shared-dir=/ --sandbox=chroot --cache=always --socket-path="$socket" >"$here/files" 2>&1 &
fi
while [ ! -S "$socket" ]; do
  kill -0 $! || { cat "$here/files"; exit 1; }
  sleep 0.1
done

# A machine that is virtual itself may have the device and still be unable to run anything by it.
if [ -w /dev/kvm ] && grep -qwE 'vmx|svm' /proc/cpuinfo; then
  set -- -accel kvm -cpu host
else
  # 57-bit addresses would make each page fault dearer.
  set -- -accel tcg,thread=multi,tb-size=1024 -cpu max,la57=off
fi
exec qemu-system-x86_64 -M q35 "$@" -smp "$(nproc)" -m "${megabytes}M" \
  -nodefaults -no-user-config -no-reboot -display none -serial stdio \
  -object "memory-backend-memfd,id=memory,size=${megabytes}M,share=on" -numa node,memdev=memory \
  -chardev "socket,id=root,path=$socket" -device vhost-user-fs-pci,chardev=root,tag=root,queue-size=1024 \
  -kernel "$kernel/vmlinuz" -initrd "$kernel/initramfs" \
  -append "console=ttyS0 quiet panic=-1 mitigations=off folder=$here kernel=$kernel"
