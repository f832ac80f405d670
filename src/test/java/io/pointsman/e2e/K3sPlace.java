// SPDX-License-Identifier: Apache-2.0
package io.pointsman.e2e;

import io.pointsman.lab.Images;
import io.pointsman.testing.Project;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import org.testcontainers.containers.ExecConfig;
import org.testcontainers.k3s.K3sContainer;
import org.testcontainers.utility.DockerImageName;
import org.testcontainers.utility.MountableFile;

/** A k3s of one node in a container, without kube-proxy and with the tests' images. */
record K3sPlace(K3sContainer container, Path kubeconfig) implements Place {
  static final DockerImageName IMAGE = DockerImageName.parse("rancher/k3s:v1.35.5-k3s1");

  /** Starts it; {@link ContainerEngine} says whether that is possible. */
  static K3sPlace start() {
    var container = new K3sContainer(IMAGE);
    container.withCommand(
        "server",
        "--disable-kube-proxy",
        "--disable-network-policy",
        "--disable=traefik,servicelb,metrics-server,local-storage",
        "--tls-san=" + container.getHost());
    // With the machine's own cgroups the programs would see the sockets of the whole machine.
    container.setBinds(new ArrayList<>());
    container.withCreateContainerCmdModifier(
        create -> Objects.requireNonNull(create.getHostConfig()).withCgroupnsMode("private"));
    container.start();
    try {
      // What a distribution's init does on a machine: pods get bpffs and cgroups from the node.
      exec(container, List.of("mount", "-t", "bpf", "bpf", "/sys/fs/bpf"));
      exec(container, List.of("mount", "--make-rshared", "/"));
      load(container, ProductImage.archive());
      load(container, Images.testImage());
      return new K3sPlace(container, save(container.getKubeConfigYaml()));
    } catch (RuntimeException e) {
      container.stop();
      throw e;
    }
  }

  private static void load(K3sContainer container, Path archive) {
    var inside = "/tmp/" + archive.getFileName();
    container.copyFileToContainer(MountableFile.forHostPath(archive), inside);
    exec(container, List.of("ctr", "--namespace=k8s.io", "images", "import", inside));
    exec(container, List.of("rm", inside));
  }

  private static Path save(String kubeconfig) {
    try {
      var file = Files.createTempFile(Project.folder().resolve("target"), "k3s-", ".kubeconfig");
      Files.writeString(file, kubeconfig);
      return file;
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  @Override
  public String onNode(String node, List<String> command) {
    return exec(container, command);
  }

  private static String exec(K3sContainer container, List<String> command) {
    try {
      var config = ExecConfig.builder().command(command.toArray(String[]::new)).build();
      var ended = container.execInContainer(config);
      if (ended.getExitCode() != 0) {
        throw new IllegalStateException(
            "'%s' in the k3s container ended with %d: %s%s"
                .formatted(
                    String.join(" ", command),
                    ended.getExitCode(),
                    ended.getStderr(),
                    ended.getStdout()));
      }
      return ended.getStdout();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new IllegalStateException("interrupted in the k3s container", e);
    }
  }

  @Override
  public void close() {
    container.stop();
  }
}
