//! Messages of the compiler.

use std::{
    env, fs,
    path::{Path, PathBuf},
    process::Command,
    time::SystemTime,
};

const WORKSPACE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../..");

/// The folder of the executable of this test, which has the builds of all dependencies.
fn deps() -> PathBuf {
    let executable = env::current_exe().unwrap();
    executable.parent().unwrap().to_owned()
}

/// The newest build of a crate.
fn newest_rlib(crate_name: &str) -> PathBuf {
    let files = fs::read_dir(deps()).unwrap().map(|file| file.unwrap());
    let rlibs = files.filter(|file| {
        let name = file.file_name().into_string().unwrap_or_default();
        let library = name.strip_suffix(".rlib").unwrap_or_default();
        library.starts_with(&format!("lib{crate_name}-"))
    });
    let built =
        |file: &fs::DirEntry| -> SystemTime { file.metadata().unwrap().modified().unwrap() };
    rlibs
        .max_by_key(built)
        .unwrap_or_else(|| panic!("no build of {crate_name}"))
        .path()
}

/// What the compiler says about a program that uses these crates, and that is an error.
fn message_for(name: &str, source: &str, crates: &[&str]) -> String {
    let deps = deps();
    let file = deps.join(format!("{name}.rs"));
    fs::write(&file, source).unwrap();
    let rustc = env::var("RUSTC").unwrap_or_else(|_| "rustc".to_owned());
    let mut command = Command::new(rustc);
    command
        .args(["--edition", "2024", "--emit=metadata", "--out-dir"])
        .arg(env::temp_dir())
        .arg("-L")
        .arg(format!("dependency={}", deps.display()));
    for name in crates {
        let rlib = newest_rlib(name);
        command
            .arg("--extern")
            .arg(format!("{name}={}", rlib.display()));
    }
    let output = command
        .arg(&file)
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .output()
        .unwrap();
    fs::remove_file(file).unwrap();
    assert!(!output.status.success(), "it compiles");
    String::from_utf8(output.stderr).unwrap()
}

/// The message for a `WsStream::new` of a type that is no transport names the WebSocket crates,
/// with the versions that `Cargo.toml` has, and their features. All builds here have the features,
/// so a type of the same name stands for a socket of tokio-tungstenite without an implementation.
#[test]
fn wrong_socket_names_the_versions() {
    let socket = "mod tokio_tungstenite { pub struct WebSocketStream<S>(pub S); }
        fn main() { ws_framed::WsStream::new(tokio_tungstenite::WebSocketStream(5_u32)); }";
    let number = "fn main() { ws_framed::WsStream::new(5_u32); }";
    for (source, named) in [(socket, "WebSocketStream<u32>`"), (number, "`u32`")] {
        let message = message_for("wrong_socket", source, &["ws_framed"]);
        assert_names_the_versions(&message);
        let expected = format!("{named} is neither a `MessageTransport`");
        assert!(message.contains(&expected), "{message}");
        assert!(message.contains("`ws_framed::StreamSink`"), "{message}");
    }
}

fn assert_names_the_versions(message: &str) {
    let manifest = fs::read_to_string(Path::new(WORKSPACE).join("Cargo.toml")).unwrap();
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
}

/// The message for a codec that cannot send an item for each message says what its frames lack.
#[test]
fn unprefixed_codec_names_the_trait() {
    let source = "fn per_message(stream: ws_framed::WsStream) {
        let _: ws_framed::WsFramed<String, ws_framed::Lines> =
            stream.per_message(ws_framed::Lines::new(80));
    }
    fn main() {}";
    let message = message_for("unprefixed_codec", source, &["ws_framed"]);
    let expected = "are not known to be a length and a payload";
    assert!(message.contains(expected), "{message}");
    assert!(message.contains("implement `LengthPrefixed`"), "{message}");
}

/// The message for what is no codec says what a codec of the contracts has to do.
#[test]
fn wrong_codec_names_the_contracts() {
    let source = "#[derive(Clone)]
    struct NoCodec;
    impl ws_framed::WireFormat for NoCodec {
        fn name(&self) -> std::borrow::Cow<'static, str> {
            std::borrow::Cow::Borrowed(\"none\")
        }
        fn max_frame_len(&self) -> usize {
            80
        }
    }
    fn main() {
        let contracts = ws_framed::Contracts::<u32>::new(\"chat\", 1);
        let _ = contracts.framed(NoCodec);
    }";
    let message = message_for("wrong_codec", source, &["ws_framed"]);
    let expected = "`NoCodec` cannot be a codec of `Contracts<u32, u32>`";
    assert!(message.contains(expected), "{message}");
    assert!(message.contains("it has to decode `u32`"), "{message}");
}

/// The message for `Bincode` without the feature `bincode` names the feature, for the constructor
/// and for the codec. All builds here have the feature, so the source of what replaces the codec is
/// compiled.
#[test]
fn missing_bincode_names_the_feature() {
    let disabled = Path::new(WORKSPACE).join("codecs/src/bincode/disabled.rs");
    let source = format!(
        "pub use ws_framed_codecs::{{CodecError, EncodeRef}};
        pub struct Bincode<In, Out = In> {{
            max_frame_len: usize,
            types: std::marker::PhantomData<fn(Out) -> In>,
        }}
        #[path = {disabled:?}]
        mod disabled;
        fn decode(_: impl asynchronous_codec::Decoder) {{}}
        fn main() {{
            let codec = Bincode::<u8>::new(10);
            decode(codec);
        }}"
    );
    let crates = ["asynchronous_codec", "ws_framed_codecs"];
    let message = message_for("missing_bincode", &source, &crates);
    let expected = "the codec `Bincode` needs the feature `bincode`";
    assert_eq!(message.matches(expected).count(), 2, "{message}");
}
