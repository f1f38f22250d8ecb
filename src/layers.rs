//! Tests that hold the order of layers, the absence of circles, and where foreign crates are named.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::Path,
};

/// The layers from the bottom to the top. A file imports from its own entry and from lower layers.
/// Entries of one layer do not import each other, except for those of the public streams.
const LAYERS: &[&[&str]] = &[
    &[
        "close", "config", "error", "event", "message", "stats", "time", "trace",
    ],
    &["protocol", "tls"],
    &["handshake", "transport"],
    &["connection"],
    &[
        "contracts",
        "encoded",
        "framed",
        "handle",
        "messages",
        "split",
        "stream",
        "tokio_codec",
    ],
    &["client", "server"],
    &["net", "reconnect"],
    &["lib"],
];

/// The layers whose entries may import each other, without circles: plain data, and the public
/// streams.
const LOOSE_LAYERS: [usize; 2] = [0, 4];

/// Crates that the public API is made of, which any file may name.
const ANYWHERE: &[&str] = &[
    "asynchronous_codec",
    "bytes",
    "futures",
    "http",
    "pharos",
    "ws_framed_codecs",
];

/// The files that may name a crate. A path that ends with a slash is a folder.
const PLACES: &[(&str, &[&str])] = &[
    ("async_io", &["net/smol.rs"]),
    ("async_net", &["net/smol.rs"]),
    // The second is compared with the decoder of this library.
    (
        "async_tungstenite",
        &["transport/tungstenite.rs", "protocol/differential.rs"],
    ),
    ("axum", &["net/axum.rs"]),
    ("bytesize", &["config/units.rs"]),
    ("data_encoding", &["handshake/key.rs", "handshake/url.rs"]),
    ("fastrand", &["reconnect.rs"]),
    ("futures_rustls", &["tls.rs"]),
    ("futures_timer", &["time.rs"]),
    ("httpdate", &["reconnect/errors.rs"]),
    // A socket with a local address, for smol.
    ("libc", &["net/smol.rs"]),
    (
        "percent_encoding",
        &["handshake/url.rs", "handshake/url/proxy.rs"],
    ),
    ("url", &["handshake/url.rs", "handshake/url/proxy.rs"]),
    ("getrandom", &["handshake/key.rs", "protocol/mask.rs"]),
    // axum hands out an upgrade of hyper.
    ("hyper", &["net/axum.rs", "net/hyper.rs", "net/hyper/"]),
    ("httparse", &["handshake/body.rs", "handshake/head.rs"]),
    ("humantime", &["config/units.rs"]),
    ("hyper_util", &["client/proxy/environment.rs", "net/hyper/"]),
    (
        "js_sys",
        &[
            "reconnect/online.rs",
            "transport/browser.rs",
            "transport/browser/",
        ],
    ),
    // Property tests.
    (
        "proptest",
        &["protocol/tests/", "handshake/", "connection/state/tests/"],
    ),
    ("rustls_native_certs", &["tls.rs"]),
    (
        "serde",
        &[
            "close.rs",
            "config.rs",
            "config/deflate.rs",
            "config/units.rs",
        ],
    ),
    ("rustls_platform_verifier", &["tls.rs"]),
    ("sha1", &["handshake/key.rs"]),
    ("socket2", &["net/smol.rs", "net/tcp_options.rs"]),
    ("thiserror", &["error.rs"]),
    // The I/O traits, which the byte stream implements and transports use; the cooperative budget,
    // which deadlines depend on; and the task that axum's handlers start.
    (
        "tokio",
        &[
            "net/axum.rs",
            "net/hyper/io.rs",
            "net/tokio.rs",
            "stream/tokio_io.rs",
            "time.rs",
            "transport/io.rs",
            "transport/tokio_tungstenite.rs",
        ],
    ),
    ("tokio_socks", &["net/socks.rs"]),
    ("tokio_tungstenite", &["transport/tokio_tungstenite.rs"]),
    ("tokio_util", &["tokio_codec.rs", "transport/io.rs"]),
    ("tracing", &["trace.rs"]),
    (
        "wasm_bindgen",
        &[
            "reconnect/online.rs",
            "transport/browser.rs",
            "transport/browser/",
        ],
    ),
    (
        "web_sys",
        &[
            "reconnect/online.rs",
            "transport/browser.rs",
            "transport/browser/",
        ],
    ),
    ("web_time", &["time.rs"]),
    ("webpki_roots", &["tls.rs"]),
    ("zlib_rs", &["protocol/deflate/"]),
];

/// The files of `src/`, by their paths below it.
type Files = BTreeMap<String, String>;

