// SPDX-License-Identifier: Apache-2.0
package io.pointsman.dataplane.bpf;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.TreeMap;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * How much stack the compiled programs take, as old kernels count it: newer ones round less, so
 * that no load here finds it out. The file is ELF, its instructions those of the kernel's
 * Documentation/bpf/standardization/instruction-set.rst.
 */
class StackDepthTest {
  private static final int MOST_BYTES = 512; // MAX_BPF_STACK
  private static final int MOST_FRAMES = 8; // MAX_CALL_FRAMES
  private static final int ROUNDED_TO = 32; // check_max_stack_depth, before round_up_stack_depth
  private static final int INSTRUCTION = 8;
  private static final int FRAME_POINTER = 10;
  private static final int CALL = 0x85;
  private static final int COPY = 0xbf;
  private static final int ADD = 0x07;

  /** A function by its section and offset in bytes. */
  private record Place(int section, long offset) {}

  private record Function(String name, long size) {}

  private ByteBuffer elf = ByteBuffer.allocate(0);
  private final Map<Place, Function> functions = new HashMap<>();
  private final Map<Place, Place> relocated = new HashMap<>();

  @ParameterizedTest
  @ValueSource(strings = {"packet", "socket"})
  void staysBelowWhatOldKernelsAllow(String object) throws IOException {
    elf =
        ByteBuffer.wrap(Files.readAllBytes(Path.of("target/classes/bpf", object + ".bpf.o")))
            .order(ByteOrder.LITTLE_ENDIAN);
    readFunctions();
    readRelocations();
    Map<String, List<Integer>> depths = new TreeMap<>();
    functions.forEach((place, function) -> depths.put(function.name(), depth(place)));
    assertThat(depths)
        .hasSizeGreaterThan(5)
        .allSatisfy(
            (name, depth) -> {
              assertThat(depth.get(0)).as("bytes").isBetween(0, MOST_BYTES);
              assertThat(depth.get(1)).as("frames").isBetween(1, MOST_FRAMES);
            });
    assertThat(depths.values()).anyMatch(depth -> depth.get(0) > MOST_BYTES / 4);
  }

  /** Bytes and frames from here on. */
  private List<Integer> depth(Place place) {
    Function function = Objects.requireNonNull(functions.get(place), place.toString());
    int own = 1;
    int bytes = 0;
    int frames = 0;
    Map<Integer, Boolean> pointers = new HashMap<>();
    long start = header(place.section(), 24) + place.offset();
    for (long at = start; at < start + function.size(); at += INSTRUCTION) {
      int code = elf.get((int) at) & 0xff;
      int target = elf.get((int) at + 1) & 0xf;
      int source = elf.get((int) at + 1) >> 4 & 0xf;
      int value = elf.getInt((int) at + 4);
      int base = (code & 7) == 1 ? source : target;
      if ((code & 7) >= 1 && (code & 7) <= 3 && base == FRAME_POINTER) {
        own = Math.max(own, -elf.getShort((int) at + 2));
      } else if (code == COPY) {
        pointers.put(target, source == FRAME_POINTER);
      } else if (code == ADD && pointers.getOrDefault(target, false)) {
        own = Math.max(own, -value);
        pointers.remove(target);
      } else if (code == CALL && source == 1) {
        List<Integer> callee = depth(callee(place.section(), at - header(place.section(), 24)));
        bytes = Math.max(bytes, callee.get(0));
        frames = Math.max(frames, callee.get(1));
      }
    }
    return List.of((own + ROUNDED_TO - 1) / ROUNDED_TO * ROUNDED_TO + bytes, frames + 1);
  }

  private Place callee(int section, long at) {
    long relative = (elf.getInt((int) (header(section, 24) + at) + 4) + 1L) * INSTRUCTION;
    Place symbol = relocated.get(new Place(section, at));
    return symbol == null
        ? new Place(section, at + relative)
        : new Place(symbol.section(), symbol.offset() + relative);
  }

  private void readFunctions() {
    int symbols = sectionOfType(2);
    for (long at = header(symbols, 24); at < end(symbols); at += 24) {
      if ((elf.get((int) at + 4) & 0xf) == 2) { // STT_FUNC
        functions.put(place(at), new Function(text((int) at, symbols), elf.getLong((int) at + 16)));
      }
    }
  }

  private void readRelocations() {
    int symbols = sectionOfType(2);
    for (int section = 0; section < sections(); section++) {
      if (headerInt(section, 4) == 9) { // SHT_REL
        for (long at = header(section, 24); at < end(section); at += 16) {
          long symbol = header(symbols, 24) + 24L * elf.getInt((int) at + 12);
          relocated.put(new Place(headerInt(section, 44), elf.getLong((int) at)), place(symbol));
        }
      }
    }
  }

  private Place place(long symbol) {
    return new Place(elf.getShort((int) symbol + 6), elf.getLong((int) symbol + 8));
  }

  private String text(int symbol, int symbols) {
    int at = (int) header(headerInt(symbols, 40), 24) + elf.getInt(symbol);
    int length = 0;
    while (elf.get(at + length) != 0) {
      length++;
    }
    return new String(elf.array(), at, length, StandardCharsets.US_ASCII);
  }

  private int sectionOfType(int type) {
    for (int section = 0; section < sections(); section++) {
      if (headerInt(section, 4) == type) {
        return section;
      }
    }
    throw new AssertionError("no section of type " + type);
  }

  private int sections() {
    return elf.getShort(60);
  }

  private long end(int section) {
    return header(section, 24) + header(section, 32);
  }

  private long header(int section, int field) {
    return elf.getLong((int) elf.getLong(40) + 64 * section + field);
  }

  private int headerInt(int section, int field) {
    return elf.getInt((int) elf.getLong(40) + 64 * section + field);
  }
}
