//! What has been deleted: from the history of a type, or, for servers without
//! one, by sweeping over all ids to see which have vanished.

use std::collections::{HashMap, HashSet};

use chrono::{DateTime, Utc};
use reqwest::header::{ETAG, LAST_MODIFIED};
use serde::Serialize;

use super::client::{Failure, Request};
use super::page::{Item, Page, micros};
use super::poller::Poller;
use super::search::{Batch, follow, instant, looked_at, stepped};
use super::settings::{Deletions, Type};
use super::state::{Pass, fingerprint, is_due};
use crate::formats::fhir::Target;

/// Ids asked for at once by a sweep.
const IDS_AT_ONCE: &str = "1000";
/// Above so many documents, all of them vanishing is an accident of the server.
const MANY: u64 = 20;

/// A Bundle that says that a resource was deleted.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Deletion<'d> {
    resource_type: &'static str,
    #[serde(rename = "type")]
    kind: &'static str,
    entry: [Entry<'d>; 1],
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Entry<'d> {
    full_url: &'d str,
    request: HashMap<&'static str, &'d str>,
    response: HashMap<&'static str, &'d str>,
}

/// The payload that tells of a deletion.
pub(crate) fn deletion(resource_type: &str, id: &str, full_url: &str, etag: Option<&str>, last_modified: Option<&str>) -> Vec<u8> {
    let url = format!("{resource_type}/{id}");
    let mut response = HashMap::from([("status", "204")]);
    response.extend(etag.map(|etag| ("etag", etag)));
    response.extend(last_modified.map(|time| ("lastModified", time)));
    let entry = Entry { full_url, request: HashMap::from([("method", "DELETE"), ("url", url.as_str())]), response };
    // Strings alone always have a JSON form.
    serde_json::to_vec(&Deletion { resource_type: "Bundle", kind: "history", entry: [entry] }).unwrap_or_default()
}

impl Poller {
    /// Finds out whether the server has a history, once a run.
    pub async fn how_deletions_are_found(&mut self) -> Result<(), Failure> {
        if self.sweeps.is_some() {
            return Ok(());
        }
        let sweeps = match self.remote.settings.deletions {
            Deletions::Never => return Ok(()),
            Deletions::Sweep => true,
            Deletions::History => false,
            Deletions::Auto => !self.has_history().await?,
        };
        if sweeps {
            tracing::info!(source = self.remote.client.source, "deletions are found by sweeps over all ids");
        }
        Ok(self.begin_sweeps(sweeps)?)
    }

    /// Learns what was deleted since the last time.
    pub async fn deletions(&mut self) -> Result<u64, Failure> {
        match self.sweeps {
            None => Ok(0),
            Some(true)
                if !self.hurry && !is_due(self.state.sweep_at, Utc::now().timestamp_micros(), self.remote.settings.sweep_seconds) =>
            {
                Ok(0)
            }
            Some(true) => self.sweep().await,
            Some(false) => {
                let mut count = 0;
                for kind in self.remote.settings.resources.clone() {
                    count += self.history(kind).await?;
                }
                Ok(count)
            }
        }
    }

    /// Whether a first look at the history works.
    async fn has_history(&self) -> Result<bool, Failure> {
        let url = self.remote.client.address.query(&["DocumentReference", "_history"], [("_count", "1")]);
        let what = "a history";
        match self.remote.client.fetch(&Request::get(what, url), self.remote.settings.max_bytes).await {
            Ok(reply) => Ok(Page::parse(&reply, what).is_ok()),
            Err(Failure::TooLarge { .. } | Failure::Foreign(_)) => Ok(false),
            // A server that is down says so to everything; this one just answered a search.
            Err(Failure::Unavailable(_)) if self.remote.client.reached() => Ok(false),
            Err(failure) => Err(failure),
        }
    }

    /// Marks where histories begin: what was deleted before anything was read is of no interest.
    pub fn begin_histories(&mut self, server: DateTime<Utc>) {
        for kind in self.remote.settings.resources.clone() {
            let feed = self.state.histories.entry(kind.name().to_owned()).or_default();
            feed.watermark = feed.watermark.or(Some(server.timestamp_micros()));
        }
    }

    async fn history(&mut self, kind: Type) -> Result<u64, Failure> {
        let overlap = self.overlap();
        let what = "a history";
        let feed = self.state.histories.entry(kind.name().to_owned()).or_default();
        let mut pass = Pass { since: feed.watermark.map(|mark| mark - overlap), ..Pass::default() };
        let count = self.remote.settings.page_size.to_string();
        let first = |since: Option<i64>| {
            let since = since.map(instant);
            let since = since.as_deref().map(|since| ("_since", since));
            self.remote.client.address.query(&[kind.name(), "_history"], since.into_iter().chain([("_count", count.as_str())]))
        };
        let mut url = first(pass.since);
        let mut visited = HashSet::new();
        let mut batch = Batch::default();
        let mut prints = Vec::new();
        loop {
            if !visited.insert(url.to_string()) {
                return Err(Failure::Misread("the pages of a history lead in a circle".into()));
            }
            let reply = self.remote.client.fetch(&Request::get(what, url.clone()), self.remote.settings.max_bytes).await?;
            if matches!(reply.status, 400 | 404 | 405 | 410 | 501) {
                // It had a history when first asked; look again the next time.
                self.sweeps = None;
                return Ok(0);
            }
            let page = Page::parse(&reply, what)?;
            let feed = self.state.histories.entry(kind.name().to_owned()).or_default();
            if pass.looked.is_none() {
                pass.looked = looked_at(&reply);
                if let Some(earlier) = pass.looked.and_then(|now| stepped(feed, now, overlap)) {
                    pass.since = Some(earlier);
                    url = first(pass.since);
                    continue;
                }
            }
            for item in &page.items {
                let time = item.last_updated.or(item.last_modified.as_deref().and_then(micros));
                pass.newest = pass.newest.max(time);
                pass.resources += 1;
                if !item.deleted {
                    continue;
                }
                let Some(id) = deleted_id(item, kind) else { continue };
                let print =
                    fingerprint(&[&id, item.etag.as_deref().unwrap_or_default(), item.last_modified.as_deref().unwrap_or_default()]);
                if feed.seen.contains(print) || prints.iter().any(|(known, _)| *known == print) {
                    continue;
                }
                prints.push((print, time.or(pass.looked.map(|l| l.server)).unwrap_or_default()));
                let full_url = self.remote.client.address.path(&[kind.name(), &id]);
                let payload = deletion(kind.name(), &id, full_url.as_str(), item.etag.as_deref(), item.last_modified.as_deref());
                batch.push(&format!("{}/{id} deleted", kind.name()), payload);
            }
            match &page.next {
                Some(link) => url = follow(&self.remote, link, &url)?,
                None => break,
            }
        }
        let feed = self.state.histories.entry(kind.name().to_owned()).or_default();
        for (print, time) in &prints {
            feed.seen.insert(*print, *time);
        }
        feed.finish(&pass, overlap);
        let count = batch.messages.len() as u64;
        if count > 0 {
            self.commit(batch.messages)?;
        }
        Ok(count)
    }

