//! The grammar of `Sec-WebSocket-Extensions` (RFC 6455 §9.1), read and written without a heap.
//!
//! ```text
//! extension-list  = 1#extension
//! extension       = extension-token *( ";" extension-param )
//! extension-param = token [ "=" (token | quoted-string) ]
//! ```
//!
//! Blanks may stand between any two of these, as the list notation of RFC 2616 has it. Every byte is looked at a fixed
//! number of times, whatever the input is.

use core::fmt;

use crate::utf8;

/// The extensions of one or several header lines, in order, each checked on the way. After an error there is no more.
///
/// ```
/// use websocket_wire::extension::params::{List, ListError};
///
/// let mut list = List::new([&b"permessage-deflate; client_max_window_bits; server_max_window_bits=\"10\", x"[..]]);
/// let deflate = list.next().unwrap()?;
/// assert_eq!(deflate.name(), "permessage-deflate");
/// let params: Vec<_> = deflate.params().collect();
/// assert_eq!((params[0].name(), params[0].value()), ("client_max_window_bits", None));
/// assert!(params[1].value().is_some_and(|bits| bits == "10"));
/// assert_eq!(list.next().unwrap()?.name(), "x");
/// assert!(list.next().is_none());
/// # Ok::<(), ListError>(())
/// ```
#[derive(Clone, Debug)]
pub struct List<'a, I> {
    lines: I,
    rest: &'a [u8],
    limits: ListLimits,
    len: usize,
    extensions: usize,
    is_failed: bool,
}

/// How much of a list is read. All limits are inclusive.
///
/// ```
/// # use websocket_wire::extension::params::ListLimits;
/// assert_eq!(ListLimits::default().len, 8192);
/// ```
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct ListLimits {
    /// The bytes of all header lines together.
    pub len: usize,
    /// The extensions of all header lines together.
    pub extensions: usize,
    /// The parameters of one extension.
    pub params: usize,
}

impl ListLimits {
    /// 8 KiB, 32 extensions, 16 parameters each.
    pub const DEFAULT: Self = Self { len: 8192, extensions: 32, params: 16 };
}

impl Default for ListLimits {
    fn default() -> Self {
        Self::DEFAULT
    }
}

/// Why a list is not read any further.
///
/// ```
/// # use websocket_wire::extension::params::{List, ListError};
/// assert_eq!(List::new([&b"x; a=\"1"[..]]).next(), Some(Err(ListError::Grammar)));
/// ```
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
#[non_exhaustive]
pub enum ListError {
    /// It breaks the grammar.
    Grammar,
    /// It is longer than [`ListLimits::len`].
    TooLong,
    /// It has more extensions, or one of them more parameters, than [`ListLimits`] say.
    TooMany,
}

impl fmt::Display for ListError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Grammar => "the list of extensions is malformed",
            Self::TooLong => "the list of extensions is too long",
            Self::TooMany => "the list has too many extensions or parameters",
        })
    }
}

impl core::error::Error for ListError {}

impl<'a, I: Iterator<Item = &'a [u8]>> List<'a, I> {
    /// Returns the list that the values of one or several header lines make, which are one list (RFC 6455 §9.1).
    ///
    /// ```
    /// # use websocket_wire::extension::params::List;
    /// let list = List::new([&b"a, b"[..], b"c"]);
    /// assert!(list.map(|extension| extension.unwrap().name()).eq(["a", "b", "c"]));
    /// ```
    pub fn new(lines: impl IntoIterator<Item = &'a [u8], IntoIter = I>) -> Self {
        let lines = lines.into_iter();
        Self { lines, rest: b"", limits: ListLimits::DEFAULT, len: 0, extensions: 0, is_failed: false }
    }

    /// Sets the limits; [`ListLimits::DEFAULT`] unless called.
    ///
    /// ```
    /// # use websocket_wire::extension::params::{List, ListError, ListLimits};
    /// let mut list = List::new([&b"a, b"[..]]).limits(ListLimits { extensions: 1, ..ListLimits::DEFAULT });
    /// assert!(list.next().unwrap().is_ok());
    /// assert_eq!(list.next(), Some(Err(ListError::TooMany)));
    /// ```
    #[must_use]
    pub fn limits(mut self, limits: ListLimits) -> Self {
        self.limits = limits;
        self
    }

    fn extension(&mut self) -> Result<Option<Extension<'a>>, ListError> {
        skip_empty(&mut self.rest);
        while self.rest.is_empty() {
            let Some(line) = self.lines.next() else {
                return Ok(None);
            };
            self.len = self.len.saturating_add(line.len());
            if self.len > self.limits.len {
                return Err(ListError::TooLong);
            }
            self.rest = line;
            skip_empty(&mut self.rest);
        }
        self.extensions += 1;
        if self.extensions > self.limits.extensions {
            return Err(ListError::TooMany);
        }
        let extension = take_extension(&mut self.rest).ok_or(ListError::Grammar)?;
        if extension.count > self.limits.params { Err(ListError::TooMany) } else { Ok(Some(extension)) }
    }
}

