// SPDX-License-Identifier: Apache-2.0
package io.pointsman.kernel;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.file.Path;
import java.util.Set;
import java.util.concurrent.locks.LockSupport;

/**
 * A BPF map by its file descriptor. Keys and values are native segments in the layout of the map's
 * C structures; no call on a single entry allocates. Safe for use by several threads. Failures are
 * {@link BpfException}; an entry that is not there is none.
 */
public final class BpfMap implements AutoCloseable {
  private static final int FIRST_PER_CPU_ALIGNMENT = 8;

  /** PERCPU_HASH, PERCPU_ARRAY, LRU_PERCPU_HASH and PERCPU_CGROUP_STORAGE of enum bpf_map_type. */
  private static final Set<Integer> PER_CPU_TYPES = Set.of(5, 6, 10, 21);

  private static final int TRANSIENT_RETRIES = 1000;
  private static final long TRANSIENT_PAUSE_NANOS = 50_000;

  private final Descriptor descriptor;
  private final MapInfo info;
  private final String name;
  private final long bufferSize;
  private volatile boolean batches = true;

  BpfMap(int fd, String name) {
    this.descriptor = new Descriptor(fd, "map " + name);
    this.name = name;
    this.info = MapInfo.read(fd, name);
    this.bufferSize = PER_CPU_TYPES.contains(info.type()) ? perCpuSize() : info.valueSize();
  }

  /** Opens a map by its pin; the name is the pin's file name. */
  public static BpfMap openPinned(Path pin) {
    int fd = LibbpfFds.get(pin.toString());
    if (fd < 0) {
      throw new BpfException("open pinned map", pin.toString(), -fd);
    }
    return new BpfMap(fd, String.valueOf(pin.getFileName()));
  }

  /** The map's whole name, which the kernel may have cut to 15 characters. */
  public String name() {
    return name;
  }

  /** What the kernel says of the map. */
  public MapInfo info() {
    return info;
  }

  /** Bytes of a key. */
  public int keySize() {
    return info.keySize();
  }

  /** Bytes of a value, of one CPU where the map is per-CPU. */
  public int valueSize() {
    return info.valueSize();
  }

  /** How many entries fit. */
  public int maxEntries() {
    return info.maxEntries();
  }

  /** The file descriptor, for as long as this map is open. */
  public int fd() {
    return descriptor.get();
  }

  /** Bytes that a look-up in a per-CPU map fills: a value rounded up to 8, for each CPU. */
  public long perCpuSize() {
    return perCpuStride() * possibleCpus();
  }

  /** Distance in bytes between the values of two CPUs. */
  public long perCpuStride() {
    int unit = FIRST_PER_CPU_ALIGNMENT;
    return (long) (valueSize() + unit - 1) / unit * unit;
  }

  /** How many CPUs a per-CPU map has values for. */
  public static int possibleCpus() {
    int cpus = LibbpfMaps.possibleCpus();
    if (cpus < 0) {
      throw new BpfException("count", "possible CPUs", -cpus);
    }
    return cpus;
  }

  /**
   * Reads the value of a key.
   *
   * @param value filled; {@link #perCpuSize()} bytes for a per-CPU map
   * @return whether the key is there
   */
  public boolean lookup(MemorySegment key, MemorySegment value) {
    require(key, keySize(), "key");
    require(value, bufferSize, "value");
    int result = LibbpfMaps.lookup(fd(), key, value);
    return found(result, "look up in map");
  }

  /** Adds or replaces an entry. */
  public void update(MemorySegment key, MemorySegment value) {
    update(key, value, UpdateMode.ANY);
  }

  /** Adds or replaces an entry as the mode allows; EEXIST and ENOENT are failures. */
  public void update(MemorySegment key, MemorySegment value, UpdateMode mode) {
    require(key, keySize(), "key");
    require(value, bufferSize, "value");
    int result = LibbpfMaps.update(fd(), key, value, mode.flag());
    for (int i = 0; isTransient(result) && i < TRANSIENT_RETRIES; i++) {
      LockSupport.parkNanos(TRANSIENT_PAUSE_NANOS);
      result = LibbpfMaps.update(fd(), key, value, mode.flag());
    }
    check(result, "update map");
  }

