//! Failures that pass, failures that stay, and answers that get lost.

use std::collections::VecDeque;
use std::io;
use std::sync::Mutex;

use futures::FutureExt;
use object_store::ObjectStoreExt;
use object_store::memory::InMemory;
use object_store::multipart::PartId;
use object_store::{MultipartId, UploadPart};

use super::*;
use crate::clock::{Clock, ManualClock};
use crate::ids::SeededIds;
use crate::meter::{Meter, Operation};
use crate::retry::RetryPolicy;

/// What happens to the next request.
#[derive(Debug, Clone, Copy)]
enum Fate {
    Well,
    /// It fails before anything happened.
    Fail,
    /// It is carried out and then fails.
    LoseAnswer,
    /// The body breaks after this many bytes.
    BreakBody(u64),
    /// A listing gives the last names first and breaks after so many.
    ListBackwards(usize),
    /// It fails in a way that does not pass.
    Deny,
}

/// A memory store whose requests meet their fate; once fates run out, all is well.
#[derive(Debug, Default)]
pub(crate) struct Flaky {
    inner: Arc<InMemory>,
    fates: Mutex<VecDeque<Fate>>,
    always: bool,
}

impl Flaky {
    /// A store that never answers.
    pub(crate) fn always() -> Self {
        Self { always: true, ..Self::default() }
    }

    fn new(fates: &[Fate]) -> Arc<Self> {
        Arc::new(Self { fates: Mutex::new(fates.iter().copied().collect()), ..Self::default() })
    }

    async fn meet<T>(&self, work: impl Future<Output = Result<T>>) -> Result<(T, Fate)> {
        let fate = if self.always { Some(Fate::Fail) } else { self.fates.lock().unwrap().pop_front() };
        match fate.unwrap_or(Fate::Well) {
            Fate::Fail => Err(timed_out()),
            Fate::Deny => Err(Error::PermissionDenied { path: "x".to_owned(), source: "no".into() }),
            Fate::LoseAnswer => work.await.and(Err(timed_out())),
            fate => Ok((work.await?, fate)),
        }
    }
}

fn timed_out() -> Error {
    Error::Generic { store: "flaky", source: io::Error::from(io::ErrorKind::TimedOut).into() }
}

impl Display for Flaky {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Flaky")
    }
}

#[async_trait]
impl ObjectStore for Flaky {
    async fn put_opts(&self, location: &Path, payload: PutPayload, opts: PutOptions) -> Result<PutResult> {
        Ok(self.meet(self.inner.put_opts(location, payload, opts)).await?.0)
    }

    async fn put_multipart_opts(&self, _: &Path, _: PutMultipartOptions) -> Result<Box<dyn MultipartUpload>> {
        Err(Error::NotImplemented { operation: "multipart".to_owned(), implementer: "Flaky".to_owned() })
    }

    async fn get_opts(&self, location: &Path, options: GetOptions) -> Result<GetResult> {
        let (mut result, fate) = self.meet(self.inner.get_opts(location, options)).await?;
        if let Fate::BreakBody(after) = fate {
            let range = result.range.clone();
            let bytes = self.inner.get_range(location, range.start..range.start + after).await?;
            let body = stream::iter([Ok(bytes), Err(timed_out())]);
            result.payload = GetResultPayload::Stream(body.boxed());
        }
        Ok(result)
    }

    fn delete_stream(&self, locations: BoxStream<'static, Result<Path>>) -> BoxStream<'static, Result<Path>> {
        let fate = self.fates.lock().unwrap().pop_front();
        let lost = matches!(fate, Some(Fate::LoseAnswer));
        let deleted = self.inner.delete_stream(locations);
        deleted.map(move |answer| if lost { answer.and(Err(timed_out())) } else { answer }).boxed()
    }

    fn list(&self, prefix: Option<&Path>) -> BoxStream<'static, Result<ObjectMeta>> {
        break_list(self.inner.list(prefix), self.fates.lock().unwrap().pop_front())
    }

    fn list_with_offset(
        &self,
        prefix: Option<&Path>,
        offset: &Path,
    ) -> BoxStream<'static, Result<ObjectMeta>> {
        break_list(self.inner.list_with_offset(prefix, offset), self.fates.lock().unwrap().pop_front())
    }

    async fn list_with_delimiter(&self, prefix: Option<&Path>) -> Result<ListResult> {
        Ok(self.meet(self.inner.list_with_delimiter(prefix)).await?.0)
    }

    async fn copy_opts(&self, from: &Path, to: &Path, options: CopyOptions) -> Result<()> {
        self.meet(self.inner.copy_opts(from, to, options)).await.map(drop)
    }
}

