//! What a user writes around `httparse` for a codec that reads no requests, as the examples of those codecs do it.

use httparse::{EMPTY_HEADER, Header, Request};

use crate::{BUFFER, Link};

/// Reads the client's request and calls `answer` with its headers.
pub fn request(link: &mut Link<'_>, answer: impl FnOnce(&mut Link<'_>, &[Header<'_>]) -> Option<()>) -> bool {
    let (mut buf, mut len) = ([0; BUFFER], 0);
    loop {
        match link.read(&mut buf[len..]) {
            0 => return false,
            n => len += n,
        }
        let mut headers = [EMPTY_HEADER; 16];
        let mut request = Request::new(&mut headers);
        match request.parse(&buf[..len]) {
            Ok(status) if status.is_partial() => {}
            Ok(_) => return answer(link, request.headers).is_some(),
            Err(_) => return false,
        }
    }
}

/// Returns the value of the first header with this name.
pub fn header<'h>(headers: &[Header<'h>], name: &str) -> Option<&'h [u8]> {
    headers.iter().find(|header| header.name.eq_ignore_ascii_case(name)).map(|header| header.value)
}
