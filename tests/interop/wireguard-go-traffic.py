#!/usr/bin/env python3
"""Traffic whose content is known at both ends, for links between two implementations.

Usage: wireguard-go-traffic.py tcp-listen ADDRESS PORT BYTES
       wireguard-go-traffic.py tcp-connect ADDRESS PORT BYTES
       wireguard-go-traffic.py udp-count ADDRESS PORT COUNT [PATIENCE]
       wireguard-go-traffic.py udp-send ADDRESS PORT COUNT RATE [SIZE [CHECKSUM]]
       wireguard-go-traffic.py flood PUBLIC-KEY FROM ADDRESS PORT BURST SECONDS

tcp-…: one connection, BYTES in each direction at the same time, compared byte for byte.
udp-count: waits for COUNT numbered datagrams and prints "N received, L lost, D twice, A altered,
R out of order", then every gap with its time; it ends PATIENCE seconds (default 3) after the last
datagram. udp-send: COUNT datagrams, RATE a second, each of SIZE bytes (even, default 64), with a
content that makes the UDP checksum CHECKSUM (default 4660). Not just any, because of 0: that must
be transmitted as ffff, and wireguard-go since its offloads does not do so; over IPv6 one datagram
of 65,536 with random content is lost by that.
flood: bursts of initiations with a right mac1 and random content, two a second, until SIGTERM or
the end; says when the first cookie comes back, and at the end how many messages did and their
lengths. Anybody who knows a responder's public key can do that.

Exits 1 when content differed; a loss is only printed.
"""
import base64
import hashlib
import os
import random
import signal
import socket
import struct
import sys
import threading
import time

MAX_BURST = 20  # datagrams that udp-send sends at once
HEAD = struct.Struct("!IQ")  # number, microseconds since the sender began


def resolved(address, port):
    """The family and the socket address of a numeric address."""
    info = socket.getaddrinfo(address, int(port), type=socket.SOCK_DGRAM,
                              flags=socket.AI_NUMERICHOST)
    return info[0][0], info[0][4]


def exchange(sock, ours, theirs, size):
    """Sends what belongs to the seed `ours` and compares what arrives with that of `theirs`."""
    sock.settimeout(30)

    def send():
        sock.sendall(random.Random(ours).randbytes(size))
        sock.shutdown(socket.SHUT_WR)

    sender = threading.Thread(target=send)
    sender.start()
    got = bytearray()
    while part := sock.recv(1 << 16):
        got += part
    sender.join()
    return bytes(got) == random.Random(theirs).randbytes(size)


def tcp_listen(address, port, size):
    family, where = resolved(address, port)
    with socket.create_server(where[:2], family=family) as server:
        server.settimeout(60)
        print("listening", flush=True)
        sock, _ = server.accept()
        return exchange(sock, 2, 1, int(size))


def tcp_connect(address, port, size):
    with socket.create_connection((address, int(port)), timeout=30) as sock:
        return exchange(sock, 1, 2, int(size))


def gaps(seen, count):
    """(first, last) of every run of numbers that did not come."""
    first = None
    for number in range(count + 1):
        if number < count and not seen[number]:
            first = number if first is None else first
        elif first is not None:
            yield first, number - 1
            first = None


def body(number, size):
    """What follows the head of a datagram: anything that both ends can compute."""
    return bytes((number * 31 + i) & 0xFF for i in range(size))


def udp_count(address, port, count, patience="3"):
    family, where = resolved(address, port)
    count = int(count)
    sock = socket.socket(family, socket.SOCK_DGRAM)
    try:  # a listener that is not scheduled for a second must not lose anything
        sock.setsockopt(socket.SOL_SOCKET, 33, 8 << 20)  # SO_RCVBUFFORCE
    except OSError:
        pass
    sock.bind(where)
    sock.settimeout(60)
    print("listening", flush=True)
    seen, times = [0] * count, {}
    altered = disordered = 0
    last, missing = -1, count
    while missing:
        try:
            data = sock.recv(65536)
        except socket.timeout:
            break
        sock.settimeout(float(patience))
        number, sent_us = HEAD.unpack_from(data) if len(data) >= HEAD.size else (count, 0)
        if number >= count or data[HEAD.size:-2] != body(number, len(data) - HEAD.size - 2):
            altered += 1
            continue
        missing -= not seen[number]
        seen[number] += 1
        disordered += number < last
        last = max(last, number)
        if number % 100 == 0:
            times[number] = sent_us / 1e6
    received = count - missing
    print("%d received, %d lost, %d twice, %d altered, %d out of order"
          % (received, count - received, sum(seen) - received, altered, disordered))
    for first, end in gaps(seen, count):
        moment = times.get(first - first % 100, times.get(first - first % 100 - 100, -1))
        print("gap: %d to %d (%d), some %.1f s after the start"
              % (first, end, end - first + 1, moment))
    return altered == 0


