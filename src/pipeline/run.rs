//! A job in, an outcome out: starts the threads and hands chunks around.

use std::collections::HashSet;
use std::fs::File;
use std::io::{self, Read};
use std::panic::{self, AssertUnwindSafe};
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{self, Receiver, Sender};
use std::thread;

use rayon::ThreadPoolBuilder;

use super::join::{Event, Join};
use super::mill::Mill;
use super::output::Sink;
use super::report::{FindingLog, sha256_of};
use super::set::Set;
use super::{Delivery, Job, Outcome, Task, Watch, name_of};
use crate::error::{Error, ErrorKind, Result};
use crate::format::{self, Cutter, Format, Head, ReadOptions, Reader, Writer};
use crate::limits::Limits;
use crate::record::{Code, Holds, Keyring, Plain, PskcKey, Trail};
use crate::refine::Fill;
use crate::unseal::{Input, Layer, Visit, Visitor, unseal};

/// What one chunk needs on its way, lent from a fixed number.
pub(super) struct Buffers {
    pub(super) chunk: Plain,
    pub(super) document: Plain,
}

/// Chunks under way for each thread of the mill: one being milled, one waiting.
const CHUNKS_PER_THREAD: usize = 2;

/// Does a job. Whatever happens is in the outcome, also when it stopped.
pub fn run(job: Job, keyring: Keyring, watch: &Watch) -> Outcome {
    let mut outcome = Outcome { findings: FindingLog::new(job.report), ..Outcome::default() };
    let (paths, report) = (paths_of(&job.inputs), job.report);
    match run_stages(job, keyring, watch, &mut outcome) {
        Ok(()) => {}
        Err(error) => outcome.stopped = Some(error),
    }
    for (name, path) in paths {
        let known = outcome.deliveries.iter().position(|delivery| delivery.path == name).unwrap_or_else(|| {
            // The run stopped before anything was found in it.
            outcome.deliveries.push(Delivery { path: name, ..Delivery::default() });
            outcome.deliveries.len() - 1
        });
        if report && let Some(path) = path.filter(|path| path.is_file()) {
            outcome.deliveries[known].sha256 = File::open(path).and_then(|mut file| sha256_of(&mut file)).ok();
        }
    }
    outcome.findings.seal();
    outcome
}

/// What each delivery is called, and its path if it is no stream.
fn paths_of(inputs: &[Input]) -> Vec<(String, Option<PathBuf>)> {
    inputs
        .iter()
        .map(|input| match input {
            Input::Path(path) => (path.display().to_string(), Some(path.clone())),
            Input::Stream(_, name) => (name.clone(), None),
        })
        .collect()
}

fn run_stages(job: Job, mut keyring: Keyring, watch: &Watch, outcome: &mut Outcome) -> Result<()> {
    let threads = if job.threads == 0 { thread::available_parallelism().map_or(1, usize::from) } else { job.threads };
    let jsonl = Writer::Jsonl;
    let (writer, destination) = match &job.task {
        Task::Inspect => (None, None),
        Task::Check(target) => (Some(target.as_ref().unwrap_or(&jsonl)), None),
        Task::Convert(target, destination) => (Some(target), Some(destination)),
    };
    if let (Some(assign), Some(writer)) = (&job.assign, writer) {
        assign.check(writer.format())?;
    }
    let mut sink = None;
    if let (Some(writer), Some(destination)) = (writer, destination) {
        let (opened, replaced) = Sink::open(writer, destination, job.report, job.limits, &job.parts)?;
        sink = Some(opened);
        outcome.replaced = replaced;
    }
    let fill = Fill::new(job.set);
    let holds = writer.map_or(Holds::EVERYTHING, Writer::holds);
    let mill = Mill {
        writer,
        written_reader: writer.map(Writer::reader),
        holds,
        fill: &fill,
        assign: job.assign.as_ref(),
        severities: &job.severities,
        all_findings: job.report,
    };
    let pool =
        ThreadPoolBuilder::new().num_threads(threads).thread_name(|number| format!("mill-{number}")).build().map_err(
            |error| Error::new(ErrorKind::Read { name: "threads of the system".to_owned() }).caused_by(error),
        )?;
    let (event_sender, events) = mpsc::channel();
    let (buffer_sender, buffers) = mpsc::channel();
    for _ in 0..threads * CHUNKS_PER_THREAD + 1 {
        let sent = buffer_sender.send(Buffers { chunk: Plain::default(), document: Plain::default() });
        debug_assert!(sent.is_ok(), "the receiver is here");
    }
    let stop = AtomicBool::new(false);
    let mut join = Join {
        outcome: std::mem::take(outcome),
        sink,
        severities: &job.severities,
        assign: job.assign.as_ref(),
        holds,
        skip_rejected: job.skip_rejected,
        set: Set::default(),
        watch,
        member: (0, 0),
        hash_assumed: false,
    };
    thread::scope(|scope| {
        let (mill, stop, read) = (&mill, &stop, &job.read);
        let (wanted, skipped) = (job.wanted.as_deref(), job.skipped.as_deref());
        let (inputs, limits, bytes) = (job.inputs, job.limits, Arc::clone(&watch.bytes));
        let feeder = scope.spawn(move || {
            pool.in_place_scope_fifo(|pool| {
                let mut feed = Feed {
                    mill,
                    pool,
                    events: Numbered { sender: event_sender, next: 0 },
                    buffers,
                    stop,
                    read,
                    wanted,
                    skipped,
                    limits,
                    shown_before: HashSet::new(),
                };
                if let Err(error) = unseal(inputs, &mut keyring, &limits, &bytes, &mut feed) {
                    feed.events.send(Event::Stopped(error));
                }
            });
        });
        // Moved in here, so that a panic on the way drops them and the feeder does not wait for ever.
        let (events, buffer_sender) = (events, buffer_sender);
        join.run(&events, &buffer_sender, &|| stop.store(true, Ordering::Relaxed));
        drop(buffer_sender);
        if let Err(panicked) = feeder.join() {
            panic::resume_unwind(panicked);
        }
    });
    let finished = match join.outcome.stopped.take() {
        Some(error) => Err(error),
        None => join.finish(writer.is_some()),
    };
    // An unfinished output goes with its sink.
    drop(join.sink.take());
    *outcome = join.outcome;
    finished
}

