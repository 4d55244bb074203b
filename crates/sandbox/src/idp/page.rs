//! The HTML pages: no scripts, every field labelled, nothing unescaped.

use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};

/// Text for HTML, in element content and in double-quoted attributes.
pub(crate) fn escape(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            _ => out.push(c),
        }
    }
    out
}

const STYLE: &str = "body{font:1rem/1.5 system-ui,sans-serif;max-width:34rem;margin:3rem auto;padding:0 1rem}\
label,input{display:block}input{font:inherit;width:100%;box-sizing:border-box;padding:.4rem;margin:.2rem 0 1rem}\
button{font:inherit;padding:.4rem 1rem;margin:0 .5rem .5rem 0}.error{color:#a00}footer{margin-top:3rem;color:#555;font-size:.85rem}";

/// A page around `body`, which is HTML already.
pub(crate) fn page(status: u16, title: &str, body: &str) -> Response {
    let title = escape(title);
    let html = format!(
        "<!doctype html>\n<html lang=\"en\">\n<head><meta charset=\"utf-8\">\
         <meta name=\"viewport\" content=\"width=device-width\"><title>{title}</title><style>{STYLE}</style></head>\n\
         <body>\n<main>\n<h1>{title}</h1>\n{body}\n</main>\n\
         <footer>A pretend tenant for tests, run by postkey sandbox on this machine. Do not type real passwords.\
         </footer>\n</body>\n</html>\n"
    );
    let headers = [
        (header::CONTENT_TYPE, "text/html; charset=utf-8"),
        (header::CACHE_CONTROL, "no-store"),
        (header::REFERRER_POLICY, "no-referrer"),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (
            header::CONTENT_SECURITY_POLICY,
            "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'",
        ),
    ];
    (StatusCode::from_u16(status).unwrap_or(StatusCode::OK), headers, html).into_response()
}

/// A page with one paragraph of text.
pub(crate) fn message(status: u16, title: &str, text: &str) -> Response {
    page(status, title, &format!("<p>{}</p>", escape(text)))
}

fn problem(error: Option<&str>) -> String {
    error.map_or_else(String::new, |e| format!("<p class=\"error\" role=\"alert\">{}</p>\n", escape(e)))
}

/// The sign-in page. `hints` are accounts that exist, for people who have only just started the sandbox.
pub(crate) fn sign_in(flow: &str, app: &str, login: &str, hints: &[String], error: Option<&str>) -> Response {
    let list: String = hints.iter().map(|h| format!("<li>{}</li>", escape(h))).collect();
    let body = format!(
        "{}<p>to continue to <strong>{}</strong></p>\n<form method=\"post\" action=\"/login\">\n\
         <input type=\"hidden\" name=\"flow\" value=\"{}\">\n\
         <label for=\"loginfmt\">Account</label>\n\
         <input id=\"loginfmt\" name=\"loginfmt\" type=\"text\" autocomplete=\"username\" value=\"{}\">\n\
         <label for=\"passwd\">Password</label>\n\
         <input id=\"passwd\" name=\"passwd\" type=\"password\" autocomplete=\"current-password\">\n\
         <button id=\"signin\" name=\"action\" value=\"signin\">Sign in</button>\n\
         <button id=\"cancel\" name=\"action\" value=\"cancel\">Cancel</button>\n</form>\n\
         <h2>Accounts of this sandbox</h2>\n<ul>{list}</ul>",
        problem(error),
        escape(app),
        escape(flow),
        escape(login)
    );
    page(200, "Sign in", &body)
}

/// What a consent page asks for.
pub(crate) struct Consent<'a> {
    pub(crate) flow: &'a str,
    pub(crate) app: &'a str,
    /// Who is asked: a user or, in other words, the administrator.
    pub(crate) who: &'a str,
    pub(crate) permissions: &'a [String],
    /// Whether this person may accept.
    pub(crate) may_accept: bool,
    /// Whether the answer can be that an administrator is needed.
    pub(crate) admin_approval: bool,
}

/// The consent page.
pub(crate) fn consent(consent: &Consent<'_>) -> Response {
    let list: String = consent.permissions.iter().map(|p| format!("<li>{}</li>", escape(p))).collect();
    let accept = if consent.may_accept {
        "<button id=\"accept\" name=\"action\" value=\"accept\">Accept</button>\n"
    } else {
        "<p role=\"alert\">Only an administrator of the tenant can accept this.</p>\n"
    };
    let admin = if consent.admin_approval {
        "<button id=\"admin\" name=\"action\" value=\"admin\">Needs admin approval</button>\n"
    } else {
        ""
    };
    let body = format!(
        "<p>{}</p>\n<p><strong>{}</strong> would like to:</p>\n<ul>{list}</ul>\n\
         <form method=\"post\" action=\"/consent\">\n<input type=\"hidden\" name=\"flow\" value=\"{}\">\n{accept}\
         <button id=\"cancel\" name=\"action\" value=\"cancel\">Cancel</button>\n{admin}</form>",
        escape(consent.who),
        escape(consent.app),
        escape(consent.flow)
    );
    page(200, "Permissions requested", &body)
}

/// The page where a device's code is typed.
pub(crate) fn device_code(code: &str, error: Option<&str>) -> Response {
    let body = format!(
        "{}<form method=\"post\" action=\"/devicelogin\">\n\
         <label for=\"otc\">Code shown by the app or device</label>\n\
         <input id=\"otc\" name=\"otc\" type=\"text\" autocomplete=\"off\" autocapitalize=\"characters\" value=\"{}\">\n\
         <button id=\"next\">Next</button>\n</form>",
        problem(error),
        escape(code)
    );
    page(200, "Enter code", &body)
}

/// `response_mode=form_post`: the answer as a form for the redirect URI. Entra submits it by script; here a button does.
pub(crate) fn form_post(uri: &str, fields: &[(&str, String)]) -> Response {
    let inputs: String = fields
        .iter()
        .map(|(n, v)| format!("<input type=\"hidden\" name=\"{}\" value=\"{}\">\n", escape(n), escape(v)))
        .collect();
    let body = format!(
        "<form method=\"post\" action=\"{}\">\n{inputs}<button id=\"continue\">Continue</button>\n</form>",
        escape(uri)
    );
    page(200, "Return to the app", &body)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_breaks_out() {
        assert_eq!(escape("<a href=\"x\">'&"), "&lt;a href=&quot;x&quot;&gt;&#39;&amp;");
    }
}
