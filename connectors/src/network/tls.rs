//! Transport security of the servers: certificates and keys from PEM files.

use std::path::Path;
use std::sync::Arc;

use rustls::crypto::aws_lc_rs;
use rustls::pki_types::pem::{self, PemObject};
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::server::WebPkiClientVerifier;
use rustls::{RootCertStore, ServerConfig};

use crate::source::SourceError;

/// What a server shows and asks for.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Tls<'a> {
    /// The certificate, followed by those between it and its authority.
    pub certificate: &'a Path,
    pub key: &'a Path,
    /// Whose certificates clients must show; `None` where they need none.
    pub client_authorities: Option<&'a Path>,
}

/// TLS 1.2 and 1.3 as a server speaks it.
///
/// # Errors
/// A file that is missing or is not what it should be, named.
pub(crate) fn server_config(tls: &Tls<'_>) -> Result<Arc<ServerConfig>, SourceError> {
    let provider = Arc::new(aws_lc_rs::default_provider());
    let chain = certificates(tls.certificate)?;
    let key = PrivateKeyDer::from_pem_file(tls.key).map_err(|error| unreadable(tls.key, &error, "private key"))?;
    let builder = ServerConfig::builder_with_provider(provider.clone())
        .with_safe_default_protocol_versions()
        .map_err(|error| wrong(tls.certificate, &error.to_string()))?;
    let builder = match tls.client_authorities {
        None => builder.with_no_client_auth(),
        Some(path) => {
            let verifier = WebPkiClientVerifier::builder_with_provider(Arc::new(roots(path)?), provider).build();
            builder.with_client_cert_verifier(verifier.map_err(|error| wrong(path, &error.to_string()))?)
        }
    };
    let config = builder.with_single_cert(chain, key);
    config.map(Arc::new).map_err(|error| wrong(tls.certificate, &format!("not usable with {}: {error}", tls.key.display())))
}

/// The certificates of a file, of which there must be one.
fn certificates(path: &Path) -> Result<Vec<CertificateDer<'static>>, SourceError> {
    let failed = |error: pem::Error| unreadable(path, &error, "certificate");
    let chain = CertificateDer::pem_file_iter(path).map_err(failed)?.collect::<Result<Vec<_>, _>>().map_err(failed)?;
    if chain.is_empty() { Err(wrong(path, "it holds no certificate in PEM")) } else { Ok(chain) }
}

/// The authorities of a file.
fn roots(path: &Path) -> Result<RootCertStore, SourceError> {
    let mut roots = RootCertStore::empty();
    for certificate in certificates(path)? {
        roots.add(certificate).map_err(|error| wrong(path, &error.to_string()))?;
    }
    Ok(roots)
}

fn unreadable(path: &Path, error: &pem::Error, what: &str) -> SourceError {
    match error {
        pem::Error::Io(error) => wrong(path, &format!("it cannot be read: {error}")),
        pem::Error::NoItemsFound => wrong(path, &format!("it holds no {what} in PEM")),
        // Others may quote what is in the file.
        _ => wrong(path, &format!("it is damaged as a {what} in PEM")),
    }
}

fn wrong(path: &Path, message: &str) -> SourceError {
    SourceError::Setting { place: path.display().to_string(), message: message.to_owned() }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    #[test]
    fn what_is_wrong_with_a_file_is_said_by_its_name() -> Result<(), Box<dyn std::error::Error>> {
        let folder = tempfile::tempdir()?;
        let path = |name: &str| folder.path().join(name);
        let signed = rcgen::generate_simple_self_signed(["localhost".to_owned()])?;
        let other = rcgen::KeyPair::generate()?;
        fs::write(path("cert"), signed.cert.pem())?;
        fs::write(path("key"), signed.signing_key.serialize_pem())?;
        fs::write(path("other"), other.serialize_pem())?;
        fs::write(path("text"), "not PEM")?;
        let config = |certificate: &str, key: &str, authorities: Option<&str>| {
            let (certificate, key, authorities) = (path(certificate), path(key), authorities.map(path));
            server_config(&Tls { certificate: &certificate, key: &key, client_authorities: authorities.as_deref() })
        };
        assert!(config("cert", "key", None).is_ok());
        assert!(config("cert", "key", Some("cert")).is_ok());
        for (outcome, file, what) in [
            (config("none", "key", None), "none", "cannot be read"),
            (config("text", "key", None), "text", "no certificate"),
            (config("cert", "text", None), "text", "no private key"),
            (config("cert", "other", None), "cert", "other"),
            (config("cert", "key", Some("text")), "text", "no certificate"),
        ] {
            let error = outcome.err().map(|error| error.to_string()).unwrap_or_default();
            assert!(error.contains(file) && error.contains(what), "{error}");
        }
        Ok(())
    }
}
