//! wslay, in C: its event API, which validates text and answers control frames. Bound by hand from its documentation.

use std::ffi::{c_int, c_void};
use std::ptr;
use std::rc::Rc;

use crate::peer::{Peer, Receiver, Sender, Sink};
use crate::pipe::READ;

pub fn peer() -> Peer {
    Peer::new("wslay (C)").receives(End::new(false)).sends(End::new(true), End::new(false))
}

type Context = *mut c_void;

const ERR_WOULDBLOCK: c_int = -401;

#[repr(C)]
struct Received {
    rsv: u8,
    opcode: u8,
    msg: *const u8,
    msg_length: usize,
    status_code: u16,
}

#[repr(C)]
struct Queued {
    opcode: u8,
    msg: *const u8,
    msg_length: usize,
}

#[repr(C)]
struct Callbacks {
    recv: Option<unsafe extern "C" fn(Context, *mut u8, usize, c_int, *mut c_void) -> isize>,
    send: Option<unsafe extern "C" fn(Context, *const u8, usize, c_int, *mut c_void) -> isize>,
    genmask: Option<unsafe extern "C" fn(Context, *mut u8, usize, *mut c_void) -> c_int>,
    on_frame_start: Option<unsafe extern "C" fn()>,
    on_frame_chunk: Option<unsafe extern "C" fn()>,
    on_frame_end: Option<unsafe extern "C" fn()>,
    on_msg: Option<unsafe extern "C" fn(Context, *const Received, *mut c_void)>,
}

#[link(name = "wslay")]
unsafe extern "C" {
    fn wslay_event_context_server_init(ctx: *mut Context, callbacks: *const Callbacks, user: *mut c_void) -> c_int;
    fn wslay_event_context_client_init(ctx: *mut Context, callbacks: *const Callbacks, user: *mut c_void) -> c_int;
    fn wslay_event_context_free(ctx: Context);
    fn wslay_event_recv(ctx: Context) -> c_int;
    fn wslay_event_send(ctx: Context) -> c_int;
    fn wslay_event_queue_msg(ctx: Context, message: *const Queued) -> c_int;
}

/// What the callbacks reach through their last argument.
struct Io {
    wire: Rc<[u8]>,
    at: usize,
    out: Vec<u8>,
    /// The sink of the run.
    sink: *mut Sink,
}

struct End {
    context: Context,
    io: Box<Io>,
    opcode: u8,
    payload: Vec<u8>,
}

impl End {
    fn new(is_client: bool) -> Self {
        let mut io = Box::new(Io { wire: Rc::new([]), at: 0, out: Vec::new(), sink: ptr::null_mut() });
        let init = if is_client { wslay_event_context_client_init } else { wslay_event_context_server_init };
        let mut context = ptr::null_mut();
        // SAFETY: the callbacks are copied; `io` is boxed and lives until the context is freed.
        let result = unsafe { init(&mut context, &CALLBACKS, ptr::from_mut(&mut *io).cast()) };
        assert_eq!(result, 0);
        Self { context, io, opcode: 2, payload: Vec::new() }
    }
}

impl Drop for End {
    fn drop(&mut self) {
        // SAFETY: made by `init`, and not used again.
        unsafe { wslay_event_context_free(self.context) };
    }
}

static CALLBACKS: Callbacks = Callbacks {
    recv: Some(recv),
    send: Some(send),
    genmask: Some(genmask),
    on_frame_start: None,
    on_frame_chunk: None,
    on_frame_end: None,
    on_msg: Some(on_msg),
};

unsafe extern "C" fn recv(context: Context, buf: *mut u8, len: usize, _: c_int, user: *mut c_void) -> isize {
    // SAFETY: `user` is the `Io` of the running call.
    let io = unsafe { &mut *user.cast::<Io>() };
    let n = len.min(io.wire.len() - io.at).min(READ);
    if n == 0 {
        unsafe extern "C" {
            fn wslay_event_set_error(ctx: Context, error: c_int);
        }
        // SAFETY: the context of the running call.
        unsafe { wslay_event_set_error(context, ERR_WOULDBLOCK) };
        return -1;
    }
    // SAFETY: `buf` has room for `len` bytes.
    unsafe { ptr::copy_nonoverlapping(io.wire[io.at..].as_ptr(), buf, n) };
    io.at += n;
    n as isize
}

unsafe extern "C" fn send(_: Context, data: *const u8, len: usize, _: c_int, user: *mut c_void) -> isize {
    // SAFETY: `user` is the `Io` of the running call; `data` has `len` bytes.
    let (io, data) = unsafe { (&mut *user.cast::<Io>(), std::slice::from_raw_parts(data, len)) };
    io.out.extend_from_slice(data);
    len as isize
}

unsafe extern "C" fn genmask(_: Context, buf: *mut u8, len: usize, _: *mut c_void) -> c_int {
    let key = fastrand::u32(..).to_ne_bytes();
    assert_eq!(len, key.len());
    // SAFETY: `buf` has room for `len` bytes.
    unsafe { ptr::copy_nonoverlapping(key.as_ptr(), buf, len) };
    0
}

unsafe extern "C" fn on_msg(_: Context, message: *const Received, user: *mut c_void) {
    // SAFETY: `user` is the `Io` of the running call, its sink is a `Sink`, and the message has so many bytes.
    let (sink, payload) = unsafe {
        let Received { msg, msg_length, .. } = *message;
        let payload = if msg_length == 0 { &[][..] } else { std::slice::from_raw_parts(msg, msg_length) };
        (&mut *(*user.cast::<Io>()).sink, payload)
    };
    sink.message(payload);
}

impl Receiver for End {
    fn load(&mut self, wire: &Rc<[u8]>) {
        (self.io.wire, self.io.at) = (wire.clone(), 0);
    }

    fn drain(&mut self, _: usize, sink: &mut Sink) {
        self.io.sink = sink;
        // SAFETY: the context lives, and the callbacks find the sink of this call.
        let result = unsafe { wslay_event_recv(self.context) };
        assert_eq!((result, self.io.at), (0, self.io.wire.len()));
    }

    fn read(&mut self, wire: &Rc<[u8]>, frames: usize, sink: &mut Sink) {
        Receiver::load(self, wire);
        self.drain(frames, sink);
    }
}

impl Sender for End {
    fn load(&mut self, is_text: bool, payload: &[u8]) {
        (self.opcode, self.payload) = (if is_text { 1 } else { 2 }, payload.to_vec());
    }

    fn send(&mut self, times: usize) {
        let message = Queued { opcode: self.opcode, msg: self.payload.as_ptr(), msg_length: self.payload.len() };
        for _ in 0..times {
            // SAFETY: the context lives; the message is copied into the queue.
            assert_eq!(unsafe { wslay_event_queue_msg(self.context, &message) }, 0);
        }
        // SAFETY: the context lives.
        assert_eq!(unsafe { wslay_event_send(self.context) }, 0);
    }

    fn finish(&mut self, look: &mut dyn FnMut(&[u8])) {
        look(&self.io.out);
        self.io.out.clear();
    }
}
