//! Real peers and hostile ones for the tests.
