//! placeholder until the generators exist
