#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Starts a node of the lab: sh node.sh NAME FOLDER LAB CACHE CGROUP, in the lab's namespaces.
#
# The node gets its own network, mount, host name, IPC, cgroup and PID namespace. Its root is an
# overlay of the machine's, kept in memory, so that whatever runs in it finds the machine's programs
# and leaves nothing on the machine. What survives a stop of the node is bound from FOLDER.
set -eu
name=$1 folder=$2 lab=$3 cache=$4 cgroup=$5 stage=${6:-outside}

# Each cgroup hierarchy of the machine: one on a machine with cgroup v2 alone, else many.
hierarchies() {
  if [ -e /sys/fs/cgroup/cgroup.procs ]; then
    echo /sys/fs/cgroup
    return
  fi
  for hierarchy in /sys/fs/cgroup/*; do
    if [ ! -L "$hierarchy" ] && [ -e "$hierarchy/cgroup.procs" ]; then echo "$hierarchy"; fi
  done
}

# Hands every controller of cgroup v2 at $1 down to its children.
delegate() {
  for controller in $(cat "$1/cgroup.controllers"); do
    echo "+$controller" > "$1/cgroup.subtree_control" 2> /dev/null || true
  done
}

# Puts this process into the node's own cgroup in every hierarchy, so that the cgroup namespace
# that comes next begins there.
join_cgroups() {
  for hierarchy in $(hierarchies); do
    mkdir -p "$hierarchy/$cgroup"
    if [ -e "$hierarchy/cgroup.controllers" ]; then
      delegate "$hierarchy"
      delegate "$hierarchy/${cgroup%/*}"
    fi
    # The cpuset controller of cgroup v1 refuses processes until both lists are filled.
    for child in "$hierarchy/${cgroup%/*}" "$hierarchy/$cgroup"; do
      for list in cpuset.cpus cpuset.mems; do
        if [ -e "$hierarchy/$list" ] && [ ! -e "$hierarchy/cgroup.controllers" ]; then
          cat "$hierarchy/$list" > "$child/$list"
        fi
      done
    done
    echo $$ > "$hierarchy/$cgroup/cgroup.procs"
  done
}

if [ "$stage" = outside ]; then
  join_cgroups
  exec unshare --cgroup sh "$0" "$name" "$folder" "$lab" "$cache" "$cgroup" leaf
fi
if [ "$stage" = leaf ]; then
  # A cgroup of v2 with processes may not hand controllers down: the node's own go into a leaf.
  if [ "$(hierarchies)" = /sys/fs/cgroup ]; then
    mkdir -p "/sys/fs/cgroup/$cgroup/init"
    echo $$ > "/sys/fs/cgroup/$cgroup/init/cgroup.procs"
    delegate "/sys/fs/cgroup/$cgroup"
  fi
  exec unshare --net --mount --uts --ipc --pid --fork --kill-child \
    sh "$0" "$name" "$folder" "$lab" "$cache" "$cgroup" inside
fi

# /proc is still the lab's: it tells this process's number there, by which others enter the node.
read -r pid rest < /proc/self/stat
cgroup_hierarchies=$(hierarchies)

hostname "$name"
mount --make-rprivate /
mkdir -p "$folder/root" "$folder/kubelet" "$folder/containerd" "$folder/cni" "$folder/logs/pods" \
  "$folder/logs/containers" "$folder/etc"
mount -t tmpfs -o mode=755 node "$folder/root"
cd "$folder/root"
mkdir upper work merged
mount -t overlay -o lowerdir=/,upperdir=upper,workdir=work overlay merged
cd merged
mount -t proc proc proc
# The kubelet wants to know how fast the processors are; User-Mode Linux does not say it.
if ! grep -q '^cpu MHz' /proc/cpuinfo; then
  sed 's/^\(bogomips.*\)/\1\ncpu MHz\t\t: 1000.000/' /proc/cpuinfo > "$folder/cpuinfo"
  mount --bind "$folder/cpuinfo" proc/cpuinfo
fi
mount -t sysfs sysfs sys
mount -t bpf bpf sys/fs/bpf
mount --rbind /dev dev
mount -t tmpfs -o mode=755 run run
mount -t tmpfs -o mode=1777 tmp tmp
mkdir -p run/containerd run/netns run/lock

# Folders of the machine that a person may keep on file systems of their own.
for kept in "$cache" "$lab"; do
  mkdir -p ".$kept"
  mount --bind "$kept" ".$kept"
done
bind() {
  mkdir -p ".$2"
  mount --rbind "$1" ".$2"
}
# The images, unpacked once for all: what containerd writes is the node's own, what it reads shared.
imported=$(cat "$lab/imported")
content=io.containerd.content.v1.content
snapshots=io.containerd.snapshotter.v1.overlayfs
# No overlay takes another one to write to, and such is the root of User-Mode Linux.
if [ "$(stat -f -c %T "$folder")" = overlayfs ]; then
  mount -t tmpfs -o mode=711 containerd "$folder/containerd"
fi
for kept in io.containerd.metadata.v1.bolt/meta.db "$snapshots/metadata.db"; do
  if [ ! -e "$folder/containerd/$kept" ]; then
    mkdir -p "$folder/containerd/${kept%/*}"
    cp -a "$imported/$kept" "$folder/containerd/$kept"
  fi
done
cd "$folder/containerd"
mkdir -p "$content/ingest" "$content/blobs" "$content/added" "$content/work"
mount -t overlay -o "lowerdir=$imported/$content/blobs,upperdir=$content/added,workdir=$content/work" \
  blobs "$content/blobs"
for snapshot in "$imported/$snapshots/snapshots"/*; do
  mkdir -p "$snapshots/snapshots/${snapshot##*/}"
  mount --bind -o ro "$snapshot" "$snapshots/snapshots/${snapshot##*/}"