fn read_sources() -> Files {
    fn read(folder: &Path, prefix: &str, files: &mut Files) {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            let name = path.file_name().unwrap().to_str().unwrap();
            if path.is_dir() {
                read(&path, &format!("{prefix}{name}/"), files);
            } else if let Some(name) = name.strip_suffix(".rs") {
                let source = fs::read_to_string(&path).unwrap();
                files.insert(format!("{prefix}{name}.rs"), source);
            }
        }
    }
    let mut files = Files::new();
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    read(&root, "", &mut files);
    files
}

/// The path of a file's module: `["handshake", "client"]`. That of `lib.rs` is empty.
fn module_of(file: &str) -> Vec<String> {
    let path = file.trim_end_matches(".rs").trim_end_matches("/mod");
    let parts = path.split('/').filter(|part| *part != "lib");
    parts.map(str::to_owned).collect()
}

/// The tokens of production code: identifiers and single characters, without comments, literals,
/// and items behind `#[cfg(test)]`. The names of modules behind it are added to `test_modules`.
fn tokens(source: &str, test_modules: &mut BTreeSet<String>) -> Vec<String> {
    let all = lex(source);
    let mut kept = Vec::new();
    let mut rest = all.as_slice();
    while let Some((first, behind)) = rest.split_first() {
        let Some(attribute) = attribute_len(rest) else {
            kept.push(first.clone());
            rest = behind;
            continue;
        };
        let text = rest[..attribute].concat();
        rest = &rest[attribute..];
        let is_test = text.starts_with("#[cfg(test)")
            || (text.starts_with("#[cfg(all(") && text.contains("(test,"));
        if !is_test {
            continue;
        }
        while let Some(len) = attribute_len(rest) {
            rest = &rest[len..];
        }
        let item = item_len(rest);
        if let [keyword, name, end, ..] = &rest[..item] {
            if keyword == "mod" && end == ";" {
                test_modules.insert(name.clone());
            }
        }
        rest = &rest[item..];
    }
    kept
}

/// Identifiers and single characters, without comments and literals.
fn lex(source: &str) -> Vec<String> {
    let mut tokens = Vec::new();
    let mut chars = source.chars().peekable();
    while let Some(char) = chars.next() {
        match char {
            '/' if chars.peek() == Some(&'/') => {
                chars.by_ref().find(|char| *char == '\n');
            }
            '"' => {
                while let Some(char) = chars.next() {
                    match char {
                        '\\' => drop(chars.next()),
                        '"' => break,
                        _ => {}
                    }
                }
            }
            // A character, or a lifetime, which is one of those that no second quote ends.
            '\'' => {
                let mut ahead = chars.clone();
                let is_escape = ahead.next() == Some('\\');
                if is_escape || ahead.next() == Some('\'') {
                    if is_escape {
                        chars.nth(1);
                    }
                    chars.by_ref().find(|char| *char == '\'');
                }
            }
            _ if char.is_alphanumeric() || char == '_' => {
                let mut word = String::from(char);
                while let Some(char) = chars.next_if(|char| char.is_alphanumeric() || *char == '_')
                {
                    word.push(char);
                }
                tokens.push(word);
            }
            _ if char.is_whitespace() => {}
            _ => tokens.push(char.into()),
        }
    }
    tokens
}

/// The number of tokens of the attribute at the beginning.
fn attribute_len(tokens: &[String]) -> Option<usize> {
    let open = match tokens {
        [hash, bracket, ..] if hash == "#" && bracket == "[" => 1,
        [hash, bang, bracket, ..] if hash == "#" && bang == "!" && bracket == "[" => 2,
        _ => return None,
    };
    Some(open + group_len(&tokens[open..]))
}

/// The number of tokens up to the bracket that closes the first one.
fn group_len(tokens: &[String]) -> usize {
    let mut depth = 0_usize;
    for (at, token) in tokens.iter().enumerate() {
        match token.as_str() {
            "(" | "[" | "{" => depth += 1,
            ")" | "]" | "}" => depth -= 1,
            _ => {}
        }
        if depth == 0 {
            return at + 1;
        }
    }
    tokens.len()
}

/// The number of tokens of the item at the beginning: up to a semicolon, or to the end of a block.
fn item_len(tokens: &[String]) -> usize {
    let mut at = 0;
    while let Some(token) = tokens.get(at) {
        match token.as_str() {
            ";" => return at + 1,
            "{" => {
                let end = at + group_len(&tokens[at..]);
                // A `use` with braces ends behind them.
                return end + usize::from(tokens.get(end).is_some_and(|token| token == ";"));
            }
            "(" | "[" => at += group_len(&tokens[at..]),
            _ => at += 1,
        }
    }
    tokens.len()
}

