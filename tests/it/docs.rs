//! The documents of the repository name tests and files that exist.

use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
};

/// The code in backticks of a document.
fn code(document: &str) -> impl Iterator<Item = &str> {
    document.split('`').skip(1).step_by(2)
}

/// The tests that a document names: `tests/it/close/peer.rs::name`, and `::name` for one more of
/// the file that was named last.
fn named_tests(document: &str) -> BTreeSet<(&str, &str)> {
    let mut tests = BTreeSet::new();
    let mut file = "";
    for (path, name) in code(document).filter_map(|code| code.split_once("::")) {
        let is_file = path.contains('/');
        if is_file {
            file = path;
        }
        // Other paths are those of Rust, such as `Config::max_send_message_len`. The separator
        // alone is no name.
        if (is_file || path.is_empty()) && !name.is_empty() {
            tests.insert((file, name));
        }
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

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

fn read(path: &str) -> String {
    fs::read_to_string(root().join(path)).unwrap_or_else(|error| panic!("{path:?}: {error}"))
}

/// `SECURITY.md` names a test for each threat, `src/README.md` those of each file.
#[test]
fn named_tests_exist() {
    let documents = [
        ("SECURITY.md", 50),
        ("src/README.md", 200),
        ("codecs/src/README.md", 20),
        ("tests/README.md", 0),
    ];
    for (document, least) in documents {
        let text = read(document);
        let tests = named_tests(&text);
        assert!(tests.len() >= least, "{document}: {} tests", tests.len());
        for (file, name) in tests {
            let is_there = has_test(&read(file), name);
            assert!(is_there, "{document}: no test {name} in {file}");
        }
    }
}

/// Files and directories of the repository that documents name.
#[test]
fn named_paths_exist() {
    const PREFIXES: [&str; 7] = [
        ".ci/",
        "benches/",
        "codecs/",
        "examples/",
        "fuzz/",
        "src/",
        "tests/",
    ];
    let documents = [
        "ARCHITECTURE.md",
        "CONTRIBUTING.md",
        "RELEASING.md",
        "README.md",
        "SECURITY.md",
        "codecs/src/README.md",
        "examples/README.md",
        "src/README.md",
        "tests/README.md",
    ];
    for document in documents {
        let text = read(document);
        for code in code(&text) {
            // A command begins with a path, too.
            let path = code.split([' ', ':']).next().unwrap_or_default();
            if PREFIXES.iter().any(|prefix| path.starts_with(prefix)) {
                assert!(root().join(path).exists(), "{document}: no {path}");
            }
        }
    }
}

fn is_source(path: &Path) -> bool {
    path.extension().is_some_and(|extension| extension == "rs")
}

/// The source files in a folder, without those of unit tests, relative to `root`.
fn source_files(root: &Path, folder: &Path, files: &mut BTreeSet<String>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            if path.file_name().is_some_and(|name| name != "tests") {
                source_files(root, &path, files);
            }
        } else if is_source(&path) && path.file_stem().is_some_and(|name| name != "tests") {
            let file = path.strip_prefix(root).unwrap();
            files.insert(file.to_str().unwrap().replace('\\', "/"));
        }
    }
}

/// Each source file has a row that says what it decides, and there is no row of another file.
#[test]
fn source_files_have_a_row() {
    for folder in ["src", "codecs/src"] {
        let folder = root().join(folder);
        let text = fs::read_to_string(folder.join("README.md")).unwrap();
        let rows = text.lines().filter_map(|line| line.strip_prefix("| `"));
        let listed: BTreeSet<String> = rows
            .filter_map(|row| row.split_once('`'))
            .map(|(file, _)| file.to_owned())
            .filter(|file| is_source(Path::new(file)))
            .collect();
        let mut files = BTreeSet::new();
        source_files(&folder, &folder, &mut files);
        assert_eq!(listed, files, "{}", folder.display());
    }
}

/// The README and the guide list the features of the crate, and no others.
#[test]
fn features_are_documented() {
    let manifest = read("Cargo.toml");
    let (_, features) = manifest.split_once("\n[features]\n").unwrap();
    let (features, _) = features.split_once("\n[").unwrap();
    let features: BTreeSet<&str> = features
        .lines()
        .filter_map(|line| line.split_once(" = "))
        .map(|(name, _)| name)
        .filter(|name| *name != "default" && !name.starts_with("__"))
        .collect();
    for document in ["README.md", "src/guide/features.md"] {
        let text = read(document);
        let (_, table) = text.split_once("| feature | default |").unwrap();
        let rows = table.lines().skip(2).take_while(|row| row.starts_with('|'));
        let listed: BTreeSet<&str> = rows
            .filter_map(|row| row.split('|').nth(1))
            .flat_map(code)
            .collect();
        assert_eq!(listed, features, "{document}");
    }
}

/// The links of the README lead to pages of the guide that exist.
#[test]
fn linked_guide_pages_exist() {
    let readme = read("README.md");
    let pages: Vec<&str> = readme
        .split("/ws_framed/guide/")
        .skip(1)
        .filter_map(|rest| rest.split_once("/)"))
        .map(|(page, _)| page)
        .filter(|page| !page.contains(')'))
        .collect();
    assert!(pages.len() >= 10, "{pages:?}");
    for page in pages {
        let file = format!("src/guide/{page}.md");
        let folder = format!("src/guide/{page}/mod.md");
        let is_there = [file, folder].iter().any(|path| root().join(path).exists());
        assert!(is_there, "no page {page}");
    }
}

/// The pictures of the README exist, and are part of the package.
#[test]
fn pictures_are_packaged() {
    let (readme, manifest) = (read("README.md"), read("Cargo.toml"));
    let pictures: Vec<&str> = readme
        .split("<img src=\"")
        .skip(1)
        .filter_map(|rest| rest.split_once('"'))
        .map(|(path, _)| path)
        .collect();
    assert!(!pictures.is_empty());
    for path in pictures {
        assert!(root().join(path).exists(), "no {path}");
        assert!(manifest.contains(&format!("\"/{path}\"")), "{path}");
    }
}
