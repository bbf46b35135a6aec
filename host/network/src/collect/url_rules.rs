//! Which URLs a miner may commit.

use crate::http::is_public;
use mantis_config as config;
use reqwest::Url;
use std::net::IpAddr;
use thiserror::Error;

/// What a miner's URL is judged by.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UrlRules {
    /// Hosts: one that begins with a dot allows every host that ends with it, any other only the host of that name.
    pub hosts: Vec<String>,
    /// Whether plain http to loopback is allowed, on any port and beside `hosts`.
    pub allow_loopback: bool,
}

impl From<&config::Collect> for UrlRules {
    fn from(collect: &config::Collect) -> Self {
        Self { hosts: collect.hosts.clone(), allow_loopback: collect.allow_loopback }
    }
}

/// Bytes that a commitment may have: what the chain's largest field holds.
const LONGEST: usize = 512;

/// Why a miner's URL is not followed.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum UrlRejection {
    /// Not a URL.
    #[error("the commitment is not a URL ({reason}); commit https://HOST/{hotkey}")]
    NotUrl {
        /// What is wrong with it.
        reason: String,
        /// The miner's hotkey.
        hotkey: String,
    },
    /// Longer than the chain's commitments are.
    #[error(
        "the commitment has {bytes} bytes, or more; at most {LONGEST} are read: commit https://HOST/{hotkey}"
    )]
    TooLong {
        /// Bytes found.
        bytes: usize,
        /// The miner's hotkey.
        hotkey: String,
    },
    /// Another scheme than https.
    #[error("the URL's scheme is {scheme}; commit one that begins with https://")]
    Scheme {
        /// The scheme found.
        scheme: String,
    },
    /// A user name or password.
    #[error("the URL holds a user name or password; commit it without")]
    UserInfo,
    /// A host that is not allowed.
    #[error("the URL's host {host} is not allowed; allowed: {allowed}")]
    Host {
        /// The host found.
        host: String,
        /// The hosts allowed; a leading dot allows all that end so.
        allowed: String,
    },
    /// An address of this machine, a private network or a reserved range.
    #[error(
        "the URL's host {address} is not an address of the public internet; serve the file from a public host"
    )]
    PrivateAddress {
        /// The address found.
        address: IpAddr,
    },
    /// Another port than 443.
    #[error("the URL names port {port}; commit it without a port")]
    Port {
        /// The port found.
        port: u16,
    },
    /// A question mark.
    #[error("the URL holds a query (?...); commit it without")]
    Query,
    /// A number sign.
    #[error("the URL holds a fragment (#...); commit it without")]
    Fragment,
    /// The right path, and a slash.
    #[error("the URL ends with a slash; commit it without")]
    TrailingSlash,
    /// Another path than the hotkey.
    #[error("the URL's path is {found}; it must be /{hotkey}")]
    Path {
        /// The path found, cut to 100 characters.
        found: String,
        /// The miner's hotkey.
        hotkey: String,
    },
}

impl UrlRejection {
    /// A word for counting and for programs; it does not change.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::NotUrl { .. } => "url_invalid",
            Self::TooLong { .. } => "url_too_long",
            Self::Scheme { .. } => "url_scheme",
            Self::UserInfo => "url_user_info",
            Self::Host { .. } => "url_host",
            Self::PrivateAddress { .. } => "url_private_address",
            Self::Port { .. } => "url_port",
            Self::Query => "url_query",
            Self::Fragment => "url_fragment",
            Self::TrailingSlash => "url_trailing_slash",
            Self::Path { .. } => "url_path",
        }
    }
}

/// Judges the URL that `hotkey` has committed. Blanks around it do not matter.
///
/// The path is judged as it is written, not as a reader of URLs would tidy it up: `/a/../HOTKEY` is another path.
///
/// # Errors
/// The first rule that the URL breaks.
pub fn check_url(url: &str, hotkey: &str, rules: &UrlRules) -> Result<Url, UrlRejection> {
    let hotkey_of = || hotkey.to_owned();
    if url.len() > LONGEST {
        return Err(UrlRejection::TooLong { bytes: url.len(), hotkey: hotkey_of() });
    }
    let url = url.trim();
    let parsed = Url::parse(url)
        .map_err(|error| UrlRejection::NotUrl { reason: error.to_string(), hotkey: hotkey_of() })?;
    let Some(host) = parsed.host_str().filter(|host| !host.is_empty()) else {
        return Err(UrlRejection::NotUrl { reason: "it names no host".into(), hotkey: hotkey_of() });
    };
    let loopback = rules.allow_loopback && is_loopback(host);
    if parsed.scheme() != "https" && !(loopback && parsed.scheme() == "http") {
        return Err(UrlRejection::Scheme { scheme: parsed.scheme().into() });
    }
    if !parsed.username().is_empty() || parsed.password().is_some() {
        return Err(UrlRejection::UserInfo);
    }
    if !loopback {
        check_host(host, rules)?;
        if let Some(port) = parsed.port() {
            return Err(UrlRejection::Port { port });
        }
    }
    if parsed.query().is_some() {
        return Err(UrlRejection::Query);
    }
    if parsed.fragment().is_some() {
        return Err(UrlRejection::Fragment);
    }
    check_path(path_of(url), hotkey)?;
    Ok(parsed)
}

