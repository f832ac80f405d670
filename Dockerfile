# SPDX-License-Identifier: Apache-2.0
# The one image of operator and agent. Maven has built target/quarkus-app before (make image); all
# else comes from Debian's packages, so a builder needs the base image and a Debian mirror.

# --- A Java runtime with the modules that are used, from Debian's own JDK 25.
FROM docker.io/library/debian:trixie-slim AS java
# Slim images have no man pages, and the package of the JRE fails without their folder.
RUN mkdir -p /usr/share/man/man1 \
 && apt-get update -q \
 && apt-get install -y -q --no-install-recommends openjdk-25-jdk-headless binutils
# java.naming: names in certificates; jdk.management: memory and CPU in the metrics; jdk.unsupported:
# Unsafe, for Netty. Left out: java.desktop and java.sql, which only optional parts of libraries use.
RUN jlink --add-modules java.base,java.logging,java.management,java.naming,java.xml,jdk.management,jdk.unsupported \
      --no-header-files --no-man-pages --compress=zip-6 --output /opt/java \
 && rm -rf /opt/java/legal \
 && find /opt/java -name '*.debuginfo' -delete

# --- The programs that the agent calls.
FROM docker.io/library/debian:trixie-slim AS tools
# libbpf1: loads the BPF programs. iptables, nftables, ipset: read and remove what kube-proxy left in
# the kernel, whichever of its modes it ran in. (No kmod: the agent may not load modules, and the
# kernel loads by itself what these tools ask for.)
RUN apt-get update -q \
 && apt-get install -y -q --no-install-recommends libbpf1 iptables nftables ipset \
 && apt-get clean \
 && rm -rf /var/lib/apt /var/cache/* /var/log/* /usr/share/doc /usr/share/man /usr/share/locale \
      /usr/share/info /usr/share/lintian /usr/share/bash-completion /usr/lib/*/gconv \
 && dpkg --purge --force-depends --force-remove-essential --force-remove-protected apt perl-base

# --- What the image is made of.
FROM tools AS parts
COPY --from=java /opt/java /opt/java
COPY image/java.options LICENSE target/quarkus-app /opt/pointsman/
COPY image/pointsman /usr/local/bin/

# --- The AOT caches (JEP 483, 514), one per role: classes as a start in a cluster leaves them, made by
# the same JVM with the same flags. The rehearsal's API server needs the whole JDK.
FROM parts AS rehearsal
COPY image/RehearsalApiServer.java image/rehearse /opt/rehearsal/
RUN --mount=type=bind,from=java,source=/etc/java-25-openjdk,target=/etc/java-25-openjdk \
    --mount=type=bind,from=java,source=/usr/lib/jvm,target=/usr/lib/jvm \
    mkdir /opt/caches && /opt/rehearsal/rehearse /opt/caches

# --- The image, without what the stages before it deleted.
FROM scratch
LABEL org.opencontainers.image.title=Pointsman \
      org.opencontainers.image.description="Changes the Service dataplane of a Kubernetes cluster in flight, and proves it" \
      org.opencontainers.image.licenses=Apache-2.0
ENV PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin LANG=C.UTF-8
# The operator's user; the agent's pod asks for root and drops its capabilities.
USER 65532:65532
ENTRYPOINT ["/usr/local/bin/pointsman"]
COPY --from=parts / /
COPY --from=rehearsal /opt/caches /opt/pointsman/
# The caches must be usable as they lie here: with AOTMode=on the JVM refuses to start otherwise.
RUN JDK_JAVA_OPTIONS=-XX:AOTMode=on pointsman version \
 && JDK_JAVA_OPTIONS=-XX:AOTMode=on pointsman operator --help >/dev/null
