//! Being in the room, and coming back when the connection is lost.

use std::io;

use futures::{
    FutureExt, SinkExt, StreamExt, TryStreamExt, channel::mpsc::UnboundedReceiver, select,
};
use gloo_timers::future::{IntervalStream, TimeoutFuture};
use protocol::{FromPage, FromServer, page_side};
use ws_framed::{CodecError, connect};

use crate::ui::{self, State, Ui};

/// How often to ask the server whether it is there, and how many questions may stay without an answer.
const BEAT_MS: u32 = 2_000;
const MAX_UNANSWERED: u32 = 5;

/// How long to wait before the next try: one second more each time.
const MAX_WAIT_S: u32 = 10;

pub async fn come_and_stay(
    ui: Ui,
    name: String,
    mut said: UnboundedReceiver<String>,
    mut retries: UnboundedReceiver<()>,
) {
    let mut failures = 0;
    loop {
        ui.show_state(State::Connecting);
        match visit(&ui, &name, &mut said, &mut failures).await {
            Ok(()) => ui.show_note("The server closed the room."),
            Err(_) if failures == 0 => ui.show_note("The connection was lost."),
            Err(_) => {}
        }
        failures += 1;
        // Whatever was clicked before, this is a new wait.
        while retries.try_recv().is_ok() {}
        for left in (1..=failures.min(MAX_WAIT_S)).rev() {
            ui.show_state(State::Waiting { seconds: left });
            select! {
                () = TimeoutFuture::new(1_000).fuse() => {}
                _ = retries.next() => break,
            }
        }
    }
}

/// One connection, from its beginning to its end.
async fn visit(
    ui: &Ui,
    name: &str,
    said: &mut UnboundedReceiver<String>,
    failures: &mut u32,
) -> Result<(), CodecError> {
    let stream = connect(ui::server_url()).await.map_err(io::Error::from)?;
    let (mut to_server, from_server) = page_side(stream).split();
    let mut from_server = from_server.fuse();
    let name = name.to_owned();
    to_server.send(FromPage::Join { name }).await?;
    if *failures > 0 {
        ui.show_note("The server is back.");
    }
    *failures = 0;

    let mut beats = IntervalStream::new(BEAT_MS).fuse();
    let mut me = None;
    let (mut asked, mut answered, mut asked_at) = (1, 0, ui::now_ms());
    to_server
        .send(FromPage::AreYouThere { token: asked })
        .await?;
    loop {
        select! {
            message = from_server.try_next() => match message? {
                Some(FromServer::IAmHere { token }) => {
                    answered = token;
                    if token == asked {
                        ui.show_state(State::Connected { round_trip_ms: ui::now_ms() - asked_at });
                    }
                }
                Some(FromServer::Present { names }) => ui.show_people(&names),
                Some(FromServer::Welcome { you }) => me = Some(you),
                Some(FromServer::Said { by, name, text }) => {
                    ui.show_message(&name, &text, me == Some(by));
                }
                Some(FromServer::Joined { name }) => ui.show_note(&format!("{name} came in")),
                Some(FromServer::Left { name }) => ui.show_note(&format!("{name} left")),
                None => return Ok(()),
            },
            text = said.next() => if let Some(text) = text {
                to_server.send(FromPage::Say { text }).await?;
            },
            _ = beats.next() => {
                if asked - answered >= MAX_UNANSWERED {
                    return Err(io::Error::from(io::ErrorKind::TimedOut).into());
                }
                (asked, asked_at) = (asked + 1, ui::now_ms());
                to_server.send(FromPage::AreYouThere { token: asked }).await?;
            }
        }
    }
}
