//! The rounds: look, ask the ledger, commit when it is time, wait.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use hosu_catalog::{Catalog, LedgerRow};
use hosu_host::{FolderWatcher, Stop};
use uuid::Uuid;

use super::batch::{self, Limits};
use super::entry::{Offer, Rows, Trouble};
use super::files::{Files, Note};
use super::objects::Objects;
use super::{FollowEvent, FollowRequest, FollowWatch, Followed};
use crate::error::CollectError;
use crate::ingest::{Chosen, Taken, ingest_chosen};
use crate::progress::{NoProgress, Progress};
use crate::request::IngestRequest;
use crate::source::{self, Found, Own, Source, SourceKind, Wanted};

/// Looks are not made more often than this, however much is written.
const LOOK_EVERY_MIN: Duration = Duration::from_secs(1);

/// Following on its way.
pub(super) struct Rounds<'a> {
    catalog: &'a Catalog,
    request: &'a FollowRequest,
    /// How each commit is made: not by the stop that ends the rounds.
    ingest: IngestRequest,
    watch: &'a dyn FollowWatch,
    files: Files,
    objects: Objects,
    watcher: Option<FolderWatcher>,
    table: Option<Uuid>,
    /// The store or the catalog does not work.
    outage: Trouble,
    /// What is wrong with each text of the request.
    lost: Vec<Trouble>,
    listed_at: Option<Duration>,
    is_told: bool,
    followed: Followed,
}

/// What is to be done after a round.
enum Next {
    Again,
    Wait(Duration),
    End,
}

impl<'a> Rounds<'a> {
    pub(super) fn new(catalog: &'a Catalog, request: &'a FollowRequest, watch: &'a dyn FollowWatch) -> Self {
        Self {
            catalog,
            request,
            ingest: IngestRequest { stop: Stop::new(), ..request.ingest.clone() },
            watch,
            files: Files::default(),
            objects: Objects::default(),
            watcher: FolderWatcher::new(),
            table: None,
            outage: Trouble::default(),
            lost: vec![Trouble::default(); request.ingest.sources.len()],
            listed_at: None,
            is_told: false,
            followed: Followed::default(),
        }
    }

    pub(super) async fn run(mut self) -> Result<Followed, CollectError> {
        let stop = self.request.stop.clone();
        while !stop.is_asked() {
            match self.round(self.request.until_idle).await? {
                Next::Again => {}
                Next::End => break,
                Next::Wait(wait) => self.wait(wait, &stop).await,
            }
        }
        if stop.is_asked() {
            self.tell(&FollowEvent::Stopping);
            // What is complete is taken; who is in trouble is not waited for.
            self.round(true).await?;
        }
        self.followed.failing = self.failing();
        Ok(self.followed)
    }

    /// One look, and a commit when it is time, or when that is wanted at once.
    async fn round(&mut self, at_once: bool) -> Result<Next, CollectError> {
        let now = self.now();
        if !self.outage.is_over(now) {
            return Ok(Next::Wait(LOOK_EVERY_MIN));
        }
        let looked = self.look(now).await;
        let offers = match looked {
            Ok(offers) => offers,
            Err(error) => return self.out_of_order(error),
        };
        self.tell_notes();
        let limits = Limits { bytes: self.request.commit_bytes.max(1), age: self.request.commit_age };
        let due_in = batch::due_in(&offers, now, limits);
        let taken = batch::next(self.in_order(offers), now, limits, at_once);
        if taken.is_empty() {
            self.outage.clear();
            return Ok(self.rest(now, due_in));
        }
        self.take(taken).await
    }

    /// What failed before is tried alone: it shall not hold up the others.
    fn in_order(&self, offers: Vec<Offer>) -> Vec<Offer> {
        let (mut failing, sound): (Vec<Offer>, Vec<Offer>) = offers
            .into_iter()
            .partition(|offer| self.trouble_of(&offer.key).is_some_and(Trouble::is_failing));
        if sound.is_empty() {
            failing.truncate(1);
            return failing;
        }
        sound
    }

