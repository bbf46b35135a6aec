//! Under which names the server answers. A page of another site can have its own name lead to this machine, and would
//! then read all that is answered here: browsers ask for it under that other name.

use std::net::IpAddr;

/// Names and addresses that requests may be for.
#[derive(Clone, Debug)]
pub struct Hosts {
    names: Vec<String>,
    /// What is listened on; the address of no host in particular is all of this machine's.
    address: IpAddr,
}

impl Hosts {
    /// Those of a server that listens on `address`, and these names beside.
    #[must_use]
    pub fn new(names: &[String], address: IpAddr) -> Self {
        Self { names: names.iter().map(|name| bare(name)).collect(), address }
    }

    /// Whether a request for `host`, with or without a port, is answered.
    #[must_use]
    pub fn allow(&self, host: &str) -> bool {
        let host = bare(host);
        if let Ok(address) = host.trim_start_matches('[').trim_end_matches(']').parse::<IpAddr>() {
            let address = address.to_canonical();
            // An address cannot be turned elsewhere as a name can.
            return address.is_loopback()
                || self.address.is_unspecified()
                || address == self.address.to_canonical()
                || self.names.contains(&host);
        }
        host == "localhost" || host.ends_with(".localhost") || self.names.contains(&host)
    }
}

/// A host in small letters, without port and without the dot of a full name.
fn bare(host: &str) -> String {
    let name = match host.rsplit_once(':') {
        Some((name, port)) if !port.contains(']') && !name.ends_with(':') && is_whole(name) => name,
        _ => host,
    };
    name.trim_end_matches('.').to_ascii_lowercase()
}

/// Whether a colon behind it begins a port: it is no part of an IPv6 address without brackets.
fn is_whole(name: &str) -> bool {
    name.ends_with(']') || !name.contains(':')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_its_own_names_are_answered() {
        let hosts = Hosts::new(&["Validator.example.org".into(), "mantis".into()], [10, 0, 0, 7].into());
        for own in [
            "localhost",
            "LOCALHOST:8123",
            "a.localhost:1",
            "127.0.0.1:8123",
            "127.1.2.3",
            "[::1]:8123",
            "[::1]",
            "::1",
            "10.0.0.7:80",
            "[::ffff:10.0.0.7]:80",
            "validator.example.org:443",
            "validator.example.org.",
            "mantis",
        ] {
            assert!(hosts.allow(own), "{own}");
        }
        for other in [
            "",
            "evil.example.org",
            "evil.example.org:8123",
            "localhost.evil.org",
            "127.0.0.1.evil.org",
            "notlocalhost",
            "validator.example.org.evil.org",
            "10.0.0.8",
            "192.168.1.1:8123",
            "[fe80::1]:8123",
            "mantis:80:80",
        ] {
            assert!(!hosts.allow(other), "{other}");
        }
        let everywhere = Hosts::new(&[], [0, 0, 0, 0].into());
        assert!(everywhere.allow("192.168.1.1:8123") && everywhere.allow("[fe80::1]:1"));
        assert!(!everywhere.allow("evil.example.org"));
    }
}
