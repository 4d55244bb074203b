//! Answers that are no answers: throttling, outages, and what stands between a client and a server that works.

use std::convert::Infallible;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::{Duration, UNIX_EPOCH};

use axum::body::{Body, Bytes, HttpBody};
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use hyper::body::Frame;

use crate::fault::{Fault, Who};
use crate::idp::Idp;
use crate::idp::refusal::{Refusal, Trace};
use crate::net::Resetter;

/// Where a redirected token request is sent; nothing is there.
const ELSEWHERE: &str = "/elsewhere";

impl Idp {
    /// An outage, if one is switched on: the answer, or a reset connection.
    pub(crate) async fn outage(
        &self,
        who: &Who,
        resetter: &Resetter,
        trace: &Trace,
        base: &str,
    ) -> Option<Response> {
        let number = |pick: fn(&Fault) -> Option<u64>| self.faults.take(who, pick);
        if let Some(delay) = number(|f| if let Fault::Delay(n) = f { Some(*n) } else { None }) {
            tokio::time::sleep(Duration::from_millis(delay)).await;
        }
        if self.faults.hits(who, &Fault::Reset) {
            resetter.reset();
            // The connection's task drops this one; the answer is never written.
            tokio::time::sleep(Duration::from_secs(60)).await;
        }
        let html = [(header::CONTENT_TYPE, "text/html")];
        if self.faults.hits(who, &Fault::Unavailable) {
            let page = "<!DOCTYPE html><html><head><title>Service unavailable</title></head>\
                        <body><h2>Our services aren't available right now</h2></body></html>";
            return Some((StatusCode::SERVICE_UNAVAILABLE, html, page).into_response());
        }
        if self.faults.hits(who, &Fault::NotJson) {
            let page = "<!DOCTYPE html><html><head><title>Welcome to our network</title></head>\
                        <body><h1>Accept the terms to go on</h1></body></html>";
            return Some((StatusCode::OK, html, page).into_response());
        }
        if self.faults.hits(who, &Fault::Redirect) {
            let to = [(header::LOCATION, format!("{base}{ELSEWHERE}"))];
            return Some((StatusCode::TEMPORARY_REDIRECT, to).into_response());
        }
        let json = [(header::CONTENT_TYPE, "application/json; charset=utf-8")];
        if let Some(octets) = number(|f| if let Fault::Oversized(n) = f { Some(*n) } else { None }) {
            // Nothing that is asked for in a test needs more than this.
            let octets = usize::try_from(octets.min(1 << 30)).unwrap_or_default();
            let body = format!("{{\"padding\":\"{}\"}}", "x".repeat(octets));
            return Some((StatusCode::OK, json, body).into_response());
        }
        if self.faults.hits(who, &Fault::Endless) {
            return Some((StatusCode::OK, json, Body::new(Endless)).into_response());
        }
        let throttled = |after: Option<HeaderValue>| {
            let text = "The request was throttled according to policy. Try again later.";
            let refusal = Refusal::new(429, "temporarily_unavailable", 90055, text);
            let mut response = refusal.response(trace, base, 429);
            if let Some(after) = after {
                response.headers_mut().insert(header::RETRY_AFTER, after);
            }
            response
        };
        if let Some(after) = number(|f| if let Fault::TooManyRequestsUntil(n) = f { Some(*n) } else { None })
        {
            let end = UNIX_EPOCH + Duration::from_secs(self.clock.now().saturating_add(after.min(1 << 32)));
            return Some(throttled(HeaderValue::from_str(&httpdate::fmt_http_date(end)).ok()));
        }
        let after = self.faults.take(who, |f| match f {
            Fault::TooManyRequests(after) => Some(*after),
            _ => None,
        })?;
        Some(throttled(after.map(HeaderValue::from)))
    }
}

/// A body that goes on for as long as somebody reads.
struct Endless;

impl HttpBody for Endless {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        self: Pin<&mut Self>,
        _cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        Poll::Ready(Some(Ok(Frame::data(Bytes::from_static(&[b' '; 4096])))))
    }
}
