//! The room: who is in it, and passing on what they say.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, MutexGuard},
};

use futures::{SinkExt, TryStreamExt};
use protocol::{FromPage, FromServer, MAX_NAME_LEN, MAX_TEXT_LEN, ServerSide, cut};
use tokio::sync::{
    broadcast::{self, error::RecvError},
    watch,
};
use ws_framed::{CloseCode, CloseFrame, WsSender};

pub type Error = Box<dyn std::error::Error + Send + Sync>;

#[derive(Clone)]
pub struct Room {
    people: Arc<Mutex<People>>,
    news: broadcast::Sender<FromServer>,
}

/// Names in the order of their coming.
#[derive(Default)]
struct People {
    next: u64,
    names: BTreeMap<u64, String>,
}

impl Default for Room {
    fn default() -> Self {
        // A guest that is further behind than this is removed.
        let (news, _) = broadcast::channel(256);
        let people = Arc::default();
        Self { people, news }
    }
}

impl Room {
    /// Stays until the guest leaves or is lost.
    pub async fn enter(&self, mut guest: ServerSide) -> Result<(), Error> {
        let Some(FromPage::Join { name }) = guest.try_next().await? else {
            let frame = CloseFrame::new(CloseCode::POLICY_VIOLATION, "say your name first")?;
            guest.close_with(frame).await?;
            return Ok(());
        };
        let name = match cut(&name, MAX_NAME_LEN) {
            name if name.is_empty() => "guest".to_owned(),
            name => name,
        };
        let news = self.news.subscribe();
        let seat = Seat::take(self, &name);
        let result = talk(&seat, guest, news).await;
        drop(seat);
        result
    }

    fn people(&self) -> MutexGuard<'_, People> {
        self.people.lock().expect("no task panics in the room")
    }

    fn tell(&self, news: FromServer) {
        // The room may be empty.
        let _ = self.news.send(news);
    }

    fn tell_who_is_here(&self) {
        let names = self.people().names.values().cloned().collect();
        self.tell(FromServer::Present { names });
    }
}

/// A guest's place in the room, given up when it is dropped.
struct Seat<'a> {
    room: &'a Room,
    id: u64,
    name: String,
}

impl<'a> Seat<'a> {
    fn take(room: &'a Room, name: &str) -> Self {
        let id = {
            let mut people = room.people();
            people.next += 1;
            let id = people.next;
            people.names.insert(id, name.to_owned());
            id
        };
        let name = name.to_owned();
        room.tell(FromServer::Joined { name: name.clone() });
        room.tell_who_is_here();
        Self { room, id, name }
    }
}

impl Drop for Seat<'_> {
    fn drop(&mut self) {
        self.room.people().names.remove(&self.id);
        let name = std::mem::take(&mut self.name);
        self.room.tell(FromServer::Left { name });
        self.room.tell_who_is_here();
    }
}

/// Passes what the guest says to the room. A second task sends, so that neither waits for the
/// other.
async fn talk(
    seat: &Seat<'_>,
    guest: ServerSide,
    news: broadcast::Receiver<FromServer>,
) -> Result<(), Error> {
    let (mut to_guest, mut from_guest) = guest.into_split();
    to_guest.send(FromServer::Welcome { you: seat.id }).await?;
    // Only the newest question is answered, so a guest that does not read has nothing queued.
    let (ask, asked) = watch::channel(0);
    tokio::spawn(send_all(to_guest, news, asked));
    while let Some(message) = from_guest.try_next().await? {
        match message {
            FromPage::Say { text } => {
                let text = cut(&text, MAX_TEXT_LEN);
                if !text.is_empty() {
                    let (by, name) = (seat.id, seat.name.clone());
                    seat.room.tell(FromServer::Said { by, name, text });
                }
            }
            FromPage::AreYouThere { token } => {
                ask.send_replace(token);
            }
            FromPage::Join { .. } => {}
        }
    }
    // The guest has closed, and the connection has replied.
    Ok(())
}

/// Sends what is queued for a guest, and flushes when that is all. Ends with the task that reads,
/// which reports why a connection ended.
async fn send_all(
    mut to_guest: WsSender<ServerSide>,
    mut news: broadcast::Receiver<FromServer>,
    mut asked: watch::Receiver<u32>,
) -> Result<(), Error> {
    loop {
        let item = tokio::select! {
            item = news.recv() => match item {
                Ok(item) => item,
                Err(RecvError::Lagged(_)) => {
                    let slow = CloseFrame::new(CloseCode::POLICY_VIOLATION, "too slow")?;
                    to_guest.close_with(slow).await?;
                    return Ok(());
                }
                Err(RecvError::Closed) => return Ok(()),
            },
            question = asked.changed() => match question {
                Ok(()) => FromServer::IAmHere { token: *asked.borrow_and_update() },
                Err(_) => return Ok(()),
            },
        };
        to_guest.feed(item).await?;
        if news.is_empty() {
            to_guest.flush().await?;
        }
    }
}
