//! Generators and fuzz bodies for tests in this crate and elsewhere.