    fn trouble_of(&self, key: &str) -> Option<&Trouble> {
        let file = self.files.tracked.get(key).map(|tracked| &tracked.trouble);
        file.or_else(|| self.objects.waiting.get(key).map(|waiting| &waiting.trouble))
    }

    fn rest(&self, now: Duration, due_in: Option<Duration>) -> Next {
        let settles = self.files.tracked.values().any(|tracked| tracked.is_settling(now));
        let tries = self.troubles().any(|trouble| trouble.is_failing() && !trouble.is_lasting());
        if self.request.until_idle && !settles && !tries {
            return Next::End;
        }
        let soon = settles || tries || self.request.until_idle;
        let wait = if soon { LOOK_EVERY_MIN } else { self.request.look_every.max(LOOK_EVERY_MIN) };
        Next::Wait(due_in.map_or(wait, |due_in| due_in.min(wait)).max(Duration::from_millis(10)))
    }

    fn troubles(&self) -> impl Iterator<Item = &Trouble> {
        let files = self.files.tracked.values().map(|tracked| &tracked.trouble);
        let objects = self.objects.waiting.values().map(|waiting| &waiting.trouble);
        files.chain(objects).chain(&self.lost).chain([&self.outage])
    }

    fn failing(&self) -> u64 {
        self.troubles().filter(|trouble| trouble.is_failing()).count() as u64
    }

    /// Waits, and no longer than until a file changes; but then a moment, because one change seldom comes alone.
    async fn wait(&self, wait: Duration, stop: &Stop) {
        let clock = &self.catalog.host().clock;
        let changed = async {
            match &self.watcher {
                Some(watcher) => watcher.changed().await,
                None => std::future::pending().await,
            }
            clock.sleep(LOOK_EVERY_MIN.min(wait)).await;
        };
        tokio::select! {
            () = stop.asked() => {}
            () = clock.sleep(wait) => {}
            () = changed => {}
        }
    }

    fn now(&self) -> Duration {
        self.catalog.host().clock.elapsed()
    }

    fn tell(&self, event: &FollowEvent<'_>) {
        self.watch.event(event);
    }

    fn tell_notes(&mut self) {
        for note in std::mem::take(&mut self.files.notes) {
            match &note {
                Note::Anew { name, byte } => self.tell(&FollowEvent::Anew { name, byte: *byte }),
                Note::Gone { name } => self.tell(&FollowEvent::Gone { name }),
                Note::Trouble { error, wait } => self.tell(&FollowEvent::Trouble { error, wait: *wait }),
            }
        }
    }

    /// Everything that can be taken now.
    async fn look(&mut self, now: Duration) -> Result<Vec<Offer>, CollectError> {
        let (files, objects) = self.find(now).await?;
        if let Some(objects) = objects {
            self.objects.see(objects, now);
        }
        let paths: Vec<(String, PathBuf)> = files;
        for folder in paths.iter().filter_map(|(_, path)| path.parent()) {
            self.watch_folder(folder);
        }
        self.on_files(move |files| files.see(paths, now)).await?;
        self.ask_ledger(now).await?;
        self.on_files(move |files| files.find_renamed(now)).await?;
        self.ask_ledger(now).await?;
        let (commit_bytes, request) = (self.request.commit_bytes, self.ingest.clone());
        let mut offers = self.on_files(move |files| files.offers(now, commit_bytes, &request)).await?;
        offers.extend(self.objects.offers(now));
        if !std::mem::replace(&mut self.is_told, true) {
            let sources = self.files.tracked.len() + self.objects.count;
            self.tell(&FollowEvent::Watching { sources, is_notified: self.watcher.is_some() });
        }
        Ok(offers)
    }

    fn watch_folder(&self, folder: &std::path::Path) {
        if let Some(watcher) = &self.watcher {
            watcher.watch(folder);
        }
    }

