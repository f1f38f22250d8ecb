//! The documents of the repository name tests that exist.

use std::{collections::BTreeSet, fs, path::Path};

/// The tests that a document names in backticks: `tests/it/close/peer.rs::name`, and `::name` for one more of the file
/// that was named last.
fn named_tests(document: &str) -> BTreeSet<(String, String)> {
    let mut tests = BTreeSet::new();
    let mut file = "";
    for code in document.split('`').skip(1).step_by(2) {
        let Some((path, name)) = code.split_once("::") else {
            continue;
        };
        if path.ends_with(".rs") {
            file = path;
        } else if !path.is_empty() {
            // A path of Rust, such as `Config::max_send_message_len`.
            continue;
        }
        tests.insert((file.to_owned(), name.to_owned()));
    }
    tests
}

/// Whether a file has a test function of this name.
fn has_test(source: &str, name: &str) -> bool {
    let mut attributes = String::new();
    for line in source.lines().map(str::trim) {
        let function = line.trim_start_matches("async ").strip_prefix("fn ");
        if let Some((function, _)) = function.and_then(|rest| rest.split_once('(')) {
            if function == name {
                return attributes.contains("test");
            }
            attributes.clear();
        } else if line.starts_with("#[") {
            attributes.push_str(line);
        }
    }
    false
}

/// `SECURITY.md` names a test for each threat.
#[test]
fn named_tests_exist() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let document = fs::read_to_string(root.join("SECURITY.md")).unwrap();
    let tests = named_tests(&document);
    assert!(tests.len() > 50, "{} tests are named", tests.len());
    for (file, name) in tests {
        let source = fs::read_to_string(root.join(&file)).unwrap_or_default();
        assert!(has_test(&source, &name), "no test {name} in {file:?}");
    }
}
