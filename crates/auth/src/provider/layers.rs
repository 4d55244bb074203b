//! One table over another; also used while the crate is built.

use toml::{Table, Value};

/// `base` with what `over` mentions in its place; tables inside are laid over each other in the same way.
pub(super) fn lay_over(mut base: Table, over: &Table) -> Table {
    for (key, value) in over {
        let merged = match (base.remove(key), value) {
            (Some(Value::Table(inner)), Value::Table(changes)) => Value::Table(lay_over(inner, changes)),
            _ => value.clone(),
        };
        base.insert(key.clone(), merged);
    }
    base
}
