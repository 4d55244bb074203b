//! The user's browser: whether there is one, and opening it.

use std::process::{Command, Stdio};

/// Opens an address in the user's browser: POSTKEY_BROWSER, then BROWSER (several, separated by colons), then what the
/// desktop says. Says whether something could be started.
///
/// The address holds no credential: the code comes back to our listener, and is worth nothing without the verifier
/// that never leaves this process.
pub(crate) fn open(address: &str) -> bool {
    if let Ok(own) = std::env::var("POSTKEY_BROWSER") {
        return start(named(&own, address));
    }
    if let Ok(list) = std::env::var("BROWSER")
        && list.split(':').any(|entry| start(named(entry, address)))
    {
        return true;
    }
    has_desktop() && open::commands(address).into_iter().any(|command| start(Some(command)))
}

/// Whether there is a desktop whose browser could be opened.
pub(crate) fn has_desktop() -> bool {
    let set = |name| std::env::var_os(name).is_some_and(|value| !value.is_empty());
    set("POSTKEY_BROWSER")
        || set("BROWSER")
        || cfg!(any(windows, target_os = "macos"))
        || set("DISPLAY")
        || set("WAYLAND_DISPLAY")
}

/// A command line without a shell: words at blanks, `%s` for the address, which comes last if it is not mentioned.
fn named(entry: &str, address: &str) -> Option<Command> {
    let mut words = entry.split_whitespace();
    let mut command = Command::new(words.next()?);
    let mut mentioned = false;
    for word in words {
        mentioned |= word.contains("%s");
        command.arg(word.replace("%s", address));
    }
    if !mentioned {
        command.arg(address);
    }
    Some(command)
}

fn start(command: Option<Command>) -> bool {
    let Some(mut command) = command else { return false };
    let silent = command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    silent.spawn().is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_browser_named_by_a_variable_gets_the_address_where_it_wants_it() {
        let shown = |entry| named(entry, "https://x/?a=b&c").map(|command| format!("{command:?}"));
        assert_eq!(shown("firefox").unwrap(), r#""firefox" "https://x/?a=b&c""#);
        assert_eq!(shown("w3m -o %s --").unwrap(), r#""w3m" "-o" "https://x/?a=b&c" "--""#);
        assert!(shown("  ").is_none());
    }
}
