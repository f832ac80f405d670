// SPDX-License-Identifier: Apache-2.0
package io.pointsman.api;

/**
 * The CEL expressions of the resources' rules. Those down to DSR_BUILT say what this version has
 * built; to lift a limit is to change its line here.
 */
final class Validations {
  /** The values of linuxDataplane that are built. */
  static final String DATAPLANES_BUILT = "Iptables, IPVS, BPF";

  /** The schedulers of Iptables. */
  static final String IPTABLES_SCHEDULERS = "random, rr";

  /** The schedulers of IPVS. */
  static final String IPVS_SCHEDULERS =
      "rr, wrr, lc, wlc, sh, dh, sed, nq, mh, lblc, lblcr, fo, ovf";

  /** The schedulers of Nftables. */
  static final String NFTABLES_SCHEDULERS = "random";

  /** The schedulers of BPF, as far as they are built. */
  static final String BPF_SCHEDULERS = "random, rr";

  /** Whether a provider is built. */
  static final String PROVIDER_BUILT = "self == 'Native'";

  /** Whether a DSR mode is built. */
  static final String DSR_BUILT = "self == 'Disabled'";

  /** Whether a list has CIDRs only; isCIDR is there from Kubernetes 1.31 on. */
  static final String CIDRS = "self.all(item, isCIDR(item))";

  /** The first item of a list that is no CIDR, quoted. */
  static final String FIRST_NO_CIDR = "'\"' + self.filter(item, !isCIDR(item))[0] + '\"'";

  /** A DNS label as RFC 1123 has it; its length is limited by the schema. */
  static final String DNS_LABEL = "self.matches('^[a-z0-9]([-a-z0-9]*[a-z0-9])?$')";

  /** A DNS subdomain as RFC 1123 has it; its length is limited by the schema. */
  static final String DNS_SUBDOMAIN =
      "self.matches('^[a-z0-9]([-a-z0-9]*[a-z0-9])?([.][a-z0-9]([-a-z0-9]*[a-z0-9])?)*$')";

  /** Two ports with a dash between them, the lower one first. */
  static final String PORT_RANGE =
      "self.matches('^[1-9][0-9]{0,4}-[1-9][0-9]{0,4}$')"
          + " && int(self.split('-')[0]) <= int(self.split('-')[1])"
          + " && int(self.split('-')[1]) <= 65535";

  /** Whether the variable key is a label key. */
  static final String LABEL_KEY =
      "key.size() <= 317 && key.matches('^([a-z0-9][-a-z0-9.]{0,251}[a-z0-9]?/)?[A-Za-z0-9]([-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?$')";

  /** Whether the value under the variable key is a label value. */
  static final String LABEL_VALUE =
      "self[key].matches('^([A-Za-z0-9]([-A-Za-z0-9_.]*[A-Za-z0-9])?)?$')";

  /** Between two values of a list that is written as text. */
  static final String SPLIT = "'.split(', ')";

  /** The end of a message about a scheduler. */
  static final String HAS = " has in this version; allowed: ";

  private Validations() {}
}
