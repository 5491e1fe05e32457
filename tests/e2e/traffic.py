#!/usr/bin/env python3
"""Traffic whose arrival is checked byte for byte.

Usage: traffic.py tcp-serve ADDRESS PORT
       traffic.py tcp ADDRESS PORT AMOUNT
       traffic.py udp-serve [--list] ADDRESS PORT COUNT IDLE
       traffic.py udp ADDRESS PORT COUNT RATE SIZE [FIRST]

tcp and tcp-serve send to each other at the same time, in one connection, and compare a checksum
of what came. AMOUNT is per direction: "32M" for MiB, "600s" for a time. Each exits 0 when its
peer's data was complete and unaltered, 1 otherwise.

udp sends COUNT numbered datagrams of SIZE bytes, the first with the number FIRST (1), RATE a
second (0: as fast as the socket takes them). udp-serve ends when it has COUNT datagrams, after
IDLE seconds without one, or with SIGTERM, after it has emptied its socket. It prints, with --list,
each number as it comes, and at the end

    received N distinct N reordered N altered N first N last N

A server prints "ready" when it can be talked to.
"""
import hashlib
import os
import select
import signal
import socket
import struct
import sys
import threading
import time
import zlib

CHUNK = 64 * 1024
NUMBER = struct.Struct("!II")  # number, checksum of the rest


def family_of(address):
    return socket.AF_INET6 if ":" in address else socket.AF_INET


# --- TCP ------------------------------------------------------------------------------------------


class Amount:
    """How much to send: so many bytes, or for so many seconds."""

    def __init__(self, text):
        value, unit = int(text[:-1]), text[-1]
        self.n_left = value * 1024 * 1024 if unit == "M" else None
        self.end = time.monotonic() + value if unit == "s" else None

    def take(self):
        if self.end is not None:
            return CHUNK if time.monotonic() < self.end else 0
        n = min(CHUNK, self.n_left)
        self.n_left -= n
        return n


def send_all(sock, amount):
    """Frames of length and data; an empty one, followed by the checksum, is the last."""
    digest = hashlib.sha256()
    base = os.urandom(CHUNK)
    number = 0
    while True:
        n = amount.take()
        data = (struct.pack("!Q", number) + base)[:n]
        number += 1
        sock.sendall(struct.pack("!I", n) + data)
        if n == 0:
            sock.sendall(digest.digest())
            return
        digest.update(data)


def receive_exactly(stream, n):
    data = stream.read(n)
    if len(data) != n:
        raise EOFError("the connection ended early")
    return data


def receive_all(sock):
    """Returns the number of bytes, and whether they are what was sent."""
    digest = hashlib.sha256()
    total = 0
    with sock.makefile("rb", CHUNK) as stream:
        while True:
            (n,) = struct.unpack("!I", receive_exactly(stream, 4))
            if n == 0:
                return total, receive_exactly(stream, 32) == digest.digest()
            digest.update(receive_exactly(stream, n))
            total += n


def exchange(sock, amount):
    begun = time.monotonic()
    sender = threading.Thread(target=send_all, args=(sock, Amount(amount)), daemon=True)
    sender.start()
    try:
        total, is_same = receive_all(sock)
    except (OSError, EOFError, struct.error) as error:
        print("after %.1f s: %s" % (time.monotonic() - begun, error))
        return 1
    sender.join()
    took = time.monotonic() - begun
    print("%d bytes in %.2f s, %.0f Mbit/s: %s" % (total, took, total * 8e-6 / took,
                                                  "unaltered" if is_same else "ALTERED"))
    return 0 if is_same and total > 0 else 1


def tcp_serve(address, port):
    listener = socket.socket(family_of(address), socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listener.bind((address, int(port)))
    listener.listen(1)
    print("ready", flush=True)
    sock, _ = listener.accept()
    # The client says how much it wants.
    amount = b""
    while not amount.endswith(b"\n"):
        amount += sock.recv(1)
    return exchange(sock, amount.decode().strip())


def tcp(address, port, amount):
    sock = socket.create_connection((address, int(port)), timeout=30)
    sock.settimeout(60)
    sock.sendall(amount.encode() + b"\n")
    return exchange(sock, amount)


# --- UDP ------------------------------------------------------------------------------------------


def datagram(number, rest):
    return NUMBER.pack(number, zlib.crc32(rest, number)) + rest


def udp(address, port, count, rate, size, first="1"):
    sock = socket.socket(family_of(address), socket.SOCK_DGRAM)
    sock.connect((address, int(port)))
    rate, first = float(rate), int(first)
    rest = os.urandom(int(size) - NUMBER.size)
    begun = time.monotonic()
    for i in range(int(count)):
        if rate:
            early = begun + i / rate - time.monotonic()
            if early > 0:
                time.sleep(early)
        try:
            sock.send(datagram(first + i, rest))
        except OSError as error:  # the socket reports what ICMP said; the datagram counts as lost
            print("number %d: %s" % (first + i, error))
    return 0


class Seen:
    """What has come so far."""

    def __init__(self):
        self.n = self.n_distinct = self.n_reordered = self.n_altered = 0
        self.first = self.last = self.highest = 0
        self.bits = bytearray()

    def take(self, data):
        if len(data) < NUMBER.size:
            self.n_altered += 1
            return None
        number, checksum = NUMBER.unpack_from(data)
        if zlib.crc32(data[NUMBER.size:], number) != checksum:
            self.n_altered += 1
            return None
        self.n += 1
        if self.n == 1:
            self.first = number
        if len(self.bits) <= number:
            self.bits.extend(bytes(number + 1000 - len(self.bits)))
        if not self.bits[number]:
            self.bits[number] = 1
            self.n_distinct += 1
        if number < self.highest:
            self.n_reordered += 1
        self.highest = max(self.highest, number)
        self.last = number
        return number


def udp_serve(*arguments):
    is_list = arguments[0] == "--list"
    address, port, count, idle = arguments[1 if is_list else 0:]
    stop = []
    signal.signal(signal.SIGTERM, lambda *_: stop.append(1))
    sock = socket.socket(family_of(address), socket.SOCK_DGRAM)
    sock.setsockopt(socket.SOL_SOCKET, 33, 32 * 1024 * 1024)  # SO_RCVBUFFORCE
    sock.bind((address, int(port)))
    sock.setblocking(False)
    print("ready", flush=True)
    seen, heard = Seen(), time.monotonic()
    while seen.n < int(count):
        try:
            number = seen.take(sock.recv(65536))
            heard = time.monotonic()
            if is_list and number is not None:
                print(number)
        except BlockingIOError:
            sys.stdout.flush()
            if stop or time.monotonic() - heard > float(idle):
                break
            select.select([sock], [], [], 0.1)
    print("received %d distinct %d reordered %d altered %d first %d last %d" % (
        seen.n, seen.n_distinct, seen.n_reordered, seen.n_altered, seen.first, seen.last))
    return 0


VERBS = {"tcp-serve": tcp_serve, "tcp": tcp, "udp-serve": udp_serve, "udp": udp}

if __name__ == "__main__":
    if len(sys.argv) < 2 or sys.argv[1] not in VERBS:
        sys.exit(__doc__)
    try:
        sys.exit(VERBS[sys.argv[1]](*sys.argv[2:]))
    except OSError as error:
        print("%s: %s" % (" ".join(sys.argv[1:4]), error))
        sys.exit(1)