/// All paths in the tokens, with the braces of `use` expanded: `crate::a::{b, c::D}` is two.
fn paths(tokens: &[String]) -> Vec<Vec<String>> {
    fn is_word(token: &str) -> bool {
        let first = token.chars().next();
        first.is_some_and(|first| first.is_alphabetic() || first == '_')
    }
    /// Reads a path behind `prefix`, and gives the number of its tokens.
    fn read(tokens: &[String], prefix: &[String], found: &mut Vec<Vec<String>>) -> usize {
        let mut path = prefix.to_vec();
        let mut at = 0;
        loop {
            match tokens.get(at).map(String::as_str) {
                Some("{") => {
                    let end = at + group_len(&tokens[at..]);
                    at += 1;
                    while at < end - 1 {
                        at += read(&tokens[at..], &path, found).max(1);
                    }
                    return end;
                }
                Some(word) if is_word(word) => path.push(word.to_owned()),
                _ => break,
            }
            at += 1;
            match tokens.get(at..at + 2) {
                Some([a, b]) if a == ":" && b == ":" => at += 2,
                _ => break,
            }
        }
        found.push(path);
        at
    }
    let mut found = Vec::new();
    let mut at = 0;
    while at < tokens.len() {
        // `::name` is a crate, too.
        let is_rooted = tokens[at..].starts_with(&[":".into(), ":".into()]);
        let start = at + if is_rooted { 2 } else { 0 };
        let is_path = tokens
            .get(start)
            .is_some_and(|token| is_word(token) && token != "use");
        at = if is_path {
            start + read(&tokens[start..], &[], &mut found).max(1)
        } else {
            start + usize::from(!is_rooted)
        };
    }
    found.retain(|path| path.len() > 1);
    found
}

/// What is wrong with the imports of these files. `dependencies` are the names of the crates.
fn violations(files: &Files, dependencies: &[String]) -> Vec<String> {
    let mut test_modules = BTreeSet::new();
    let code: BTreeMap<&str, Vec<Vec<String>>> = files
        .iter()
        .map(|(file, source)| (&**file, paths(&tokens(source, &mut test_modules))))
        .collect();
    let is_test = |file: &str| {
        let module = module_of(file);
        module.iter().any(|part| test_modules.contains(part))
    };
    let modules: BTreeMap<Vec<String>, &str> = files
        .keys()
        .map(|file| (module_of(file), &**file))
        .collect();
    let mut imports: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    let mut found = Vec::new();
    for (file, paths) in &code {
        if is_test(file) {
            continue;
        }
        for path in paths {
            match resolve(path, &module_of(file), &modules) {
                Some(target) if target != *file => {
                    imports.entry(file).or_default().insert(target);
                }
                Some(_) => {}
                None => found.extend(misplaced(file, &path[0], dependencies)),
            }
        }
    }
    for (file, targets) in &imports {
        found.extend(targets.iter().filter_map(|target| upward(file, target)));
    }
    found.extend(circles(&imports));
    found.sort();
    found.dedup();
    found
}

/// The file that a path leads to: that of the longest part that is a module.
fn resolve<'a>(
    path: &[String],
    from: &[String],
    modules: &BTreeMap<Vec<String>, &'a str>,
) -> Option<&'a str> {
    let supers = path.iter().take_while(|part| *part == "super").count();
    let (mut absolute, rest) = match path[0].as_str() {
        "crate" => (Vec::new(), &path[1..]),
        "self" => (from.to_vec(), &path[1..]),
        "super" => (
            from[..from.len().checked_sub(supers)?].to_vec(),
            &path[supers..],
        ),
        // A module that is declared here.
        first => {
            let child = [from, &[first.to_owned()]].concat();
            if !modules.contains_key(&child) || from.is_empty() {
                return None;
            }
            (from.to_vec(), path)
        }
    };
    for part in rest {
        absolute.push(part.clone());
        if !modules.contains_key(&absolute) {
            absolute.pop();
            break;
        }
    }
    modules.get(&absolute).copied()
}

fn layer(file: &str) -> (usize, String) {
    let entry = module_of(file)
        .first()
        .map_or("lib", String::as_str)
        .to_owned();
    let layer = LAYERS.iter().position(|layer| layer.contains(&&*entry));
    (layer.unwrap_or(usize::MAX), entry)
}

fn upward(file: &str, target: &str) -> Option<String> {
    let ((from, entry), (to, other)) = (layer(file), layer(target));
    if from == usize::MAX {
        return Some(format!("{file} is in no layer"));
    }
    let is_beside = from == to && entry != other && !LOOSE_LAYERS.contains(&from);
    (to > from || is_beside).then(|| format!("{file} imports {target}, which is not below it"))
}

