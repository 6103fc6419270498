//! By which proxy a URL is reached, if by any: `proxy_url`, `no_proxy` and the environment, as Go's client reads them.

use std::net::IpAddr;

use reqwest::{Proxy, Url};

use super::config::ProxyConfig;
use super::error::ForwardError;
use super::headers::connect_headers;

/// The proxies of a client: one to be asked for `http://` URLs, one for tunnels to `https://` hosts. Only a tunnel gets
/// the headers of `proxy_connect_header`; with a plain request they would travel on to the remote.
///
/// # Errors
/// When an address of a proxy is no URL, or a header can be none.
pub(super) fn proxies(config: &ProxyConfig) -> Result<Vec<Proxy>, ForwardError> {
    let exempt = config.no_proxy.as_deref().map(Exempt::read);
    let mut proxies = Vec::new();
    if let Some(proxy) = &config.http {
        proxies.push(for_scheme("http", proxy, exempt.clone())?);
    }
    if let Some(proxy) = &config.https {
        let headers = connect_headers(&config.connect_headers)?;
        proxies.push(for_scheme("https", proxy, exempt)?.headers(headers));
    }
    Ok(proxies)
}

fn for_scheme(scheme: &'static str, proxy: &str, exempt: Option<Exempt>) -> Result<Proxy, ForwardError> {
    let proxy = Url::parse(proxy).map_err(|_| ForwardError::Proxy)?;
    if !matches!(proxy.scheme(), "http" | "https") || !proxy.has_host() {
        return Err(ForwardError::Proxy);
    }
    Ok(Proxy::custom(move |url| {
        let direct = exempt.as_ref().is_some_and(|exempt| exempt.has(url));
        (url.scheme() == scheme && !direct).then(|| proxy.clone())
    }))
}

/// The hosts of `no_proxy`.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Exempt(Vec<Entry>);

#[derive(Clone, Debug, PartialEq, Eq)]
enum Entry {
    /// `*`
    Everything,
    /// `10.0.0.0/8`
    Network { address: IpAddr, bits: u8 },
    /// `10.0.0.1`, `[::1]:80`
    Address { address: IpAddr, port: Option<u16> },
    /// `example.com`, and what is below it; `.example.com` and `*.example.com`: only what is below it.
    Domain {
        suffix: String,
        itself: bool,
        port: Option<u16>,
    },
}

impl Exempt {
    /// Reads a list parted by commas; what is no host is passed over, as Go does.
    fn read(list: &str) -> Self {
        let entries = list.split(',').map(str::trim).filter(|entry| !entry.is_empty());
        Self(entries.filter_map(Entry::read).collect())
    }

    /// Whether `url` is reached without a proxy; this machine always is.
    fn has(&self, url: &Url) -> bool {
        let host = url.host_str().unwrap_or_default();
        let host = host
            .trim_start_matches('[')
            .trim_end_matches(']')
            .to_ascii_lowercase();
        let address: Option<IpAddr> = host.parse().ok();
        let this_machine = host == "localhost" || address.is_some_and(|address| address.is_loopback());
        let port = url.port_or_known_default();
        this_machine || self.0.iter().any(|entry| entry.matches(&host, address, port))
    }
}

impl Entry {
    fn read(text: &str) -> Option<Self> {
        if text == "*" {
            return Some(Self::Everything);
        }
        if let Some((network, bits)) = text.split_once('/') {
            let (address, bits) = (network.parse::<IpAddr>().ok()?, bits.parse().ok()?);
            let most = if address.is_ipv4() { 32 } else { 128 };
            return (bits <= most).then_some(Self::Network { address, bits });
        }
        if let Ok(address) = text.parse() {
            return Some(Self::Address { address, port: None });
        }
        let (host, port) = match text.rsplit_once(':') {
            Some((host, port)) => (host, Some(port.parse().ok()?)),
            None => (text, None),
        };
        let bare = host.trim_start_matches('[').trim_end_matches(']');
        if let Ok(address) = bare.parse() {
            return Some(Self::Address { address, port });
        }
        let host = host.to_ascii_lowercase();
        let below = host.strip_prefix('*').filter(|rest| rest.starts_with('.'));
        let suffix = below.unwrap_or(&host);
        let itself = !suffix.starts_with('.');
        let suffix = suffix.trim_start_matches('.').to_owned();
        (!suffix.is_empty()).then_some(Self::Domain { suffix, itself, port })
    }

