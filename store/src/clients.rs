//! The connections a server around the store has told it about.
//!
//! Owns what `CLIENT` shows of them. It must not know sockets.

use hashbrown::HashMap;

/// One connection.
#[derive(Clone, Debug, Default)]
pub(crate) struct Client {
    /// Where it comes from, `address:port`.
    pub(crate) address: String,
    /// Its name, empty when it has none.
    pub(crate) name: Vec<u8>,
    /// When it was made, in milliseconds since the epoch.
    pub(crate) since: i64,
    /// When it last sent a command, in milliseconds since the epoch.
    pub(crate) active: i64,
    /// The full name of its last command.
    pub(crate) command: &'static str,
    /// The database it has selected.
    pub(crate) db: u32,
    /// The protocol it speaks: 2 or 3.
    pub(crate) resp: u8,
    /// The name of the user logged in.
    pub(crate) user: Vec<u8>,
    /// Whether it is spared when memory runs out.
    pub(crate) no_evict: bool,
}

/// All connections, by session id.
#[derive(Clone, Default)]
pub(crate) struct Clients(HashMap<u64, Client>);

impl Clients {
    /// The connection of that id; one the store was not told of begins now.
    pub(crate) fn client(&mut self, id: u64, now: i64) -> &mut Client {
        self.0.entry(id).or_insert_with(|| Client {
            address: "127.0.0.1:0".to_owned(),
            since: now,
            active: now,
            resp: 2,
            user: b"default".to_vec(),
            ..Client::default()
        })
    }

    /// The connection of that id, if the store knows it.
    pub(crate) fn find(&self, id: u64) -> Option<&Client> {
        self.0.get(&id)
    }

    /// Forgets a connection.
    pub(crate) fn remove(&mut self, id: u64) {
        self.0.remove(&id);
    }

    /// All connections, oldest first.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (u64, &Client)> {
        let mut ids: Vec<u64> = self.0.keys().copied().collect();
        ids.sort_unstable();
        ids.into_iter().filter_map(|id| Some((id, self.0.get(&id)?)))
    }

    /// How many there are.
    pub(crate) fn len(&self) -> usize {
        self.0.len()
    }
}
