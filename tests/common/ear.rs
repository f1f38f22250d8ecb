//! A subscriber of `tracing` that remembers what it hears.

use std::{
    collections::BTreeMap,
    fmt::Debug,
    sync::{Arc, Mutex, MutexGuard},
};

use tracing::{
    Event, Level, Metadata, Subscriber,
    field::{Field, Visit},
    span,
    subscriber::{Interest, set_default},
};

pub type Fields = BTreeMap<String, String>;

#[derive(Clone, Debug)]
pub struct Told {
    pub level: Level,
    /// The index of the span that is its parent.
    pub span: Option<usize>,
    pub fields: Fields,
}

impl Told {
    pub fn message(&self) -> &str {
        &self.fields["message"]
    }
}

#[derive(Debug, Default)]
pub struct Heard {
    pub spans: Vec<Fields>,
    /// How many hold each span.
    pub holders: Vec<usize>,
    pub events: Vec<Told>,
}

impl Heard {
    pub fn span_of(&self, role: &str) -> usize {
        let is_it = |span: &Fields| span.get("role").is_some_and(|told| told == role);
        self.spans.iter().position(is_it).unwrap()
    }

    pub fn told_in(&self, span: usize) -> Vec<&Told> {
        let events = self.events.iter();
        events.filter(|told| told.span == Some(span)).collect()
    }

    pub fn messages_in(&self, span: usize) -> Vec<&str> {
        self.told_in(span).into_iter().map(Told::message).collect()
    }
}

/// Hears everything down to a level, for the thread that listens.
#[derive(Clone)]
pub struct Ear {
    heard: Arc<Mutex<Heard>>,
    down_to: Level,
}

impl Ear {
    pub fn heard(&self) -> MutexGuard<'_, Heard> {
        self.heard.lock().unwrap()
    }
}

pub fn listen(down_to: Level) -> (Ear, impl Drop) {
    let ear = Ear {
        heard: Arc::default(),
        down_to,
    };
    (ear.clone(), set_default(ear))
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

impl Subscriber for Ear {
    fn register_callsite(&self, _: &'static Metadata<'static>) -> Interest {
        // Each test has an ear of its own.
        Interest::sometimes()
    }

    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        *metadata.level() <= self.down_to
    }

    fn new_span(&self, span: &span::Attributes<'_>) -> span::Id {
        let mut heard = self.heard();
        let mut fields = Fields::new();
        span.record(&mut Recorder(&mut fields));
        heard.spans.push(fields);
        heard.holders.push(1);
        span::Id::from_u64(heard.spans.len() as u64)
    }

    fn record(&self, span: &span::Id, values: &span::Record<'_>) {
        values.record(&mut Recorder(&mut self.heard().spans[index(span)]));
    }

    fn event(&self, event: &Event<'_>) {
        let mut fields = Fields::new();
        event.record(&mut Recorder(&mut fields));
        self.heard().events.push(Told {
            level: *event.metadata().level(),
            span: event.parent().map(index),
            fields,
        });
    }

    fn clone_span(&self, span: &span::Id) -> span::Id {
        self.heard().holders[index(span)] += 1;
        span.clone()
    }

    fn try_close(&self, span: span::Id) -> bool {
        let holders = &mut self.heard().holders[index(&span)];
        *holders -= 1;
        *holders == 0
    }

    fn record_follows_from(&self, _: &span::Id, _: &span::Id) {}

    fn enter(&self, _: &span::Id) {
        panic!("a poll pays for entering a span");
    }

    fn exit(&self, _: &span::Id) {}
}
