//! Being in the room, and coming back when the connection is lost.

use std::{io, time::Duration};

use futures::{
    SinkExt, StreamExt, TryStreamExt, channel::mpsc::UnboundedReceiver, future::join, select,
};
use gloo_timers::future::IntervalStream;
use protocol::{FromPage, FromServer, PageSide, page_side};
use ws_framed::{CodecError, ReconnectHandle, ReconnectState, Reconnector, WsErr, connect};

use crate::ui::{self, State, Ui};

/// How often to ask the server whether it is there, and how many questions may stay without an
/// answer.
const BEAT_MS: u32 = 2_000;
const MAX_UNANSWERED: u32 = 5;

/// The longest wait before the next try.
const MAX_WAIT: Duration = Duration::from_secs(10);

pub async fn come_and_stay(ui: Ui, name: String, mut said: UnboundedReceiver<String>) {
    let reconnector = Reconnector::new(async || {
        let stream = connect(ui::server_url()).await?;
        Ok(page_side(stream))
    })
    .max_backoff(MAX_WAIT);
    let handle = reconnector.handle();
    let retry = handle.clone();
    ui.on_retry(move || retry.retry_now());
    let stay = async {
        let error = stay(&ui, &name, &mut said, reconnector).await;
        ui.show_state(&State::Ended);
        ui.show_note(&format!("Reload the page to come back: {error}"));
    };
    join(stay, show_states(&ui, &handle)).await;
}

/// Visits the room again and again, until connecting again cannot help.
async fn stay(
    ui: &Ui,
    name: &str,
    said: &mut UnboundedReceiver<String>,
    mut reconnector: Reconnector<impl AsyncFnMut() -> Result<PageSide, WsErr>>,
) -> WsErr {
    let mut is_back = false;
    loop {
        let server = match reconnector.connect().await {
            Ok(server) => server,
            Err(error) => return error,
        };
        if is_back {
            ui.show_note("The server is back.");
        }
        is_back = true;
        let handle = server.handle();
        ui.show_note(match visit(ui, name, said, server).await {
            Ok(()) => "The server closed the room.",
            Err(_) => "The connection was lost.",
        });
        // How it ended decides when to come back, and whether.
        reconnector.ended(&handle.closed().await);
    }
}

/// Shows what the reconnector does, and how long a wait still takes. Ends when it is dropped.
async fn show_states(ui: &Ui, handle: &ReconnectHandle) {
    let mut states = handle.states();
    let mut seconds = IntervalStream::new(1_000).fuse();
    loop {
        let state = select! {
            state = states.next() => match state {
                Some(state) => state,
                None => return,
            },
            _ = seconds.next() => handle.state(),
        };
        match state {
            ReconnectState::Connecting => ui.show_state(&State::Connecting),
            ReconnectState::Waiting { left } => {
                let seconds = left.as_secs() + 1;
                ui.show_state(&State::Waiting { seconds });
            }
            // `visit` shows the round-trip time.
            _ => {}
        }
    }
}

/// One connection, from its beginning to its end.
async fn visit(
    ui: &Ui,
    name: &str,
    said: &mut UnboundedReceiver<String>,
    server: PageSide,
) -> Result<(), CodecError> {
    let (mut to_server, from_server) = server.split();
    let mut from_server = from_server.fuse();
    let name = name.to_owned();
    to_server.send(FromPage::Join { name }).await?;

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
                        ui.show_state(&State::Connected { round_trip_ms: ui::now_ms() - asked_at });
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