fn check_host(host: &str, rules: &UrlRules) -> Result<(), UrlRejection> {
    let fits = |rule: &String| match rule.strip_prefix('.') {
        // At least one letter before the dot.
        Some(_) => host.len() > rule.len() && host.ends_with(rule.as_str()),
        None => host == rule,
    };
    if !rules.hosts.iter().any(fits) {
        return Err(UrlRejection::Host { host: host.into(), allowed: rules.hosts.join(", ") });
    }
    match address_of(host) {
        Some(address) if !is_public(address) => Err(UrlRejection::PrivateAddress { address }),
        _ => Ok(()),
    }
}

fn check_path(path: &str, hotkey: &str) -> Result<(), UrlRejection> {
    let is_hotkey = |path: &str| path.strip_prefix('/').is_some_and(|name| name.eq_ignore_ascii_case(hotkey));
    if is_hotkey(path) {
        return Ok(());
    }
    if path.strip_suffix('/').is_some_and(is_hotkey) {
        return Err(UrlRejection::TrailingSlash);
    }
    let found = if path.is_empty() { "empty".into() } else { path.chars().take(100).collect() };
    Err(UrlRejection::Path { found, hotkey: hotkey.into() })
}

/// The path as it is written: what follows the host.
fn path_of(url: &str) -> &str {
    let rest = url.split_once(':').map_or(url, |(_, rest)| rest);
    let authority = rest.strip_prefix("//").unwrap_or(rest);
    authority.find(['/', '\\']).map_or("", |at| &authority[at..])
}

fn is_loopback(host: &str) -> bool {
    host == "localhost" || address_of(host).is_some_and(|address| address.is_loopback())
}

