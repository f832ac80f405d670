// SPDX-License-Identifier: Apache-2.0
// User-Mode Linux 6.1 has room for as much of a process's vector registers as the processors of its
// time had, and the host's kernel takes all of them or none (EFAULT). Preloaded, this adds what the
// processor has more (AMX), in its initial state: nothing in the machine uses it.

#include <elf.h>
#include <stdarg.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

static char whole[65536] __attribute__((aligned(64)));

/* How many bytes the host's kernel has of each process. */
static size_t size_of(long pid) {
  static size_t size;
  if (size == 0) {
    struct iovec all = {whole, sizeof whole};
    if (syscall(SYS_ptrace, PTRACE_GETREGSET, pid, NT_X86_XSTATE, &all) == 0) {
      size = all.iov_len;
      memset(whole, 0, sizeof whole);
    }
  }
  return size;
}

long ptrace(enum __ptrace_request request, ...) {
  va_list arguments;
  va_start(arguments, request);
  long pid = va_arg(arguments, int);
  void *address = va_arg(arguments, void *);
  void *data = va_arg(arguments, void *);
  va_end(arguments);
  long peeked;
  if (request == PTRACE_PEEKTEXT || request == PTRACE_PEEKDATA || request == PTRACE_PEEKUSER) {
    return syscall(SYS_ptrace, request, pid, address, &peeked) < 0 ? -1 : peeked;
  }
  struct iovec *given = data;
  if (request == PTRACE_SETREGSET && (long)address == NT_X86_XSTATE
      && given->iov_len < size_of(pid)) {
    memcpy(whole, given->iov_base, given->iov_len);
    struct iovec all = {whole, size_of(pid)};
    return syscall(SYS_ptrace, request, pid, address, &all);
  }
  return syscall(SYS_ptrace, request, pid, address, data);
}
