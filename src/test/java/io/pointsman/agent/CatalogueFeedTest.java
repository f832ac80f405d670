// SPDX-License-Identifier: Apache-2.0
package io.pointsman.agent;

import static org.assertj.core.api.Assertions.assertThat;

import io.pointsman.catalogue.Catalogue;
import io.pointsman.catalogue.Names;
import io.pointsman.catalogue.ObjectKey;
import io.pointsman.catalogue.Objects;
import io.pointsman.catalogue.ServiceInput;
import io.pointsman.catalogue.ServiceReader;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import org.junit.jupiter.api.Test;

/** Events that come in a row, and lists that come in between. */
class CatalogueFeedTest {
  private final Inbox inbox = new Inbox();
  private final Catalogue catalogue = Catalogue.forNode("node-1");
  private final CatalogueFeed feed = new CatalogueFeed(catalogue, delta -> {});
  private final ServiceReader reader = new ServiceReader(new Names());

  @Test
  void itIsSyncedWhenBothKindsWereListed() throws InterruptedException {
    inbox.servicesListed(Set.of());
    feed.accept(inbox.take(0));
    assertThat(feed.synced()).isFalse();
    inbox.slicesListed(Set.of());
    feed.accept(inbox.take(0));
    assertThat(feed.synced()).isTrue();
  }

  @Test
  void severalEventsOfOneObjectAreOne() throws InterruptedException {
    put("web", "10.96.0.1");
    put("web", "10.96.0.2");
    List<Long> arrivals = feed.accept(inbox.take(0));
    assertThat(arrivals).hasSize(1);
    assertThat(addresses()).containsExactly("10.96.0.2");
  }

  @Test
  void aListTakesAwayWhatIsNotInIt() throws InterruptedException {
    put("kept", "10.96.0.1");
    put("gone", "10.96.0.2");
    feed.accept(inbox.take(0));
    inbox.servicesListed(Set.of(key("kept")));
    feed.accept(inbox.take(0));
    assertThat(addresses()).containsExactly("10.96.0.1");
  }

  @Test
  void aListTakesAwayWhatStillWaitsAndNotWhatComesAfterIt() throws InterruptedException {
    put("stale", "10.96.0.1");
    inbox.servicesListed(Set.of());
    put("fresh", "10.96.0.2");
    feed.accept(inbox.take(0));
    assertThat(addresses()).containsExactly("10.96.0.2");
  }

  @Test
  void aServiceThatIsDeletedAndMadeAnewIsThere() throws InterruptedException {
    put("web", "10.96.0.1");
    feed.accept(inbox.take(0));
    inbox.service(key("web"), null);
    put("web", "10.96.0.3");
    feed.accept(inbox.take(0));
    assertThat(addresses()).containsExactly("10.96.0.3");
    inbox.service(key("web"), null);
    feed.accept(inbox.take(0));
    assertThat(addresses()).isEmpty();
  }

  private void put(String name, String address) {
    ServiceInput input = reader.read(Objects.service(name, address));
    inbox.service(input.key(), input);
  }

  private static ObjectKey key(String name) {
    return new ObjectKey("default", name);
  }

  private List<String> addresses() {
    List<String> addresses = new ArrayList<>();
    catalogue.forEachPort(port -> addresses.add(port.frontends().getFirst().address().toString()));
    return addresses;
  }
}