    fn matches(&self, host: &str, address: Option<IpAddr>, port: Option<u16>) -> bool {
        let is_at = |wanted: &Option<u16>| wanted.is_none() || *wanted == port;
        match self {
            Self::Everything => true,
            Self::Network {
                address: network,
                bits,
            } => address.is_some_and(|address| same_network(address, *network, *bits)),
            Self::Address { address: known, port } => address == Some(*known) && is_at(port),
            Self::Domain { suffix, itself, port } => {
                let below = host
                    .strip_suffix(suffix.as_str())
                    .is_some_and(|before| before.ends_with('.'));
                address.is_none() && (below || (*itself && host == suffix)) && is_at(port)
            }
        }
    }
}

fn same_network(address: IpAddr, network: IpAddr, bits: u8) -> bool {
    let differ = match (address, network) {
        (IpAddr::V4(address), IpAddr::V4(network)) => (address.to_bits() ^ network.to_bits()).leading_zeros(),
        (IpAddr::V6(address), IpAddr::V6(network)) => (address.to_bits() ^ network.to_bits()).leading_zeros(),
        _ => return false,
    };
    differ >= u32::from(bits)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn is_exempt(list: &str, url: &str) -> bool {
        Exempt::read(list).has(&Url::parse(url).unwrap())
    }

    #[track_caller]
    fn direct(list: &str, url: &str) {
        assert!(is_exempt(list, url), "{list:?} and {url}");
    }

    #[track_caller]
    fn by_proxy(list: &str, url: &str) {
        assert!(!is_exempt(list, url), "{list:?} and {url}");
    }

    #[test]
    fn a_name_exempts_itself_and_what_is_below_it() {
        direct("example.com", "http://example.com/w");
        direct("Example.COM", "https://a.b.example.com/w");
        by_proxy("example.com", "http://notexample.com/w");
        direct(" other , example.com ,", "http://example.com/w");
        by_proxy("", "http://example.com/w");
    }

    #[test]
    fn a_name_behind_a_dot_exempts_only_what_is_below_it() {
        direct(".example.com", "http://a.example.com/w");
        by_proxy(".example.com", "http://example.com/w");
        direct("*.example.com", "http://a.example.com/w");
        by_proxy("*.example.com", "http://example.com/w");
    }

    #[test]
    fn a_port_narrows_an_entry() {
        direct("example.com:443", "https://example.com/w");
        by_proxy("example.com:443", "http://example.com/w");
        direct("10.0.0.1:9090", "http://10.0.0.1:9090/w");
        by_proxy("10.0.0.1:9090", "http://10.0.0.1/w");
        direct("[fd00::1]:80", "http://[fd00::1]/w");
        by_proxy("example.com:http", "http://example.com/w");
    }

    #[test]
    fn a_network_exempts_the_addresses_in_it() {
        direct("10.0.0.0/8", "http://10.200.3.4/w");
        by_proxy("10.0.0.0/8", "http://11.0.0.1/w");
        direct("fd00::/16", "http://[fd00:1::2]/w");
        direct("0.0.0.0/0", "http://8.8.8.8/w");
        by_proxy("0.0.0.0/0", "http://name/w");
        by_proxy("10.0.0.0/99", "http://10.0.0.1/w");
        direct("fd00::2", "http://[fd00::2]:90/w");
    }

    #[test]
    fn a_star_exempts_everything() {
        direct("a,*", "https://anything.example/w");
        direct("*", "http://10.0.0.1/w");
    }

    #[test]
    fn this_machine_needs_no_proxy_wherever_there_is_a_list() {
        direct("", "http://localhost:9090/w");
        direct("x", "http://127.0.0.2/w");
        direct("x", "http://[::1]:90/w");
    }
}
