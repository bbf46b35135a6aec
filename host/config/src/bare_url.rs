//! URLs as they may be shown: what may be a secret is left out.

/// A URL for logs, pages, answers and messages: without user and password, and without what follows `?` or `#`. Every
/// place that shows one takes it from here.
#[must_use]
pub fn bare_url(url: &str) -> String {
    let (node, path) = split(url);
    format!("{node}{path}")
}

/// The URL of a chain's node for logs, pages, answers and messages: as [`bare_url`], and without a path, in which some
/// providers put their customer's key.
#[must_use]
pub fn bare_node(url: &str) -> String {
    split(url).0
}

/// Scheme and host; path.
fn split(url: &str) -> (String, &str) {
    let url = url.split(['?', '#']).next().unwrap_or_default();
    let (scheme, rest) = url.find("://").map_or(("", url), |at| url.split_at(at + 3));
    let (authority, path) = rest.find(['/', '\\']).map_or((rest, ""), |at| rest.split_at(at));
    let host = authority.rsplit('@').next().unwrap_or_default();
    // What follows a colon and is no port may be half of a password that was not written as URLs want it.
    let is_port = |port: &str| port.bytes().all(|b| b.is_ascii_digit());
    let host = match host.rsplit_once(':') {
        Some((name, port)) if !host.ends_with(']') && !is_port(port) => name,
        _ => host,
    };
    (format!("{scheme}{host}"), path)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_secret_of_a_url_is_shown() {
        for (url, bare) in [
            ("https://a:b@x.org/y?key=1#z", "https://x.org/y"),
            ("https://x.org", "https://x.org"),
            ("http://x.org:1/a@b", "http://x.org:1/a@b"),
            ("http://u@[::1]:80/p", "http://[::1]:80/p"),
            ("http://[::1]", "http://[::1]"),
            ("http://me:se?cret@x.org/", "http://me"),
            ("me:secret@x.org/y?key=1", "x.org/y"),
            ("x", "x"),
            ("", ""),
        ] {
            assert_eq!(bare_url(url), bare, "{url}");
        }
        assert_eq!(bare_node("wss://a:b@x.org:443/key?k=1"), "wss://x.org:443");
        assert_eq!(bare_node("finney"), "finney");
    }
}