fn break_list(
    list: BoxStream<'static, Result<ObjectMeta>>,
    fate: Option<Fate>,
) -> BoxStream<'static, Result<ObjectMeta>> {
    match fate {
        Some(Fate::BreakBody(after)) => {
            list.take(after as usize).chain(stream::once(async { Err(timed_out()) })).boxed()
        }
        Some(Fate::ListBackwards(after)) => {
            let backwards = list.collect::<Vec<_>>().map(|list| stream::iter(list.into_iter().rev()));
            let broken = backwards.flatten_stream().take(after);
            broken.chain(stream::once(async { Err(timed_out()) })).boxed()
        }
        _ => list,
    }
}

#[async_trait]
impl MultipartStore for Flaky {
    async fn create_multipart(&self, path: &Path) -> Result<MultipartId> {
        Ok(self.meet(self.inner.create_multipart(path)).await?.0)
    }

    async fn put_part(
        &self,
        path: &Path,
        id: &MultipartId,
        index: usize,
        data: PutPayload,
    ) -> Result<PartId> {
        Ok(self.meet(self.inner.put_part(path, id, index, data)).await?.0)
    }

    async fn complete_multipart(
        &self,
        path: &Path,
        id: &MultipartId,
        parts: Vec<PartId>,
    ) -> Result<PutResult> {
        let unknown = |_| Error::NotFound { path: path.to_string(), source: "no such upload".into() };
        Ok(self
            .meet(async { self.inner.complete_multipart(path, id, parts).await.map_err(unknown) })
            .await?
            .0)
    }

    async fn abort_multipart(&self, path: &Path, id: &MultipartId) -> Result<()> {
        self.meet(self.inner.abort_multipart(path, id)).await.map(drop)
    }
}

struct Fixture {
    store: RetryingStore,
    memory: Arc<InMemory>,
    meter: Arc<Meter>,
    clock: ManualClock,
    path: Path,
}

fn fixture(fates: &[Fate]) -> Fixture {
    let flaky = Flaky::new(fates);
    let memory = flaky.inner.clone();
    let meter = Arc::<Meter>::default();
    let count = Counted(Arc::new([meter.clone()]));
    let clock = ManualClock::at_ms(0);
    let retry = Retry {
        policy: RetryPolicy::default(),
        clock: Arc::new(clock.clone()),
        ids: Arc::new(SeededIds::new(1)),
    };
    let inner = MeteredStore::new(flaky.clone(), count.clone());
    let store = RetryingStore { inner, parts: Some(flaky), count, retry, remote: true };
    Fixture { store, memory, meter, clock, path: Path::from("t/x") }
}

#[tokio::test]
async fn a_failure_that_passes_is_waited_out() {
    let f = fixture(&[Fate::Fail, Fate::LoseAnswer, Fate::Well, Fate::Fail]);
    f.store.put(&f.path, "12345".into()).await.unwrap();
    assert_eq!(f.store.get(&f.path).await.unwrap().bytes().await.unwrap(), "12345");
    assert!(!f.clock.elapsed().is_zero());
    let reading = f.meter.snapshot();
    assert_eq!((reading.requests(Operation::Put), reading.requests(Operation::Get)), (3, 2));
    assert_eq!((reading.bytes_written(), reading.bytes_read()), (5, 5));
}

#[tokio::test]
async fn tries_are_bounded() {
    let f = fixture(&[Fate::Fail; 20]);
    let error = f.store.put(&f.path, "1".into()).await.unwrap_err();
    assert!(crate::retry::is_transient(&error));
    assert_eq!(f.meter.snapshot().requests(Operation::Put), 8);
}

#[tokio::test]
async fn what_does_not_pass_is_told_at_once() {
    let f = fixture(&[Fate::Deny]);
    f.store.get(&f.path).await.unwrap_err();
    assert!(f.clock.elapsed().is_zero());
    assert!(matches!(f.store.get(&f.path).await, Err(Error::NotFound { .. })));
    assert_eq!(f.meter.snapshot().requests_total(), 2);
}

