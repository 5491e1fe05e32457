#!/usr/bin/env python3
"""A journal for one program: journal.py PROGRAM [ARG...]

Runs the program as systemd runs a service: standard error is a stream whose device and inode stand
in JOURNAL_STREAM, and the journal's own socket is where it is on a booted machine, on a file system
that only the program and this one see. Prints each entry of the socket as "entry: NAME=VALUE | ..."
and each line of the stream as "stream: ...", and ends with the program's exit code.

SIGUSR1 stops the journal (nobody listens at the socket, nobody reads the stream), SIGUSR2 starts it
again; SIGTERM and SIGINT go to the program.
Needs: root, unshare(1), mount(8).
"""

import os
import select
import signal
import socket
import subprocess
import sys

FOLDER = "/run/systemd/journal"
PATH = FOLDER + "/socket"


def say(kind, text):
    print(f"{kind}: {text.decode(errors='replace')}", flush=True)


class Journal:
    def __init__(self, stream):
        self.stream = stream
        self.entries = None
        self.pending = b""
        self.is_wanted = True  # set by signals, which must not close what is being waited for
        self.follow()

    def want(self, is_wanted):
        self.is_wanted = is_wanted

    def follow(self):
        if self.is_wanted and self.entries is None:
            self.entries = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
            self.entries.bind(PATH)
            os.chmod(PATH, 0o666)
        elif not self.is_wanted and self.entries is not None:
            self.entries.close()
            os.unlink(PATH)
            self.entries = None

    def sources(self):
        return [self.entries, self.stream] if self.entries else []

    def read(self, source):
        data = source.recv(65536)
        if source is self.entries:
            say("entry", b" | ".join(data.rstrip(b"\n").split(b"\n")))
            return
        *lines, self.pending = (self.pending + data).split(b"\n")
        for line in lines:
            say("stream", line)

    def drain(self):
        while ready := select.select(self.sources(), [], [], 0)[0]:
            for source in ready:
                self.read(source)


def main():
    if os.environ.get("JOURNAL_PRIVATE") is None:
        os.environ["JOURNAL_PRIVATE"] = "yes"
        os.execvp("unshare", ["unshare", "--mount", sys.executable, *sys.argv])
    subprocess.run(["mount", "-t", "tmpfs", "none", "/run"], check=True)
    os.makedirs(FOLDER)
    stream, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_STREAM)
    info = os.fstat(theirs.fileno())
    os.environ["JOURNAL_STREAM"] = f"{info.st_dev}:{info.st_ino}"
    journal = Journal(stream)
    child = subprocess.Popen(sys.argv[1:], stdin=subprocess.DEVNULL, stderr=theirs)
    # `theirs` stays open here, so that the stream has no end while it is read.
    signal.signal(signal.SIGUSR1, lambda *_: journal.want(False))
    signal.signal(signal.SIGUSR2, lambda *_: journal.want(True))
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda number, _: child.send_signal(number))
    while child.poll() is None:
        journal.follow()
        for source in select.select(journal.sources(), [], [], 0.05)[0]:
            journal.read(source)
    journal.drain()
    sys.exit(child.returncode)


main()
