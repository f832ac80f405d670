// SPDX-License-Identifier: Apache-2.0
package io.pointsman.dataplane.bpf;

import io.pointsman.dataplane.DataplaneException;
import io.pointsman.kernel.BpfException;
import io.pointsman.kernel.BpfMap;
import io.pointsman.kernel.BpfObject;
import io.pointsman.kernel.BpfProgram;
import io.pointsman.kernel.Errno;
import io.pointsman.kernel.Features;
import io.pointsman.kernel.MapInfo;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/**
 * The compiled programs, loaded, with the maps they share through their pins. Loading does not
 * attach.
 */
final class Programs implements AutoCloseable {
  /** The sections of socket.bpf.o; each program is attached under its own name. */
  static final List<String> SOCKET =
      List.of(
          "connect4",
          "connect6",
          "sendmsg4",
          "sendmsg6",
          "recvmsg4",
          "recvmsg6",
          "getpeername4",
          "getpeername6");

  static final String INGRESS = "ingress";
  static final String EGRESS = "egress";

  private static final int HELPER_SET_RETVAL = 187; // BPF_FUNC_set_retval
  private static final byte[] YES = {1};

  private final Pins pins;
  private final BpfObject socket;
  private final BpfObject packet;

  Programs(Pins pins, MapSizes sizes) {
    this.pins = pins;
    pins.create();
    BpfObject.Options options =
        BpfObject.Options.NONE
            .pinnedIn(pins.maps())
            .withMaxEntries(pinnedSizes(pins, sizes.byName()));
    this.socket = BpfObject.open("socket", read("/bpf/socket.bpf.o"), withErrorCodes(options));
    try {
      socket.load();
      this.packet = BpfObject.open("packet", read("/bpf/packet.bpf.o"), options);
    } catch (RuntimeException e) {
      socket.close();
      throw e;
    }
    try {
      packet.load();
    } catch (RuntimeException e) {
      close();
      throw e;
    }
  }

  /** The maps as they would be made, without a look at the kernel. */
  static List<MapInfo> definitions(MapSizes sizes) {
    try (BpfObject object =
        BpfObject.open(
            "packet",
            read("/bpf/packet.bpf.o"),
            BpfObject.Options.NONE.withMaxEntries(sizes.byName()))) {
      return object.mapDefinitions();
    }
  }

  BpfMap map(String name) {
    return packet.map(name);
  }

  BpfProgram socketProgram(String name) {
    return socket.program(name);
  }

  BpfProgram ingress() {
    return packet.program(INGRESS);
  }

  BpfProgram egress() {
    return packet.program(EGRESS);
  }

  /** Maps whose pin is gone or is another map: without it the next agent would not find them. */
  List<String> defects() {
    List<String> defects = new ArrayList<>();
    for (String name : packet.mapNames()) {
      Path pin = pins.map(name);
      try (BpfMap pinned = BpfMap.openPinned(pin)) {
        if (pinned.info().id() != map(name).info().id()) {
          defects.add("The pin " + pin + " is not the map that the programs use.");
        }
      } catch (BpfException e) {
        if (e.errno() != Errno.ENOENT && e.errno() != Errno.EINVAL) {
          throw e;
        }
        defects.add("The map " + name + " is not pinned at " + pin + ".");
      }
    }
    return defects;
  }

  /** Pins again what is not pinned as it shall be; returns how many. */
  int repairPins() {
    int mended = 0;
    pins.create();
    for (String name : packet.mapNames()) {
      if (!pinned(name)) {
        pins.unpin(pins.map(name));
        map(name).pin(pins.map(name));
        mended++;
      }
    }
    return mended;
  }

  @Override
  public void close() {
    socket.close();
    packet.close();
  }

  private boolean pinned(String name) {
    try (BpfMap pinned = BpfMap.openPinned(pins.map(name))) {
      return pinned.info().id() == map(name).info().id();
    } catch (BpfException e) {
      if (e.errno() != Errno.ENOENT && e.errno() != Errno.EINVAL) {
        throw e;
      }
      return false;
    }
  }

  /** A map that is there keeps its size: it is full of what must not be lost. */
  private static Map<String, Integer> pinnedSizes(Pins pins, Map<String, Integer> wanted) {
    Map<String, Integer> sizes = new HashMap<>(wanted);
    for (String name : wanted.keySet()) {
      try (BpfMap pinned = BpfMap.openPinned(pins.map(name))) {
        sizes.put(name, pinned.maxEntries());
      } catch (BpfException e) {
        if (e.errno() != Errno.ENOENT) {
          throw e;
        }
      }
    }
    return sizes;
  }

  private static BpfObject.Options withErrorCodes(BpfObject.Options options) {
    // The helper came to these programs with 6.1; libbpf's probe alone would say 5.18.
    boolean supported =
        Features.kernelVersion().atLeast(6, 1)
            && Features.helper(Features.PROGRAM_TYPE_SOCK_ADDR, HELPER_SET_RETVAL);
    return supported ? options.withConstants(Map.of("have_set_retval", YES)) : options;
  }

  private static byte[] read(String resource) {
    try (InputStream stream = Programs.class.getResourceAsStream(resource)) {
      if (stream == null) {
        throw new DataplaneException(
            "find " + resource + " on the class path: build it with clang (make -C bpf)", null);
      }
      return stream.readAllBytes();
    } catch (IOException e) {
      throw new DataplaneException("read " + resource, e);
    }
  }
}
