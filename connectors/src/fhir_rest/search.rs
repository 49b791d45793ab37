//! One look at a type: everything changed since the last, by `_lastUpdated`.
//!
//! The watermark is the newest `lastUpdated` seen, never later than the server's
//! own clock when the look began, and moves only when a look has come to its
//! end; each look begins an overlap before it. Between pages the search is begun
//! anew at the time reached, where the server sorts: a document that changes
//! while we read moves to the end and cannot push another over the edge of a
//! page. A server that does not sort is followed by its links.

use std::collections::HashSet;
use std::sync::{Arc, Mutex};

use chrono::{DateTime, SecondsFormat, Utc};
use tokio::task::JoinSet;
use url::Url;

use super::Remote;
use super::client::{Failure, Reply, Request};
use super::export::Binaries;
use super::page::{Item, Page};
use super::poller::Poller;
use super::settings::Type;
use super::state::{Feed, Looked, Pass, Pending, fingerprint, is_due};
use crate::inbox::{Kind, Message};

/// What is put into the inbox at once.
pub(crate) const MAX_BATCH: usize = 16 << 20;
const MAX_PENDING: usize = 10_000;
/// A clock that differs by less has not been set.
const STEP: i64 = 2_000_000;
/// Of an answer that could not be used.
pub(crate) const MAX_KEPT: usize = 64 << 10;

impl Poller {
    /// Reads all that is new of a type; counts it.
    pub async fn search(&mut self, kind: Type) -> Result<u64, Failure> {
        loop {
            match self.pass(kind).await {
                Err(failure @ (Failure::TooLarge { .. } | Failure::Misread(_))) => {
                    let size = self.remote.settings.page_size;
                    let Some(pass) = &mut self.feed(kind).pass else { return Err(failure) };
                    pass.one_by_one = match pass.one_by_one {
                        None => Some(size),
                        Some(0..=1) => return Err(failure),
                        Some(count) => Some((count / 8).max(1)),
                    };
                    (pass.link, pass.from, pass.jumped) = (None, pass.since, false);
                    tracing::warn!(source = self.remote.client.source, reason = %failure, "a page cannot be used; its resources are asked for one by one");
                }
                other => return other,
            }
        }
    }

