//! The codec of tokio's streams: the same messages for any cut, and a real pair of `Framed` streams.
#![cfg(feature = "tokio-util")]

mod support;

use bytes::BytesMut;
use futures_util::{SinkExt, StreamExt};
use support::build::{frame, masked, stream};
use tokio_util::codec::{Decoder, Encoder, Framed};
use websocket_wire::{
    Assembler, Close, CloseCode, Codec, CodecError, Config, DecodeError, EncodeError, Limits, MaskingKey, Message,
};

#[test]
fn the_same_messages_come_out_for_any_cut() {
    let frames = [frame(1, "he").fragment(), frame(9, "p"), frame(0, "llo"), frame(2, [7; 300]), frame(8, b"\x03\xE8")];
    let wire = stream(&masked(&frames));
    for piece in [1, 2, 7, wire.len()] {
        let (mut codec, mut input, mut messages) = (Codec::server(), BytesMut::new(), Vec::new());
        for piece in wire.chunks(piece) {
            input.extend_from_slice(piece);
            while let Some(message) = codec.decode(&mut input).unwrap() {
                messages.push(message);
            }
        }
        assert!(matches!(codec.decode_eof(&mut input), Ok(None)));
        let close = Close { code: CloseCode::NORMAL, reason: "".into() };
        let expected = [
            Message::Ping("p".into()),
            Message::Text("hello".into()),
            Message::Binary(vec![7; 300].into()),
            Message::Close(Some(close)),
        ];
        assert_eq!(messages, expected);
    }
}

#[test]
fn a_message_in_one_frame_is_not_copied() {
    // Longer than what is copied out of the buffer, lest it keep that alive.
    let (mut codec, mut input) = (Codec::server(), BytesMut::from(&b"\x82\xFE\x04\x00\0\0\0\0"[..]));
    input.extend_from_slice(&[7; 1024]);
    let place = input[8..].as_ptr();
    let Some(Message::Binary(payload)) = codec.decode(&mut input).unwrap() else { panic!() };
    assert_eq!(payload.as_ptr(), place);
}

#[test]
fn limits_hold_and_faults_carry_their_code() {
    let config = Config::server().limits(Limits { message_len: 3, ..Limits::DEFAULT });
    let mut codec = Codec::new(Assembler::new(config), websocket_wire::Encoder::server());
    let error = codec.decode(&mut BytesMut::from(&b"\x82\x84"[..])).unwrap_err();
    assert!(matches!(error, CodecError::Decode(DecodeError::MessageTooLong)));
    assert_eq!(error.close_code(), Some(CloseCode::MESSAGE_TOO_BIG));
    assert!(codec.decode(&mut BytesMut::new()).is_err(), "and again");
}

#[test]
fn a_stream_that_ends_without_a_close_frame_is_lost() {
    for wire in [&b""[..], b"\x81", b"\x01\x80\0\0\0\0"] {
        assert!(matches!(Codec::server().decode_eof(&mut BytesMut::from(wire)), Err(CodecError::Lost)));
    }
}

#[test]
fn nothing_is_encoded_behind_a_close_frame() {
    let (mut codec, mut out) = (Codec::server(), BytesMut::new());
    codec.encode(Message::Close(None), &mut out).unwrap();
    let error = codec.encode(Message::Text("late".into()), &mut out).unwrap_err();
    assert!(matches!(error, CodecError::Encode(EncodeError::Closed)));
    assert_eq!(&out[..], [0x88, 0]);
}

#[test]
fn two_framed_streams_talk_and_close() {
    let (near, far) = tokio::io::duplex(7); // the pipe cuts everything
    let mut client = Framed::new(near, Codec::client(|| MaskingKey::new([1, 2, 3, 4])));
    let mut server = Framed::new(far, Codec::server());
    let sends = async {
        client.send(Message::Text("x".repeat(1000).into())).await.unwrap();
        assert_eq!(client.next().await.unwrap().unwrap(), Message::Text("x".repeat(1000).into()));
        client.send(Message::Close(None)).await.unwrap();
        assert_eq!(client.next().await.unwrap().unwrap(), Message::Close(None));
    };
    let echoes = async {
        for _ in 0..2 {
            let message = server.next().await.unwrap().unwrap();
            server.send(message).await.unwrap();
        }
    };
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    runtime.block_on(async { futures_util::future::join(sends, echoes).await });
}
