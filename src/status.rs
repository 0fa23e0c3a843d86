//! Incomplete is not an error.

/// What a parser found at the front of the caller's bytes: a value, or that some bytes are still missing.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
#[must_use]
pub enum Status<T> {
    /// A value, taken from the first `consumed` bytes of the input.
    Complete {
        /// What was found.
        value: T,
        /// How many bytes of the input it took. The rest of the input was not looked at.
        consumed: usize,
    },
    /// More bytes must come before anything can be said; the input is as it was.
    Partial {
        /// How many bytes are missing at least: never zero, and never more than are really needed.
        needed: usize,
    },
}

impl<T> Status<T> {
    /// Returns the same status with the value changed by `f`; `consumed` and `needed` stay.
    ///
    /// ```
    /// # use websocket_wire::Status;
    /// let status = Status::Complete { value: 3, consumed: 2 };
    /// assert_eq!(status.map(|v| v * 2), Status::Complete { value: 6, consumed: 2 });
    /// ```
    #[inline]
    pub fn map<U>(self, f: impl FnOnce(T) -> U) -> Status<U> {
        match self {
            Self::Complete { value, consumed } => Status::Complete { value: f(value), consumed },
            Self::Partial { needed } => Status::Partial { needed },
        }
    }

    /// Returns the value and the bytes consumed, or `None` where bytes are missing.
    ///
    /// ```
    /// # use websocket_wire::Status;
    /// assert_eq!(Status::Complete { value: 'v', consumed: 1 }.complete(), Some(('v', 1)));
    /// assert_eq!(Status::<char>::Partial { needed: 1 }.complete(), None);
    /// ```
    #[inline]
    #[must_use]
    pub fn complete(self) -> Option<(T, usize)> {
        match self {
            Self::Complete { value, consumed } => Some((value, consumed)),
            Self::Partial { .. } => None,
        }
    }
}
