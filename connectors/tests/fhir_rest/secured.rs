//! Who we say we are, and over which connection.

use std::fs;
use std::path::Path;
use std::sync::Arc;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use hyper_util::rt::TokioIo;
use hyper_util::service::TowerToHyperService;
use jsonwebtoken::{Algorithm, DecodingKey, Validation};
use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair, PKCS_ECDSA_P384_SHA384, PKCS_RSA_SHA256};
use rustls::RootCertStore;
use rustls::pki_types::{CertificateDer, PrivatePkcs8KeyDer};
use rustls::server::WebPkiClientVerifier;
use sillage_connectors::SourceError;
use sillage_connectors::fhir_rest::{Mode, Settings as Fhir};
use tokio_rustls::TlsAcceptor;

use crate::server::{self, Server, document};
use crate::{Received, quick};

fn secret(folder: &Path, name: &str, text: &str) -> std::path::PathBuf {
    let path = folder.join(name);
    fs::write(&path, text).unwrap();
    path
}

fn run(server: &Server, fhir: &Fhir) -> Result<Received, SourceError> {
    let spool = tempfile::tempdir().unwrap();
    let mut received = Received::default();
    received.run(&server.uri(), fhir, spool.path()).map(|()| received)
}

#[test]
fn a_bearer_token_and_a_password_come_from_files() {
    let folder = tempfile::tempdir().unwrap();
    let bearer = Fhir { token_file: Some(secret(folder.path(), "token", "jeton-secret\n")), ..quick() };
    let password_file = Some(secret(folder.path(), "password", "mot:de:passe\n"));
    let basic = Fhir { user: Some("sillage".into()), password_file, ..quick() };
    let expected = [(bearer, "Bearer jeton-secret".to_owned()), (basic, format!("Basic {}", STANDARD.encode("sillage:mot:de:passe")))];
    for (fhir, header) in expected {
        let server = Server::start();
        server.world().put(document("d1", "Gardé."));
        server.world().authorization = Some(header);
        assert_eq!(run(&server, &fhir).unwrap().ids(), ["d1"]);
        // Refused: said with what to do, without the secret.
        server.world().authorization = Some("Bearer autre".into());
        let said = run(&server, &fhir).err().unwrap().to_string();
        assert!(said.contains("401") && said.contains("credentials"), "{said}");
        assert!(!said.contains("secret") && !said.contains("passe") && !format!("{fhir:?}").contains("jeton-secret"), "{said}");
    }
}

#[test]
fn files_that_need_no_token_are_not_shown_one() {
    let folder = tempfile::tempdir().unwrap();
    let server = Server::start();
    server.world().put(document("d1", "Gardé."));
    server.world().authorization = Some("Bearer jeton".into());
    let fhir = Fhir { mode: Mode::Export, token_file: Some(secret(folder.path(), "token", "jeton")), ..quick() };
    assert_eq!(run(&server, &fhir).unwrap().ids(), ["d1"]);
    let world = server.world();
    let shown = |part: &str| {
        let asked = world.log.iter().zip(&world.credentials).filter(|(line, _)| line.contains(part));
        asked.map(|(_, credential)| credential.is_some()).collect::<Vec<_>>()
    };
    assert!(shown("/status/").iter().all(|shown| *shown) && !shown("/open/").is_empty() && shown("/open/").iter().all(|shown| !shown));
}

#[test]
fn backend_services_sign_and_renew() {
    for rsa in [false, true] {
        let folder = tempfile::tempdir().unwrap();
        let key = KeyPair::generate_for(if rsa { &PKCS_RSA_SHA256 } else { &PKCS_ECDSA_P384_SHA384 }).unwrap();
        let private_key_file = Some(secret(folder.path(), "key.pem", &key.serialize_pem()));
        let fhir = Fhir {
            client_id: Some("sillage-client".into()),
            private_key_file,
            key_id: Some("k1".into()),
            scope: "system/*.rs".into(),
            ..quick()
        };
        let server = Server::start();
        {
            let mut world = server.world();
            for number in 0..8 {
                world.put(document(&format!("d{number}"), "Gardé."));
            }
            world.authorization = Some("Bearer t1".into());
            world.token = Some(("t1".into(), 3600));
            // In the middle the server no longer takes the token.
            let mut pages = 0;
            world.events.push(Box::new(move |world, line| {
                pages += usize::from(line.contains("/DocumentReference?_"));
                if pages == 3 {
                    world.authorization = Some("Bearer t2".into());
                    world.token = Some(("t2".into(), 3600));
                }
            }));
        }
        assert_eq!(run(&server, &fhir).unwrap().documents.len(), 8);
        let world = server.world();
        assert_eq!(world.asked("POST /token"), 2, "one token for all requests, and one renewed");
        let posted = world.log.iter().position(|line| line.contains("POST /token")).unwrap();
        let form: std::collections::HashMap<String, String> =
            url::form_urlencoded::parse(world.bodies[posted].as_bytes()).into_owned().collect();
        assert_eq!((form["grant_type"].as_str(), form["scope"].as_str()), ("client_credentials", "system/*.rs"));
        assert_eq!(form["client_assertion_type"], "urn:ietf:params:oauth:client-assertion-type:jwt-bearer");
        let algorithm = if rsa { Algorithm::RS384 } else { Algorithm::ES384 };
        let public = rcgen_public(&key, rsa);
        let mut validation = Validation::new(algorithm);
        validation.set_audience(&[format!("{}/token", world.base.trim_end_matches("/fhir"))]);
        let token = jsonwebtoken::decode::<serde_json::Value>(&form["client_assertion"], &public, &validation).unwrap();
        assert_eq!(
            (token.header.kid.as_deref(), &token.claims["iss"], &token.claims["sub"]),
            (Some("k1"), &"sillage-client".into(), &"sillage-client".into())
        );
        assert!(token.claims["jti"].as_str().unwrap().len() >= 16);
        assert!(token.claims["exp"].as_i64().unwrap() - token.claims["iat"].as_i64().unwrap() <= 300);
    }
}

