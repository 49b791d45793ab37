//! A thousand idle connections. Alone in its process, whose memory it looks at.

use std::error::Error;
use std::io::{self, Read, Write};
use std::net::TcpStream;
use std::time::{Duration, Instant};

use chrono_tz::Tz;
use sillage_connectors::mllp::Mllp;
use sillage_connectors::{Opening, Settings, Source, Start};

const MESSAGE: &[u8] = b"\x0bMSH|^~\\&|DPI|HOP|SILLAGE|HOP|20260112101500||ADT^A08|C1|P|2.5\rEVN|A08|20260112101500\r\
    PID|1||P1^^^HOP^PI||INVENTE^Anne||19500101|F\r\x1c\r";

fn is_acknowledged(stream: &mut TcpStream) -> io::Result<bool> {
    let mut answer = Vec::new();
    let mut buffer = [0; 1024];
    while !answer.ends_with(b"\x1c\r") {
        match stream.read(&mut buffer)? {
            0 => return Ok(false),
            read => answer.extend_from_slice(&buffer[..read]),
        }
    }
    Ok(answer.windows(7).any(|bytes| bytes == b"MSA|AA|"))
}

/// Bytes of memory of this process.
fn resident() -> Result<usize, Box<dyn Error>> {
    let status = std::fs::read_to_string("/proc/self/status")?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).ok_or("no VmRSS")?;
    Ok(line.trim().trim_end_matches(" kB").trim().parse::<usize>()? << 10)
}

#[test]
fn a_thousand_idle_connections_do_no_harm() -> Result<(), Box<dyn Error>> {
    let folder = tempfile::tempdir()?;
    let settings = Settings::default();
    let mut source = Mllp::open(&Opening { uri: "mllp://127.0.0.1:0", timezone: Tz::Europe__Paris, settings: &settings })?;
    source.start(&Start { spool: folder.path(), once: false, seal: None })?;
    let address = source.address().ok_or("no address")?;
    let connect = || -> io::Result<TcpStream> {
        let stream = TcpStream::connect(address)?;
        stream.set_read_timeout(Some(Duration::from_secs(20)))?;
        Ok(stream)
    };
    let mut client = connect()?;
    client.write_all(MESSAGE)?;
    assert!(is_acknowledged(&mut client)?);
    let before = resident()?;
    let mut idle = Vec::new();
    for _ in 0..1000 {
        match connect() {
            Ok(stream) => idle.push(stream),
            // Both ends are in this process.
            Err(error) => {
                eprintln!("SKIPPED beyond {} connections: {error}; raise the limit of open files", idle.len());
                break;
            }
        }
    }
    assert!(idle.len() > 300, "{}", idle.len());
    // Half of them in the middle of a message.
    for stream in idle.iter_mut().step_by(2) {
        stream.write_all(&MESSAGE[..20])?;
    }
    let begun = Instant::now();
    for _ in 0..20 {
        client.write_all(MESSAGE)?;
        assert!(is_acknowledged(&mut client)?);
    }
    assert!(begun.elapsed() < Duration::from_secs(10), "{:?}", begun.elapsed());
    let grown = resident()?.saturating_sub(before);
    assert!(grown < 24 << 20, "{} KiB", grown >> 10);
    // All of them are still heard.
    for (number, stream) in idle.iter_mut().enumerate() {
        stream.write_all(if number % 2 == 0 { &MESSAGE[20..] } else { MESSAGE })?;
    }
    for stream in &mut idle {
        assert!(is_acknowledged(stream)?);
    }
    Ok(())
}
