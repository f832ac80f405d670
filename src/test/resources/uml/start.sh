#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Boots User-Mode Linux with the machine's root: start.sh MEGABYTES, in a PID namespace of its own.
set -eu
here=${0%/*} megabytes=$1
gcc -O2 -Wall -Werror -shared -fPIC -o "$here/xstate.so" "$here/xstate.c"

# This shell stays: a namespace's first process cannot end itself by a signal, as a panic does.
LD_PRELOAD=$here/xstate.so linux.uml "mem=${megabytes}M" rootfstype=hostfs rootflags=/ ro \
  "init=$here/init.sh" lsm=yama con=null con0=null,fd:1 "uml_dir=$here/uml" umid=machine || exit $?
