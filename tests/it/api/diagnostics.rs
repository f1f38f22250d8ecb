//! Messages of the compiler.

use std::{
    env, fs,
    path::{Path, PathBuf},
    process::Command,
    time::SystemTime,
};

/// The newest build of the library, beside the executable of this test.
fn newest_rlib(deps: &Path) -> PathBuf {
    let files = fs::read_dir(deps).unwrap().map(|file| file.unwrap());
    let rlibs = files.filter(|file| {
        let name = file.file_name().into_string().unwrap_or_default();
        let library = name.strip_suffix(".rlib").unwrap_or_default();
        library.starts_with("libws_framed-")
    });
    let built =
        |file: &fs::DirEntry| -> SystemTime { file.metadata().unwrap().modified().unwrap() };
    rlibs
        .max_by_key(built)
        .expect("a build of the library")
        .path()
}

/// The message for a `WsStream::new` of a type that is no transport names the WebSocket crates,
/// with the versions that `Cargo.toml` has, and their features.
#[test]
fn wrong_socket_names_the_versions() {
    let executable = env::current_exe().unwrap();
    let deps = executable.parent().unwrap();
    let source = deps.join("wrong_socket.rs");
    fs::write(&source, "fn main() { ws_framed::WsStream::new(5_u32); }").unwrap();
    let rustc = env::var("RUSTC").unwrap_or_else(|_| "rustc".to_owned());
    let output = Command::new(rustc)
        .args(["--edition", "2024", "--emit=metadata", "--out-dir"])
        .arg(env::temp_dir())
        .arg("-L")
        .arg(format!("dependency={}", deps.display()))
        .arg("--extern")
        .arg(format!("ws_framed={}", newest_rlib(deps).display()))
        .arg(&source)
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .output()
        .unwrap();
    fs::remove_file(source).unwrap();
    let message = String::from_utf8(output.stderr).unwrap();
    assert!(!output.status.success(), "it compiles");
    let manifest = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../Cargo.toml");
    let manifest = fs::read_to_string(manifest).unwrap();
    for name in ["async-tungstenite", "tokio-tungstenite"] {
        let (_, version) = manifest
            .split_once(&format!("\n{name} = {{ version = \""))
            .unwrap();
        let (version, _) = version.split_once('"').unwrap();
        let socket = format!("`{}::WebSocketStream`", name.replace('-', "_"));
        for part in [
            socket,
            format!("version {version}"),
            format!("feature `{name}`"),
        ] {
            assert!(message.contains(&part), "no {part} in {message}");
        }
    }
    assert!(
        message.contains("`u32` is neither a `MessageTransport`"),
        "{message}"
    );
    assert!(message.contains("`ws_framed::StreamSink`"), "{message}");
}
