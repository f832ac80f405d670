# SPDX-License-Identifier: Apache-2.0
# Writes what a kube-proxy in its ipvs mode has for four Services on a node with two addresses for node ports,
# told by nodePortAddresses, and one that is an external address of a Service.
ip link show kube-ipvs0 >/dev/null 2>&1 || ip link add kube-ipvs0 type dummy
ip addr replace 198.51.100.8/24 dev uplink
ip addr replace 203.0.113.51/32 dev uplink
for address in 10.96.0.1 10.96.0.3 10.96.0.6 203.0.113.50; do
  ip addr replace "$address/32" dev kube-ipvs0
done

ipset restore -exist <<'END'
create KUBE-CLUSTER-IP hash:ip,port
add KUBE-CLUSTER-IP 10.96.0.1,tcp:80
add KUBE-CLUSTER-IP 10.96.0.3,tcp:80
add KUBE-CLUSTER-IP 10.96.0.6,tcp:80
create KUBE-EXTERNAL-IP-LOCAL hash:ip,port
add KUBE-EXTERNAL-IP-LOCAL 203.0.113.50,tcp:8080
add KUBE-EXTERNAL-IP-LOCAL 203.0.113.51,tcp:8080
create KUBE-NODE-PORT-TCP bitmap:port range 0-65535
add KUBE-NODE-PORT-TCP 30003
add KUBE-NODE-PORT-TCP 30006
create KUBE-LOOP-BACK hash:ip,port,ip
add KUBE-LOOP-BACK 10.244.0.6,tcp:8080,10.244.0.6
create KUBE-HEALTH-CHECK-NODE-PORT bitmap:port range 0-65535
create KUBE-IPVS-IPS hash:ip
add KUBE-IPVS-IPS 10.96.0.1
add KUBE-IPVS-IPS 10.96.0.3
add KUBE-IPVS-IPS 10.96.0.6
add KUBE-IPVS-IPS 203.0.113.50
END

# One real server leaves and takes no new connections; the last virtual server is keepalived's.
ipvsadm -C
ipvsadm -R <<'END'
-A -t 10.96.0.1:80 -s rr
-a -t 10.96.0.1:80 -r 10.244.0.1:8080 -m -w 1
-a -t 10.96.0.1:80 -r 10.244.0.2:8080 -m -w 1
-a -t 10.96.0.1:80 -r 10.244.0.9:8080 -m -w 0
-A -t 10.96.0.3:80 -s rr
-a -t 10.96.0.3:80 -r 10.244.0.4:8080 -m -w 1
-a -t 10.96.0.3:80 -r 10.244.0.5:8080 -m -w 1
-a -t 10.96.0.3:80 -r 10.244.0.6:8080 -m -w 1
-A -t 198.51.100.7:30003 -s rr
-a -t 198.51.100.7:30003 -r 10.244.0.4:8080 -m -w 1
-a -t 198.51.100.7:30003 -r 10.244.0.5:8080 -m -w 1
-a -t 198.51.100.7:30003 -r 10.244.0.6:8080 -m -w 1
-A -t 198.51.100.8:30003 -s rr
-a -t 198.51.100.8:30003 -r 10.244.0.4:8080 -m -w 1
-a -t 198.51.100.8:30003 -r 10.244.0.5:8080 -m -w 1
-a -t 198.51.100.8:30003 -r 10.244.0.6:8080 -m -w 1
-A -t 10.96.0.6:80 -s rr
-A -t 198.51.100.7:30006 -s rr
-A -t 198.51.100.8:30006 -s rr
-A -t 203.0.113.50:8080 -s rr
-a -t 203.0.113.50:8080 -r 10.244.0.12:8080 -m -w 1
-A -t 203.0.113.51:8080 -s rr
-a -t 203.0.113.51:8080 -r 10.244.0.12:8080 -m -w 1
-A -t 203.0.113.9:80 -s rr
END