done
cd "$folder/root/merged"
bind "$folder/kubelet" /var/lib/kubelet
bind "$folder/containerd" /var/lib/containerd
bind "$folder/cni" /etc/cni/net.d
bind "$folder/logs/pods" /var/log/pods
bind "$folder/logs/containers" /var/log/containers
rm -f etc/resolv.conf etc/hostname etc/machine-id
echo "# no name server outside the lab" > etc/resolv.conf
echo "$name" > etc/hostname
printf '127.0.0.1 localhost\n::1 localhost\n127.0.0.1 %s\n' "$name" > etc/hosts
printf '%s' "$folder" | md5sum | cut -c1-32 > etc/machine-id

if [ "$cgroup_hierarchies" = /sys/fs/cgroup ]; then
  mount -t cgroup2 cgroup2 sys/fs/cgroup
else
  mount -t tmpfs -o mode=755 cgroup sys/fs/cgroup
  for hierarchy in $cgroup_hierarchies; do
    controllers=${hierarchy##*/}
    mkdir "sys/fs/cgroup/$controllers"
    case $controllers in
      unified) mount -t cgroup2 cgroup2 sys/fs/cgroup/unified ;;
      systemd) mount -t cgroup -o none,name=systemd cgroup sys/fs/cgroup/systemd ;;
      *) mount -t cgroup -o "$controllers" cgroup "sys/fs/cgroup/$controllers" ;;
    esac
  done
  for link in /sys/fs/cgroup/*; do
    if [ -L "$link" ]; then cp -P "$link" sys/fs/cgroup/; fi
  done
fi

mkdir -p .old
pivot_root . .old
cd /
umount -l /.old
rmdir /.old
mount --make-rshared /

ip link set lo up
for setting in net/ipv4/ip_forward=1 net/ipv6/conf/all/forwarding=1 net/ipv6/conf/default/forwarding=1 \
  net/ipv4/conf/all/rp_filter=0 net/ipv4/conf/default/rp_filter=0 \
  net/ipv6/conf/all/accept_dad=0 net/ipv6/conf/default/accept_dad=0 \
  net/bridge/bridge-nf-call-iptables=1 net/bridge/bridge-nf-call-ip6tables=1; do
  file=/proc/sys/${setting%=*}
  if [ -e "$file" ]; then echo "${setting#*=}" > "$file"; fi
done

echo "$pid" > "$folder/pid.next"
mv "$folder/pid.next" "$folder/pid"
exec "$(cat "$lab/bin")/labinit" hold
