# SPDX-License-Identifier: Apache-2.0
"""Is the host behind a tun device: sends one UDP datagram through it and prints who answers.

Arguments: device, own address, own port, address, port, text. A tun device has no Ethernet header.
"""

import fcntl
import ipaddress
import os
import select
import struct
import sys
import time

TUNSETIFF = 0x400454CA
IFF_TUN, IFF_NO_PI = 1, 0x1000
UDP = 17


def total(data):
    data += b"\0" * (len(data) % 2)
    value = sum(struct.unpack("!%dH" % (len(data) // 2), data))
    while value >> 16:
        value = (value & 0xFFFF) + (value >> 16)
    return value


def datagram(source, source_port, target, target_port, payload):
    pseudo = source.packed + target.packed + struct.pack("!II", 8 + len(payload), UDP)
    header = struct.pack("!HHHH", source_port, target_port, 8 + len(payload), 0)
    check = ~total(pseudo + header + payload) & 0xFFFF
    udp = struct.pack("!HHHH", source_port, target_port, 8 + len(payload), check or 0xFFFF) + payload
    if source.version == 6:
        return struct.pack("!IHBB", 6 << 28, len(udp), UDP, 64) + source.packed + target.packed + udp
    ip = struct.pack("!BBHIBBH", 0x45, 0, 20 + len(udp), 0, 64, UDP, 0) + source.packed + target.packed
    return ip[:10] + struct.pack("!H", ~total(ip) & 0xFFFF) + ip[12:] + udp


def answer(packet):
    """Who sent a UDP packet, what it says, and whether its checksums are right; None if it is not UDP."""
    six = packet[0] >> 4 == 6
    if packet[6 if six else 9] != UDP:
        return None
    start = 40 if six else 20
    ends = packet[8:40] if six else packet[12:20]
    right = six or total(packet[:20]) == 0xFFFF
    right &= total(ends + struct.pack("!II", len(packet) - start, UDP) + packet[start:]) == 0xFFFF
    source = ipaddress.ip_address(ends[: len(ends) // 2])
    port = struct.unpack("!H", packet[start : start + 2])[0]
    return "%s %d %s %s" % (source, port, packet[start + 8 :].decode(), "right" if right else "wrong")


def main(device, source, source_port, target, target_port, text):
    tun = os.open("/dev/net/tun", os.O_RDWR)
    fcntl.ioctl(tun, TUNSETIFF, struct.pack("16sH22x", device.encode(), IFF_TUN | IFF_NO_PI))
    request = datagram(
        ipaddress.ip_address(source), int(source_port), ipaddress.ip_address(target), int(target_port), text.encode()
    )
    deadline = time.monotonic() + 20
    while time.monotonic() < deadline:
        # Again and again: the device carries nothing before the kernel has seen that it is open.
        os.write(tun, request)
        while select.select([tun], [], [], 0.2)[0]:
            said = answer(os.read(tun, 65536))
            if said:
                print(said)
                return
    sys.exit("no answer")


main(*sys.argv[1:])
