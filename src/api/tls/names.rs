//! The alternative names of a certificate, as far down its DER form as they stand (RFC 5280, 4.2.1.6).

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

const SEQUENCE: u8 = 0x30;
const OBJECT_ID: u8 = 0x06;
const OCTETS: u8 = 0x04;
const EXTENSIONS: u8 = 0xa3;
const EMAIL: u8 = 0x81;
const DNS: u8 = 0x82;
const URI: u8 = 0x86;
const IP: u8 = 0x87;

/// The object identifier 2.5.29.17, `subjectAltName`.
const ALTERNATIVE_NAME: [u8; 3] = [0x55, 0x1d, 0x11];

/// DNS names, e-mail addresses, IP addresses and URIs, each as text; none where the certificate cannot be read.
pub(super) fn alternative_names(certificate: &[u8]) -> Vec<String> {
    extension(certificate).map_or_else(Vec::new, |names| {
        Elements(names)
            .filter_map(|(kind, value)| name(kind, value))
            .collect()
    })
}

/// What stands within the extension.
fn extension(certificate: &[u8]) -> Option<&[u8]> {
    let signed = first(first(certificate, SEQUENCE)?, SEQUENCE)?;
    let (_, extensions) = Elements(signed).find(|(kind, _)| *kind == EXTENSIONS)?;
    Elements(first(extensions, SEQUENCE)?).find_map(|(_, extension)| {
        if first(extension, OBJECT_ID)? != ALTERNATIVE_NAME {
            return None;
        }
        // between the two there may be whether it is critical
        let (_, value) = Elements(extension).find(|(kind, _)| *kind == OCTETS)?;
        first(value, SEQUENCE)
    })
}

fn name(kind: u8, value: &[u8]) -> Option<String> {
    match kind {
        EMAIL | DNS | URI => std::str::from_utf8(value).ok().map(str::to_owned),
        IP => {
            let four = <[u8; 4]>::try_from(value).map(|bytes| IpAddr::from(Ipv4Addr::from(bytes)));
            let sixteen = <[u8; 16]>::try_from(value).map(|bytes| IpAddr::from(Ipv6Addr::from(bytes)));
            four.or(sixteen).ok().map(|ip| ip.to_canonical().to_string())
        }
        _ => None,
    }
}

/// The content of the first element, which has to be of this kind.
fn first(bytes: &[u8], kind: u8) -> Option<&[u8]> {
    Elements(bytes)
        .next()
        .filter(|(found, _)| *found == kind)
        .map(|(_, content)| content)
}

/// Elements one behind the other, each a kind and its content; ends at the first that is cut or malformed.
struct Elements<'a>(&'a [u8]);

impl<'a> Iterator for Elements<'a> {
    type Item = (u8, &'a [u8]);

    fn next(&mut self) -> Option<Self::Item> {
        let (kind, rest) = self.0.split_first()?;
        let (length, rest) = length(rest)?;
        let (content, rest) = rest.split_at_checked(length)?;
        self.0 = rest;
        Some((*kind, content))
    }
}

fn length(bytes: &[u8]) -> Option<(usize, &[u8])> {
    let (first, rest) = bytes.split_first()?;
    if *first < 0x80 {
        return Some((usize::from(*first), rest));
    }
    let (digits, rest) = rest.split_at_checked(usize::from(first & 0x7f))?;
    if digits.is_empty() || digits.len() > 3 {
        return None;
    }
    let length = digits
        .iter()
        .fold(0, |length, digit| length << 8 | usize::from(*digit));
    Some((length, rest))
}

#[cfg(test)]
mod tests {
    use rcgen::{CertificateParams, KeyPair, SanType};

    use super::*;

    fn certificate(names: Vec<SanType>) -> Vec<u8> {
        let mut params = CertificateParams::new(Vec::new()).unwrap();
        params.subject_alt_names = names;
        let key = KeyPair::generate().unwrap();
        params.self_signed(&key).unwrap().der().to_vec()
    }

    #[test]
    fn every_kind_of_name_is_found() {
        let certificate = certificate(vec![
            SanType::DnsName("*.flink.example".try_into().unwrap()),
            SanType::Rfc822Name("ops@flink.example".try_into().unwrap()),
            SanType::URI("spiffe://flink/tm".try_into().unwrap()),
            SanType::IpAddress([10, 0, 0, 5].into()),
            SanType::IpAddress("2001:db8::1".parse().unwrap()),
        ]);

        let names = alternative_names(&certificate);

        assert_eq!(
            names,
            [
                "*.flink.example",
                "ops@flink.example",
                "spiffe://flink/tm",
                "10.0.0.5",
                "2001:db8::1"
            ]
        );
    }

    #[test]
    fn a_certificate_without_names_has_none() {
        assert_eq!(alternative_names(&certificate(Vec::new())), Vec::<String>::new());
    }

    #[test]
    fn a_certificate_cut_anywhere_is_read_without_harm() {
        let whole = certificate(vec![SanType::DnsName("a.example".try_into().unwrap())]);

        for end in 0..whole.len() {
            assert_eq!(alternative_names(&whole[..end]), Vec::<String>::new(), "{end}");
        }
    }
}
