//! Classification of public internet addresses. Pure.
//!
//! Sources: IANA's special-purpose registries (RFC 6890 and updates) and cloud metadata addresses.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// Whether an address is on the public internet. An IPv6 address that embeds an IPv4 address is judged by
/// the latter.
pub(super) fn is_public(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(v4) => is_public_v4(v4),
        IpAddr::V6(v6) => is_public_v6(v6),
    }
}

/// Non-public networks with prefix lengths: RFC 6890, and Azure's host at the end.
const NON_PUBLIC_V4: [(Ipv4Addr, u32); 17] = [
    (Ipv4Addr::new(0, 0, 0, 0), 8),          // this network
    (Ipv4Addr::new(10, 0, 0, 0), 8),         // private
    (Ipv4Addr::new(100, 64, 0, 0), 10),      // carrier-grade NAT; Alibaba's metadata
    (Ipv4Addr::new(127, 0, 0, 0), 8),        // loopback
    (Ipv4Addr::new(169, 254, 0, 0), 16),     // link-local; metadata of most clouds
    (Ipv4Addr::new(172, 16, 0, 0), 12),      // private
    (Ipv4Addr::new(192, 0, 0, 0), 24),       // protocol assignments; Oracle's metadata
    (Ipv4Addr::new(192, 0, 2, 0), 24),       // documentation
    (Ipv4Addr::new(192, 88, 99, 0), 24),     // 6to4 relays
    (Ipv4Addr::new(192, 168, 0, 0), 16),     // private
    (Ipv4Addr::new(198, 18, 0, 0), 15),      // benchmarks
    (Ipv4Addr::new(198, 51, 100, 0), 24),    // documentation
    (Ipv4Addr::new(203, 0, 113, 0), 24),     // documentation
    (Ipv4Addr::new(224, 0, 0, 0), 4),        // multicast
    (Ipv4Addr::new(240, 0, 0, 0), 4),        // reserved
    (Ipv4Addr::new(255, 255, 255, 255), 32), // broadcast
    (Ipv4Addr::new(168, 63, 129, 16), 32),   // Azure's host, on a public address
];

fn is_public_v4(address: Ipv4Addr) -> bool {
    let bits = address.to_bits();
    NON_PUBLIC_V4.iter().all(|(network, prefix)| (bits ^ network.to_bits()) >> (32 - prefix) != 0)
}

fn is_public_v6(address: Ipv6Addr) -> bool {
    if let Some(v4) = embedded_v4(address) {
        return is_public_v4(v4);
    }
    match address.segments() {
        // Protocol assignments including Teredo (2001::/23), documentation, 6to4.
        [0x2001, 0..=0x01ff | 0x0db8, ..] | [0x2002, ..] | [0x3fff, 0..=0x0fff, ..] => false,
        // ISATAP: the host part embeds an internal IPv4 address.
        [.., 0x0000 | 0x0200, 0x5efe, _, _] => false,
        // All public addresses are global unicast. This excludes ::/8 with loopback and IPv4-compatible,
        // 64:ff9b:1::/48, fc00::/7 with AWS's metadata, fe80::/10, fec0::/10, ff00::/8 and the discard prefix.
        [0x2000..=0x3fff, ..] => true,
        _ => false,
    }
}

/// The IPv4 address embedded in a mapped (`::ffff:0:0/96`) or NAT64 (`64:ff9b::/96`) address.
fn embedded_v4(address: Ipv6Addr) -> Option<Ipv4Addr> {
    match address.segments() {
        [0, 0, 0, 0, 0, 0xffff, high, low] | [0x64, 0xff9b, 0, 0, 0, 0, high, low] => {
            Some(Ipv4Addr::from_bits(u32::from(high) << 16 | u32::from(low)))
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::is_public;

    #[test]
    fn only_public_addresses_are_public() {
        let closed = "0.0.0.0 0.1.2.3 10.0.0.1 10.255.255.255 100.64.0.1 100.100.100.200 100.127.255.255 \
            127.0.0.1 127.255.255.254 168.63.129.16 169.254.0.1 169.254.169.254 172.16.0.1 172.31.255.255 \
            192.0.0.1 192.0.0.192 192.0.2.1 192.88.99.1 192.168.0.1 198.18.0.1 198.19.255.255 198.51.100.7 \
            203.0.113.9 224.0.0.1 239.255.255.255 240.0.0.1 255.255.255.255 :: ::1 ::127.0.0.1 ::8.8.8.8 \
            ::ffff:127.0.0.1 ::ffff:10.0.0.1 ::ffff:169.254.169.254 ::ffff:0:127.0.0.1 64:ff9b::7f00:1 \
            64:ff9b::a9fe:a9fe 64:ff9b:1::1 64:ff9b:1::808:808 100::1 2001::1 2001:0:4136:e378::1 2001:2::1 \
            2001:10::1 2001:20::1 2001:db8::1 2002:7f00:1:: 2002:808:808::1 3fff::1 5f00::1 fc00::1 \
            fd00:ec2::254 fdff::1 fe80::1 fe80::5efe:c0a8:1 2a00:1450::5efe:10.0.0.1 2a00:1450::200:5efe:a00:1 \
            fec0::1 ff02::1 4000::1";
        let open = "1.1.1.1 8.8.8.8 93.184.216.34 100.63.255.255 100.128.0.1 172.15.0.1 172.32.0.1 192.0.1.1 \
            192.167.1.1 198.17.0.1 198.20.0.1 223.255.255.255 168.63.129.17 2606:4700::1111 2a00:1450:4001::200e \
            2001:4860:4860::8888 2001:200::1 ::ffff:8.8.8.8 64:ff9b::808:808";
        let judge = |list: &str, wanted: bool| -> Vec<String> {
            list.split_whitespace()
                .filter(|a| is_public(a.parse().unwrap()) != wanted)
                .map(str::to_owned)
                .collect()
        };
        assert_eq!((judge(closed, false), judge(open, true)), (vec![], vec![]));
    }
}
