//! Drives any protocol machine over tokio and rustls; knows no protocol