    async fn pass(&mut self, kind: Type) -> Result<u64, Failure> {
        let overlap = self.overlap();
        let written = self.feed(kind).pass.is_some();
        let mut resumed = written;
        let mut pass = self.feed(kind).pass.take().unwrap_or_else(|| {
            let since = self.feed(kind).watermark.map(|mark| mark - overlap);
            Pass { since, from: since, ..Pass::default() }
        });
        let mut visited = HashSet::new();
        let mut fresh = 0;
        loop {
            self.room().await;
            self.feed(kind).pass = Some(pass.clone());
            let url = self.page_url(kind, &pass)?;
            if !visited.insert(url.to_string()) {
                return Err(Failure::Misread(format!("the pages of {} lead in a circle", kind.name())));
            }
            let reply = self.remote.client.fetch(&Request::get("a search", url.clone()), self.remote.settings.max_bytes).await?;
            if resumed && pass.link.is_some() && matches!(reply.status, 400 | 404 | 410) {
                // The server has forgotten the search that the link belongs to.
                (pass.link, pass.from, pass.jumped) = (None, pass.since, false);
                resumed = false;
                continue;
            }
            resumed = false;
            let page = Page::parse(&reply, "a search")?;
            if pass.looked.is_none() {
                let looked = looked_at(&reply);
                pass.looked = looked;
                if let Some(earlier) = looked.and_then(|now| stepped(self.feed(kind), now, overlap)) {
                    tracing::warn!(source = self.remote.client.source, "the server's clock was set back; looking further back");
                    (pass.since, pass.from) = (Some(earlier), Some(earlier));
                    continue;
                }
            }
            let matches = |item: &&Item<'_>| item.matched && item.resource_type == kind.name();
            let ordered = ascending(&page, &mut pass, kind);
            if !ordered && pass.jumped {
                tracing::warn!(source = self.remote.client.source, "the server does not sort by _lastUpdated; following its pages instead");
                self.feed(kind).unsorted = true;
                pass = Pass { since: pass.since, from: pass.since, looked: pass.looked, one_by_one: pass.one_by_one, ..Pass::default() };
                visited.clear();
                continue;
            }
            for item in page.items.iter().filter(|item| item.json.is_some() && item.resource_type != kind.name()) {
                if matches!(item.resource_type.as_str(), "Patient" | "Encounter" | "Practitioner" | "PractitionerRole") {
                    self.remote.remember(item);
                }
            }
            let found: Vec<&Item<'_>> = page.items.iter().filter(matches).collect();
            let newest = found.iter().filter_map(|item| item.last_updated).max();
            pass.newest = pass.newest.max(newest);
            pass.resources += found.len() as u64;
            let now = pass.looked.map_or(0, |l| l.server);
            let new: Vec<&Item<'_>> = found.into_iter().filter(|item| !self.feed(kind).seen.contains(item.fingerprint())).collect();
            fresh += new.len() as u64;
            let mut batch = Batch::default();
            // Seen is what is in the inbox, and nothing that a failure may still keep out of it.
            let mut prints = Vec::new();
            // What is no resource by its looks goes as it is, a dead letter.
            let untyped = page.items.iter().filter(|item| item.resource_type.is_empty()).filter_map(|item| item.json);
            for broken in page.broken.iter().copied().chain(untyped) {
                let print = fingerprint(&[broken]);
                if !self.feed(kind).seen.contains(print) {
                    prints.push((print, now));
                    batch.push("search entry", broken.as_bytes().to_vec());
                }
            }
            for chunk in new.chunks(self.remote.settings.concurrency * 4) {
                self.take(kind, pass.one_by_one.is_some(), chunk, None, &mut batch).await?;
                prints.extend(chunk.iter().map(|item| (item.fingerprint(), item.last_updated.unwrap_or(now))));
                if batch.bytes > MAX_BATCH {
                    self.feed(kind).seen.extend(prints.drain(..));
                    self.commit(std::mem::take(&mut batch).messages)?;
                }
            }
            self.feed(kind).seen.extend(prints.drain(..));
            let Some(link) = &page.next else {
                self.finish(kind, &pass, overlap);
                if written || !batch.messages.is_empty() || visited.len() > 1 {
                    self.commit(batch.messages)?;
                }
                return Ok(fresh);
            };
            if !batch.messages.is_empty() {
                self.commit(batch.messages)?;
            }
            // On by time where that is possible, else by link.
            let next = follow(&self.remote, link, &url)?;
            let reached = newest.map(whole_second);
            let oldest = page.items.iter().filter(matches).filter_map(|item| item.last_updated).min();
            let further = ordered && reached > pass.from.map(whole_second);
            if further && self.sorts(kind, &pass, oldest, newest).await? {
                (pass.from, pass.link, pass.jumped) = (reached, None, true);
            } else {
                pass.link = Some(next.to_string());
            }
        }
    }