impl<'a, I: Iterator<Item = &'a [u8]>> Iterator for List<'a, I> {
    type Item = Result<Extension<'a>, ListError>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.is_failed {
            return None;
        }
        let extension = self.extension();
        self.is_failed = extension.is_err();
        extension.transpose()
    }
}

/// One extension of a list: its name and its parameters, borrowed from the header line.
///
/// ```
/// # use websocket_wire::extension::params::List;
/// let extension = List::new([&b"x ; a = \"\\1\" ;b"[..]]).next().unwrap().unwrap();
/// assert_eq!(extension.to_string(), "x; a=1; b"); // as it would be written
/// ```
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Extension<'a> {
    name: &'a str,
    /// What follows the name, checked: it begins with a semicolon, or is empty.
    params: &'a [u8],
    count: usize,
}

impl<'a> Extension<'a> {
    /// Returns the name, a token.
    ///
    /// ```
    /// # use websocket_wire::extension::params::List;
    /// assert_eq!(List::new([&b"x-one"[..]]).next().unwrap().unwrap().name(), "x-one");
    /// ```
    #[must_use]
    pub const fn name(&self) -> &'a str {
        self.name
    }

    /// Returns the parameters, in order; names may repeat.
    ///
    /// ```
    /// # use websocket_wire::extension::params::List;
    /// let extension = List::new([&b"x; a; a=1"[..]]).next().unwrap().unwrap();
    /// assert!(extension.params().map(|param| param.name()).eq(["a", "a"]));
    /// ```
    pub fn params(&self) -> impl Iterator<Item = Param<'a>> + Clone + use<'a> {
        let mut rest = self.params;
        core::iter::from_fn(move || take_param(&mut rest).flatten())
    }
}

impl fmt::Display for Extension<'_> {
    /// Writes the extension as it stands in a header, quotes and needless blanks left out.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name)?;
        self.params().try_for_each(|param| write!(f, "; {param}"))
    }
}

impl fmt::Debug for Extension<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Extension({self})")
    }
}

/// A parameter of an extension: a name and, behind an equals sign, a value.
///
/// ```
/// use websocket_wire::extension::params::Param;
///
/// assert_eq!(Param::new("server_max_window_bits", Some("10")).unwrap().to_string(), "server_max_window_bits=10");
/// assert!(Param::new("a", Some("1, 2")).is_none()); // no token, and quotes do not help
/// ```
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct Param<'a> {
    name: &'a str,
    value: Option<Value<'a>>,
}

impl<'a> Param<'a> {
    /// Returns the parameter, or `None` where the name or the value is not a token.
    ///
    /// "When using the quoted-string syntax variant, the value after quoted-string unescaping MUST conform to the
    /// 'token' ABNF" (RFC 6455 §9.1), so there is never a need to write quotes.
    ///
    /// ```
    /// # use websocket_wire::extension::params::Param;
    /// assert!(Param::new("a", None).is_some() && Param::new("", None).is_none());
    /// ```
    #[must_use]
    pub fn new(name: &'a str, value: Option<&'a str>) -> Option<Self> {
        let are_tokens = is_token(name.as_bytes()) && value.is_none_or(|value| is_token(value.as_bytes()));
        are_tokens.then_some(Self { name, value: value.map(Value) })
    }

    /// Returns the name, a token.
    ///
    /// ```
    /// # use websocket_wire::extension::params::Param;
    /// assert_eq!(Param::new("a", Some("1")).unwrap().name(), "a");
    /// ```
    #[must_use]
    pub const fn name(&self) -> &'a str {
        self.name
    }

    /// Returns the value, or `None` where there is no equals sign.
    ///
    /// ```
    /// # use websocket_wire::extension::params::Param;
    /// assert!(Param::new("a", Some("1")).unwrap().value().is_some_and(|value| value == "1"));
    /// ```
    #[must_use]
    pub const fn value(&self) -> Option<Value<'a>> {
        self.value
    }
}

impl fmt::Display for Param<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name)?;
        self.value.map_or(Ok(()), |value| write!(f, "={value}"))
    }
}

/// A value of a parameter, a token, without the quotes and backslashes that it may have been written with.
///
/// ```
/// # use websocket_wire::extension::params::List;
/// let extension = List::new([&b"x; a=\"1\\0\""[..]]).next().unwrap().unwrap();
/// let value = extension.params().next().unwrap().value().unwrap();
/// assert!(value == "10" && value.bytes().eq(*b"10"));
/// assert_eq!(value.to_string(), "10");
/// ```
#[derive(Clone, Copy)]
// What stands between the quotes: tokens have no backslash, so each one that is here escapes the byte behind it.
pub struct Value<'a>(&'a str);

impl<'a> Value<'a> {
    /// Returns the bytes of the token.
    ///
    /// ```
    /// # use websocket_wire::extension::params::Param;
    /// let param = Param::new("a", Some("15")).unwrap();
    /// assert_eq!(param.value().unwrap().bytes().count(), 2);
    /// ```
    pub fn bytes(&self) -> impl Iterator<Item = u8> + Clone + use<'a> {
        self.0.bytes().filter(|&b| b != b'\\')
    }
}