def ones_sum(data):
    """The sum of RFC 1071 over an even number of bytes."""
    total = sum(struct.unpack("!%dH" % (len(data) // 2), data))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return total


def balanced(data, wanted):
    """The data and two bytes more, so that the sum of all is `wanted`."""
    missing = (wanted - ones_sum(data)) % 0xFFFF
    return data + struct.pack("!H", missing)


def udp_send(address, port, count, rate, size="64", checksum="4660"):
    family, where = resolved(address, port)
    sock = socket.socket(family, socket.SOCK_DGRAM)
    sock.connect(where)
    local = sock.getsockname()
    # The checksum's complement is the sum of this and of the content (RFC 768, RFC 8200).
    outside = ones_sum(socket.inet_pton(family, local[0]) + socket.inet_pton(family, where[0]) +
                       struct.pack("!HHHHH", 17, int(size) + 8, local[1], int(port), int(size) + 8))
    wanted = (0xFFFF - int(checksum) - outside) % 0xFFFF
    extra = int(size) - HEAD.size - 2
    begun, sent, refused, late = time.monotonic(), 0, 0, 0.0
    while sent < int(count):
        due = int((time.monotonic() - begun - late) * float(rate)) + 1
        # Who was not scheduled does not catch up: a burst would only test the queues' lengths.
        if due > sent + MAX_BURST:
            late += (due - sent - MAX_BURST) / float(rate)
            due = sent + MAX_BURST
        due = min(due, int(count))
        while sent < due:
            head = HEAD.pack(sent, int((time.monotonic() - begun) * 1e6))
            try:
                sock.send(balanced(head + body(sent, extra), wanted))
            except OSError as error:
                refused += 1
                print("datagram %d: %s" % (sent, error))
            sent += 1
        time.sleep(1 / min(float(rate), 1000))
    print("%d sent in %.1f s, of which not scheduled %.2f s"
          % (sent, time.monotonic() - begun, late))
    return refused == 0


def flood(public_key, source, address, port, burst, seconds):
    key = hashlib.blake2s(b"mac1----" + base64.b64decode(public_key)).digest()
    family, where = resolved(address, port)
    sock = socket.socket(family, socket.SOCK_DGRAM)
    sock.setsockopt(socket.SOL_SOCKET, 33, 8 << 20)  # SO_RCVBUFFORCE
    sock.bind((source, 0))
    messages = []
    for _ in range(int(burst)):
        text = b"\x01\0\0\0" + os.urandom(112)
        messages.append(text + hashlib.blake2s(text, key=key, digest_size=16).digest() + bytes(16))
    stopped = threading.Event()
    signal.signal(signal.SIGTERM, lambda *_: stopped.set())
    end = time.monotonic() + float(seconds)
    answers, lengths = 0, set()
    while time.monotonic() < end and not stopped.is_set():
        for message in messages:
            sock.sendto(message, where)
        sock.settimeout(0.4)
        try:
            while True:
                data = sock.recv(2048)
                if data[0] == 3 and not answers:
                    print("asked for a cookie", flush=True)
                lengths.add(len(data))
                answers += 1
                sock.setblocking(False)
        except (BlockingIOError, socket.timeout):
            pass
        stopped.wait(0.4)
    print("%d answers, lengths %s" % (answers, " ".join(map(str, sorted(lengths))) or "none"))
    return True


VERBS = {
    "tcp-listen": tcp_listen, "tcp-connect": tcp_connect,
    "udp-count": udp_count, "udp-send": udp_send, "flood": flood,
}

if __name__ == "__main__":
    if len(sys.argv) < 2 or sys.argv[1] not in VERBS:
        sys.exit(__doc__)
    sys.exit(0 if VERBS[sys.argv[1]](*sys.argv[2:]) else 1)
