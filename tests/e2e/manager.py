"""A service manager for one service, as far as vpnd knows one: what sd_notify(3) and
sd_listen_fds(3) describe, with a store for descriptors.

Usage: manager.py SOCKET [--watchdog SECONDS] CMD…

Starts CMD with SOCKET as its NOTIFY_SOCKET and prints what happens, a line each:
  started PID, ended CODE, got NAME=VALUE (each line of each message), store NAME…
Signals: HUP restarts the service, USR1 kills it (SIGKILL) and starts it again, TERM stops it,
closes the store and ends. USR2 prints the store. With --watchdog a service that gave no sign of
life for SECONDS is killed (SIGABRT) and started again, after "watchdog".
"""
import array
import ctypes
import os
import select
import signal
import socket
import sys
import time

KCMP_FILE = 0
SYS_KCMP = {"x86_64": 312, "aarch64": 272}.get(os.uname().machine)
libc = ctypes.CDLL(None, use_errno=True)


def say(*words):
    print(*words, flush=True)


def same_file(a, b):
    pid = os.getpid()
    return libc.syscall(SYS_KCMP, pid, pid, KCMP_FILE, a, b) == 0


class Manager:
    def __init__(self, path, watchdog, command):
        self.path, self.watchdog, self.command = path, watchdog, command
        self.store = []  # (name, fd)
        self.pid = None
        self.fed_at = None
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.socket.bind(path)
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_PASSCRED, 1)

    def start(self):
        self.fed_at = None
        self.pid = os.fork()
        if self.pid == 0:
            self.become_service()
        say("started", self.pid)

    def become_service(self):
        # First out of the way, then into the row that begins at 3.
        fds = [os.dup(fd) for _, fd in self.store]
        high = [libc.fcntl(fd, 0, 100) for fd in fds]  # F_DUPFD
        for i, fd in enumerate(high):
            os.dup2(fd, 3 + i, inheritable=True)
        os.closerange(3 + len(high), 1000)
        # The second as the shipped unit says it.
        env = dict(os.environ, NOTIFY_SOCKET=self.path, VPND_KEEPS="1")
        if high:
            env.update(LISTEN_PID=str(os.getpid()), LISTEN_FDS=str(len(high)),
                       LISTEN_FDNAMES=":".join(name for name, _ in self.store))
        if self.watchdog:
            env.update(WATCHDOG_PID=str(os.getpid()), WATCHDOG_USEC=str(int(self.watchdog * 1e6)))
        os.execvpe(self.command[0], self.command, env)

    def keep(self, fields, fds):
        name = fields.get("FDNAME", "stored")
        if fields.get("FDSTOREREMOVE") == "1":
            for item in [item for item in self.store if item[0] == name]:
                os.close(item[1])
                self.store.remove(item)
        if fields.get("FDSTORE") == "1":
            for fd in fds:
                if not any(same_file(fd, other) for _, other in self.store):
                    self.store.append((name, os.dup(fd)))
        say("store", *sorted(name for name, _ in self.store))

    def hear(self):
        size = array.array("i").itemsize
        data, control, _, _ = self.socket.recvmsg(4096, socket.CMSG_SPACE(16 * size) + 64)
        fds = array.array("i")
        sender = 0
        for level, kind, value in control:
            if level == socket.SOL_SOCKET and kind == socket.SCM_RIGHTS:
                fds.frombytes(value[:len(value) - len(value) % size])
            if level == socket.SOL_SOCKET and kind == socket.SCM_CREDENTIALS:
                sender = int.from_bytes(value[:4], sys.byteorder)
        lines = data.decode().split("\n")
        fields = dict(line.split("=", 1) for line in lines if line)
        # As with NotifyAccess=main.
        if sender == self.pid:
            for line in lines:
                say("got", line)
            if "WATCHDOG" in fields or "READY" in fields:
                self.fed_at = time.monotonic()
            if "FDSTORE" in fields or "FDSTOREREMOVE" in fields:
                self.keep(fields, fds)
        else:
            say("stranger", sender, lines)
        for fd in fds:
            os.close(fd)


    def reap(self):
        """Whether the service has ended by now."""
        pid, status = os.waitpid(self.pid, os.WNOHANG)
        if pid == 0:
            return False
        say("ended", os.waitstatus_to_exitcode(status))
        return True

    def run(self):
        read_end, write_end = os.pipe()
        os.set_blocking(write_end, False)
        signal.set_wakeup_fd(write_end)
        for number in (signal.SIGHUP, signal.SIGUSR1, signal.SIGUSR2, signal.SIGTERM,
                       signal.SIGCHLD):
            signal.signal(number, lambda *_: None)
        stops = False
        self.start()
        while True:
            readable, _, _ = select.select([self.socket, read_end], [], [], 0.1)
            if self.socket in readable:
                self.hear()
                continue
            if read_end in readable:
                for number in os.read(read_end, 64):
                    if number == signal.SIGHUP:
                        os.kill(self.pid, signal.SIGTERM)
                    elif number == signal.SIGUSR1:
                        os.kill(self.pid, signal.SIGKILL)
                    elif number == signal.SIGUSR2:
                        say("store", *sorted(name for name, _ in self.store))
                    elif number == signal.SIGTERM:
                        stops = True
                        os.kill(self.pid, signal.SIGTERM)
            if self.fed_at and self.watchdog and time.monotonic() > self.fed_at + self.watchdog:
                say("watchdog")
                self.fed_at = None
                os.kill(self.pid, signal.SIGABRT)
            if self.reap():
                if stops:
                    return
                self.start()


def main():
    path, rest = sys.argv[1], sys.argv[2:]
    watchdog = None
    if rest[0] == "--watchdog":
        watchdog, rest = float(rest[1]), rest[2:]
    Manager(path, watchdog, rest).run()


main()