#[tokio::test]
async fn a_create_is_never_repeated() {
    let f = fixture(&[Fate::LoseAnswer]);
    let error = f.store.put_opts(&f.path, "1".into(), PutMode::Create.into()).await.unwrap_err();
    assert!(crate::retry::is_transient(&error), "not `already exists`: {error}");
}

#[tokio::test]
async fn a_broken_download_goes_on_where_it_broke() {
    let f = fixture(&[Fate::BreakBody(3), Fate::Fail, Fate::BreakBody(4)]);
    f.memory.put(&f.path, "0123456789".into()).await.unwrap();
    assert_eq!(f.store.get(&f.path).await.unwrap().bytes().await.unwrap(), "0123456789");
    let reading = f.meter.snapshot();
    assert_eq!((reading.requests(Operation::Get), reading.bytes_read()), (4, 10));

    let f = fixture(&[Fate::BreakBody(2), Fate::Well]);
    f.memory.put(&f.path, "0123456789".into()).await.unwrap();
    assert_eq!(f.store.get_ranges(&f.path, &[3..8, 9..10]).await.unwrap(), ["34567", "9"]);
}

#[tokio::test]
async fn a_download_does_not_go_on_in_another_object() {
    let f = fixture(&[Fate::BreakBody(3)]);
    f.memory.put(&f.path, "0123456789".into()).await.unwrap();
    let result = f.store.get(&f.path).await.unwrap();
    f.memory.put(&f.path, "abcdefghij".into()).await.unwrap();
    let error = result.bytes().await.unwrap_err();
    assert!(matches!(error, Error::Precondition { .. }), "{error}");
}

#[tokio::test]
async fn parts_are_sent_again_and_land_in_order() {
    use Fate::{Fail, LoseAnswer, Well};
    let f = fixture(&[Fail, Well, Fail, LoseAnswer, Well, LoseAnswer, Well, Fail]);
    let mut upload = f.store.put_multipart(&f.path).await.unwrap();
    let parts: Vec<UploadPart> =
        ["one", "two", "three"].iter().map(|part| upload.put_part((*part).into())).collect();
    for part in parts {
        part.await.unwrap();
    }
    upload.complete().await.unwrap();
    assert_eq!(f.memory.get(&f.path).await.unwrap().bytes().await.unwrap(), "onetwothree");
    assert_eq!(f.meter.snapshot().bytes_written(), 11);
}

#[tokio::test]
async fn a_completed_upload_whose_answer_was_lost_is_complete() {
    let f = fixture(&[Fate::Well, Fate::Well, Fate::LoseAnswer]);
    let mut upload = f.store.put_multipart(&f.path).await.unwrap();
    upload.put_part("one".into()).await.unwrap();
    upload.complete().await.unwrap();

    let f = fixture(&[Fate::Well, Fate::Well, Fate::Fail]);
    let mut upload = f.store.put_multipart(&f.path).await.unwrap();
    upload.put_part("one".into()).await.unwrap();
    upload.abort().await.unwrap();
    assert!(upload.complete().await.is_err(), "an upload that is really unknown fails");
}

#[tokio::test]
async fn a_listing_goes_on_after_the_last_name() {
    let f = fixture(&[Fate::BreakBody(2), Fate::BreakBody(0), Fate::BreakBody(1)]);
    for name in ["a", "b", "c", "d", "e"] {
        f.memory.put(&Path::from(name), "".into()).await.unwrap();
    }
    let names: Vec<String> =
        f.store.list(None).map_ok(|meta| meta.location.to_string()).try_collect().await.unwrap();
    assert_eq!(names, ["a", "b", "c", "d", "e"]);
}

#[tokio::test]
async fn a_listing_out_of_order_does_not_go_on_after_a_failure() {
    let f = fixture(&[Fate::ListBackwards(2)]);
    for name in ["a", "b", "c"] {
        f.memory.put(&Path::from(name), "".into()).await.unwrap();
    }
    let listed: Vec<Result<ObjectMeta>> = f.store.list(None).collect().await;
    let names: Vec<Option<&str>> =
        listed.iter().map(|meta| meta.as_ref().ok().map(|meta| meta.location.as_ref())).collect();
    assert_eq!(names, [Some("c"), Some("b"), None]);
}

#[tokio::test]
async fn a_delete_whose_answer_was_lost_is_done() {
    let f = fixture(&[Fate::LoseAnswer]);
    f.memory.put(&f.path, "1".into()).await.unwrap();
    f.store.delete(&f.path).await.unwrap();
    assert!(f.memory.get(&f.path).await.is_err());
}
