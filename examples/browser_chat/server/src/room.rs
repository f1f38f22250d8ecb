//! The room: who is in it, and passing on what they say.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, MutexGuard},
};

use futures::{SinkExt, StreamExt, TryStreamExt};
use protocol::{FromPage, FromServer, MAX_NAME_LEN, MAX_TEXT_LEN, ServerSide, cut};
use tokio::sync::broadcast;
use ws_framed::{CloseCode, CloseFrame};

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
        let mut news = self.news.subscribe();
        let seat = Seat::take(self, &name);
        let result = talk(&seat, guest, &mut news).await;
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

async fn talk(
    seat: &Seat<'_>,
    guest: ServerSide,
    news: &mut broadcast::Receiver<FromServer>,
) -> Result<(), Error> {
    let (mut to_guest, mut from_guest) = guest.split();
    to_guest.send(FromServer::Welcome { you: seat.id }).await?;
    loop {
        tokio::select! {
            message = from_guest.try_next() => match message? {
                Some(FromPage::Say { text }) => {
                    let text = cut(&text, MAX_TEXT_LEN);
                    if !text.is_empty() {
                        let (by, name) = (seat.id, seat.name.clone());
                        seat.room.tell(FromServer::Said { by, name, text });
                    }
                }
                Some(FromPage::AreYouThere { token }) => {
                    to_guest.send(FromServer::IAmHere { token }).await?;
                }
                Some(FromPage::Join { .. }) => {}
                None => return Ok(()), // The guest has closed, and was answered.
            },
            item = news.recv() => {
                // A guest that is closing gets nothing more; the read completes the close.
                let _ = to_guest.send(item?).await;
            }
        }
    }
}
