// SPDX-License-Identifier: Apache-2.0
package io.pointsman.kernel;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import org.jspecify.annotations.Nullable;

/**
 * A compiled BPF object: opened from memory, loaded into the kernel by libbpf. Maps and programs
 * that were taken from it stay usable after it is closed. For one thread. Failures are {@link
 * BpfException}, with the verifier's log when it was the verifier.
 */
public final class BpfObject implements AutoCloseable {
  /** The largest log that kernels before 5.2 accept; it costs memory only when something fails. */
  private static final long LOG_SIZE = 0xffffffL;

  /**
   * BPF_F_ANY_ALIGNMENT: x86-64 and arm64 read at any address, also where a kernel does not say so
   * of itself (User-Mode Linux).
   */
  private static final int ANY_ALIGNMENT = 2;

  // struct bpf_object_open_opts up to kernel_log_level
  private static final long OPTIONS_SIZE = 80;
  private static final long OPTIONS_NAME = 8;
  private static final long OPTIONS_LOG = 56;
  private static final long OPTIONS_LOG_SIZE = 64;

  private final String name;
  private final Options options;
  private final Arena arena = Arena.ofShared();
  private final MemorySegment log;
  private final MemorySegment object;
  private final Map<String, MemorySegment> maps = new LinkedHashMap<>();
  private final Map<String, MemorySegment> programs = new LinkedHashMap<>();
  private final Map<String, BpfMap> openMaps = new ConcurrentHashMap<>();
  private final Map<String, BpfProgram> openPrograms = new ConcurrentHashMap<>();

  private BpfObject(String name, byte[] elf, Options options) {
    this.name = name;
    this.options = options;
    this.log = Libc.lazyBuffer(LOG_SIZE, arena);
    MemorySegment image = arena.allocateFrom(ValueLayout.JAVA_BYTE, elf);
    MemorySegment settings = arena.allocate(OPTIONS_SIZE, Long.BYTES);
    settings.set(ValueLayout.JAVA_LONG, 0, OPTIONS_SIZE);
    settings.set(ValueLayout.ADDRESS, OPTIONS_NAME, arena.allocateFrom(name));
    settings.set(ValueLayout.ADDRESS, OPTIONS_LOG, log);
    settings.set(ValueLayout.JAVA_LONG, OPTIONS_LOG_SIZE, LOG_SIZE);
    Libbpf.takeMessages();
    this.object = LibbpfObjects.open(image, image.byteSize(), settings);
    if (object.address() == 0) {
      int number = Native.errno();
      arena.close();
      throw new BpfException("open object", name, number, Libbpf.takeMessages(), "");
    }
  }

  /**
   * What is to be different from what the object itself says.
   *
   * @param pinDirectory where every map is pinned under its name, and reused when it is there and
   *     fits; null pins nothing
   * @param maxEntries sizes of maps by name
   * @param constants values of {@code const volatile} variables by name, in the machine's byte
   *     order
   * @param skippedPrograms programs that are not loaded
   * @param reusedMaps maps that are used in place of the object's own, by name
   */
  public record Options(
      @Nullable Path pinDirectory,
      Map<String, Integer> maxEntries,
      Map<String, byte[]> constants,
      Set<String> skippedPrograms,
      Map<String, BpfMap> reusedMaps) {
    /** Everything as the object says, nothing pinned. */
    public static final Options NONE = new Options(null, Map.of(), Map.of(), Set.of(), Map.of());

    /** Takes copies. */
    public Options {
      maxEntries = Map.copyOf(maxEntries);
      constants = Map.copyOf(constants);
      skippedPrograms = Set.copyOf(skippedPrograms);
      reusedMaps = Map.copyOf(reusedMaps);
    }

    /** The same with maps pinned in a directory of a bpffs. */
    public Options pinnedIn(Path directory) {
      return new Options(directory, maxEntries, constants, skippedPrograms, reusedMaps);
    }

    /** The same with other sizes of maps. */
    public Options withMaxEntries(Map<String, Integer> sizes) {
      return new Options(pinDirectory, sizes, constants, skippedPrograms, reusedMaps);
    }

    /** The same with values for constants. */
    public Options withConstants(Map<String, byte[]> values) {
      return new Options(pinDirectory, maxEntries, values, skippedPrograms, reusedMaps);
    }

    /** The same with programs left out. */
    public Options without(Set<String> names) {
      return new Options(pinDirectory, maxEntries, constants, names, reusedMaps);
    }

    /** The same with maps of another object. */
    public Options reusing(Map<String, BpfMap> others) {
      return new Options(pinDirectory, maxEntries, constants, skippedPrograms, others);
    }
  }

  /**
   * Opens an object without loading it.
   *
   * @param name for messages
   * @param elf what clang wrote
   * @throws BpfException when it is no BPF object
   * @throws IllegalArgumentException when an option names what the object does not have
   */
  public static BpfObject open(String name, byte[] elf, Options options) {
    BpfObject opened = new BpfObject(name, elf, options);
    try {
      opened.index();
      opened.configure();
      return opened;
    } catch (RuntimeException e) {
      opened.close();
      throw e;
    }
  }

