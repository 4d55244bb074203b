//! A page of `docs/scenarios`, taken apart.

use std::path::Path;

/// A page.
pub(super) struct Page {
    /// Its file's name.
    pub(super) name: String,
    pub(super) text: String,
}

/// A command of a console block, and what it prints.
#[derive(Debug)]
pub(super) struct Step {
    pub(super) command: String,
    pub(super) shown: Vec<String>,
}

/// A fenced block.
struct Block<'a> {
    language: &'a str,
    text: String,
}

impl Page {
    pub(super) fn read(path: &Path) -> Self {
        let name = path.file_name().unwrap().to_str().unwrap().to_owned();
        Self { name, text: std::fs::read_to_string(path).unwrap() }
    }

    /// The section under a heading of the second level; whether it is the last one.
    pub(super) fn section(&self, heading: &str) -> (&str, bool) {
        let heading = format!("\n## {heading}\n");
        let (_, rest) = self
            .text
            .split_once(&heading)
            .unwrap_or_else(|| panic!("{} has no section {}", self.name, heading.trim()));
        match rest.split_once("\n## ") {
            Some((section, _)) => (section, false),
            None => (rest, true),
        }
    }

    /// What starts the sandbox, and what is done beside it.
    pub(super) fn trial(&self) -> (String, Vec<Step>) {
        let (section, last) = self.section("Try it against the sandbox");
        assert!(last, "{} goes on behind what is to be tried", self.name);
        assert!(section.trim_end().ends_with("```"), "{} does not end with a command", self.name);
        let consoles: Vec<Block<'_>> =
            blocks(section).into_iter().filter(|b| b.language == "console").collect();
        let [start, .., trial] = consoles.as_slice() else {
            panic!("{} has not the two console blocks: the sandbox's and the reader's", self.name);
        };
        let start = steps(&start.text);
        assert_eq!(start.len(), 1, "{}: one command starts the sandbox", self.name);
        let steps = steps(&trial.text);
        let last = &steps.last().unwrap_or_else(|| panic!("{}: nothing is tried", self.name)).command;
        assert!(
            ["postkey folders", "postkey fetch", "postkey send"].iter().any(|done| last.starts_with(done)),
            "{}: the last command reads or sends: {last}",
            self.name
        );
        (start.into_iter().next().unwrap().command, steps)
    }

    /// What is to be written: commands, and the configuration they give.
    pub(super) fn written(&self) -> Vec<(Vec<Step>, String)> {
        let blocks = blocks(self.section("What to write").0);
        let pairs = blocks.windows(2).filter(|pair| pair[1].language == "toml");
        pairs
            .map(|pair| {
                assert_eq!(pair[0].language, "console", "{}: which command writes this?", self.name);
                (steps(&pair[0].text), pair[1].text.clone())
            })
            .collect()
    }
}

impl Page {
    /// The scripts of the set-up that are for the reader's own shell.
    pub(super) fn scripts(&self) -> Vec<String> {
        let blocks = blocks(self.section("What to set up").0);
        blocks.into_iter().filter(|block| block.language == "sh").map(|block| block.text).collect()
    }

    /// Every command that is shown before what is to be tried.
    pub(super) fn commands(&self) -> Vec<String> {
        let (before, _) = self
            .text
            .split_once("\n## Try it against the sandbox\n")
            .unwrap_or_else(|| panic!("{} has nothing to try", self.name));
        let consoles = blocks(before).into_iter().filter(|block| block.language == "console");
        consoles.flat_map(|block| steps(&block.text)).map(|step| step.command).collect()
    }
}

impl Step {
    /// Whether this was printed.
    pub(super) fn matches(&self, printed: &str) -> bool {
        let printed: Vec<&str> = printed.lines().collect();
        let shown: Vec<&str> = self.shown.iter().map(String::as_str).collect();
        lines_match(&shown, &printed)
    }
}