    /// Looks which of the documents delivered the server does not list any more.
    async fn sweep(&mut self) -> Result<u64, Failure> {
        let what = "a sweep";
        let mut listed: HashSet<u64> = HashSet::new();
        let mut parameters = Vec::new();
        self.limits(Type::DocumentReference, &mut parameters);
        parameters.extend([("_elements", "id"), ("_count", IDS_AT_ONCE)]);
        let mut url = self.remote.client.address.query(&["DocumentReference"], parameters);
        let mut visited = HashSet::new();
        loop {
            if !visited.insert(url.to_string()) {
                return Err(Failure::Misread("the pages of a sweep lead in a circle".into()));
            }
            let reply = self.remote.client.fetch(&Request::get(what, url.clone()), self.remote.settings.max_bytes).await?;
            let page = Page::parse(&reply, what)?;
            let ids =
                page.items.iter().filter(|item| item.matched && item.resource_type == "DocumentReference").filter_map(|i| i.id.as_deref());
            let ids: Vec<&str> = ids.collect();
            listed.extend(ids.iter().map(|id| fingerprint(&[id])));
            self.know(ids.into_iter())?;
            match &page.next {
                Some(link) => url = follow(&self.remote, link, &url)?,
                None => break,
            }
        }
        let Some(known) = &self.known else { return Ok(0) };
        let (vanished, all) = known.select(|id| !listed.contains(&fingerprint(&[id])))?;
        let next = Utc::now().timestamp_micros() + self.remote.settings.sweep_seconds as i64 * 1_000_000;
        if vanished.len() as u64 == all && all > MANY {
            self.state.sweep_at = next;
            metrics::counter!("sillage_fhir_sweeps_refused_total", "source" => self.remote.client.source.clone()).increment(1);
            tracing::error!(
                source = self.remote.client.source,
                documents = all,
                "all documents have vanished from the server at once; nothing is withdrawn"
            );
            return Ok(0);
        }
        let mut batch = Batch::default();
        let mut gone = Vec::new();
        for id in &vanished {
            // A listing may leave out what still exists: only the document itself tells.
            let url = self.remote.client.address.path(&["DocumentReference", id]);
            let reply =
                self.remote.client.fetch(&Request::get("the read of a resource", url.clone()), self.remote.settings.max_bytes).await;
            let reply = match reply {
                Ok(reply) if matches!(reply.status, 404 | 410) => reply,
                Ok(_) | Err(Failure::TooLarge { .. } | Failure::Foreign(_)) => continue,
                Err(failure) => return Err(failure),
            };
            let time = reply.header(LAST_MODIFIED).and_then(|t| DateTime::parse_from_rfc2822(t).ok()).map(|t| t.to_rfc3339());
            let payload = deletion("DocumentReference", id, url.as_str(), reply.header(ETAG), time.as_deref());
            batch.push(&format!("DocumentReference/{id} deleted"), payload);
            gone.push(id.as_str());
        }
        let count = batch.messages.len() as u64;
        self.state.sweep_at = next;
        self.commit(batch.messages)?;
        if let Some(known) = &self.known {
            known.remove(gone.into_iter())?;
        }
        Ok(count)
    }
}

fn deleted_id(item: &Item<'_>, kind: Type) -> Option<String> {
    let addresses = [item.url.as_deref(), item.full_url.as_deref()];
    let written = addresses.into_iter().flatten().find_map(|address| match Target::parse(address) {
        Target::Resource { resource_type: Some(name), id } if name == kind.name() && !id.is_empty() => Some(id.to_owned()),
        _ => None,
    });
    written.or_else(|| item.id.clone())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_deletion_is_a_history_entry() -> Result<(), serde_json::Error> {
        let payload = deletion("DocumentReference", "d\"1", "https://h/DocumentReference/d", Some("W/\"3\""), None);
        let value: serde_json::Value = serde_json::from_slice(&payload)?;
        assert_eq!(value["resourceType"], "Bundle");
        let entry = &value["entry"][0];
        assert_eq!((&entry["request"]["method"], &entry["request"]["url"]), (&"DELETE".into(), &"DocumentReference/d\"1".into()));
        assert_eq!((&entry["response"]["etag"], entry["response"].get("lastModified")), (&"W/\"3\"".into(), None));
        Ok(())
    }
}