  /**
   * Creates the maps or reuses their pins, verifies and loads the programs.
   *
   * @throws BpfException with the verifier's whole log when it refused a program, or naming the
   *     pinned map that does not fit
   */
  public void load() {
    maps.values().stream().filter(map -> !LibbpfObjects.mapInternal(map)).forEach(this::checkPin);
    Libbpf.takeMessages();
    int result = LibbpfObjects.load(object);
    String messages = Libbpf.takeMessages();
    if (result < 0) {
      throw new BpfException("load object", name, -result, messages, log.getString(0));
    }
  }

  /** A map of the loaded object; it is the caller's to close, or closed with this object. */
  public BpfMap map(String map) {
    return openMaps.computeIfAbsent(
        map,
        key -> new BpfMap(Libc.duplicate(LibbpfObjects.mapFd(require(maps, key, "map"))), key));
  }

  /** A program of the loaded object. */
  public BpfProgram program(String program) {
    return openPrograms.computeIfAbsent(
        program,
        key -> {
          MemorySegment found = require(programs, key, "program");
          int fd = LibbpfObjects.programFd(found);
          if (fd < 0) {
            throw new BpfException("use program that is not loaded", key, -fd);
          }
          return new BpfProgram(Libc.duplicate(fd), key, LibbpfObjects.attachType(found));
        });
  }

  /** The names of the object's programs, in its order. */
  public Set<String> programNames() {
    return Set.copyOf(programs.keySet());
  }

  /** The names of the object's maps without those of global variables. */
  public Set<String> mapNames() {
    return Set.copyOf(maps.keySet().stream().filter(map -> !map.contains(".")).toList());
  }

  /** The maps as the object defines them, without those of global variables; their ids are 0. */
  public List<MapInfo> mapDefinitions() {
    return mapNames().stream()
        .map(map -> LibbpfObjects.mapDefinition(require(maps, map, "map")))
        .toList();
  }

  /** Lets go of libbpf's memory and of all maps and programs handed out; pins and links stay. */
  @Override
  public void close() {
    if (!arena.scope().isAlive()) {
      return;
    }
    openMaps.values().forEach(BpfMap::close);
    openPrograms.values().forEach(BpfProgram::close);
    LibbpfObjects.close(object);
    arena.close();
  }

  private void index() {
    MemorySegment map = LibbpfObjects.nextMap(object, MemorySegment.NULL);
    while (map.address() != 0) {
      maps.put(LibbpfObjects.mapName(map), map);
      map = LibbpfObjects.nextMap(object, map);
    }
    MemorySegment program = LibbpfObjects.nextProgram(object, MemorySegment.NULL);
    while (program.address() != 0) {
      programs.put(LibbpfObjects.programName(program), program);
      program = LibbpfObjects.nextProgram(object, program);
    }
  }

  private void configure() {
    maps.forEach(this::configurePin);
    programs.forEach((it, handle) -> check(LibbpfObjects.setFlags(handle, ANY_ALIGNMENT), it));
    options.maxEntries.forEach(
        (map, size) -> check(LibbpfObjects.setMaxEntries(require(maps, map, "map"), size), map));
    options.reusedMaps.forEach(
        (map, other) -> check(LibbpfObjects.reuse(require(maps, map, "map"), other.fd()), map));
    options.skippedPrograms.forEach(
        program ->
            check(
                LibbpfObjects.setAutoload(require(programs, program, "program"), false), program));
    options.constants.forEach(
        (variable, value) -> ObjectVariables.set(object, rodata(), variable, value));
  }

  private void configurePin(String map, MemorySegment handle) {
    Path directory = options.pinDirectory;
    boolean pinned =
        directory != null
            && !LibbpfObjects.mapInternal(handle)
            && !options.reusedMaps.containsKey(map);
    MemorySegment path =
        pinned && directory != null
            ? arena.allocateFrom(directory.resolve(map).toString())
            : MemorySegment.NULL;
    check(LibbpfObjects.setPinPath(handle, path), map);
  }

  private MemorySegment rodata() {
    return maps.entrySet().stream()
        .filter(entry -> entry.getKey().endsWith(".rodata"))
        .map(Map.Entry::getValue)
        .findFirst()
        .orElseThrow(() -> new IllegalArgumentException("object has no constants: " + name));
  }

  /** libbpf would only say "parameter mismatch"; this says which. */
  private void checkPin(MemorySegment handle) {
    MapInfo wanted = LibbpfObjects.mapDefinition(handle);
    Path directory = options.pinDirectory;
    if (directory == null || options.reusedMaps.containsKey(wanted.name())) {
      return;
    }
    Path pin = directory.resolve(wanted.name());
    int fd = LibbpfFds.get(pin.toString());
    if (fd == -Errno.ENOENT.number()) {
      return;
    }
    check(fd, pin.toString());
    try (BpfMap pinned = new BpfMap(fd, wanted.name())) {
      MapMismatch.check(pin, pinned.info(), wanted);
    }
  }

  private void check(int result, String object) {
    if (result < 0) {
      throw new BpfException("configure " + name, object, -result, Libbpf.takeMessages(), "");
    }
  }

  private MemorySegment require(Map<String, MemorySegment> from, String key, String what) {
    MemorySegment found = from.get(key);
    if (found == null) {
      throw new IllegalArgumentException(
          "object %s has no %s %s, only %s".formatted(name, what, key, from.keySet()));
    }
    return found;
  }
}
