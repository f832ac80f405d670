#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Boots User-Mode Linux with the machine's root: start.sh MEGABYTES, in a PID namespace of its own.
set -eu
here=${0%/*} megabytes=$1

# Before others on its processor, because whoever runs beside it waits for it in the end. Beside two
# labs it took eight times as long without. A nice value does not do where sessions are equals
# (autogroups); a group of processes may be allowed no real time.
chrt --rr --pid 1 $$ 2>/dev/null || renice -n -10 $$ >/dev/null
gcc -O2 -Wall -Werror -shared -fPIC -o "$here/xstate.so" "$here/xstate.c"

# This shell stays: a namespace's first process cannot end itself by a signal, as a panic does.
LD_PRELOAD=$here/xstate.so linux.uml "mem=${megabytes}M" rootfstype=hostfs rootflags=/ ro \
  "init=$here/init.sh" lsm=yama con=null con0=null,fd:1 "uml_dir=$here/uml" umid=machine || exit $?
