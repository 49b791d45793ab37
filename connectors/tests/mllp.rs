//! The MLLP listener on the loopback, from the outside.

use std::error::Error;
use std::io::{self, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;
use std::time::{Duration, Instant};

use chrono_tz::Tz;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use rustls::{ClientConfig, ClientConnection, RootCertStore, StreamOwned};
use sillage_connectors::mllp::{self, Mllp};
use sillage_connectors::{Epoch, Opening, Position, Settings, Source, Start, Until};
use tempfile::TempDir;

type Outcome = Result<(), Box<dyn Error>>;

/// A listener and the folder it keeps its inbox in.
struct Listener {
    source: Mllp,
    address: SocketAddr,
    spool: PathBuf,
    _folder: Option<TempDir>,
}

impl Listener {
    fn start(settings: mllp::Settings) -> Result<Listener, Box<dyn Error>> {
        let folder = tempfile::tempdir()?;
        let spool = folder.path().join("inbox");
        let scheme = if settings.tls_certificate.is_some() { "mllps" } else { "mllp" };
        let source = begin(&format!("{scheme}://127.0.0.1:0"), settings, &spool, false)?;
        let address = source.address().ok_or("not listening")?;
        Ok(Listener { source, address, spool, _folder: Some(folder) })
    }

    fn connect(&self) -> io::Result<Client<TcpStream>> {
        Client::connect(self.address)
    }

    /// Everything that waits, as one epoch.
    fn epoch(&mut self) -> Result<Epoch, Box<dyn Error>> {
        Ok(self.source.read(&Position::default(), EVERYTHING)?.ok_or("nothing waits")?)
    }
}

const EVERYTHING: Until<'_> = Until::Limits { max_documents: usize::MAX, max_bytes: usize::MAX };

fn begin(uri: &str, settings: mllp::Settings, spool: &Path, once: bool) -> Result<Mllp, Box<dyn Error>> {
    let settings = Settings { mllp: settings, ..Default::default() };
    let mut source = Mllp::open(&Opening { uri, timezone: Tz::Europe__Paris, settings: &settings })?;
    source.start(&Start { spool, once, seal: None })?;
    Ok(source)
}

struct Client<S> {
    stream: S,
    /// What came and was not looked at.
    come: Vec<u8>,
}

impl Client<TcpStream> {
    fn connect(address: SocketAddr) -> io::Result<Self> {
        let stream = TcpStream::connect(address)?;
        stream.set_read_timeout(Some(Duration::from_secs(20)))?;
        stream.set_nodelay(true)?;
        Ok(Client { stream, come: Vec::new() })
    }
}

impl<S: Read + Write> Client<S> {
    fn send(&mut self, message: &str) -> io::Result<String> {
        self.stream.write_all(&framed(message))?;
        self.stream.flush()?;
        self.answer()
    }

    /// The next answer.
    fn answer(&mut self) -> io::Result<String> {
        loop {
            if let Some(end) = self.come.windows(2).position(|bytes| bytes == b"\x1c\r") {
                let frame: Vec<u8> = self.come.drain(..end + 2).collect();
                assert_eq!(frame[0], 0x0b);
                return Ok(String::from_utf8_lossy(&frame[1..end]).into_owned());
            }
            let mut buffer = [0; 4096];
            match self.stream.read(&mut buffer)? {
                0 => return Err(io::ErrorKind::UnexpectedEof.into()),
                read => self.come.extend_from_slice(&buffer[..read]),
            }
        }
    }

    fn is_closed(&mut self) -> bool {
        self.answer().is_err_and(|error| !matches!(error.kind(), io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut))
    }
}

fn framed(message: &str) -> Vec<u8> {
    [b"\x0b", message.as_bytes(), b"\x1c\r"].concat()
}

fn document(number: usize) -> String {
    format!(
        "MSH|^~\\&|DPI|HOP|SILLAGE|HOP|20260112101500||MDM^T02^MDM_T02|C{number}|P|2.5\rEVN|T02|20260112101500\r\
         PID|1||P{number}^^^HOP^PI||INVENTE^Anne||19500101|F\rPV1|1|I|NEURO||||||||||||||||V{number}^^^HOP^VN\r\
         TXA|1|CR|TX|20260112101500||||||||DOC{number}||||||AU\rOBX|1|TX|11490-0^Compte rendu^LN||Texte invente numero {number}.||||||F\r"
    )
}

fn code(answer: &str) -> &str {
    answer.split('\r').find_map(|line| line.strip_prefix("MSA|")).and_then(|rest| rest.split('|').next()).unwrap_or_default()
}

fn control_id(answer: &str) -> &str {
    answer.split('\r').find_map(|line| line.strip_prefix("MSA|")).and_then(|rest| rest.split('|').nth(1)).unwrap_or_default()
}

fn patiently(what: &str, mut check: impl FnMut() -> bool) {
    let begun = Instant::now();
    while !check() {
        assert!(begun.elapsed() < Duration::from_secs(20), "{what}");
        std::thread::sleep(Duration::from_millis(20));
    }
}

fn copy(from: &Path, to: &Path) -> io::Result<()> {
    std::fs::create_dir_all(to)?;
    for entry in std::fs::read_dir(from)? {
        let entry = entry?;
        std::fs::copy(entry.path(), to.join(entry.file_name()))?;
    }
    Ok(())
}

#[test]
fn what_was_acknowledged_is_there_after_a_kill() -> Outcome {
    let listener = Listener::start(mllp::Settings::default())?;
    let mut client = listener.connect()?;
    for number in 0..5 {
        let answer = client.send(&document(number))?;
        assert_eq!((code(&answer), control_id(&answer)), ("AA", format!("C{number}").as_str()));
        // The files as they are at the moment of the answer, the process still running.
        let left = tempfile::tempdir()?;
        copy(&listener.spool, left.path())?;
        let mut again = begin("mllp://127.0.0.1:0", mllp::Settings::default(), left.path(), true)?;
        assert_eq!(again.address(), None, "--once does not listen");
        let epoch = again.read(&Position::default(), EVERYTHING)?.ok_or("nothing waits")?;
        assert_eq!((epoch.documents.num_rows(), epoch.dead_letters.len()), (number + 1, 0));
        // Read once more from the position, the same.
        let replayed = again.read(&Position::default(), Until::Exactly(&epoch.position))?.ok_or("nothing again")?;
        assert_eq!(
            (&replayed.documents, replayed.received_at, replayed.bytes_read),
            (&epoch.documents, epoch.received_at, epoch.bytes_read)
        );
        assert_eq!(again.size_hint(&Position::default()), Some(epoch.bytes_read));
        again.committed(&epoch.position)?;
        assert_eq!(again.size_hint(&epoch.position), Some(0));
        assert!(again.read(&epoch.position, EVERYTHING)?.is_none());
        assert!(again.read(&Position::default(), Until::Exactly(&epoch.position)).is_err(), "what is forgotten cannot be replayed");
    }
    Ok(())
}

#[test]
fn epochs_follow_each_other_within_their_limits() -> Outcome {
    let mut listener = Listener::start(mllp::Settings::default())?;
    let mut client = listener.connect()?;
    for number in 0..7 {
        client.send(&document(number))?;
    }
    let mut position = Position::default();
    let mut rows = Vec::new();
    while let Some(epoch) = listener.source.read(&position, Until::Limits { max_documents: 3, max_bytes: usize::MAX })? {
        rows.push(epoch.documents.num_rows());
        position = epoch.position;
        listener.source.committed(&position)?;
    }
    assert_eq!(rows, [3, 3, 1]);
    // An inbox made anew is read from its beginning, whatever was read of the old one.
    let mut anew = Listener::start(mllp::Settings::default())?;
    anew.connect()?.send(&document(8))?;
    assert_eq!(anew.source.read(&position, EVERYTHING)?.ok_or("nothing")?.documents.num_rows(), 1);
    Ok(())
}

#[test]
fn pipelined_messages_are_answered_in_order() -> Outcome {
    let mut listener = Listener::start(mllp::Settings::default())?;
    let mut client = listener.connect()?;
    let wire: Vec<u8> = (0..200).flat_map(|number| framed(&document(number))).collect();
    client.stream.write_all(&wire)?;
    for number in 0..200 {
        assert_eq!(control_id(&client.answer()?), format!("C{number}"));
    }
    assert_eq!(listener.epoch()?.documents.num_rows(), 200);
    Ok(())
}

#[test]
fn slow_bytes_are_waited_for_but_not_for_ever() -> Outcome {
    let mut listener = Listener::start(mllp::Settings { frame_timeout_seconds: 2, ..Default::default() })?;
    let mut client = listener.connect()?;
    for byte in framed(&document(1)) {
        client.stream.write_all(&[byte])?;
    }
    assert_eq!(code(&client.answer()?), "AA");
    // Between messages there is no hurry.
    std::thread::sleep(Duration::from_millis(2500));
    let begun = Instant::now();
    let mut bytes = framed(&document(2)).into_iter();
    while bytes.next().is_some_and(|byte| client.stream.write_all(&[byte]).is_ok()) && begun.elapsed() < Duration::from_secs(10) {
        std::thread::sleep(Duration::from_millis(100));
    }
    let elapsed = begun.elapsed();
    assert!(client.is_closed() && (2..8).contains(&elapsed.as_secs()), "{elapsed:?}");
    assert_eq!(listener.epoch()?.documents.num_rows(), 1);
    Ok(())
}

#[test]
fn idle_connections_are_closed_in_time() -> Outcome {
    let listener = Listener::start(mllp::Settings { idle_timeout_seconds: 1, ..Default::default() })?;
    let mut client = listener.connect()?;
    let begun = Instant::now();
    assert!(client.is_closed());
    assert!(begun.elapsed() > Duration::from_millis(900));
    Ok(())
}

#[test]
fn a_message_too_large_is_refused_and_a_dead_letter() -> Outcome {
    let mut listener = Listener::start(mllp::Settings { max_message_bytes: 100_000, ..Default::default() })?;
    let mut client = listener.connect()?;
    let large = document(1).replace("Texte", &"x".repeat(3_000_000));
    let wire = framed(&large);
    // The answer comes before all of it is sent.
    let _ = client.stream.write_all(&wire);
    let answer = client.answer()?;
    assert_eq!((code(&answer), control_id(&answer)), ("AR", "C1"));
    assert!(answer.contains("\rERR|") && !answer.contains("xxx"), "{answer}");
    assert!(client.is_closed());
    assert_eq!(code(&listener.connect()?.send(&document(2))?), "AA");
    let epoch = listener.epoch()?;
    assert_eq!((epoch.documents.num_rows(), epoch.dead_letters.len()), (1, 1));
    assert_eq!((epoch.dead_letters[0].reason, &epoch.dead_letters[0].payload), ("too_large", &None));
    Ok(())
}

#[test]
fn frames_as_real_senders_make_them() -> Outcome {
    let mut listener = Listener::start(mllp::Settings::default())?;
    let mut client = listener.connect()?;
    client.stream.write_all(b"rubbish\r\n")?;
    // CR, LF and CRLF between segments; no carriage return at the end of the frame.
    for (number, line_end) in ["\r", "\n", "\r\n"].into_iter().enumerate() {
        client.stream.write_all(&[b"\x0b", document(number).replace('\r', line_end).as_bytes(), b"\x1c"].concat())?;
        assert_eq!(code(&client.answer()?), "AA");
    }
    // Begun and begun anew: one answer.
    client.stream.write_all(&[b"\x0b", &document(3).as_bytes()[..100], &framed(&document(4))].concat())?;
    let answer = client.answer()?;
    assert_eq!((code(&answer), control_id(&answer)), ("AA", "C4"));
    let epoch = listener.epoch()?;
    assert_eq!((epoch.documents.num_rows(), epoch.dead_letters.len()), (4, 0));
    Ok(())
}

#[test]
fn what_is_refused_is_answered_so_and_a_dead_letter() -> Outcome {
    let mut listener = Listener::start(mllp::Settings::default())?;
    let mut client = listener.connect()?;
    let refused = [
        ("bonjour".to_owned(), "AR"),
        (document(1).replace("MDM^T02^MDM_T02", "SIU^S12"), "AR"),
        (document(2).replace("|2.5\r", "|3.0\r"), "AR"),
        (document(3).replace("|C3|", "||"), "AE"),
        (document(4).replace("|2.5\r", "|9.9|||AL|NE\r"), "CR"),
    ];
    for (message, expected) in &refused {
        let answer = client.send(message)?;
        assert_eq!(code(&answer), *expected, "{answer}");
        assert!(answer.contains("\rERR|"), "{answer}");
    }
    let epoch = listener.epoch()?;
    assert_eq!((epoch.documents.num_rows(), epoch.dead_letters.len()), (0, refused.len()));
    for (letter, (message, _)) in epoch.dead_letters.iter().zip(&refused) {
        assert_eq!(letter.payload.as_deref(), Some(message.as_str()));
        assert!(letter.detail.starts_with("connection "), "{}", letter.detail);
    }
    Ok(())
}

#[test]
fn in_enhanced_mode_the_answer_is_what_was_asked_for() -> Outcome {
    let mut listener = Listener::start(mllp::Settings::default())?;
    let mut client = listener.connect()?;
    let asking = |number: usize, asks: &str| document(number).replace("|2.5\r", &format!("|2.5|||{asks}\r"));
    assert_eq!(code(&client.send(&asking(1, "AL|NE"))?), "CA");
    client.stream.write_all(&framed(&asking(2, "NE|NE")))?;
    client.stream.write_all(&framed(&asking(3, "ER|NE")))?;
    let answer = client.send(&asking(4, "SU"))?;
    assert_eq!((code(&answer), control_id(&answer)), ("CA", "C4"));
    assert_eq!(listener.epoch()?.documents.num_rows(), 4);
    Ok(())
}

#[test]
fn no_more_connections_than_are_allowed() -> Outcome {
    let listener = Listener::start(mllp::Settings { max_connections: 2, ..Default::default() })?;
    let (mut first, mut second) = (listener.connect()?, listener.connect()?);
    assert_eq!(code(&first.send(&document(1))?), "AA");
    assert_eq!(code(&second.send(&document(2))?), "AA");
    assert!(listener.connect()?.is_closed());
    drop(first);
    patiently("a place is free again", || listener.connect().and_then(|mut client| client.send(&document(3))).is_ok());
    Ok(())
}

#[test]
fn nothing_is_read_while_too_much_waits() -> Outcome {
    let mut listener = Listener::start(mllp::Settings { max_waiting_messages: 5, ..Default::default() })?;
    let mut client = listener.connect()?;
    client.stream.set_read_timeout(Some(Duration::from_millis(500)))?;
    let mut acknowledged = 0;
    while client.send(&document(acknowledged)).is_ok_and(|answer| code(&answer) == "AA") {
        acknowledged += 1;
        assert!(acknowledged < 20);
    }
    assert_eq!(acknowledged, 5);
    let epoch = listener.epoch()?;
    assert_eq!(epoch.documents.num_rows(), 5);
    listener.source.committed(&epoch.position)?;
    client.stream.set_read_timeout(Some(Duration::from_secs(20)))?;
    assert_eq!(control_id(&client.answer()?), "C5");
    Ok(())
}

#[test]
fn a_stop_answers_what_came_and_takes_nothing_more() -> Outcome {
    let mut listener = Listener::start(mllp::Settings::default())?;
    let address = listener.address;
    let senders: Vec<_> = (0..8)
        .map(|sender| {
            std::thread::spawn(move || {
                let mut acknowledged = 0;
                let Ok(mut client) = Client::connect(address) else { return 0 };
                while client.send(&document(sender * 100_000 + acknowledged)).is_ok_and(|answer| code(&answer) == "AA") {
                    acknowledged += 1;
                }
                acknowledged
            })
        })
        .collect();
    std::thread::sleep(Duration::from_millis(700));
    let spool = listener.spool.clone();
    let folder = listener._folder.take();
    let begun = Instant::now();
    drop(listener);
    assert!(begun.elapsed() < Duration::from_secs(8), "{:?}", begun.elapsed());
    let acknowledged: usize = senders.into_iter().map(|sender| sender.join().unwrap()).sum();
    assert!(Client::connect(address).is_err());
    let mut again = begin("mllp://127.0.0.1:0", mllp::Settings::default(), &spool, true)?;
    let held = again.read(&Position::default(), EVERYTHING)?.ok_or("nothing")?.documents.num_rows();
    assert!(acknowledged > 8 && held >= acknowledged && held <= acknowledged + 8, "{acknowledged} acknowledged, {held} held");
    drop(folder);
    Ok(())
}

#[test]
fn with_the_disk_full_nothing_is_acknowledged_until_there_is_space() -> Outcome {
    let folder = tempfile::tempdir()?;
    let mount = folder.path().join("small");
    std::fs::create_dir(&mount)?;
    let mounted = Command::new("mount").args(["-t", "tmpfs", "-o", "size=12m", "none"]).arg(&mount).output();
    if !mounted.is_ok_and(|output| output.status.success()) {
        eprintln!("SKIPPED: no small file system can be mounted here (needs root)");
        return Ok(());
    }
    let outcome = (|| -> Outcome {
        let ballast = mount.join("ballast");
        std::fs::write(&ballast, vec![1; 6 << 20])?;
        let mut source = begin("mllp://127.0.0.1:0", mllp::Settings::default(), &mount.join("inbox"), false)?;
        let mut client = Client::connect(source.address().ok_or("no address")?)?;
        let large = |number| document(number).replace("Texte", &"x".repeat(200_000));
        let mut number = 0;
        loop {
            let answer = client.send(&large(number))?;
            if code(&answer) == "AE" {
                assert!(answer.contains("\rERR|") && answer.contains("send it again"), "{answer}");
                break;
            }
            assert_eq!(code(&answer), "AA");
            number += 1;
            assert!(number < 100, "the disk is never full");
        }
        assert!(number > 1);
        assert_eq!(code(&client.send(&large(number))?), "AE");
        std::fs::remove_file(&ballast)?;
        let mut tries = 0;
        while code(&client.send(&large(number))?) != "AA" {
            tries += 1;
            assert!(tries < 50, "not after there is space");
            std::thread::sleep(Duration::from_millis(100));
        }
        let epoch = source.read(&Position::default(), EVERYTHING)?.ok_or("nothing")?;
        let held = epoch.documents.num_rows();
        assert!(held > number && epoch.dead_letters.is_empty(), "{held} of {}", number + 1);
        Ok(())
    })();
    let unmounted = Command::new("umount").arg("-l").arg(&mount).status()?;
    assert!(unmounted.success());
    outcome
}

/// A certificate and its key in files, signed by itself or an authority.
struct Identity {
    certificate: PathBuf,
    key: PathBuf,
}

fn identities(folder: &Path) -> Result<(PathBuf, Identity, Identity), Box<dyn Error>> {
    let write = |name: &str, text: String| -> io::Result<PathBuf> {
        let path = folder.join(name);
        std::fs::write(&path, text)?;
        Ok(path)
    };
    let mut parameters = rcgen::CertificateParams::new(Vec::new())?;
    parameters.is_ca = rcgen::IsCa::Ca(rcgen::BasicConstraints::Unconstrained);
    let authority_key = rcgen::KeyPair::generate()?;
    let authority = parameters.self_signed(&authority_key)?;
    let issuer = rcgen::Issuer::new(parameters, authority_key);
    let signed = |name: &str| -> Result<Identity, Box<dyn Error>> {
        let key = rcgen::KeyPair::generate()?;
        let certificate = rcgen::CertificateParams::new(vec!["localhost".to_owned()])?.signed_by(&key, &issuer)?;
        Ok(Identity {
            certificate: write(&format!("{name}.pem"), certificate.pem())?,
            key: write(&format!("{name}.key"), key.serialize_pem())?,
        })
    };
    Ok((write("authority.pem", authority.pem())?, signed("server")?, signed("client")?))
}

fn over_tls(
    address: SocketAddr,
    authority: &Path,
    identity: Option<&Identity>,
) -> Result<Client<StreamOwned<ClientConnection, TcpStream>>, Box<dyn Error>> {
    let mut roots = RootCertStore::empty();
    roots.add(CertificateDer::from_pem_file(authority)?)?;
    let builder = ClientConfig::builder_with_provider(Arc::new(rustls::crypto::aws_lc_rs::default_provider()))
        .with_safe_default_protocol_versions()?
        .with_root_certificates(roots);
    let config = match identity {
        None => builder.with_no_client_auth(),
        Some(identity) => {
            let chain = vec![CertificateDer::from_pem_file(&identity.certificate)?];
            builder.with_client_auth_cert(chain, PrivateKeyDer::from_pem_file(&identity.key)?)?
        }
    };
    let Client { stream, come } = Client::connect(address)?;
    let connection = ClientConnection::new(Arc::new(config), ServerName::try_from("localhost")?)?;
    Ok(Client { stream: StreamOwned::new(connection, stream), come })
}

#[test]
fn over_tls_with_and_without_client_certificates() -> Outcome {
    let folder = tempfile::tempdir()?;
    let (authority, server, client) = identities(folder.path())?;
    let settings = mllp::Settings { tls_certificate: Some(server.certificate), tls_key: Some(server.key), ..Default::default() };
    let mut open = Listener::start(settings.clone())?;
    let mut connection = over_tls(open.address, &authority, None)?;
    for number in 0..3 {
        assert_eq!(code(&connection.send(&document(number))?), "AA");
    }
    // Larger than one record.
    assert_eq!(code(&connection.send(&document(3).replace("Texte", &"x".repeat(300_000)))?), "AA");
    assert_eq!(open.epoch()?.documents.num_rows(), 4);
    assert!(open.connect()?.send(&document(9)).is_err(), "plain text to a TLS listener");

    let mut mutual = Listener::start(mllp::Settings { client_authorities: Some(authority.clone()), ..settings })?;
    assert!(over_tls(mutual.address, &authority, None)?.send(&document(1)).is_err(), "without a certificate");
    let strange = tempfile::tempdir()?;
    let (_, _, stranger) = identities(strange.path())?;
    assert!(over_tls(mutual.address, &authority, Some(&stranger))?.send(&document(2)).is_err(), "with one of another authority");
    assert_eq!(code(&over_tls(mutual.address, &authority, Some(&client))?.send(&document(3))?), "AA");
    assert_eq!(mutual.epoch()?.documents.num_rows(), 1);
    Ok(())
}

#[test]
fn python_hl7_accepts_the_answers() -> Outcome {
    let program = Path::new("/tmp/hl7venv/bin/mllp_send");
    if !program.exists() {
        eprintln!("SKIPPED: no {}; make it with `python3 -m venv /tmp/hl7venv && /tmp/hl7venv/bin/pip install hl7`", program.display());
        return Ok(());
    }
    let mut listener = Listener::start(mllp::Settings::default())?;
    let folder = tempfile::tempdir()?;
    let file = folder.path().join("messages.hl7");
    std::fs::write(&file, (0..5).flat_map(|number| framed(&document(number))).collect::<Vec<_>>())?;
    let port = listener.address.port().to_string();
    let output = Command::new(program).args(["--file"]).arg(&file).args(["--port", &port, "127.0.0.1"]).output()?;
    let said = String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{said}");
    for number in 0..5 {
        assert!(said.contains(&format!("MSA|AA|C{number}")), "{said}");
    }
    assert_eq!(listener.epoch()?.documents.num_rows(), 5);
    Ok(())
}