iptables-legacy-restore <<'END'
*nat
:KUBE-SERVICES - [0:0]
:KUBE-POSTROUTING - [0:0]
:KUBE-NODE-PORT - [0:0]
:KUBE-LOAD-BALANCER - [0:0]
:KUBE-MARK-MASQ - [0:0]
-A PREROUTING -m comment --comment "kubernetes service portals" -j KUBE-SERVICES
-A OUTPUT -m comment --comment "kubernetes service portals" -j KUBE-SERVICES
-A POSTROUTING -m comment --comment "kubernetes postrouting rules" -j KUBE-POSTROUTING
-A KUBE-SERVICES -s 127.0.0.0/8 -j RETURN
-A KUBE-SERVICES -m comment --comment "Kubernetes service cluster ip + port for masquerade purpose" -m set --match-set KUBE-CLUSTER-IP dst,dst ! -s 10.244.0.0/16 -j KUBE-MARK-MASQ
-A KUBE-SERVICES -m comment --comment "Kubernetes service external ip + port with externalTrafficPolicy=local" -m set --match-set KUBE-EXTERNAL-IP-LOCAL dst,dst -m addrtype --dst-type LOCAL -j ACCEPT
-A KUBE-SERVICES -m addrtype --dst-type LOCAL -j KUBE-NODE-PORT
-A KUBE-SERVICES -m set --match-set KUBE-CLUSTER-IP dst,dst -j ACCEPT
-A KUBE-LOAD-BALANCER -j KUBE-MARK-MASQ
-A KUBE-NODE-PORT -p tcp -m comment --comment "Kubernetes nodeport TCP port for masquerade purpose" -m set --match-set KUBE-NODE-PORT-TCP dst -j KUBE-MARK-MASQ
-A KUBE-POSTROUTING -m comment --comment "Kubernetes endpoints dst ip:port, source ip for solving hairpin purpose" -m set --match-set KUBE-LOOP-BACK dst,dst,src -j MASQUERADE
-A KUBE-POSTROUTING -m mark ! --mark 0x4000/0x4000 -j RETURN
-A KUBE-POSTROUTING -j MARK --xor-mark 0x4000
-A KUBE-POSTROUTING -m comment --comment "kubernetes service traffic requiring SNAT" -j MASQUERADE --random-fully
-A KUBE-MARK-MASQ -j MARK --or-mark 0x4000
COMMIT
*filter
:KUBE-FORWARD - [0:0]
:KUBE-NODE-PORT - [0:0]
:KUBE-PROXY-FIREWALL - [0:0]
:KUBE-SOURCE-RANGES-FIREWALL - [0:0]
:KUBE-IPVS-FILTER - [0:0]
:KUBE-IPVS-OUT-FILTER - [0:0]
-A INPUT -m comment --comment "kubernetes ipvs access filter" -j KUBE-IPVS-FILTER
-A INPUT -m comment --comment "kube-proxy firewall rules" -j KUBE-PROXY-FIREWALL
-A INPUT -m comment --comment "kubernetes health check rules" -j KUBE-NODE-PORT
-A FORWARD -m comment --comment "kubernetes forwarding rules" -j KUBE-FORWARD
-A FORWARD -m comment --comment "kube-proxy firewall rules" -j KUBE-PROXY-FIREWALL
-A OUTPUT -m comment --comment "kubernetes ipvs access filter" -j KUBE-IPVS-OUT-FILTER
-A KUBE-FORWARD -m comment --comment "kubernetes forwarding rules" -m mark --mark 0x4000/0x4000 -j ACCEPT
-A KUBE-FORWARD -m comment --comment "kubernetes forwarding conntrack rule" -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT
-A KUBE-NODE-PORT -m comment --comment "Kubernetes health check node port" -m set --match-set KUBE-HEALTH-CHECK-NODE-PORT dst -j ACCEPT
-A KUBE-SOURCE-RANGES-FIREWALL -j DROP
-A KUBE-IPVS-FILTER -m set --match-set KUBE-CLUSTER-IP dst,dst -j RETURN
-A KUBE-IPVS-FILTER -m set --match-set KUBE-EXTERNAL-IP-LOCAL dst,dst -j RETURN
-A KUBE-IPVS-FILTER -m set --match-set KUBE-HEALTH-CHECK-NODE-PORT dst -j RETURN
-A KUBE-IPVS-FILTER -m conntrack --ctstate NEW -m set --match-set KUBE-IPVS-IPS dst -j REJECT
COMMIT
END
