//! Events of the other threads in, in any order; the outcome out, as if there had been one thread.
//!
//! # Memory
//!
//! What has come too early, which the number of buffers bounds, and the set ([`super::set`]).

use std::any::Any;
use std::collections::BTreeMap;
use std::panic;
use std::sync::atomic::Ordering;
use std::sync::mpsc::{Receiver, Sender};

use super::mill::{Batch, Milled};
use super::output::Sink;
use super::report::FindingLog;
use super::run::Buffers;
use super::set::Set;
use super::{Assignments, Delivery, Member, Outcome, Severities, Watch, name_of};
use crate::error::{Error, ErrorKind, Result};
use crate::format::Format;
use crate::record::{Code, Finding, Holds, Severity, Tally, Trail, escaped};
use crate::unseal::Layer;

/// What happens while a delivery is read, in its order.
pub(super) enum Event {
    /// A layer was opened.
    Layer { trail: Trail, layer: Layer, detail: String },
    /// A member begins. A key file has no format.
    Member { trail: Trail, format: Option<Format>, unread: Option<String> },
    /// Something is to be said of a member.
    Finding { trail: Trail, code: Code, message: String },
    /// A chunk of the last member has been through the mill.
    Milled(Box<Milled>),
    /// A bug in the mill, to go on in the caller's thread.
    Panicked(Box<dyn Any + Send>),
    /// The run ends early.
    Stopped(Error),
}

/// Brings events in order and draws the outcome from them.
pub(super) struct Join<'j> {
    pub(super) outcome: Outcome,
    pub(super) sink: Option<Sink<'j>>,
    pub(super) severities: &'j Severities,
    pub(super) assign: Option<&'j Assignments>,
    pub(super) holds: Holds,
    pub(super) skip_rejected: bool,
    pub(super) set: Set,
    pub(super) watch: &'j Watch,
    /// The member being read: its delivery's number, and its own in that.
    pub(super) member: (usize, usize),
    /// Whether that member's hash has been spoken of.
    pub(super) hash_assumed: bool,
}

/// Codes that ask for a flag, not for a thousand repairs, when no record is free of them.
const SHARED_FAULTS: [Code; 6] = [
    Code::PeriodUnknown,
    Code::HashUnknown,
    Code::MacMismatch,
    Code::MacMissing,
    Code::ManufacturerMissing,
    Code::ModelMissing,
];