/// The address that a host is, where it is no name.
fn address_of(host: &str) -> Option<IpAddr> {
    host.trim_start_matches('[').trim_end_matches(']').parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const HOTKEY: &str = "5GrwvaEF5zXb26Fz9rcQpDWS57CtERHpNehXCPcNoHGKutQY";

    fn rules(allow_loopback: bool) -> UrlRules {
        let hosts = [".r2.dev", ".r2.cloudflarestorage.com", "10.0.0.1", "1.1.1.1"].map(String::from).into();
        UrlRules { hosts, allow_loopback }
    }

    fn code(url: &str, allow_loopback: bool) -> &'static str {
        let url = url.replace("HK", HOTKEY);
        match check_url(&url, HOTKEY, &rules(allow_loopback)) {
            Ok(_) => "ok",
            Err(fault) => fault.code(),
        }
    }

    #[test]
    fn a_file_named_after_the_hotkey_on_an_allowed_host_is_followed() {
        let good = [
            "https://pub-1.r2.dev/HK",
            "https://a.b.r2.cloudflarestorage.com/HK",
            "HTTPS://Pub-1.R2.Dev/HK",
            "https://pub-1.r2.dev:443/HK",
            "  https://pub-1.r2.dev/HK\n",
            "https://1.1.1.1/HK",
        ];
        for url in good {
            assert_eq!(code(url, false), "ok", "{url}");
        }
        let lower = format!("https://x.r2.dev/{}", HOTKEY.to_lowercase());
        assert_eq!(code(&lower, false), "ok");
    }

    #[test]
    fn each_broken_rule_has_its_own_code() {
        let bad = [
            ("", "url_invalid"),
            ("pub-1.r2.dev/HK", "url_invalid"),
            ("https://", "url_invalid"),
            ("https:///", "url_invalid"),
            ("https://a b.r2.dev/HK", "url_invalid"),
            ("data:text/plain,HK", "url_invalid"),
            ("http://pub-1.r2.dev/HK", "url_scheme"),
            ("ftp://pub-1.r2.dev/HK", "url_scheme"),
            ("file:///etc/passwd", "url_invalid"),
            ("https://me@pub-1.r2.dev/HK", "url_user_info"),
            ("https://:pw@pub-1.r2.dev/HK", "url_user_info"),
            ("https://pub-1.r2.dev@evil.com/HK", "url_user_info"),
            ("https://r2.dev/HK", "url_host"),
            ("https://evil-r2.dev/HK", "url_host"),
            ("https://pub-1.r2.dev.evil.com/HK", "url_host"),
            ("https://pub-1.r2.dev./HK", "url_host"),
            ("https://evil.com\\.r2.dev/HK", "url_host"),
            ("https://127.0.0.1/HK", "url_host"),
            ("https://[::1]/HK", "url_host"),
            ("https://2130706433/HK", "url_host"),
            ("https://10.0.0.1/HK", "url_private_address"),
            ("https://167772161/HK", "url_private_address"),
            ("https://pub-1.r2.dev:8443/HK", "url_port"),
            ("https://pub-1.r2.dev/HK?", "url_query"),
            ("https://pub-1.r2.dev/HK?a=1", "url_query"),
            ("https://pub-1.r2.dev/HK#a", "url_fragment"),
            ("https://pub-1.r2.dev/HK/", "url_trailing_slash"),
            ("https://pub-1.r2.dev", "url_path"),
            ("https://pub-1.r2.dev/", "url_path"),
            ("https://pub-1.r2.dev//HK", "url_path"),
            ("https://pub-1.r2.dev/HK//", "url_path"),
            ("https://pub-1.r2.dev/a/HK", "url_path"),
            ("https://pub-1.r2.dev/a/../HK", "url_path"),
            ("https://pub-1.r2.dev/./HK", "url_path"),
            ("https://pub-1.r2.dev/HK.json", "url_path"),
            ("https://pub-1.r2.dev/%35GrwvaEF5zXb26Fz9rcQpDWS57CtERHpNehXCPcNoHGKutQY", "url_path"),
            ("https://pub-1.r2.dev\\HK", "url_path"),
            ("https://pub-1.r2.dev/5F3sa2TJAWMqDhXG6jhV4N8ko9SxwGy8TpaNS1repo5EYjQX", "url_path"),
        ];
        for (url, expected) in bad {
            assert_eq!(code(url, false), expected, "{url}");
        }
    }

    #[test]
    fn no_more_than_the_chain_holds_is_read() {
        let url = format!("https://{}.r2.dev/{HOTKEY}", "a".repeat(LONGEST));
        assert_eq!(code(&url, false), "url_too_long");
        let blanks = format!("https://a.r2.dev/{HOTKEY}{}", " ".repeat(LONGEST));
        assert_eq!(code(&blanks, false), "url_too_long");
    }

    #[test]
    fn loopback_is_followed_only_where_allowed() {
        for url in
            ["http://127.0.0.1:8080/HK", "http://localhost/HK", "http://[::1]:1/HK", "https://127.0.0.1/HK"]
        {
            assert_eq!(code(url, true), "ok", "{url}");
            assert_ne!(code(url, false), "ok", "{url}");
        }
        for (url, expected) in [
            ("http://127.0.0.1:8080/HK/", "url_trailing_slash"),
            ("http://pub-1.r2.dev/HK", "url_scheme"),
            ("http://10.0.0.1/HK", "url_scheme"),
            ("https://10.0.0.1/HK", "url_private_address"),
        ] {
            assert_eq!(code(url, true), expected, "{url}");
        }
    }

    #[test]
    fn a_miner_is_told_what_to_do() {
        let fault = check_url("https://x.r2.dev/data.json", HOTKEY, &rules(false)).unwrap_err();
        assert_eq!(fault.to_string(), format!("the URL's path is /data.json; it must be /{HOTKEY}"));
        let fault = check_url("https://evil.com/a", HOTKEY, &rules(false)).unwrap_err();
        assert!(fault.to_string().contains("evil.com is not allowed; allowed: .r2.dev, "), "{fault}");
    }

    proptest! {
        /// For any commitment, what is followed is https to an allowed host, for this hotkey's path.
        #[test]
        fn nothing_else_passes(
            scheme in "(https|http|HTTPS|ftp)", at in "(|a@|a:b@)", host in "[a-z.]{0,6}(\\.r2\\.dev|r2\\.dev|\\.r2\\.devx|\\.R2\\.dev)",
            port in "(|:443|:80|:)", path in "[/a.%\\\\]{0,3}", end in "(|/|\\?|#|\\?a)",
        ) {
            let url = format!("{scheme}://{at}{host}{port}/{path}{HOTKEY}{end}");
            if let Ok(url) = check_url(&url, HOTKEY, &rules(false)) {
                prop_assert_eq!(url.scheme(), "https");
                prop_assert!(url.host_str().unwrap().ends_with(".r2.dev"));
                prop_assert_eq!(url.path(), format!("/{HOTKEY}"));
                prop_assert_eq!(url.as_str(), format!("https://{}/{HOTKEY}", url.host_str().unwrap()));
            }
        }

        #[test]
        fn any_text_is_judged(text in "\\PC{0,80}") {
            prop_assert!(check_url(&text, HOTKEY, &rules(true)).is_err());
        }
    }
}
