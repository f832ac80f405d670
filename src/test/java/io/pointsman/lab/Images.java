// SPDX-License-Identifier: Apache-2.0
package io.pointsman.lab;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Consumer;
import java.util.stream.Stream;

/** The images that the lab makes for itself, as archives in the cache: no registry is asked. */
public final class Images {
  /** The Kubernetes project's test server and client, with /traffic, busybox and curl beside it. */
  public static final String AGNHOST = "docker.io/pointsman-lab/agnhost:1";

  static final String PAUSE = "docker.io/pointsman-lab/pause:1";
  static final String KUBE_PROXY = "docker.io/pointsman-lab/kube-proxy:v1.36.3";
  static final String COREDNS = "docker.io/pointsman-lab/coredns:v1.14.7";

  /** Names the folder of {@link #unpack} to a lab on a kernel on which that takes minutes. */
  public static final String UNPACKED = "pointsman.images";

  /** Raised when what is made here changes, so that nothing old is taken from the cache. */
  private static final String RECIPE = "4";

  private final Path binaries;
  private final Path cache = LabFolders.cache().resolve("images");
  private final Consumer<String> progress;

  Images(Path binaries, Consumer<String> progress) {
    this.binaries = binaries;
    this.progress = progress;
  }

  /** What makes the layers of an image in a folder of its own, lowest first. */
  private interface Recipe {
    List<Path> layers(Path work);
  }

  /** The archives of all images that each node needs; makes those that the cache lacks. */
  List<Path> archives() {
    return List.of(
        archive(
            PAUSE,
            List.of("/pause", "pause"),
            List.of("labinit"),
            work -> List.of(files(work, "labinit", "pause"))),
        archive(
            KUBE_PROXY,
            List.of("/usr/local/bin/kube-proxy"),
            List.of("kubernetes"),
            this::kubeProxy),
        archive(
            COREDNS,
            List.of("/coredns"),
            List.of("coredns"),
            work -> List.of(files(work, "coredns", "coredns"))),
        agnhost());
  }

  /** The archive of {@link #AGNHOST}, for clusters that are no lab. */
  public static Path testImage() {
    return new Images(Binaries.folder(), step -> {}).agnhost();
  }

  /** The images of a lab and these, unpacked into a folder that containerd can begin with. */
  public static Path unpack(Path... others) {
    return new Images(Binaries.folder(), step -> {}).unpacked(List.of(others));
  }

  /** Whether the images are {@link #UNPACKED} already: this machine is a slow one. */
  public static boolean areGiven() {
    return System.getProperty(UNPACKED) != null;
  }

  /**
   * The folder with the lab's images and these, unpacked once for all nodes and labs.
   *
   * @throws LabException when one of the archives is not there
   */
  Path unpacked(List<Path> others) {
    if (areGiven()) {
      return Path.of(System.getProperty(UNPACKED));
    }
    others.forEach(Images::requireThere);
    var command =
        new ArrayList<>(
            List.of(
                LabFolders.project().resolve("scripts/imported-images").toString(),
                binaries.toString()));
    Stream.concat(archives().stream(), others.stream()).forEach(it -> command.add(it.toString()));
    return Path.of(Command.run(command).check().out().strip());
  }

  private Path agnhost() {
    return archive(AGNHOST, List.of("/agnhost"), List.of("agnhost", "traffic"), this::agnhost);
  }

  /** The archives that were put into the lab of that folder since it came up. */
  static List<Path> kept(Path lab) {
    var kept = lab.resolve("images");
    if (!Files.isDirectory(kept)) {
      return List.of();
    }
    try (var files = Files.list(kept)) {
      return files.filter(file -> file.toString().endsWith(".tar")).sorted().toList();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /**
   * Keeps a copy of an archive for the nodes of the lab of that folder.
   *
   * @throws LabException when the file is not there
   */
  static void keep(Path archive, Path lab) {
    requireThere(archive);
    var name = DockerArchive.digest(archive).substring(0, 16) + ".tar";
    var kept = lab.resolve("images").resolve(name);
    if (!Files.exists(kept)) {
      LabFolders.createParent(kept);
      var part = kept.resolveSibling(name + ".part");
      Command.run(List.of("cp", "--reflink=auto", archive.toString(), part.toString())).check();
      Command.run(List.of("mv", part.toString(), kept.toString())).check();
    }
  }

  private static void requireThere(Path archive) {
    if (!Files.isRegularFile(archive)) {
      throw new LabException("image archive " + archive + " is not there: run 'make image'");
    }
  }

  /** The archive of one image in the cache, under the checksums of the programs it holds. */
  private Path archive(String tag, List<String> entrypoint, List<String> programs, Recipe recipe) {
    var name = tag.substring(tag.lastIndexOf('/') + 1, tag.lastIndexOf(':'));
    var sums = programs.stream().map(p -> LabFolders.read(binaries.resolve("sums").resolve(p)));
    var key = RECIPE + "-" + String.join("-", sums.toList());
    var archive = cache.resolve("%s-%s.tar".formatted(name, key));
    if (Files.exists(archive)) {
      return archive;
    }
    progress.accept("making image " + tag);
    LabFolders.create(cache);
    try {
      var work = Files.createTempDirectory(cache, name + "-");
      try {
        DockerArchive.write(archive, work, tag, entrypoint, recipe.layers(work));
      } finally {
        Command.run(List.of("rm", "-rf", work.toString()));
      }
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    return archive;
  }

  private List<Path> kubeProxy(Path work) {
    var packages = packages(work, "iptables,nftables,ipset,conntrack,kmod,busybox-static");
    return List.of(packages, files(work, "kubernetes", "usr/local/bin/kube-proxy"), start(work));
  }

  /** kube-proxy's start: rules are kept by iptables-legacy where the kernel has no nf_tables. */
  private static Path start(Path work) {
    var folder = work.resolve("start");
    var script = folder.resolve("usr/local/bin/start");
    LabFolders.write(script, Template.raw("kube-proxy.sh"));
    if (!script.toFile().setExecutable(true, false)) {
      throw new LabException("cannot make " + script + " executable");
    }
    var layer = work.resolve("start.tar");
    DockerArchive.layer(folder, layer);
    return layer;
  }

  private List<Path> agnhost(Path work) {
    var packages = packages(work, "busybox-static,curl");
    return List.of(packages, files(work, "agnhost", "agnhost"), files(work, "traffic", "traffic"));
  }

  /** A layer with one program of the lab. */
  private Path files(Path work, String program, String path) {
    var folder = work.resolve(program);
    var target = folder.resolve(path);
    LabFolders.createParent(target);
    try {
      Files.copy(binaries.resolve(program), target, StandardCopyOption.COPY_ATTRIBUTES);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    var layer = work.resolve(program + ".tar");
    DockerArchive.layer(folder, layer);
    return layer;
  }

  /** A layer with Debian packages and what they depend on, unpacked and not configured. */
  private Path packages(Path work, String names) {
    var script = LabFolders.project().resolve("scripts/packages-layer").toString();
    var layer = work.resolve("packages.tar");
    Command.run(List.of(script, names, layer.toString())).check();
    return layer;
  }
}
