#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Runs a command in a node: sh enter.sh PID CGROUP COMMAND..., in the lab's namespaces.
#
# The command joins the node's cgroups first: programs that are attached to the node's cgroup must
# see it as they see every other process of the node.
set -eu
pid=$1 cgroup=$2
shift 2
if [ -e /sys/fs/cgroup/cgroup.procs ]; then
  echo $$ > "/sys/fs/cgroup/$cgroup/init/cgroup.procs"
else
  for hierarchy in /sys/fs/cgroup/*; do
    if [ -e "$hierarchy/$cgroup/cgroup.procs" ]; then
      echo $$ > "$hierarchy/$cgroup/cgroup.procs"
    fi
  done
fi
exec nsenter -t "$pid" -m -n -u -i -C -p -- "$@"