    /// The messages of some resources of a page, in their order.
    pub async fn take(
        &mut self,
        kind: Type,
        one_by_one: bool,
        items: &[&Item<'_>],
        binaries: Option<&Arc<Mutex<Binaries>>>,
        batch: &mut Batch,
    ) -> Result<(), Failure> {
        let mut tasks = JoinSet::new();
        let slots = Arc::new(tokio::sync::Semaphore::new(self.remote.settings.concurrency));
        for (index, item) in items.iter().enumerate() {
            let (remote, slots, binaries) = (self.remote.clone(), slots.clone(), binaries.cloned());
            let (json, id) = (item.json.unwrap_or_default().to_owned(), item.id.clone());
            tasks.spawn(async move {
                // Never closed.
                let _slot = slots.acquire().await;
                let json = match &id {
                    Some(id) if one_by_one => remote.one(kind, id, json).await?,
                    _ => Some(json.into_bytes()),
                };
                let Some(json) = json else { return Ok((index, None, false)) };
                match std::str::from_utf8(&json) {
                    Ok(text) if kind == Type::DocumentReference => {
                        remote.assemble(text, binaries.as_deref()).await.map(|done| (index, Some(done.payload), done.incomplete))
                    }
                    _ => Ok((index, Some(json), false)),
                }
            });
        }
        let mut done = Vec::new();
        while let Some(outcome) = tasks.join_next().await {
            done.push(outcome.map_err(|_| Failure::Misread("a task of the poller failed".into()))??);
        }
        done.sort_unstable_by_key(|(index, ..)| *index);
        for (index, payload, incomplete) in done {
            let Some(item) = items.get(index) else { continue };
            if kind == Type::DocumentReference {
                if incomplete && let Some(id) = &item.id {
                    self.put_off(id, 0);
                }
            } else {
                self.remote.remember(item);
            }
            if let Some(payload) = payload {
                batch.push(&item.place(), payload);
            }
        }
        if kind == Type::DocumentReference {
            self.know(items.iter().filter_map(|item| item.id.as_deref()))?;
        }
        Ok(())
    }

    /// Asks once more for documents whose attachment was not there.
    pub async fn catch_up(&mut self) -> Result<(), Failure> {
        let now = Utc::now().timestamp_micros();
        let waits = &self.remote.settings.attachment_retry_seconds;
        let is_due = |pending: &&Pending| is_due(pending.due, now, waits.get(pending.tries as usize).copied().unwrap_or_default());
        let due: Vec<Pending> = self.state.pending.iter().filter(is_due).take(self.remote.settings.page_size).cloned().collect();
        for Pending { id, tries, .. } in due {
            self.room().await;
            let found = self.remote.resource_anew("DocumentReference", &id).await?;
            self.state.pending.retain(|p| p.id != id);
            let mut messages = Vec::new();
            if let Some(json) = found {
                let done = self.remote.assemble(&json, None).await?;
                if done.incomplete {
                    self.put_off(&id, tries + 1);
                } else {
                    messages.push(message(&Item::of_resource(&json).place(), done.payload));
                }
            }
            self.commit(messages)?;
        }
        Ok(())
    }

    fn put_off(&mut self, id: &str, tries: u32) {
        let waits = &self.remote.settings.attachment_retry_seconds;
        let Some(wait) = waits.get(tries as usize).copied().filter(|_| self.state.pending.len() < MAX_PENDING) else { return };
        let wait = i64::try_from(wait).unwrap_or(i64::MAX / 4_000_000);
        self.state.pending.retain(|p| p.id != id);
        self.state.pending.push(Pending { id: id.to_owned(), tries, due: Utc::now().timestamp_micros() + wait * 1_000_000 });
    }

    /// Whether the server sorts: asked once a run, the other way round. One that
    /// ignores `_sort` gives the same first resource whichever way it is asked.
    async fn sorts(&mut self, kind: Type, pass: &Pass, oldest: Option<i64>, newest: Option<i64>) -> Result<bool, Failure> {
        if self.feed(kind).unsorted || self.sorting.contains(&kind) {
            return Ok(!self.feed(kind).unsorted);
        }
        let from = pass.from.map(|from| format!("ge{}", instant(from)));
        let mut parameters: Vec<(&str, &str)> = Vec::new();
        self.limits(kind, &mut parameters);
        parameters.extend(from.as_deref().map(|from| ("_lastUpdated", from)));
        parameters.extend([("_sort", "-_lastUpdated"), ("_count", "1"), ("_elements", "id,meta")]);
        let url = self.remote.client.address.query(&[kind.name()], parameters);
        let reply = match self.remote.client.fetch(&Request::get("a search", url), self.remote.settings.max_bytes).await {
            Err(Failure::TooLarge { .. }) => return Ok(false),
            reply => reply?,
        };
        let first = Page::parse(&reply, "a search")
            .ok()
            .and_then(|page| page.items.iter().filter(|item| item.matched).find_map(|i| i.last_updated));
        let sorts = first > oldest && first >= newest;
        if sorts {
            self.sorting.push(kind);
        } else if oldest < newest {
            tracing::info!(
                source = self.remote.client.source,
                resource = kind.name(),
                "the server does not sort by _lastUpdated; following its pages"
            );
            self.feed(kind).unsorted = true;
        }
        Ok(sorts)
    }

    fn page_url(&self, kind: Type, pass: &Pass) -> Result<Url, Failure> {
        if let Some(link) = &pass.link {
            return follow(&self.remote, link, self.remote.client.address.base());
        }
        let settings = &self.remote.settings;
        let from = pass.from.map(|from| format!("ge{}", instant(from)));
        let count = pass.one_by_one.unwrap_or(settings.page_size).to_string();
        let mut parameters: Vec<(&str, &str)> = Vec::new();
        self.limits(kind, &mut parameters);
        parameters.extend(from.as_deref().map(|from| ("_lastUpdated", from)));
        parameters.extend([("_sort", "_lastUpdated"), ("_count", count.as_str())]);
        if pass.one_by_one.is_some() {
            parameters.push(("_elements", "id,meta"));
        } else if settings.include && kind == Type::DocumentReference {
            parameters.extend([("_include", "DocumentReference:subject"), ("_include", "DocumentReference:encounter")]);
        }
        Ok(self.remote.client.address.query(&[kind.name()], parameters))
    }

    /// What the address limits: documents as it says, others to its patients.
    pub fn limits<'a>(&'a self, kind: Type, parameters: &mut Vec<(&'a str, &'a str)>) {
        let given = self.remote.client.address.parameters.iter().map(|(name, value)| (name.as_str(), value.as_str()));
        match kind {
            Type::DocumentReference => parameters.extend(given),
            Type::Patient => {
                parameters.extend(given.filter(|(name, _)| matches!(*name, "patient" | "subject")).map(|(_, value)| ("_id", bare(value))))
            }
            Type::Encounter => parameters.extend(given.filter(|(name, _)| matches!(*name, "patient" | "subject"))),
        }
    }

