"""Holds one thread of a process still, as a debugger would, until SIGTERM.

Usage: hang.py PID THREAD-NAME        prints "held TID" when the thread stands still
"""
import ctypes
import os
import signal
import sys

PTRACE_SEIZE, PTRACE_INTERRUPT, PTRACE_DETACH = 0x4206, 0x4207, 17
WALL = 0x40000000


def tid_of(pid, name):
    for tid in os.listdir("/proc/%s/task" % pid):
        with open("/proc/%s/task/%s/comm" % (pid, tid)) as comm:
            if comm.read().strip() == name:
                return int(tid)
    sys.exit("no thread %s in %s" % (name, pid))


def main():
    libc = ctypes.CDLL(None, use_errno=True)
    libc.ptrace.argtypes = [ctypes.c_long] * 4
    signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGTERM])
    tid = tid_of(*sys.argv[1:3])
    for request in (PTRACE_SEIZE, PTRACE_INTERRUPT):
        if libc.ptrace(request, tid, 0, 0) != 0:
            sys.exit(os.strerror(ctypes.get_errno()))
    os.waitpid(tid, WALL)
    print("held", tid, flush=True)
    signal.sigwait([signal.SIGTERM])
    libc.ptrace(PTRACE_DETACH, tid, 0, 0)


main()