    async fn on_files<T: Send + 'static>(
        &mut self,
        work: impl FnOnce(&mut Files) -> T + Send + 'static,
    ) -> Result<T, CollectError> {
        let mut files = std::mem::take(&mut self.files);
        let (files, done) = source::blocking(move || {
            let done = work(&mut files);
            Ok((files, done))
        })
        .await?;
        self.files = files;
        Ok(done)
    }

    /// The files that the request names, and the objects, if it is time to list them.
    async fn find(
        &mut self,
        now: Duration,
    ) -> Result<(Vec<(String, PathBuf)>, Option<Vec<Source>>), CollectError> {
        let lists = self.listed_at.is_none_or(|at| now.saturating_sub(at) >= self.request.look_every);
        let (mut files, mut objects) = (Vec::new(), Vec::new());
        let unwatched: Arc<dyn Progress> = Arc::new(NoProgress);
        for index in 0..self.ingest.sources.len() {
            let Some(texts @ [text]) = self.ingest.sources.get(index..=index) else { break };
            let is_remote = source::is_url(text);
            if is_remote && !lists {
                continue;
            }
            if !is_remote {
                self.watch_folder(&self.ingest.folder.join(text));
            }
            let own = Own::of(self.catalog);
            let wanted = Wanted {
                own: &own,
                texts,
                folder: &self.ingest.folder,
                batch_id: None,
                after: None,
                progress: &unwatched,
            };
            let found = source::find(self.catalog.host(), wanted, None).await;
            for source in self.found(index, found, now)? {
                match source.kind {
                    SourceKind::File { path, .. } => files.push((source.name, path)),
                    SourceKind::Object { .. } => objects.push(source),
                    SourceKind::Part(_) | SourceKind::Stream(_) => {
                        let reason = "a pipe cannot be followed".to_owned();
                        return Err(CollectError::SourceUrl { name: source.name, reason });
                    }
                }
            }
        }
        if lists {
            self.listed_at = Some(now);
        }
        Ok((files, lists.then_some(objects)))
    }

    /// What a text of the request leads to. Nothing is there yet, or cannot be read: that may change.
    fn found(
        &mut self,
        index: usize,
        found: Result<Found, CollectError>,
        now: Duration,
    ) -> Result<Vec<Source>, CollectError> {
        let error = match found {
            Ok(found) => {
                self.lost.iter_mut().skip(index).take(1).for_each(Trouble::clear);
                return Ok(found.sources);
            }
            Err(error) => error,
        };
        match &error {
            CollectError::FolderEmpty { .. } | CollectError::NothingMatches { .. } => return Ok(Vec::new()),
            CollectError::BadPattern { .. } | CollectError::SourceUrl { .. } | CollectError::Stopped => {
                return Err(error);
            }
            _ => {}
        }
        if let Some(lost) = self.lost.get_mut(index) {
            let (wait, is_news) = lost.fails(now, &error.to_string());
            if is_news {
                self.files.notes.push(Note::Trouble { error, wait });
            }
        }
        Ok(Vec::new())
    }

    /// Asks the ledger for what was seen for the first time, or has to be asked for again.
    async fn ask_ledger(&mut self, now: Duration) -> Result<(), CollectError> {
        let table =
            self.catalog.load(&self.ingest.table).await.map_err(|source| self.catalog_error(source))?;
        let table = table.map(|table| table.uuid());
        if table != self.table {
            self.table = table;
            self.forget_all();
        }
        let asking: Vec<String> = self
            .files
            .tracked
            .values()
            .filter(|tracked| tracked.asks)
            .map(|tracked| tracked.identity.clone())
            .collect();
        for identity in asking {
            let Some(name) = self.files.tracked.get(&identity).map(|tracked| tracked.name.clone()) else {
                continue;
            };
            let mut rows = self.ledger(std::slice::from_ref(&name)).await?;
            let of_identity = self.ledger(std::slice::from_ref(&identity)).await?;
            rows.extend(of_identity.into_iter().filter(|row| row.source != name));
            if let Some(tracked) = self.files.tracked.get_mut(&identity) {
                tracked.learn(Rows { rows });
            }
        }
        let names = self.objects.asked(now);
        let rows = self.ledger(&names).await?;
        let notes = self.objects.learn(&names, &rows, self.ingest.on_changed, &self.ingest.table, now);
        self.files.notes.extend(notes);
        Ok(())
    }

    async fn ledger(&self, names: &[String]) -> Result<Vec<LedgerRow>, CollectError> {
        match self.table {
            Some(table) if !names.is_empty() => {
                self.catalog.ledger(table, Some(names)).await.map_err(|source| self.catalog_error(source))
            }
            _ => Ok(Vec::new()),
        }
    }

    fn catalog_error(&self, source: hosu_catalog::CatalogError) -> CollectError {
        CollectError::Catalog { table: self.ingest.table.clone(), source: Box::new(source) }
    }

    fn forget_all(&mut self) {
        self.files.tracked.values_mut().for_each(super::tracked::Tracked::forget);
        self.objects.forget_all();
    }

    /// Commits what was chosen.
    async fn take(&mut self, offers: Vec<Offer>) -> Result<Next, CollectError> {
        let chosen = Chosen { todo: offers.iter().map(Offer::todo).collect(), table: self.table };
        match ingest_chosen(self.catalog, &self.ingest, &NoProgress, &chosen).await {
            Ok(Taken::Committed { report, table, ends }) => {
                self.table = table;
                for (offer, (is_recorded, end)) in offers.iter().zip(ends) {
                    self.took(offer, is_recorded, end);
                }
                self.outage.clear();
                if report.rows + report.rejected > 0 {
                    self.followed.commits += 1;
                    self.followed.rows += report.rows;
                    self.followed.rejected += report.rejected;
                    self.followed.bytes_read += report.bytes_read;
                    self.tell(&FollowEvent::Committed { report: &report });
                }
                Ok(Next::Again)
            }
            Ok(Taken::Overtaken) => {
                self.forget(&offers);
                self.tell(&FollowEvent::Overtaken);
                Ok(Next::Again)
            }
            Err(error) => {
                if matches!(error, CollectError::CommitUnknown { .. }) {
                    self.forget_all();
                }
                self.failed(&offers, error)
            }
        }
    }

    fn took(&mut self, offer: &Offer, is_recorded: bool, end: Option<Box<source::Position>>) {
        if let Some(tracked) = self.files.tracked.get_mut(&offer.key)
            && let Some(end) = end
        {
            tracked.took(end);
        }
        self.objects.took(&offer.key);
        if is_recorded {
            self.files
                .tracked
                .values_mut()
                .for_each(|tracked| tracked.recorded(&offer.source.name, &offer.key));
        }
    }

    fn forget(&mut self, offers: &[Offer]) {
        for offer in offers {
            if let Some(tracked) = self.files.tracked.get_mut(&offer.key) {
                tracked.forget();
            }
            self.objects.forget(&offer.key);
        }
    }

    /// One source is at fault, and waits; or the store or the catalog, and everything does.
    fn failed(&mut self, offers: &[Offer], error: CollectError) -> Result<Next, CollectError> {
        let offer =
            error.source_name().and_then(|name| offers.iter().find(|offer| offer.source.name == name));
        let Some(offer) = offer else { return self.out_of_order(error) };
        let now = self.now();
        let file = self.files.tracked.get_mut(&offer.key).map(|tracked| &mut tracked.trouble);
        let trouble =
            file.or_else(|| self.objects.waiting.get_mut(&offer.key).map(|waiting| &mut waiting.trouble));
        if let Some(trouble) = trouble {
            let (wait, is_news) = trouble.fails(now, &error.to_string());
            // Whoever truncates a file while it is read has not done anything wrong.
            if is_news && !matches!(error, CollectError::ChangedWhileRead { .. }) {
                self.tell(&FollowEvent::Trouble { error: &error, wait });
            }
        }
        Ok(Next::Again)
    }

    /// Nothing can be done for a while.
    fn out_of_order(&mut self, error: CollectError) -> Result<Next, CollectError> {
        if error.is_lasting() {
            return Err(error);
        }
        let now = self.now();
        let (wait, is_news) = self.outage.fails(now, &error.to_string());
        if is_news {
            self.tell(&FollowEvent::Trouble { error: &error, wait });
        }
        if self.request.until_idle && self.outage.is_lasting() {
            return Err(error);
        }
        Ok(Next::Wait(wait))
    }
}