    fn feed(&mut self, kind: Type) -> &mut Feed {
        self.state.feeds.entry(kind.name().to_owned()).or_default()
    }

    fn finish(&mut self, kind: Type, pass: &Pass, overlap: i64) {
        self.feed(kind).finish(pass, overlap);
        if let Some(mark) = self.feed(kind).watermark {
            metrics::gauge!("sillage_fhir_watermark_seconds", "source" => self.remote.client.source.clone(), "resource" => kind.name())
                .set(mark as f64 / 1e6);
        }
    }
}

impl Feed {
    /// The end of a look: the watermark is what has been seen, but no later than
    /// the server's clock when it began.
    pub fn finish(&mut self, pass: &Pass, overlap: i64) {
        self.pass = None;
        let server = pass.looked.map(|l| l.server);
        // A server that does not date its resources is followed by its clock.
        let undated = server.filter(|_| pass.resources > 0 && pass.newest.is_none());
        let newest = self.watermark.max(pass.newest).max(undated);
        self.watermark = newest.map(|newest| server.map_or(newest, |server| newest.min(server)));
        self.looked = pass.looked.or(self.looked);
        if let Some(mark) = self.watermark {
            self.seen.forget_before(mark - overlap);
        }
    }
}

impl Remote {
    /// A resource of a listing, on its own. What cannot be read goes as it is.
    async fn one(&self, kind: Type, id: &str, listed: String) -> Result<Option<Vec<u8>>, Failure> {
        let request = Request::get("the read of a resource", self.client.address.path(&[kind.name(), id]));
        match self.client.fetch(&request, self.settings.max_bytes).await {
            Ok(reply) if reply.status == 200 => {
                let mut body = reply.body;
                if serde_json::from_slice::<serde::de::IgnoredAny>(&body).is_err() {
                    body.truncate(MAX_KEPT);
                }
                Ok(Some(body))
            }
            Ok(reply) if matches!(reply.status, 404 | 410) => Ok(None),
            // The listing names a document that nobody can read: a dead letter. Of
            // others it is too little to take for the whole.
            Ok(_) | Err(Failure::TooLarge { .. } | Failure::Foreign(_)) => {
                tracing::warn!(source = self.client.source, resource = kind.name(), "a resource cannot be read by itself either");
                Ok((kind == Type::DocumentReference).then(|| listed.into_bytes()))
            }
            Err(failure) => Err(failure),
        }
    }

    /// A resource as it is now.
    pub async fn resource_anew(&self, resource_type: &str, id: &str) -> Result<Option<String>, Failure> {
        let request = Request::get("the read of a resource", self.client.address.path(&[resource_type, id]));
        match self.client.fetch(&request, self.settings.max_bytes).await {
            Ok(reply) if reply.status == 200 => Ok(String::from_utf8(reply.body).ok()),
            Ok(_) | Err(Failure::TooLarge { .. } | Failure::Foreign(_)) => Ok(None),
            Err(failure) => Err(failure),
        }
    }
}

/// Messages not in the inbox yet.
#[derive(Default)]
pub(crate) struct Batch {
    pub messages: Vec<Message>,
    pub bytes: usize,
}

impl Batch {
    pub fn push(&mut self, place: &str, payload: Vec<u8>) {
        self.bytes += payload.len();
        self.messages.push(message(place, payload));
    }
}

pub(crate) fn message(place: &str, payload: Vec<u8>) -> Message {
    Message { kind: Kind::Fhir, place: place.to_owned(), received_at: Utc::now().timestamp_micros(), payload }
}

