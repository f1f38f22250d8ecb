//! A subscriber of `tracing` that records spans and events.

use std::{
    collections::BTreeMap,
    fmt::Debug,
    sync::{Arc, Mutex, MutexGuard, OnceLock},
};

use tracing::{
    Dispatch, Event, Level, Metadata, Subscriber,
    field::{Field, Visit},
    span,
    subscriber::{Interest, set_default},
};
use tracing_core::span::Current;

/// The fields of a span or an event.
pub type Fields = BTreeMap<String, String>;

/// An event.
#[derive(Clone, Debug)]
pub struct RecordedEvent {
    pub level: Level,
    /// The index of the span that is its parent.
    pub span: Option<usize>,
    pub fields: Fields,
}

impl RecordedEvent {
    pub fn message(&self) -> &str {
        &self.fields["message"]
    }
}

/// What was recorded.
#[derive(Debug, Default)]
pub struct Recorded {
    pub spans: Vec<Fields>,
    /// The index of the parent of each span.
    pub parents: Vec<Option<usize>>,
    metadata: Vec<&'static Metadata<'static>>,
    /// The spans of callers that are entered.
    entered: Vec<span::Id>,
    /// The number of handles of each span.
    pub holders: Vec<usize>,
    pub events: Vec<RecordedEvent>,
}

impl Recorded {
    pub fn span_of(&self, role: &str) -> usize {
        let is_it = |span: &Fields| span.get("role").is_some_and(|value| value == role);
        self.spans.iter().position(is_it).unwrap()
    }

    pub fn events_in(&self, span: usize) -> Vec<&RecordedEvent> {
        let events = self.events.iter();
        events.filter(|event| event.span == Some(span)).collect()
    }

    pub fn messages_in(&self, span: usize) -> Vec<&str> {
        self.events_in(span)
            .into_iter()
            .map(RecordedEvent::message)
            .collect()
    }
}

/// Records everything up to a level of verbosity, for the thread that installs it.
#[derive(Clone, Debug)]
pub struct RecordingSubscriber {
    recorded: Arc<Mutex<Recorded>>,
    max_level: Level,
}

impl RecordingSubscriber {
    /// Installs a subscriber for this thread, until the guard is dropped.
    pub fn install(max_level: Level) -> (Self, impl Drop) {
        keep_callsites_enabled();
        let subscriber = Self {
            recorded: Arc::default(),
            max_level,
        };
        (subscriber.clone(), set_default(subscriber))
    }

    /// What it has recorded so far.
    pub fn recorded(&self) -> MutexGuard<'_, Recorded> {
        self.recorded.lock().unwrap()
    }
}

/// Keeps a dispatcher alive that is not a default, for tests that run side by side.
///
/// While there is only one dispatcher, `tracing` asks the default one of the thread that registers
/// a callsite whether it is of interest. In a thread without a subscriber the answer is "never",
/// for all threads. With two dispatchers it asks each of them.
pub fn keep_callsites_enabled() {
    static OTHER: OnceLock<Dispatch> = OnceLock::new();
    OTHER.get_or_init(|| {
        Dispatch::new(RecordingSubscriber {
            recorded: Arc::default(),
            max_level: Level::ERROR,
        })
    });
}

fn index(id: &span::Id) -> usize {
    usize::try_from(id.into_u64()).unwrap() - 1
}

struct Recorder<'a>(&'a mut Fields);

impl Visit for Recorder<'_> {
    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        self.0.insert(field.name().to_owned(), format!("{value:?}"));
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        self.0.insert(field.name().to_owned(), value.to_owned());
    }
}

impl Subscriber for RecordingSubscriber {
    fn register_callsite(&self, _: &'static Metadata<'static>) -> Interest {
        // Each test has a subscriber of its own.
        Interest::sometimes()
    }

    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        *metadata.level() <= self.max_level
    }

    fn new_span(&self, span: &span::Attributes<'_>) -> span::Id {
        let mut recorded = self.recorded();
        let mut fields = Fields::new();
        span.record(&mut Recorder(&mut fields));
        let parent = match span.parent() {
            None if span.is_contextual() => recorded.entered.last().map(index),
            parent => parent.map(index),
        };
        recorded.spans.push(fields);
        recorded.parents.push(parent);
        recorded.metadata.push(span.metadata());
        recorded.holders.push(1);
        span::Id::from_u64(recorded.spans.len() as u64)
    }

    fn record(&self, span: &span::Id, values: &span::Record<'_>) {
        values.record(&mut Recorder(&mut self.recorded().spans[index(span)]));
    }

    fn event(&self, event: &Event<'_>) {
        let mut fields = Fields::new();
        event.record(&mut Recorder(&mut fields));
        self.recorded().events.push(RecordedEvent {
            level: *event.metadata().level(),
            span: event.parent().map(index),
            fields,
        });
    }

    fn clone_span(&self, span: &span::Id) -> span::Id {
        self.recorded().holders[index(span)] += 1;
        span.clone()
    }

    fn try_close(&self, span: span::Id) -> bool {
        let holders = &mut self.recorded().holders[index(&span)];
        *holders -= 1;
        *holders == 0
    }

    fn record_follows_from(&self, _: &span::Id, _: &span::Id) {}

    fn enter(&self, span: &span::Id) {
        let mut recorded = self.recorded();
        let target = recorded.metadata[index(span)].target();
        assert_ne!(
            target, "ws_framed",
            "the library must not enter its spans: each poll would pay for it"
        );
        recorded.entered.push(span.clone());
    }

    fn exit(&self, _: &span::Id) {
        self.recorded().entered.pop();
    }

    fn current_span(&self) -> Current {
        let recorded = self.recorded();
        match recorded.entered.last() {
            Some(span) => Current::new(span.clone(), recorded.metadata[index(span)]),
            None => Current::none(),
        }
    }
}