impl PartialEq for Value<'_> {
    fn eq(&self, other: &Self) -> bool {
        self.bytes().eq(other.bytes())
    }
}

impl Eq for Value<'_> {}

impl core::hash::Hash for Value<'_> {
    fn hash<H: core::hash::Hasher>(&self, state: &mut H) {
        self.bytes().for_each(|b| state.write_u8(b));
    }
}

impl PartialEq<str> for Value<'_> {
    fn eq(&self, other: &str) -> bool {
        self.bytes().eq(other.bytes())
    }
}

impl PartialEq<&str> for Value<'_> {
    fn eq(&self, other: &&str) -> bool {
        *self == **other
    }
}

impl fmt::Display for Value<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.split('\\').try_for_each(|piece| f.write_str(piece))
    }
}

impl fmt::Debug for Value<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Value({self})")
    }
}

/// Skips blanks and empty elements. RFC 9110 §5.6.1: "A recipient MUST parse and ignore a reasonable number of
/// empty list elements".
pub(crate) fn skip_empty(rest: &mut &[u8]) {
    skip(rest, b',');
}

/// Takes an extension, in front of which blanks have been skipped, and the comma behind it; `None` where the grammar is
/// broken.
pub(crate) fn take_extension<'a>(rest: &mut &'a [u8]) -> Option<Extension<'a>> {
    let name = take_token(rest)?;
    let (params, mut count) = (*rest, 0);
    while take_param(rest)?.is_some() {
        count += 1;
    }
    let params = params.get(..params.len() - rest.len())?;
    (rest.is_empty() || eat(rest, b',')).then_some(Extension { name, params, count })
}

/// Takes a semicolon and the parameter behind it; `Some(None)` where there is no semicolon.
fn take_param<'a>(rest: &mut &'a [u8]) -> Option<Option<Param<'a>>> {
    if !eat(rest, b';') {
        return Some(None);
    }
    let name = take_token(rest)?;
    let value = if eat(rest, b'=') { Some(take_value(rest)?) } else { None };
    Some(Some(Param { name, value }))
}

/// Takes a token or a quoted string, and the blanks behind it.
fn take_value<'a>(rest: &mut &'a [u8]) -> Option<Value<'a>> {
    let Some(start) = rest.strip_prefix(b"\"") else {
        return take_token(rest).map(Value);
    };
    let mut tail = start;
    loop {
        tail = match tail {
            [b'"', after @ ..] if tail.len() < start.len() => {
                *rest = after;
                skip_blanks(rest);
                let quoted = start.get(..start.len() - tail.len())?;
                return utf8::text(quoted).map(Value);
            }
            [b'\\', escaped @ ..] | escaped => match escaped {
                [b, tail @ ..] if is_token_byte(*b) => tail,
                _ => return None,
            },
        };
    }
}

/// Takes a token and the blanks behind it.
fn take_token<'a>(rest: &mut &'a [u8]) -> Option<&'a str> {
    let (token, tail) = rest.split_at_checked(token_len(rest))?;
    *rest = tail;
    skip_blanks(rest);
    if token.is_empty() { None } else { utf8::text(token) }
}

/// Takes `byte`, if it comes next, and the blanks behind it.
fn eat(rest: &mut &[u8], byte: u8) -> bool {
    let Some(tail) = rest.strip_prefix(&[byte]) else { return false };
    *rest = tail;
    skip_blanks(rest);
    true
}

/// Whether `b` may stand in a token (RFC 9110 §5.6.2).
pub(crate) fn is_token_byte(b: u8) -> bool {
    TOKEN_BYTES[usize::from(b / 32)] >> (b % 32) & 1 == 1
}

pub(crate) fn is_token(text: &[u8]) -> bool {
    !text.is_empty() && token_len(text) == text.len()
}

/// Returns how many of the first bytes of `text` may stand in a token.
#[inline(never)]
pub(crate) fn token_len(text: &[u8]) -> usize {
    text.iter().take_while(|&&b| is_token_byte(b)).count()
}

/// One bit for each byte.
static TOKEN_BYTES: [u32; 8] = {
    let mut table = [0; 8];
    let mut b = 0u8;
    while b < 128 {
        let is_token = b.is_ascii_alphanumeric()
            || matches!(
                b,
                b'!' | b'#' | b'$' | b'%' | b'&' | b'\'' | b'*' | b'+' | b'-' | b'.' | b'^' | b'_' | b'`' | b'|' | b'~'
            );
        table[b as usize / 32] |= (is_token as u32) << (b % 32);
        b += 1;
    }
    table
};

fn skip_blanks(rest: &mut &[u8]) {
    skip(rest, b' ');
}

/// Skips blanks and `other`.
#[inline(never)]
fn skip(rest: &mut &[u8], other: u8) {
    while let [byte, tail @ ..] = *rest
        && (matches!(byte, b' ' | b'\t') || *byte == other)
    {
        *rest = tail;
    }
}
