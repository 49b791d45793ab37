//! The base URL of a server, and what its links may lead to.

use url::{Origin, Url};

use crate::source::SourceError;

/// A server, by its base URL.
#[derive(Debug, Clone)]
pub(crate) struct Address {
    /// Ends with a slash, has no query.
    base: Url,
    /// Of every search for documents.
    pub parameters: Vec<(String, String)>,
    allowed: Vec<Origin>,
}

impl Address {
    /// Takes a `fhir+http(s)://` URI apart.
    pub fn parse(uri: &str, allowed_origins: &[String]) -> Result<Self, SourceError> {
        // Neither a password nor a search parameter belongs into an error.
        let shown = uri.split(['?', '#']).next().unwrap_or(uri);
        let shown = match (shown.find("://"), shown.rfind('@')) {
            (Some(scheme), Some(at)) => format!("{}{}", &shown[..scheme + 3], &shown[at + 1..]),
            _ => shown.to_owned(),
        };
        let bad = |message: &str| SourceError::Setting { place: shown.clone(), message: message.to_owned() };
        let mut base = uri
            .strip_prefix("fhir+")
            .and_then(|url| Url::parse(url).ok())
            .ok_or_else(|| bad("not a URL; write fhir+https://host/base of a FHIR server"))?;
        if !matches!(base.scheme(), "http" | "https") || base.host_str().is_none() {
            return Err(bad("not the address of a FHIR server; write fhir+https://host/base"));
        }
        if !base.username().is_empty() || base.password().is_some() {
            return Err(bad("credentials do not belong into the address; use user and password_file of [fhir]"));
        }
        let parameters = base.query_pairs().map(|(name, value)| (name.into_owned(), value.into_owned())).collect::<Vec<_>>();
        if let Some((name, _)) =
            parameters.iter().find(|(name, _)| matches!(name.as_str(), "_sort" | "_count" | "_lastUpdated" | "_format"))
        {
            return Err(bad(&format!("{name} is set by this source itself; leave it out of the address")));
        }
        base.set_query(None);
        base.set_fragment(None);
        if !base.path().ends_with('/') {
            let path = format!("{}/", base.path());
            base.set_path(&path);
        }
        let mut allowed = vec![base.origin()];
        for text in allowed_origins {
            let origin = Url::parse(text).ok().map(|url| url.origin()).filter(Origin::is_tuple);
            allowed.push(origin.ok_or_else(|| bad("an entry of allowed_origins is not like https://host:port"))?);
        }
        Ok(Address { base, parameters, allowed })
    }

    /// What the source is called: search parameters may name a patient, and the
    /// name is in every row.
    pub fn name(&self) -> String {
        let base = self.base.as_str().trim_end_matches('/');
        if self.parameters.is_empty() {
            return format!("fhir+{base}");
        }
        let text = self.parameters.iter().map(|(name, value)| format!("{name}={value}\n")).collect::<String>();
        format!("fhir+{base}#{:08x}", super::state::fingerprint(&[&text]) >> 32)
    }

    /// For messages.
    pub fn shown(&self) -> &str {
        self.base.as_str().trim_end_matches('/')
    }

    pub fn base(&self) -> &Url {
        &self.base
    }

    /// `base/segment/segment`, each escaped.
    pub fn path(&self, segments: &[&str]) -> Url {
        let mut url = self.base.clone();
        if let Ok(mut path) = url.path_segments_mut() {
            path.pop_if_empty().extend(segments);
        }
        url
    }

    /// `base/path?parameters`.
    pub fn query<'p>(&self, segments: &[&str], parameters: impl IntoIterator<Item = (&'p str, &'p str)>) -> Url {
        let mut url = self.path(segments);
        {
            let mut pairs = url.query_pairs_mut();
            for (name, value) in parameters {
                pairs.append_pair(name, value);
            }
        }
        if url.query() == Some("") {
            url.set_query(None);
        }
        url
    }

    /// Where a link leads: whole URLs as they are, `?…` from the request, others from the base.
    pub fn resolve(&self, link: &str, request: &Url) -> Option<Url> {
        let link = link.trim();
        if link.starts_with('?') { request.join(link).ok() } else { self.base.join(link).ok() }
    }

    pub fn permits(&self, url: &Url) -> bool {
        matches!(url.scheme(), "http" | "https") && self.allowed.contains(&url.origin())
    }

    pub fn origins(&self) -> &[Origin] {
        &self.allowed
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn address(uri: &str) -> Result<Address, SourceError> {
        Address::parse(uri, &["https://files.example.org".into()])
    }

    #[test]
    fn addresses_are_taken_apart() -> Result<(), SourceError> {
        let found = address("fhir+https://fhir.example.org/r4?type=11488-4&patient=p%201")?;
        assert_eq!(found.shown(), "https://fhir.example.org/r4");
        assert_eq!(found.parameters, [("type".into(), "11488-4".into()), ("patient".into(), "p 1".into())]);
        assert!(found.name().starts_with("fhir+https://fhir.example.org/r4#") && !found.name().contains("patient"), "{}", found.name());
        assert_eq!(address("fhir+https://fhir.example.org/r4/")?.name(), "fhir+https://fhir.example.org/r4");
        assert_eq!(found.path(&["Binary", "a/b"]).as_str(), "https://fhir.example.org/r4/Binary/a%2Fb");
        assert_eq!(found.query(&["Patient"], [("identifier", "a|b")]).as_str(), "https://fhir.example.org/r4/Patient?identifier=a%7Cb");
        Ok(())
    }

    #[test]
    fn links_lead_where_they_should() -> Result<(), Box<dyn std::error::Error>> {
        let server = address("fhir+https://h/fhir")?;
        let request = Url::parse("https://h/fhir/Patient?a=1")?;
        let to = |link: &str| server.resolve(link, &request).map(|u| u.to_string()).unwrap_or_default();
        assert_eq!(to("?page=2"), "https://h/fhir/Patient?page=2");
        assert_eq!(to("Patient?page=2"), "https://h/fhir/Patient?page=2");
        assert_eq!(to("/fhir/Patient?page=2"), "https://h/fhir/Patient?page=2");
        assert_eq!(to("https://other/x"), "https://other/x");
        let permitted = |url: &str| Url::parse(url).is_ok_and(|url| server.permits(&url));
        assert!(permitted("https://h/elsewhere") && permitted("https://files.example.org/1"));
        assert!(!permitted("http://h/fhir") && !permitted("https://h:8443/fhir") && !permitted("file:///etc/passwd"));
        Ok(())
    }

    #[test]
    fn bad_addresses_keep_secrets() {
        for uri in
            ["fhir+https://u:geheim@h/r4", "fhir+https://u:geheim@h/r4?patient=geheim", "fhir+ftp://h/?x=geheim", "fhir+https://?geheim"]
        {
            let said = address(uri).err().map(|e| e.to_string()).unwrap_or_default();
            assert!(!said.is_empty() && !said.contains("geheim"), "{said}");
        }
        assert!(address("fhir+https://h/r4?_sort=date").is_err());
    }
}
