//! HTTP/1.1 heads, split and trimmed with owned strings: enough to say what an upgrade must not be without.

/// The words of the first line, and the headers with their names in lower case.
pub(crate) struct Head {
    pub(crate) start: Vec<String>,
    headers: Vec<(String, String)>,
}

impl Head {
    /// Reads a head, the blank line at its end included. Bytes are taken for the characters of the same number.
    pub(crate) fn read(bytes: &[u8]) -> Self {
        let text: String = bytes.iter().map(|byte| char::from(*byte)).collect();
        let mut lines =
            text.split('\n').map(|line| line.strip_suffix('\r').unwrap_or(line)).skip_while(|line| line.is_empty());
        let start = lines.next().expect("a start line").split(' ').map(str::to_owned).collect();
        let headers = lines.take_while(|line| !line.is_empty()).map(|line| {
            let (name, value) = line.split_once(':').expect("a colon in every header");
            assert!(!name.is_empty() && name.chars().all(is_token), "a name that is none: {name:?}");
            assert!(value.chars().all(|c| c == '\t' || !c.is_ascii_control()), "a control in a value: {value:?}");
            (name.to_lowercase(), value.trim_matches([' ', '\t']).to_owned())
        });
        let headers = headers.collect();
        Self { start, headers }
    }

    pub(crate) fn values(&self, name: &str) -> Vec<&str> {
        self.headers.iter().filter(|(own, _)| own == name).map(|(_, value)| value.as_str()).collect()
    }

    /// Returns the elements of all headers of this name, which are one list.
    pub(crate) fn list(&self, name: &str) -> Vec<&str> {
        let elements = self.values(name).into_iter().flat_map(|value| value.split(','));
        elements.map(|element| element.trim_matches([' ', '\t'])).filter(|element| !element.is_empty()).collect()
    }

    pub(crate) fn has_token(&self, name: &str, token: &str) -> bool {
        self.list(name).iter().any(|element| element.eq_ignore_ascii_case(token))
    }
}

pub(crate) fn is_token(c: char) -> bool {
    c.is_ascii_graphic() && !"()<>@,;:\\\"/[]?={}".contains(c)
}
