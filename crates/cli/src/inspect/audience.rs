//! Whose token it is: the `aud` claim.

/// A resource that tokens are issued for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Audience {
    /// Exchange Online, in whatever cloud: what IMAP, POP3 and SMTP need.
    Exchange,
    /// Microsoft Graph, which has a mail interface of its own.
    Graph,
    /// Something else.
    Other,
}

/// Exchange Online's own application id, which stands in tokens of the v2.0 format.
const EXCHANGE_ID: &str = "00000002-0000-0ff1-ce00-000000000000";
const GRAPH_ID: &str = "00000003-0000-0000-c000-000000000000";

const EXCHANGE: &[&str] = &[
    "outlook.office.com",
    "outlook.office365.com",
    "outlook.office365.us",
    "outlook-dod.office365.us",
    "webmail.apps.mil",
    "partner.outlook.cn",
];
const GRAPH: &[&str] = &[
    "graph.microsoft.com",
    "graph.microsoft.us",
    "dod-graph.microsoft.us",
    "microsoftgraph.chinacloudapi.cn",
];

impl Audience {
    /// What an `aud` means. Scheme, letter case and a slash at the end do not count: all spellings have been seen.
    pub(super) fn of(aud: &str) -> Self {
        let aud = aud.trim_end_matches('/').to_ascii_lowercase();
        let host = aud.strip_prefix("https://").unwrap_or(&aud);
        if EXCHANGE.contains(&host) || host == EXCHANGE_ID {
            Self::Exchange
        } else if GRAPH.contains(&host) || host == GRAPH_ID {
            Self::Graph
        } else {
            Self::Other
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spellings_do_not_count() {
        for aud in ["https://outlook.office.com", "https://Outlook.Office365.com/", EXCHANGE_ID] {
            assert_eq!(Audience::of(aud), Audience::Exchange, "{aud}");
        }
        for aud in ["https://graph.microsoft.com", GRAPH_ID] {
            assert_eq!(Audience::of(aud), Audience::Graph, "{aud}");
        }
        for aud in ["https://outlook.office.com.example", "https://example/outlook.office.com", ""] {
            assert_eq!(Audience::of(aud), Audience::Other, "{aud}");
        }
    }
}
