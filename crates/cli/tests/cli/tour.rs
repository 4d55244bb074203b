//! `postkey try`, from an empty folder to a downloaded mailbox.

use crate::support::*;

/// Messages on disk below a Maildir.
fn messages(home: &Home) -> usize {
    let all = files(&home.path("postkey-try/Mail"));
    all.iter()
        .filter(|path| path.parent().is_some_and(|dir| dir.ends_with("cur") || dir.ends_with("new")))
        .count()
}

#[test]
fn the_tour_signs_in_downloads_reports_and_adds_nothing_the_second_time() {
    let home = Home::new();
    let ran = home.run(&["try", "--messages", "60"]).code(0);
    for word in [
        "60 messages",
        "stored in postkey-try/Mail",
        "Übung",
        "postkey account add work",
        "postkey fetch work --to",
    ] {
        assert!(ran.stdout.contains(word), "{word:?} is missing in: {}", ran.stdout);
    }
    ran.says(&["/devicelogin", "Type"]);
    assert_eq!(messages(&home), 60);
    let before = files(&home.path("postkey-try/Mail"));
    let ran = home.run(&["try", "--messages", "60"]).code(0);
    assert!(ran.stdout.contains("Nothing new; 60 messages there before"), "{}", ran.stdout);
    let mut after = files(&home.path("postkey-try/Mail"));
    after.retain(|path| !before.contains(path));
    assert_eq!(after, Vec::<std::path::PathBuf>::new());
    // Nothing outside the tour's folder: not even a configuration.
    let outside: Vec<_> = files(home.dir.path())
        .into_iter()
        .filter(|path| !path.starts_with(home.path("postkey-try")))
        .collect();
    assert_eq!(outside, Vec::<std::path::PathBuf>::new());
}

#[test]
fn the_tour_as_json_is_one_document() {
    let home = Home::new();
    let report = home.run(&["try", "--messages", "20", "--dir", "deep/tour", "--json"]).code(0).json();
    assert_eq!(report["user"], sandbox::ANA);
    assert_eq!((report["stored"].as_u64(), report["complete"].as_bool()), (Some(20), Some(true)));
    assert!(home.path("deep/tour/Mail/cur").is_dir());
}

#[test]
fn the_tour_touches_nothing_that_is_not_its_own() {
    let home = Home::new();
    std::fs::create_dir(home.path("postkey-try")).unwrap();
    std::fs::write(home.path("postkey-try/config.toml"), "# mine\n").unwrap();
    home.run(&["try"]).code(2).says(&["not the tour's", "--dir"]);
    assert_eq!(std::fs::read_to_string(home.path("postkey-try/config.toml")).unwrap(), "# mine\n");
    std::fs::write(home.path("file"), "").unwrap();
    home.run(&["try", "--dir", "file"]).code(43).says(&["cannot write to file"]);
}
