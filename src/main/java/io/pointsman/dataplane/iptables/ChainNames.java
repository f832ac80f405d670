// SPDX-License-Identifier: Apache-2.0
package io.pointsman.dataplane.iptables;

import io.pointsman.catalogue.Backend;
import io.pointsman.catalogue.ServicePortId;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.Comparator;
import java.util.Locale;
import java.util.Map;
import java.util.regex.Pattern;

/**
 * The names of chains, as kube-proxy gives them: a Service port's chains end with the first 16
 * characters of the base 32 of the SHA-256 of its name and protocol, an endpoint's with those of
 * the same and its address.
 */
final class ChainNames {
  static final String SERVICES = "KUBE-SERVICES";
  static final String EXTERNAL_SERVICES = "KUBE-EXTERNAL-SERVICES";
  static final String NODE_PORTS = "KUBE-NODEPORTS";
  static final String POSTROUTING = "KUBE-POSTROUTING";
  static final String MARK_MASQ = "KUBE-MARK-MASQ";
  static final String FORWARD = "KUBE-FORWARD";
  static final String PROXY_FIREWALL = "KUBE-PROXY-FIREWALL";

  /** Made by kube-proxy in its iptables mode when it starts: where it is, kube-proxy was. */
  static final String PROXY_CANARY = "KUBE-PROXY-CANARY";

  /** The kubelet's, and kube-proxy's too; never removed. */
  static final String FIREWALL = "KUBE-FIREWALL";

  static final String SERVICE_PREFIX = "KUBE-SVC-";
  static final String LOCAL_PREFIX = "KUBE-SVL-";
  static final String EXTERNAL_PREFIX = "KUBE-EXT-";
  static final String FIREWALL_PREFIX = "KUBE-FW-";
  static final String ENDPOINT_PREFIX = "KUBE-SEP-";

  /** Nothing jumps here: its comments say in which phase the dataplane is. */
  static final String STATE = "POINTSMAN-STATE";

  /** Stands for KUBE-SERVICES while that one serves somebody else. */
  static final String STAGED_SERVICES = "POINTSMAN-SERVICES";

  /** The chains that nobody else has, by table. */
  static final Map<String, Pattern> OWN =
      Map.of(Table.NAT.text(), Pattern.compile(STATE + "|" + STAGED_SERVICES));

  /** No chain of a Service port leads to one that is before it. */
  static final Comparator<String> CALLERS_FIRST =
      Comparator.comparingInt(ChainNames::depth).thenComparing(Comparator.naturalOrder());

  private static final String BASE_32 = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
  private static final int SUFFIX_LENGTH = 16;

  /** Looking for the algorithm takes as long as a name's hash. */
  private static final ThreadLocal<MessageDigest> SHA_256 =
      ThreadLocal.withInitial(ChainNames::sha256);

  private ChainNames() {}

  static String service(ServicePortId id) {
    return SERVICE_PREFIX + suffix(key(id));
  }

  static String external(ServicePortId id) {
    return EXTERNAL_PREFIX + suffix(key(id));
  }

  static String endpoint(ServicePortId id, String socket) {
    return ENDPOINT_PREFIX + suffix(key(id) + socket);
  }

  /** Address and port; an IPv6 address stands in brackets. */
  static String socket(Backend backend) {
    return backend.address().isV4()
        ? backend.address() + ":" + backend.port()
        : "[" + backend.address() + "]:" + backend.port();
  }

  /** Whether a chain of the table nat belongs to one Service port. */
  static boolean ofPort(String chain) {
    return chain.startsWith(SERVICE_PREFIX)
        || chain.startsWith(ENDPOINT_PREFIX)
        || chain.startsWith(EXTERNAL_PREFIX)
        || chain.startsWith(LOCAL_PREFIX)
        || chain.startsWith(FIREWALL_PREFIX);
  }

  private static int depth(String chain) {
    if (chain.startsWith(ENDPOINT_PREFIX)) {
      return 2;
    }
    return chain.startsWith(SERVICE_PREFIX) || chain.startsWith(LOCAL_PREFIX) ? 1 : 0;
  }

  private static String key(ServicePortId id) {
    return id.text() + id.protocol().name().toLowerCase(Locale.ROOT);
  }

  /** Five bits to a character (RFC 4648 section 6). */
  private static String suffix(String text) {
    byte[] hash = SHA_256.get().digest(text.getBytes(StandardCharsets.UTF_8));
    StringBuilder suffix = new StringBuilder(SUFFIX_LENGTH);
    int bits = 0;
    int held = 0;
    for (int i = 0; suffix.length() < SUFFIX_LENGTH; i++) {
      bits = bits << 8 | hash[i] & 0xff;
      for (held += 8; held >= 5; held -= 5) {
        suffix.append(BASE_32.charAt(bits >>> held - 5 & 31));
      }
    }
    return suffix.toString();
  }

  private static MessageDigest sha256() {
    try {
      return MessageDigest.getInstance("SHA-256");
    } catch (NoSuchAlgorithmException e) {
      throw new IllegalStateException("every Java platform has SHA-256", e);
    }
  }
}
