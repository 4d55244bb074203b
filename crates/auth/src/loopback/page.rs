//! What the browser shows at the end.

use crate::Refusal;

/// A small page, without scripts and without anything from elsewhere.
pub(super) struct Page {
    status: u16,
    title: &'static str,
    /// Markup; whatever came from outside is escaped in it.
    text: String,
}

impl Page {
    pub(super) fn signed_in() -> Self {
        let text = "<p>You can close this window and go back to the program.</p>".to_owned();
        Self { status: 200, title: "Signed in", text }
    }

    pub(super) fn refused(refusal: &Refusal) -> Self {
        let mut text = format!("<p>{}</p>", escape(refusal.advice()));
        text.push_str(&format!("<p><code>{}</code></p>", escape(&refusal.error)));
        if !refusal.description.is_empty() {
            text.push_str(&format!("<p>{}</p>", escape(&refusal.description)));
        }
        text.push_str("<p>Nothing was granted. The program has the details.</p>");
        Self { status: 200, title: "Not signed in", text }
    }

    pub(super) fn error(status: u16) -> Self {
        let text = match status {
            404 => "<p>There is nothing here.</p>",
            410 => "<p>This sign-in has already been answered. You can close this window.</p>",
            _ => {
                "<p>This is not the answer that the program waits for. Go back to it and follow its address again.</p>"
            }
        };
        Self { status, title: "Not accepted", text: text.to_owned() }
    }

    /// The whole HTTP response.
    pub(super) fn response(&self) -> Vec<u8> {
        let Self { status, title, text } = self;
        let body = format!(
            "<!DOCTYPE html>\n<html lang=\"en\"><head><meta charset=\"utf-8\"><meta name=\"viewport\" \
             content=\"width=device-width\"><title>{title}</title><style>body{{font:1.1em/1.5 \
             sans-serif;max-width:34em;margin:4em auto;padding:0 1em}}</style></head>\n<body><h1>{title}</h1>{text}\
             </body></html>\n"
        );
        let reason = match status {
            200 => "OK",
            400 => "Bad Request",
            404 => "Not Found",
            405 => "Method Not Allowed",
            410 => "Gone",
            411 => "Length Required",
            413 => "Content Too Large",
            415 => "Unsupported Media Type",
            _ => "Request Header Fields Too Large",
        };
        format!(
            "HTTP/1.1 {status} {reason}\r\nContent-Type: text/html; charset=utf-8\r\nContent-Length: {}\r\n\
             Cache-Control: no-store\r\nContent-Security-Policy: default-src 'none'; style-src 'unsafe-inline'; \
             frame-ancestors 'none'\r\nReferrer-Policy: no-referrer\r\nX-Content-Type-Options: nosniff\r\n\
             Connection: close\r\n\r\n{body}",
            body.len()
        )
        .into_bytes()
    }
}

fn escape(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\'' => escaped.push_str("&#39;"),
            other => escaped.push(other),
        }
    }
    escaped
}