/// Events with their numbers in the delivery's order.
struct Numbered {
    sender: Sender<(u64, Event)>,
    next: u64,
}

impl Numbered {
    fn send(&mut self, event: Event) {
        let number = self.number();
        // The join has gone only when it panicked, which is on its way to the caller.
        let _ = self.sender.send((number, event));
    }

    fn number(&mut self) -> u64 {
        self.next += 1;
        self.next - 1
    }
}

/// Takes members as they are unsealed, cuts them, and hands chunks to the mill.
struct Feed<'f, 'scope> {
    mill: &'scope Mill<'scope>,
    pool: &'f rayon::ScopeFifo<'scope>,
    events: Numbered,
    buffers: Receiver<Buffers>,
    stop: &'f AtomicBool,
    read: &'f ReadOptions,
    wanted: Option<&'f Filter>,
    skipped: Option<&'f Filter>,
    limits: Limits,
    /// Members that were put off once.
    shown_before: HashSet<Trail>,
}

impl Visitor for Feed<'_, '_> {
    fn enters(&mut self, trail: &Trail) -> bool {
        !self.skipped.is_some_and(|skipped| skipped(&name_of(trail)))
    }

    fn wants(&mut self, trail: &Trail) -> bool {
        self.enters(trail) && self.wanted.is_none_or(|wanted| wanted(&name_of(trail)))
    }

    fn member(&mut self, trail: &Trail, content: &mut dyn Read, keyring: &mut Keyring) -> Result<Visit> {
        if self.is_stopped() {
            return Err(ErrorKind::Interrupted.into());
        }
        let visit = self.read_member(trail, content, keyring);
        if visit.is_err() || self.is_stopped() {
            // A broken layer explains whatever was wrong with its content, so it is looked for first.
            io::copy(content, &mut io::sink())
                .map_err(|error| Error::reading(error, trail.name()).at(trail.whole()))?;
        }
        visit
    }

    fn layer(&mut self, trail: &Trail, layer: Layer, detail: &str) {
        self.events.send(Event::Layer { trail: trail.clone(), layer, detail: detail.to_owned() });
    }

    fn finding(&mut self, trail: &Trail, code: Code, message: String) {
        self.events.send(Event::Finding { trail: trail.clone(), code, message });
    }
}

impl Feed<'_, '_> {
    fn is_stopped(&self) -> bool {
        self.stop.load(Ordering::Relaxed)
    }

