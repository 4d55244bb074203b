//! Mail over IMAP, POP3 and SMTP, signed in by OAuth 2.0
