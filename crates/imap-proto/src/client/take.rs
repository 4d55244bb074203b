//! Events out of the octets at the head of the buffer.

use alloc::borrow::Cow;
use alloc::boxed::Box;

use wire::InBuf;

use super::Client;
use super::event::{Event, Fetch};
use super::receive::Current;
use crate::grammar::{self, FetchStep, ParseLimits, SearchNumbers};
use crate::types::Response;

impl Client {
    pub(super) fn parse_limits(&self) -> ParseLimits {
        ParseLimits { depth: usize::try_from(self.config.limits.nesting).unwrap_or(ParseLimits::MAX_DEPTH) }
    }

    /// The event in the octets at the head of `input`.
    pub(super) fn take_current<'b>(&mut self, input: &'b InBuf) -> Option<Event<'b>> {
        let unread = input.unread();
        match core::mem::replace(&mut self.current, Current::None) {
            Current::None => None,
            Current::Response { len } => {
                self.release = len;
                let frame = unread.get(..len).unwrap_or_default();
                Some(match grammar::response(frame, self.parse_limits()) {
                    Ok(response) => {
                        if let Response::Capability(c) = &response {
                            self.capabilities = Some(c.clone().into_owned());
                        }
                        Event::Data(Box::new(self.clean(response, frame)))
                    }
                    Err(error) => Event::Malformed { error, raw: self.shown(frame) },
                })
            }
            Current::Numbers { len, first, last } => {
                self.release = len;
                let part = unread.get(..len).unwrap_or_default();
                let numbers = if first { behind_name(part) } else { part };
                Some(Event::Numbers { numbers: SearchNumbers::new(numbers), last })
            }
            Current::Chunk { len } => {
                self.release = len;
                Some(Event::Fetch(Fetch::Chunk(unread.get(..len).unwrap_or_default())))
            }
            Current::BodyEnd => Some(Event::Fetch(Fetch::BodyEnd)),
            Current::Fetch { len, at, first, last } => {
                let line = unread.get(..len).unwrap_or_default();
                let rest = line.get(at..).unwrap_or_default();
                let step = if first {
                    grammar::fetch_prefix(rest)
                        .map(|(seq, rest)| (Event::Fetch(Fetch::Start(seq.get())), rest, false))
                } else {
                    grammar::fetch_item(rest, self.parse_limits()).map(|(step, rest)| match step {
                        FetchStep::Item(item) => (Event::Fetch(Fetch::Item(item)), rest, false),
                        FetchStep::Body { name, origin, len, .. } => {
                            (Event::Fetch(Fetch::Body { name, origin, len }), rest, true)
                        }
                        FetchStep::End => (Event::Fetch(Fetch::End), rest, true),
                    })
                };
                Some(match step {
                    Ok((event, _, true)) => {
                        self.release = len;
                        event
                    }
                    Ok((event, rest, false)) => {
                        let at = len.saturating_sub(rest.len());
                        self.current = Current::Fetch { len, at, first: false, last };
                        event
                    }
                    Err(error) => {
                        self.release = len;
                        // Whatever else comes of this message is dropped, its end is known.
                        self.abandoned = !last;
                        if !first {
                            self.ready.push_back(Event::Fetch(Fetch::Abandoned));
                        }
                        Event::Malformed { error, raw: self.shown(rest) }
                    }
                })
            }
        }
    }
}

impl Client {
    /// Words without this connection's credentials. Data is what the server says, octet by octet: it is used again.
    fn clean<'b>(&self, response: Response<'b>, frame: &[u8]) -> Response<'b> {
        let words =
            matches!(response, Response::Unrecognised(_) | Response::Status(_) | Response::Continue(_));
        if !words {
            return response;
        }
        let Some(clean) = self.redactor.scrub(frame) else { return response };
        match grammar::response(&clean, self.parse_limits()) {
            Ok(clean) => clean.into_owned(),
            Err(_) => Response::Unrecognised(Cow::Borrowed(b"")),
        }
    }

    /// What can be shown of octets: up to the first that may be of a credential.
    fn shown<'b>(&self, octets: &'b [u8]) -> &'b [u8] {
        let Some(clean) = self.redactor.scrub(octets) else { return octets };
        let same = octets.iter().zip(&clean).take_while(|(a, b)| a == b).count();
        octets.get(..same).unwrap_or_default()
    }
}

/// A number list without the `* SEARCH` in front.
fn behind_name(part: &[u8]) -> &[u8] {
    let arguments = part.strip_prefix(b"* ").unwrap_or(part);
    let name = arguments.iter().take_while(|c| c.is_ascii_alphabetic()).count();
    arguments.get(name..).unwrap_or_default()
}
