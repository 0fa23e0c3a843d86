//! What goes to all clients: encoded once, and compressed once.

use std::sync::{Arc, OnceLock};

use tokio::sync::broadcast;
use websocket_wire::extension::deflate::{Agreement, Deflate, Pool, Tuning};
use websocket_wire::{EncodeError, Extensions, Message, PreparedFrame, Role};

/// How many messages a client's task may be behind before it counts as too slow.
const CAPACITY: usize = 1 << 16;

/// How many messages may wait for the slowest task before no connection makes more of them. The tasks take them as they
/// come, and it is the [`SendQueue`](websocket_wire::SendQueue) of each that waits for the network; so this is soon over.
const AHEAD: usize = 1 << 12;

/// All clients.
pub(crate) struct Room {
    news: broadcast::Sender<Arc<News>>,
    /// Compressors, lent for one message each.
    pool: Arc<Pool>,
}

/// A message to all, as the bytes that go out.
pub(crate) struct News {
    plain: PreparedFrame,
    /// For those who agreed on permessage-deflate; made when the first of them takes it.
    compressed: OnceLock<PreparedFrame>,
    pool: Arc<Pool>,
}

impl Room {
    pub(crate) fn new() -> Self {
        Self { news: broadcast::Sender::new(CAPACITY), pool: Arc::new(Pool::new(15, Tuning::DEFAULT, 4)) }
    }

    pub(crate) fn enter(&self) -> broadcast::Receiver<Arc<News>> {
        self.news.subscribe()
    }

    pub(crate) fn is_ahead(&self) -> bool {
        self.news.len() >= AHEAD
    }

    /// Encodes a message and hands it to all, its sender among them.
    pub(crate) fn publish(&self, message: &Message) -> Result<(), EncodeError> {
        let plain = PreparedFrame::of(message)?;
        let news = News { plain, compressed: OnceLock::new(), pool: self.pool.clone() };
        // Nobody may be here to receive it.
        _ = self.news.send(Arc::new(news));
        Ok(())
    }
}

impl News {
    pub(crate) fn frame(&self, is_compressed: bool) -> &PreparedFrame {
        if is_compressed { self.compressed.get_or_init(|| self.compress()) } else { &self.plain }
    }

    /// Without context takeover a compressed message reads the same on every connection.
    fn compress(&self) -> PreparedFrame {
        let agreement = Agreement { server_no_context_takeover: true, ..Agreement::DEFAULT };
        let deflate = Deflate::new(Role::Server, agreement, Tuning::DEFAULT).with_pool(self.pool.clone());
        let (mut extensions, mut scratch) = (Extensions::new(), Vec::new());
        extensions.register(Box::new(deflate)).expect("the only extension has no conflict");
        let encoded = extensions.encode(self.plain.header().opcode, self.plain.payload(), &mut scratch);
        let frame = encoded.and_then(|(header, payload)| PreparedFrame::new(header, payload));
        frame.expect("a message that could be encoded can be compressed")
    }
}
