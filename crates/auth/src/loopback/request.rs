//! One HTTP/1 request, as little of it as is needed.

use httparse::{EMPTY_HEADER, Error, Status};

/// More header fields than any browser sends.
const MOST_FIELDS: usize = 64;

/// What a buffer is.
pub(super) enum Parsed<'b> {
    Incomplete,
    /// It cannot become a request that is served; the HTTP status to answer.
    Refused(u16),
    Whole(Request<'b>),
}

/// A whole GET, or a whole POST of a form.
pub(super) struct Request<'b> {
    pub(super) host: &'b str,
    pub(super) path: &'b str,
    /// The query of a GET, the form of a POST.
    pub(super) parameters: &'b str,
}

pub(super) fn parse(buffer: &[u8], limit: usize) -> Parsed<'_> {
    let mut fields = [EMPTY_HEADER; MOST_FIELDS];
    let mut head = httparse::Request::new(&mut fields);
    let length = match head.parse(buffer) {
        Ok(Status::Complete(length)) => length,
        Ok(Status::Partial) if buffer.len() < limit => return Parsed::Incomplete,
        Ok(Status::Partial) | Err(Error::TooManyHeaders) => return Parsed::Refused(431),
        Err(_) => return Parsed::Refused(400),
    };
    if length > limit {
        return Parsed::Refused(431);
    }
    let Some(target) = head.path.filter(|target| target.starts_with('/')) else {
        return Parsed::Refused(400);
    };
    let (path, query) = target.split_once('?').unwrap_or((target, ""));
    let field = |name| one(head.headers, name);
    let Ok(Some(host)) = field("host") else { return Parsed::Refused(400) };
    match head.method {
        Some("GET") => Parsed::Whole(Request { host, path, parameters: query }),
        Some("POST") => {
            let form = match (field("transfer-encoding"), field("content-length"), field("content-type")) {
                (Ok(None), Ok(Some(octets)), Ok(Some(kind))) => {
                    let kind = kind.split(';').next().unwrap_or_default().trim();
                    if !kind.eq_ignore_ascii_case("application/x-www-form-urlencoded") {
                        return Parsed::Refused(415);
                    }
                    octets
                }
                (Ok(None), Ok(Some(_)), Ok(None)) => return Parsed::Refused(415),
                (Ok(_), Ok(_), Ok(_)) => return Parsed::Refused(411),
                _ => return Parsed::Refused(400),
            };
            if form.is_empty() || !form.bytes().all(|digit| digit.is_ascii_digit()) {
                return Parsed::Refused(400);
            }
            let Ok(octets) = form.parse::<usize>() else { return Parsed::Refused(400) };
            let Some(end) = length.checked_add(octets).filter(|end| *end <= limit) else {
                return Parsed::Refused(413);
            };
            match buffer.get(length..end).map(std::str::from_utf8) {
                None => Parsed::Incomplete,
                Some(Err(_)) => Parsed::Refused(400),
                Some(Ok(parameters)) => Parsed::Whole(Request { host, path, parameters }),
            }
        }
        _ => Parsed::Refused(405),
    }
}

/// The value of a header field; an error if it is there twice or is not text.
fn one<'b>(fields: &[httparse::Header<'b>], name: &str) -> Result<Option<&'b str>, ()> {
    let mut values =
        fields.iter().filter(|field| field.name.eq_ignore_ascii_case(name)).map(|field| field.value);
    match (values.next(), values.next()) {
        (None, _) => Ok(None),
        (Some(value), None) => std::str::from_utf8(value).map(|value| Some(value.trim())).map_err(drop),
        (Some(_), Some(_)) => Err(()),
    }
}