/// Files that import each other. A module and the submodules that extend it count as one.
fn circles(imports: &BTreeMap<&str, BTreeSet<&str>>) -> Vec<String> {
    let is_ancestor = |target: &str, file: &str| module_of(file).starts_with(&module_of(target));
    let reaches = |start: &str, goal: &str| {
        let mut seen = BTreeSet::new();
        let mut queue = vec![start];
        while let Some(file) = queue.pop() {
            for target in imports.get(file).into_iter().flatten() {
                if is_ancestor(target, file) {
                    continue;
                }
                if *target == goal {
                    return true;
                }
                if seen.insert(*target) {
                    queue.push(target);
                }
            }
        }
        false
    };
    let files = imports.keys().filter(|file| reaches(file, file));
    files.map(|file| format!("{file} is in a circle")).collect()
}

fn misplaced(file: &str, name: &str, dependencies: &[String]) -> Option<String> {
    if ANYWHERE.contains(&name) || !dependencies.iter().any(|own| own == name) {
        return None;
    }
    let places = PLACES.iter().find(|(own, _)| *own == name);
    let is_allowed = places.is_some_and(|(_, places)| {
        places
            .iter()
            .any(|place| file == *place || (place.ends_with('/') && file.starts_with(place)))
    });
    (!is_allowed).then(|| format!("{file} names the crate {name}"))
}

/// The dependencies in `Cargo.toml`, as they are named in code.
fn dependencies() -> Vec<String> {
    let manifest = Path::new(env!("CARGO_MANIFEST_DIR")).join("Cargo.toml");
    let manifest = fs::read_to_string(manifest).unwrap();
    let mut names = Vec::new();
    let mut is_list = false;
    for line in manifest.lines() {
        if line.starts_with('[') {
            is_list = line.ends_with("dependencies]")
                && !line.contains("dev-")
                && !line.contains("workspace");
        } else if let Some((name, _)) = line.split_once([' ', '.', '=']).filter(|_| is_list) {
            names.push(name.trim().replace('-', "_"));
        }
    }
    names.retain(|name| !name.is_empty() && !name.starts_with('#'));
    assert!(
        names.iter().any(|name| name == "async_tungstenite"),
        "{names:?}"
    );
    names
}

#[test]
fn imports_follow_the_layers() {
    let found = violations(&read_sources(), &dependencies());
    assert!(found.is_empty(), "{found:#?}");
}

#[test]
fn every_dependency_has_a_place() {
    let listed = |name: &String| {
        ANYWHERE.contains(&name.as_str()) || PLACES.iter().any(|(own, _)| own == name)
    };
    let missing: Vec<_> = dependencies()
        .into_iter()
        .filter(|name| !listed(name))
        .collect();
    assert!(missing.is_empty(), "{missing:?}");
}

#[test]
fn planted_imports_are_found() {
    for (file, line, expected) in [
        (
            "close.rs",
            "use crate::error::WsErr;",
            "close.rs is in a circle",
        ),
        (
            "error.rs",
            "use crate::{close::CloseCode, handshake::{contract::Contract}};",
            "error.rs imports handshake/contract.rs, which is not below it",
        ),
        (
            "handshake/token.rs",
            "fn f() { crate::transport::socket::open(); }",
            "handshake/token.rs imports transport/socket.rs, which is not below it",
        ),
        (
            "handshake/token.rs",
            "use super::options::HandshakeOptions;",
            "handshake/token.rs is in a circle",
        ),
        (
            "client.rs",
            "use crate::{net};",
            "client.rs imports net/mod.rs, which is not below it",
        ),
        (
            "stats.rs",
            "use crate::WsStream;",
            "stats.rs imports lib.rs, which is not below it",
        ),
        (
            "config.rs",
            "use ::tokio::net::TcpStream;",
            "config.rs names the crate tokio",
        ),
        (
            "tls.rs",
            "fn f() { let _: hyper::Error; }",
            "tls.rs names the crate hyper",
        ),
        (
            "new.rs",
            "use crate::error::WsErr;",
            "new.rs is in no layer",
        ),
    ] {
        let mut files = read_sources();
        files.entry(file.to_owned()).or_default().push_str(line);
        let found = violations(&files, &dependencies());
        assert!(
            found.iter().any(|own| own == expected),
            "{expected}: {found:#?}"
        );
        // In tests, it is allowed.
        let mut files = read_sources();
        let test = format!("#[cfg(test)] mod tests {{ {line} }}");
        files.entry(file.to_owned()).or_default().push_str(&test);
        let found = violations(&files, &dependencies());
        assert!(!found.iter().any(|own| own == expected), "{found:#?}");
    }
}