fn lines_match(shown: &[&str], printed: &[&str]) -> bool {
    match shown {
        [] => printed.is_empty(),
        ["…", rest @ ..] => (0..=printed.len()).any(|n| lines_match(rest, &printed[n..])),
        [line, rest @ ..] => printed
            .split_first()
            .is_some_and(|(first, others)| line_matches(line, first) && lines_match(rest, others)),
    }
}

fn line_matches(shown: &str, printed: &str) -> bool {
    match shown.trim_end().split_once('…') {
        None => shown.trim_end() == printed.trim_end(),
        Some((before, after)) => printed.strip_prefix(before).is_some_and(|rest| {
            let ends = rest.char_indices().map(|(at, _)| at).chain([rest.len()]);
            ends.into_iter().any(|at| line_matches(after, &rest[at..]))
        }),
    }
}

fn blocks(text: &str) -> Vec<Block<'_>> {
    let mut found: Vec<Block<'_>> = Vec::new();
    let mut open = false;
    let mut indent = 0;
    for line in text.lines() {
        // A block within a list is indented as the list is.
        let trimmed = line.trim_start();
        if !open && trimmed.starts_with("```") {
            indent = line.len() - trimmed.len();
        }
        let line = line.get(indent.min(line.len() - trimmed.len())..).unwrap();
        match (line.strip_prefix("```"), open) {
            (Some(language), false) => {
                found.push(Block { language, text: String::new() });
                open = true;
            }
            (Some(_), true) => open = false,
            (None, true) => {
                let block = found.last_mut().unwrap();
                block.text.push_str(line);
                block.text.push('\n');
            }
            (None, false) => {}
        }
    }
    assert!(!open, "a block has no end");
    found
}

fn steps(console: &str) -> Vec<Step> {
    let mut steps: Vec<Step> = Vec::new();
    let mut goes_on = false;
    for line in console.lines() {
        match (line.strip_prefix("$ "), steps.last_mut()) {
            (_, Some(step)) if goes_on => {
                step.command.push('\n');
                step.command.push_str(line);
            }
            (Some(command), _) => steps.push(Step { command: command.to_owned(), shown: Vec::new() }),
            (None, Some(step)) => {
                step.shown.push(line.to_owned());
                continue;
            }
            (None, None) => panic!("a console block begins with a command: {line}"),
        }
        goes_on = line.ends_with('\\');
    }
    steps
}

#[cfg(test)]
mod tests {
    use super::*;

    const WHOLE: &str = "# X\n\n## What to write\n\n## Try it against the sandbox\n\n```console\n$ postkey sandbox --env-file sandbox.env\n```\n\n\
                         ```console\n$ postkey account add x \\\n    --user y\ndone\n$ postkey folders x\n```\n";

    fn page(text: &str) -> Page {
        Page { name: "x.md".into(), text: text.into() }
    }

    #[test]
    fn commands_and_what_they_print_are_told_apart() {
        let (start, steps) = page(WHOLE).trial();
        assert_eq!(start, "postkey sandbox --env-file sandbox.env");
        assert_eq!(steps[0].command, "postkey account add x \\\n    --user y");
        assert_eq!(steps[0].shown, ["done"]);
        assert_eq!(steps[1].command, "postkey folders x");
        assert!(steps[1].shown.is_empty() && steps.len() == 2);
    }

    #[test]
    fn a_page_without_something_to_try_is_refused() {
        let second = WHOLE.rfind("```console").unwrap();
        for text in [
            "# X\n".to_owned(),
            WHOLE.replace("Try it", "Read it"),
            WHOLE.replace("console", "text"),
            WHOLE[..second].to_owned(),
            WHOLE.replace("$ ", ""),
            WHOLE.replace("$ postkey folders x", "$ true"),
            format!("{WHOLE}\nMore words.\n"),
            format!("{WHOLE}\n## More\n"),
        ] {
            let tried = std::panic::catch_unwind(|| page(&text).trial());
            assert!(tried.is_err(), "{text}");
        }
    }
}
