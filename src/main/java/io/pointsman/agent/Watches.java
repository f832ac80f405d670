// SPDX-License-Identifier: Apache-2.0
package io.pointsman.agent;

import io.fabric8.kubernetes.api.model.ListOptions;
import io.fabric8.kubernetes.api.model.ListOptionsBuilder;
import io.fabric8.kubernetes.api.model.Service;
import io.fabric8.kubernetes.api.model.discovery.v1.EndpointSlice;
import io.fabric8.kubernetes.client.KubernetesClient;
import io.pointsman.api.NodeDataplane;
import io.pointsman.catalogue.Names;
import io.pointsman.catalogue.ObjectKey;
import io.pointsman.catalogue.ServiceReader;
import io.pointsman.catalogue.SliceReader;
import java.util.List;
import java.util.Set;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/** Follows what an agent needs of the cluster and puts it, reduced, into the inbox. */
final class Watches implements AutoCloseable {
  private final List<ListWatch<?>> all;

  /**
   * Prepares the watches.
   *
   * @param target called on the sync thread with the node's resource, or null when there is none
   */
  Watches(
      KubernetesClient client,
      String nodeName,
      Inbox inbox,
      Consumer<@Nullable NodeDataplane> target) {
    Names names = new Names();
    // The server leaves out what no agent serves.
    ListOptions services =
        new ListOptionsBuilder().withLabelSelector(ServiceReader.SELECTOR).build();
    ListOptions slices = new ListOptionsBuilder().withLabelSelector(SliceReader.SELECTOR).build();
    ListOptions own =
        new ListOptionsBuilder().withFieldSelector("metadata.name=" + nodeName).build();
    all =
        List.of(
            new ListWatch<>(
                "services",
                client.services().inAnyNamespace(),
                services,
                new Services(new ServiceReader(names), inbox)),
            new ListWatch<>(
                "endpointslices",
                client.discovery().v1().endpointSlices().inAnyNamespace(),
                slices,
                new Slices(new SliceReader(names), inbox)),
            new ListWatch<>(
                "nodedataplanes",
                client.resources(NodeDataplane.class),
                own,
                new Target(inbox, target)));
  }

  void start() {
    all.forEach(ListWatch::start);
  }

  @Override
  public void close() {
    all.forEach(ListWatch::close);
  }

  private record Services(ServiceReader reader, Inbox inbox) implements ListWatch.Sink<Service> {
    @Override
    public void changed(Service service) {
      inbox.service(reader.key(service.getMetadata()), reader.read(service));
    }

    @Override
    public void deleted(Service service) {
      inbox.service(reader.key(service.getMetadata()), null);
    }

    @Override
    public void listed(Set<ObjectKey> keys) {
      inbox.servicesListed(keys);
    }
  }

  private record Slices(SliceReader reader, Inbox inbox) implements ListWatch.Sink<EndpointSlice> {
    @Override
    public void changed(EndpointSlice slice) {
      inbox.slice(reader.key(slice.getMetadata()), reader.read(slice));
    }

    @Override
    public void deleted(EndpointSlice slice) {
      inbox.slice(reader.key(slice.getMetadata()), null);
    }

    @Override
    public void listed(Set<ObjectKey> keys) {
      inbox.slicesListed(keys);
    }
  }

  private record Target(Inbox inbox, Consumer<@Nullable NodeDataplane> target)
      implements ListWatch.Sink<NodeDataplane> {
    @Override
    public void changed(NodeDataplane resource) {
      inbox.post(() -> target.accept(resource));
    }

    @Override
    public void deleted(NodeDataplane resource) {
      inbox.post(() -> target.accept(null));
    }

    @Override
    public void listed(Set<ObjectKey> keys) {
      if (keys.isEmpty()) {
        inbox.post(() -> target.accept(null));
      }
    }
  }
}