    fn read_member(&mut self, trail: &Trail, content: &mut dyn Read, keyring: &mut Keyring) -> Result<Visit> {
        let mut start = Plain::default();
        start
            .fill_from(content, LONGEST_KEY_FILE + 1)
            .map_err(|error| Error::reading(error, trail.name()).at(trail.whole()))?;
        if let Some(key) = key_file(&start) {
            keyring.pskc_keys.push(PskcKey { name: trail.to_string(), key, found_beside: true });
            self.events.send(Event::Member { trail: trail.clone(), format: None, unread: None });
            return Ok(Visit::Done);
        }
        let mut whole = start.chain(content);
        let mut text = format::text::Text::new(&mut whole);
        let head = Head::new(&mut text, trail.clone(), self.limits)?;
        let opened = match format::open(head, self.read, keyring) {
            Ok(opened) => opened,
            Err(error) if matches!(error.kind(), ErrorKind::PskcKeyMissing { .. }) => {
                if self.shown_before.insert(trail.clone()) {
                    return Ok(Visit::Later);
                }
                if self.mill.writer.is_some() {
                    return Err(error);
                }
                let unread = Some(error.to_string());
                self.events.send(Event::Member { trail: trail.clone(), format: Some(Format::Pskc), unread });
                return Ok(Visit::Done);
            }
            Err(error) => return Err(error),
        };
        let Some(opened) = opened else {
            return Err(Error::new(ErrorKind::FormatUnknown).at(trail.whole()));
        };
        self.events.send(Event::Member { trail: trail.clone(), format: Some(opened.format), unread: None });
        for (code, message) in opened.findings {
            self.events.send(Event::Finding { trail: trail.clone(), code, message });
        }
        self.cut(trail, Arc::new(opened.reader), opened.cutter)?;
        Ok(Visit::Done)
    }

    fn cut(&mut self, trail: &Trail, reader: Arc<Reader>, mut cutter: Cutter<'_>) -> Result<()> {
        while let Ok(Buffers { chunk, document }) = self.buffers.recv() {
            if self.is_stopped() {
                return Ok(());
            }
            let Some(chunk) = cutter.next(chunk)? else { break };
            let (mill, reader, trail) = (self.mill, Arc::clone(&reader), trail.clone());
            let (number, sender) = (self.events.number(), self.events.sender.clone());
            self.pool.spawn_fifo(move |_| {
                // A panic must reach the join in its turn: it waits for this number, and others wait for its buffers.
                let milled = panic::catch_unwind(AssertUnwindSafe(|| mill.mill(&reader, &trail, chunk, document)));
                let event = milled.map_or_else(Event::Panicked, |milled| Event::Milled(Box::new(milled)));
                // As in `Numbered::send`.
                let _ = sender.send((number, event));
            });
        }
        for (code, message) in cutter.findings() {
            self.events.send(Event::Finding { trail: trail.clone(), code, message });
        }
        Ok(())
    }
}

type Filter = dyn Fn(&str) -> bool + Send + Sync;

/// Longest file that can be a key: 32 bytes as hex with some white space around.
const LONGEST_KEY_FILE: usize = 128;

/// The key in a member that is nothing but a pre-shared key: hex text of 16, 24 or 32 bytes, or that many raw ones.
fn key_file(bytes: &[u8]) -> Option<Plain> {
    const LENGTHS: [usize; 3] = [16, 24, 32];
    if bytes.len() > LONGEST_KEY_FILE {
        return None;
    }
    let mut key = Plain::default();
    let text = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes).trim_ascii();
    let hex = text.strip_prefix(b"0x").unwrap_or(text);
    if LENGTHS.contains(&(hex.len() / 2))
        && let Ok(decoded) = data_encoding::HEXLOWER_PERMISSIVE.decode(hex)
    {
        let decoded = zeroize::Zeroizing::new(decoded);
        key.extend(&decoded);
        return Some(key);
    }
    // Raw bytes are told from a short text by what no text has.
    let raw = LENGTHS.contains(&bytes.len())
        && bytes.iter().any(|byte| !byte.is_ascii_graphic() && !byte.is_ascii_whitespace());
    raw.then(|| {
        key.extend(bytes);
        key
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn knows_a_key_file_by_its_content() {
        let hex = b"12345678901234567890123456789012\r\n";
        assert_eq!(
            key_file(hex).as_deref(),
            Some(&b"\x12\x34\x56\x78\x90\x12\x34\x56\x78\x90\x12\x34\x56\x78\x90\x12"[..])
        );
        assert_eq!(key_file(&[0x80; 16]).as_deref(), Some(&[0x80; 16][..]));
        assert!(key_file(b"serial,seed\n1,ab").is_none());
        assert!(key_file(b"").is_none());
        assert!(key_file(&[0x80; 200]).is_none());
    }
}
