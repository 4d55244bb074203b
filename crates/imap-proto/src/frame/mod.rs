//! Where responses and commands begin and end: lines, literals, and where free text begins.
//!
//! Framing knows as much grammar as it must. `* OK quota is {5}` announces no literal, because a status text is free
//! text; `* 1 FETCH (BODY[] {5}` announces a body that is streamed; the `{5}` behind an envelope's subject stays
//! inside its response.

pub(crate) mod command;
mod fetch;
mod response;

pub(crate) use response::{Broken, Framed, Framer, Kind};
