//! Messages that are not as they should be, each as real mailboxes hold them.

use crate::seed::header::date;
use crate::seed::message::{Kind, Message};
use crate::seed::text::noise_base64;

macro_rules! odds {
    ($($(#[$doc:meta])* $name:ident,)*) => {
        /// What is odd about a message.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        #[non_exhaustive]
        pub enum Odd { $($(#[$doc])* $name,)* }

        impl Odd {
            /// All of them, in the order in which they come.
            pub const ALL: &'static [Self] = &[$(Self::$name,)*];
        }
    };
}

odds! {
    /// No octets at all.
    Empty,
    /// A body without headers: the first line is empty.
    NoHeaders,
    /// Headers without the empty line that ends them.
    HeadersOnly,
    /// The last line does not end.
    NoFinalCrlf,
    /// Lines that begin with dots, and a line that is one dot.
    Dots,
    /// A line of 100,000 octets.
    LongLine,
    /// CRs without LF.
    LoneCr,
    /// Lines ended by LF alone.
    LoneLf,
    /// Octets with the value zero.
    Nul,
    /// Header text in UTF-8 and in ISO-8859-1, neither encoded.
    RawHeaders,
    /// 200 parts of one line each.
    ManyParts,
    /// Multiparts 60 deep.
    DeepParts,
    /// A multipart whose end never comes.
    NoClosingBoundary,
    /// A header folded into 300 lines, and two of each important one.
    RepeatedHeaders,
    /// Dates, addresses and types that cannot be parsed.
    BrokenValues,
    /// Nothing but CRLF, three times.
    OnlyLineEnds,
}

/// The octets of an odd message.
pub(crate) fn octets(odd: Odd, message: &Message) -> Vec<u8> {
    let mut rng = message.rng(3);
    let top = format!(
        "From: Odd One <odd@fabrikam.example>\r\nTo: ana@contoso.example\r\nSubject: Odd: {odd:?}\r\nDate: {}\r\n\
         Message-ID: <{:016x}.odd@fabrikam.example>\r\n",
        date(message.internal_date(), 0),
        rng.draw()
    );
    let text = |body: &str| format!("{top}\r\n{body}").into_bytes();
    match odd {
        Odd::Empty => Vec::new(),
        Odd::NoHeaders => b"\r\nOnly a body: somebody's script wrote it.\r\n".to_vec(),
        Odd::HeadersOnly => top.into_bytes(),
        Odd::NoFinalCrlf => text("The last line ends here"),
        Odd::Dots => text(".\r\n..\r\n...hidden\r\nmiddle\r\n.\r\n"),
        Odd::LongLine => {
            let mut out = text("");
            let line = noise_base64(&mut rng, "", 75_000);
            out.extend(line.into_iter().filter(|b| *b != b'\r' && *b != b'\n'));
            out.extend_from_slice(b"\r\nand a short one\r\n");
            out
        }
        Odd::LoneCr => text("one\rtwo\r\rthree\r\n\rfour\r\r\n"),
        Odd::LoneLf => format!("{top}\r\none\r\ntwo\n\nthree\r\n").replace("\r\n", "\n").into_bytes(),
        Odd::Nul => text("zero \0 and \0\0 zeros\r\n"),
        Odd::RawHeaders => {
            let mut out = b"From: J\xfcrgen <j@fabrikam.example>\r\nSubject: Gr\xfc\xdfe, \x80\xff\r\n".to_vec();
            out.extend_from_slice("To: Zoë <ana@contoso.example>\r\nX-Text: Übung\r\n\r\nbody\r\n".as_bytes());
            out
        }
        Odd::ManyParts => {
            let mut out = top.into_bytes();
            out.extend_from_slice(b"MIME-Version: 1.0\r\nContent-Type: multipart/digest; boundary=b\r\n\r\n");
            for n in 0..200 {
                out.extend_from_slice(format!("--b\r\n\r\nSubject: {n}\r\n\r\npart {n}\r\n").as_bytes());
            }
            out.extend_from_slice(b"--b--\r\n");
            out
        }
        Odd::DeepParts => {
            let mut out = format!("{top}MIME-Version: 1.0\r\n");
            for n in 0..60 {
                out.push_str(&format!("Content-Type: multipart/mixed; boundary=\"b{n}\"\r\n\r\n--b{n}\r\n"));
            }
            out.push_str("Content-Type: text/plain\r\n\r\nat the bottom\r\n");
            for n in (0..60).rev() {
                out.push_str(&format!("--b{n}--\r\n"));
            }
            out.into_bytes()
        }
        Odd::NoClosingBoundary => {
            let mut out = message.regular(Kind::Alternative);
            let end = out.windows(4).rposition(|w| w == b"\r\n--").unwrap_or(out.len());
            out.truncate(end + 2);
            out
        }
        Odd::RepeatedHeaders => {
            let folds: String = (0..300).map(|n| format!("\r\n <{n}@fabrikam.example>")).collect();
            format!("{top}{top}References:{folds}\r\nX-Empty:\r\nx-lower : blank before the colon\r\n\r\nbody\r\n")
                .into_bytes()
        }
        Odd::BrokenValues => b"From: <<>>, ;;, \"unclosed\r\nTo: a b c d@\r\nDate: yesterday at noon\r\n\
            Content-Type: text\r\nContent-Transfer-Encoding: rot13\r\nSubject\r\n: no name\r\n=?utf-8?Q?x\r\n\r\nbody\r\n"
            .to_vec(),
        Odd::OnlyLineEnds => b"\r\n\r\n\r\n".to_vec(),
    }
}