fn rcgen_public(key: &KeyPair, rsa: bool) -> DecodingKey {
    let pem = key.public_key_pem();
    if rsa { DecodingKey::from_rsa_pem(pem.as_bytes()).unwrap() } else { DecodingKey::from_ec_pem(pem.as_bytes()).unwrap() }
}

#[test]
fn a_refused_client_is_told_why() {
    let folder = tempfile::tempdir().unwrap();
    let key = KeyPair::generate_for(&PKCS_ECDSA_P384_SHA384).unwrap();
    let fhir =
        Fhir { client_id: Some("c".into()), private_key_file: Some(secret(folder.path(), "key.pem", &key.serialize_pem())), ..quick() };
    let server = Server::start();
    let said = run(&server, &fhir).err().unwrap().to_string();
    assert!(said.contains("400 invalid_client") && said.contains("client_id"), "{said}");
}

/// A certificate authority and what it signs.
struct Authority {
    pem: String,
    issuer: Issuer<'static, KeyPair>,
    der: CertificateDer<'static>,
}

impl Authority {
    fn new() -> Self {
        let key = KeyPair::generate().unwrap();
        let mut params = CertificateParams::new(Vec::new()).unwrap();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let certificate = params.self_signed(&key).unwrap();
        Authority { pem: certificate.pem(), der: certificate.der().clone(), issuer: Issuer::new(params, key) }
    }

    fn sign(&self, name: &str) -> (rcgen::Certificate, KeyPair) {
        let key = KeyPair::generate().unwrap();
        let params = CertificateParams::new(vec![name.to_owned()]).unwrap();
        (params.signed_by(&key, &self.issuer).unwrap(), key)
    }
}

#[test]
fn both_sides_show_certificates() {
    let authority = Authority::new();
    let server = Server::start();
    server.world().put(document("d1", "Par TLS."));
    let (certificate, key) = authority.sign("localhost");
    let mut roots = RootCertStore::empty();
    roots.add(authority.der.clone()).unwrap();
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let verifier = WebPkiClientVerifier::builder_with_provider(Arc::new(roots), provider.clone()).build().unwrap();
    let config = rustls::ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_client_cert_verifier(verifier)
        .with_single_cert(vec![certificate.der().clone()], PrivatePkcs8KeyDer::from(key.serialize_der()).into())
        .unwrap();
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    listener.set_nonblocking(true).unwrap();
    let port = listener.local_addr().unwrap().port();
    server.world().base = format!("https://localhost:{port}/fhir");
    let router = server::router(server.world.clone());
    std::thread::spawn(move || {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async move {
            let listener = tokio::net::TcpListener::from_std(listener).unwrap();
            let acceptor = TlsAcceptor::from(Arc::new(config));
            while let Ok((stream, _)) = listener.accept().await {
                let (acceptor, router) = (acceptor.clone(), router.clone());
                tokio::spawn(async move {
                    if let Ok(stream) = acceptor.accept(stream).await {
                        let service = TowerToHyperService::new(router);
                        let _ = hyper::server::conn::http1::Builder::new().serve_connection(TokioIo::new(stream), service).await;
                    }
                });
            }
        });
    });
    let folder = tempfile::tempdir().unwrap();
    let (client, client_key) = authority.sign("sillage");
    let uri = format!("fhir+https://localhost:{port}/fhir");
    let known = Fhir { authorities: Some(secret(folder.path(), "ca.pem", &authority.pem)), max_attempts: 1, ..quick() };
    let shown = Fhir {
        client_certificate: Some(secret(folder.path(), "client.pem", &client.pem())),
        client_key: Some(secret(folder.path(), "client.key", &client_key.serialize_pem())),
        ..known.clone()
    };
    let spool = tempfile::tempdir().unwrap();
    let mut received = Received::default();
    received.run(&uri, &shown, spool.path()).unwrap();
    assert_eq!(received.ids(), ["d1"]);
    // Neither without our certificate nor with an authority we do not know.
    for fhir in [known, Fhir { authorities: None, ..shown }] {
        let said = Received::default().run(&uri, &fhir, spool.path()).err().unwrap().to_string();
        assert!(said.contains("certificate"), "{said}");
    }
}