  /** Takes an entry away; tells whether it was there. */
  public boolean delete(MemorySegment key) {
    require(key, keySize(), "key");
    return found(LibbpfMaps.delete(fd(), key), "delete from map");
  }

  /**
   * Adds or replaces many entries, one system call where the kernel can.
   *
   * @param keys {@code count} keys without gaps
   * @param values {@code count} values without gaps, of all CPUs where the map is per-CPU
   */
  public void updateBatch(MemorySegment keys, MemorySegment values, int count) {
    require(keys, (long) keySize() * count, "keys");
    require(values, bufferSize * count, "values");
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment number = arena.allocate(ValueLayout.JAVA_INT);
      int done = 0;
      int retries = 0;
      while (done < count && batches) {
        number.set(ValueLayout.JAVA_INT, 0, count - done);
        int result =
            LibbpfMaps.updateBatch(
                fd(), slice(keys, keySize(), done), slice(values, bufferSize, done), number);
        if (noBatch(result)) {
          continue;
        }
        done += number.get(ValueLayout.JAVA_INT, 0);
        if (isTransient(result) && retries++ < TRANSIENT_RETRIES) {
          LockSupport.parkNanos(TRANSIENT_PAUSE_NANOS);
          continue;
        }
        check(result, "update batch in map");
      }
      for (; done < count; done++) {
        update(slice(keys, keySize(), done), slice(values, bufferSize, done));
      }
    }
  }

  /** Takes many entries away and tells how many were there. */
  public int deleteBatch(MemorySegment keys, int count) {
    require(keys, (long) keySize() * count, "keys");
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment number = arena.allocate(ValueLayout.JAVA_INT);
      int position = 0;
      int deleted = 0;
      while (position < count && batches) {
        number.set(ValueLayout.JAVA_INT, 0, count - position);
        int result = LibbpfMaps.deleteBatch(fd(), slice(keys, keySize(), position), number);
        if (noBatch(result)) {
          continue;
        }
        int done = number.get(ValueLayout.JAVA_INT, 0);
        deleted += done;
        position += done;
        if (!found(result, "delete batch from map")) {
          position++; // the kernel stops at a key that is not there
        }
      }
      for (; position < count; position++) {
        deleted += delete(slice(keys, keySize(), position)) ? 1 : 0;
      }
      return deleted;
    }
  }

  /**
   * A reader of all entries with a buffer of its own.
   *
   * @param entries how many entries it reads at a time
   */
  public BpfMapReader reader(int entries) {
    return new BpfMapReader(this, entries);
  }

  /** Pins the map to a file in a bpffs. */
  public void pin(Path path) {
    int result = LibbpfFds.pin(fd(), path.toString());
    if (result < 0) {
      throw new BpfException("pin map " + name + " to", path.toString(), -result);
    }
  }

  @Override
  public void close() {
    descriptor.close();
  }

  /** Bytes that one value takes in a buffer: of all CPUs where the map is per-CPU. */
  long bufferSize() {
    return bufferSize;
  }

  boolean batches() {
    return batches;
  }

  /** Whether the kernel has no batch call for this type of map; remembered. */
  boolean noBatch(int result) {
    boolean missing =
        result == -Errno.ENOTSUPP.number()
            || result == -Errno.EOPNOTSUPP.number()
            || result == -Errno.ENOSYS.number();
    if (missing) {
      batches = false;
    }
    return missing;
  }

  void check(int result, String operation) {
    if (result < 0) {
      throw new BpfException(operation, name, -result);
    }
  }

  private boolean found(int result, String operation) {
    if (result == -Errno.ENOENT.number()) {
      return false;
    }
    check(result, operation);
    return true;
  }

  /** The kernel's allocator refills its caches a moment later; a bucket is busy for a moment. */
  private static boolean isTransient(int result) {
    return result == -Errno.ENOMEM.number() || result == -Errno.EBUSY.number();
  }

  private static MemorySegment slice(MemorySegment segment, long size, int index) {
    return index == 0 ? segment : segment.asSlice(size * index);
  }

  private void require(MemorySegment segment, long size, String what) {
    if (segment.byteSize() < size || !segment.isNative()) {
      throw new IllegalArgumentException(
          "map %s: %s needs a native segment of %d bytes, got %s"
              .formatted(name, what, size, segment));
    }
  }
}