/// The clocks at an answer.
pub(crate) fn looked_at(reply: &Reply) -> Option<Looked> {
    let server = reply.server_time()?.timestamp_micros();
    Some(Looked { server, ours: Utc::now().timestamp_micros() })
}

/// Where to begin instead, when the server's clock was set back since the last
/// look: what it wrote since then may be dated before the watermark.
pub(crate) fn stepped(feed: &Feed, now: Looked, overlap: i64) -> Option<i64> {
    let before = feed.looked?;
    let mark = feed.watermark?;
    let elapsed = (now.ours - before.ours).max(0);
    let earliest = now.server - elapsed;
    (earliest + STEP.max(overlap / 2) < mark.min(before.server)).then_some(earliest - overlap)
}

/// Whether the page goes on in order of time where the pass stands.
fn ascending(page: &Page<'_>, pass: &mut Pass, kind: Type) -> bool {
    let mut sorted = true;
    for item in page.items.iter().filter(|item| item.matched && item.resource_type == kind.name()) {
        match item.last_updated {
            // What went on by time begins with what was read already.
            Some(time) if pass.jumped && pass.link.is_none() && Some(time) >= pass.from => pass.last = pass.last.max(Some(time)),
            Some(time) if Some(time) >= pass.last => pass.last = Some(time),
            _ => sorted = false,
        }
    }
    let times: Vec<i64> =
        page.items.iter().filter(|i| i.matched && i.resource_type == kind.name()).filter_map(|i| i.last_updated).collect();
    sorted && times.is_sorted()
}

/// The page that a link leads to.
pub(crate) fn follow(remote: &Remote, link: &str, request: &Url) -> Result<Url, Failure> {
    let url = remote.client.address.resolve(link, request).ok_or_else(|| Failure::Misread("a link to the next page is no URL".into()))?;
    if remote.client.address.permits(&url) { Ok(url) } else { Err(Failure::Foreign(url.origin().ascii_serialization())) }
}

pub(crate) fn instant(micros: i64) -> String {
    DateTime::from_timestamp_micros(micros).unwrap_or_default().to_rfc3339_opts(SecondsFormat::Millis, true)
}

fn whole_second(micros: i64) -> i64 {
    micros.div_euclid(1_000_000) * 1_000_000
}

/// `12` of `Patient/12`.
fn bare(reference: &str) -> &str {
    reference.rsplit('/').next().unwrap_or(reference)
}

#[cfg(test)]
mod tests {
    use super::*;

    const S: i64 = 1_000_000;

    #[test]
    fn the_watermark_never_passes_the_servers_clock() {
        let mut feed = Feed { watermark: Some(100 * S), ..Feed::default() };
        let looked = Some(Looked { server: 200 * S, ours: 7 * S });
        feed.seen.insert(1, 99 * S);
        feed.finish(&Pass { newest: Some(900 * S), looked, resources: 1, ..Pass::default() }, 50 * S);
        assert_eq!(feed.watermark, Some(200 * S));
        assert!(!feed.seen.contains(1));
        feed.finish(&Pass { newest: Some(150 * S), looked, resources: 1, ..Pass::default() }, 50 * S);
        assert_eq!(feed.watermark, Some(200 * S));
        let mut undated = Feed::default();
        undated.finish(&Pass { looked, ..Pass::default() }, 0);
        assert_eq!(undated.watermark, None);
        undated.finish(&Pass { looked, resources: 3, ..Pass::default() }, 0);
        assert_eq!(undated.watermark, Some(200 * S));
    }

    #[test]
    fn a_clock_set_back_is_noticed() {
        let feed = Feed { watermark: Some(1000 * S), looked: Some(Looked { server: 1005 * S, ours: 5000 * S }), ..Feed::default() };
        let step = |server: i64, ours: i64| stepped(&feed, Looked { server: server * S, ours: ours * S }, 60 * S);
        assert_eq!(step(1015, 5010), None);
        assert_eq!(step(990, 5010), None, "the overlap covers it");
        assert_eq!(step(415, 5010), Some(345 * S));
        assert_eq!(step(9000, 5010), None, "set forward");
        assert_eq!(step(1015, 4000), None, "ours set back");
    }

    #[test]
    fn times_and_ids() {
        assert_eq!(instant(1_714_557_600_500_000), "2024-05-01T10:00:00.500Z");
        assert_eq!((whole_second(1_999_999), whole_second(-1)), (S, -S));
        assert_eq!((bare("Patient/12"), bare("12")), ("12", "12"));
    }
}
