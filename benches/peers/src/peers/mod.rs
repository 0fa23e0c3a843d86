//! The contestants, one a file, each used as its own documentation shows.

mod fastwebsockets;
mod nexus_web;
mod ours;
mod sockudo_ws;
mod soketto;
mod tokio_websockets;
mod tungstenite;
mod web_socket;
mod websocket_codec;
mod websocket_sans_io;
mod ws_net;
mod wslay;
mod yawc;

use crate::peer::Peer;

/// How many of them are this crate's.
pub const OURS: usize = 3;

/// All of them, this crate's first.
pub fn all() -> Vec<Peer> {
    vec![
        ours::codec(),
        ours::small_buffer(),
        ours::owned(),
        fastwebsockets::peer(),
        nexus_web::peer(),
        sockudo_ws::peer(),
        soketto::peer(),
        tokio_websockets::peer(),
        tungstenite::peer(),
        web_socket::peer(),
        websocket_codec::peer(),
        websocket_sans_io::peer(),
        ws_net::peer(),
        wslay::peer(),
        yawc::peer(),
    ]
}