impl Join<'_> {
    /// Takes every event in order, until the senders have gone; gives buffers back as soon as they are empty.
    pub(super) fn run(&mut self, events: &Receiver<(u64, Event)>, buffers: &Sender<Buffers>, stop: &dyn Fn()) {
        let mut early = BTreeMap::new();
        let mut next = 0;
        while let Ok((number, event)) = events.recv() {
            early.insert(number, event);
            while let Some(event) = early.remove(&next) {
                next += 1;
                if let Err(error) = self.take(event, buffers, stop) {
                    self.stop_for(error);
                }
                if self.outcome.stopped.is_some() {
                    stop();
                }
            }
        }
    }

    /// The first error in the delivery's order counts, unless a broken layer around the same member explains it.
    ///
    /// Errors of later members do not count: whether they are met depends on how far the feeder has come.
    fn stop_for(&mut self, error: Error) {
        let explains = |first: &Error| {
            matches!(error.kind(), ErrorKind::ContainerDamaged { .. })
                && matches!((first.origin(), error.origin()), (Some(inner), Some(outer))
                    if inner.trail.steps().starts_with(outer.trail.steps()))
        };
        if self.outcome.stopped.as_ref().is_none_or(explains) {
            self.outcome.stopped = Some(error);
        }
    }

    fn take(&mut self, event: Event, buffers: &Sender<Buffers>, stop: &dyn Fn()) -> Result<()> {
        match event {
            Event::Layer { trail, layer, detail } => {
                let shown =
                    if detail.is_empty() { layer.name().to_owned() } else { format!("{} ({detail})", layer.name()) };
                let delivery = self.delivery(&trail);
                self.outcome.deliveries[delivery].layers.push(shown);
                Ok(())
            }
            Event::Member { trail, format, unread } => {
                self.hash_assumed = false;
                let name = name_of(&trail);
                let delivery = self.delivery(&trail);
                let members = &mut self.outcome.deliveries[delivery].members;
                members.push(Member { name, trail, format, records: 0, unread });
                self.member = (delivery, members.len() - 1);
                Ok(())
            }
            Event::Finding { trail, code, message } => self
                .note(Finding { code, severity: code.severity(), serial: None, origin: Some(trail.whole()), message })
                .map(drop),
            Event::Milled(milled) => self.take_milled(*milled, buffers),
            Event::Stopped(error) => Err(error),
            Event::Panicked(payload) => {
                stop();
                panic::resume_unwind(payload)
            }
        }
    }

    /// The number of a trail's delivery.
    fn delivery(&mut self, trail: &Trail) -> usize {
        let path = &trail.steps()[0];
        let deliveries = &mut self.outcome.deliveries;
        deliveries.iter().position(|delivery| delivery.path == *path).unwrap_or_else(|| {
            deliveries.push(Delivery { path: path.clone(), ..Delivery::default() });
            deliveries.len() - 1
        })
    }

    /// Notes a finding that no record's own; its severity is settled here.
    fn note(&mut self, mut finding: Finding) -> Result<Severity> {
        finding.severity = self.severities.of(finding.code, finding.severity);
        let severity = finding.severity;
        self.outcome.tally.add(severity, finding.code);
        self.log(finding)?;
        Ok(severity)
    }

    fn log(&mut self, finding: Finding) -> Result<()> {
        self.outcome.findings.add(finding).map_err(|error| {
            Error::new(ErrorKind::OutputUnwritable { name: "the temporary file of the report".to_owned() })
                .caused_by(error)
        })
    }

    fn take_milled(&mut self, milled: Milled, buffers: &Sender<Buffers>) -> Result<()> {
        let Milled { chunk, document, batch } = milled;
        let result = if self.outcome.stopped.is_none() { self.take_batch(batch, &document) } else { Ok(()) };
        // The cutter's thread may have ended already; then nobody wants the buffers.
        let _ = buffers.send(Buffers { chunk: chunk.bytes, document });
        result
    }

    fn take_batch(&mut self, batch: Batch, document: &[u8]) -> Result<()> {
        for finding in batch.findings {
            if finding.code == Code::HashAssumed && finding.severity == Severity::Warning {
                if std::mem::replace(&mut self.hash_assumed, true) {
                    continue;
                }
                self.outcome.tally.add(finding.severity, finding.code);
            }
            self.log(finding)?;
        }
        for (severity, code, count) in batch.tally.iter() {
            if (severity, code) != (Severity::Warning, Code::HashAssumed) {
                self.outcome.tally.add_many(severity, code, count);
            }
        }
        self.outcome.read += batch.read;
        self.outcome.rejected += batch.rejected;
        self.outcome.proved += batch.proved;
        self.outcome.accepted += batch.items.len() as u64;
        self.watch.records.store(self.outcome.read, Ordering::Relaxed);
        let (delivery, member) = self.member;
        self.outcome.deliveries[delivery].members[member].records += batch.read;
        if let Some(error) = batch.stopped {
            return Err(error);
        }
        if let Some(sink) = &mut self.sink {
            for item in batch.items {
                sink.item(&document[item])?;
            }
        }
        self.set.add(batch.segment);
        Ok(())
    }

    /// Applies what only the whole delivery can tell, and gives the output its name.
    pub(super) fn finish(&mut self, refined: bool) -> Result<()> {
        if self.outcome.read == 0 && (refined || !self.has_unread()) {
            return Err(ErrorKind::NothingToRead.into());
        }
        if !refined {
            return Ok(());
        }
        self.unused_keys()?;
        self.shared_faults()?;
        let revoked = self.judge_set()?;
        self.judge_assignments()?;
        let rejected = self.outcome.tally.with(Severity::Rejected) > 0;
        let Some(sink) = self.sink.take() else { return Ok(()) };
        if self.outcome.accepted == 0 || rejected && !self.skip_rejected {
            return Ok(());
        }
        let sink = if revoked.is_empty() {
            sink
        } else {
            sink.keep(self.set.items().map(|(index, length)| (length, revoked.binary_search(&index).is_err())))?
        };
        (self.outcome.outputs, self.outcome.held) = sink.finish()?;
        Ok(())
    }

    fn has_unread(&self) -> bool {
        self.outcome.deliveries.iter().flat_map(|delivery| &delivery.members).any(|member| member.unread.is_some())
    }

    /// A member that was taken for a key, and that nothing needed, may have been something else.
    fn unused_keys(&mut self) -> Result<()> {
        if self.outcome.tally.of(Code::KeyBesideSeeds) > 0 {
            return Ok(());
        }
        let members = self.outcome.deliveries.iter().flat_map(|delivery| &delivery.members);
        let keys: Vec<Trail> =
            members.filter(|member| member.format.is_none()).map(|member| member.trail.clone()).collect();
        for trail in keys {
            let message = "it was taken for a pre-shared key by its length, and nothing needed one".to_owned();
            let (code, severity) = (Code::MemberSkipped, Severity::Warning);
            self.note(Finding { code, severity, serial: None, origin: Some(trail.whole()), message })?;
        }
        Ok(())
    }

    /// What every record lacks alike, and nothing else is wrong, is one error with the flag to add.
    fn shared_faults(&mut self) -> Result<()> {
        let read = self.outcome.read;
        let mut shared = None;
        for (severity, code, count) in self.outcome.tally.iter() {
            match severity {
                Severity::Rejected if count == read && SHARED_FAULTS.contains(&code) => shared = shared.or(Some(code)),
                Severity::Rejected => return Ok(()),
                Severity::Warning => {}
            }
        }
        let Some(code) = shared else { return Ok(()) };
        self.outcome.findings = FindingLog::new(false);
        self.outcome.tally = Tally::default();
        let error = Error::new(ErrorKind::EveryRecord { code, records: read });
        let members = self.outcome.deliveries.iter().flat_map(|delivery| &delivery.members);
        let mut read = members.filter(|member| member.records > 0);
        Err(match (read.next(), read.next()) {
            (Some(only), None) => error.at(only.trail.whole()),
            _ => error,
        })
    }

    /// Applies the rules on the set; answers the tokens that were written and must not stay, in order.
    fn judge_set(&mut self) -> Result<Vec<usize>> {
        let set = std::mem::take(&mut self.set);
        let mut revoked = Vec::new();
        for verdict in set.judge() {
            let (trail, place, serial) = set.token(verdict.index);
            let code = verdict.code();
            let mut severity = self.severities.of(code, code.severity());
            if code == Code::SerialDuplicate && !self.holds.same_serial {
                severity = Severity::Rejected;
            }
            self.outcome.tally.add(severity, code);
            if self.outcome.findings.wants(severity, code) {
                self.log(Finding {
                    code,
                    severity,
                    serial: (!serial.is_empty()).then(|| escaped(serial)),
                    origin: Some(place.map_or_else(|| trail.whole(), |place| trail.at(place))),
                    message: set.message(&verdict),
                })?;
            }
            let fresh = revoked.last() != Some(&verdict.index);
            if severity == Severity::Rejected && fresh && set.is_written(verdict.index) {
                revoked.push(verdict.index);
                self.outcome.accepted -= 1;
                self.outcome.proved -= 1;
                self.outcome.rejected += 1;
            }
        }
        self.set = set;
        Ok(revoked)
    }

    fn judge_assignments(&mut self) -> Result<()> {
        let Some(assign) = self.assign else { return Ok(()) };
        for (_, finding) in assign.findings(self.set.serials()) {
            self.note(finding)?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;
    use std::panic::AssertUnwindSafe;
    use std::sync::mpsc;

    use super::*;
    use crate::record::Place;

    fn join<'j>(severities: &'j Severities, watch: &'j Watch) -> Join<'j> {
        Join {
            outcome: Outcome::default(),
            sink: None,
            severities,
            assign: None,
            holds: Holds::EVERYTHING,
            skip_rejected: false,
            set: Set::default(),
            watch,
            member: (0, 0),
            hash_assumed: false,
        }
    }

    /// Sends events with the numbers given, and answers what stopped the run.
    fn stopped(events: Vec<(u64, Event)>) -> Option<String> {
        let (severities, watch) = (Severities::default(), Watch::default());
        let mut join = join(&severities, &watch);
        let (sender, receiver) = mpsc::channel();
        for event in events {
            sender.send(event).expect("the receiver is here");
        }
        drop(sender);
        join.run(&receiver, &mpsc::channel().0, &|| {});
        join.outcome.stopped.map(|error| error.to_string())
    }

    fn empty(place: Place) -> Event {
        Event::Stopped(Error::new(ErrorKind::EmptyFile).at(Trail::new("a.zip").join("t.csv").at(place)))
    }

    fn damaged(trail: Trail) -> Event {
        let kind = ErrorKind::ContainerDamaged { layer: "ZIP", detail: "its MAC is wrong".to_owned() };
        Event::Stopped(Error::new(kind).at(trail.whole()))
    }

    #[test]
    fn the_first_error_in_the_deliverys_order_counts_whenever_it_comes() {
        let late = ErrorKind::DoctypeRefused.into();
        let shown = stopped(vec![(1, Event::Stopped(late)), (0, empty(Place::Line(1)))]).expect("an error");
        assert!(shown.contains("empty"), "{shown}");
    }

    #[test]
    fn a_broken_layer_explains_what_is_wrong_inside_it_and_nothing_else() {
        let zip = Trail::new("a.zip").join("t.csv");
        let shown = stopped(vec![(0, empty(Place::Line(1))), (1, damaged(zip))]).expect("an error");
        assert!(shown.contains("MAC"), "{shown}");
        let other = Trail::new("a.zip").join("u.csv");
        let shown = stopped(vec![(0, empty(Place::Line(1))), (1, damaged(other))]).expect("an error");
        assert!(shown.contains("empty"), "{shown}");
    }

    #[test]
    fn a_panic_of_the_mill_goes_on_in_the_caller_and_stops_the_others() {
        let (severities, watch) = (Severities::default(), Watch::default());
        let mut join = join(&severities, &watch);
        let (sender, receiver) = mpsc::channel();
        sender.send((0, Event::Panicked(Box::new("a bug")))).expect("the receiver is here");
        let told = Cell::new(false);
        let buffers = mpsc::channel().0;
        // The sender lives on: waiting for more events would be waiting for ever.
        let ended = panic::catch_unwind(AssertUnwindSafe(|| join.run(&receiver, &buffers, &|| told.set(true))));
        assert!(ended.is_err() && told.get());
        drop(sender);
    }
}
