//! Builds the page and starts the server: `cargo run [ADDRESS]`. It takes rustup's target
//! `wasm32-unknown-unknown` and no other tool.
//!
//! `cargo run -- --build-only` builds the page and the server, and starts nothing.

use std::{
    env,
    error::Error,
    ffi::OsString,
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use wasm_bindgen_cli_support::Bindgen;

fn main() -> Result<(), Box<dyn Error>> {
    let here = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let target = match env::var_os("CARGO_TARGET_DIR") {
        Some(folder) => PathBuf::from(folder),
        None => here.join("target"),
    };
    let dist = target.join("dist");
    build_page(&here, &target, &dist)?;

    let arguments: Vec<OsString> = env::args_os().skip(1).collect();
    if arguments.iter().any(|argument| argument == "--build-only") {
        return cargo(&here, "build", &["-p", "server"].map(OsString::from));
    }
    let mut run: Vec<OsString> = ["--quiet", "-p", "server", "--"].map(OsString::from).into();
    run.push(dist.into());
    run.extend(arguments);
    cargo(&here, "run", &run)
}

/// Compiles the page, makes the JavaScript that loads it, and lays everything out in `dist`.
fn build_page(here: &Path, target: &Path, dist: &Path) -> Result<(), Box<dyn Error>> {
    let triple = "wasm32-unknown-unknown";
    let words = ["--release", "-p", "page", "--target", triple].map(OsString::from);
    cargo(here, "build", &words).map_err(|error| {
        format!("{error}\nThe target may be missing: rustup target add {triple}")
    })?;
    Bindgen::new()
        .input_path(target.join(triple).join("release/page.wasm"))
        .web(true)?
        .omit_default_module_path(false)
        .typescript(false)
        .remove_name_section(true)
        .remove_producers_section(true)
        .generate(dist)?;
    for entry in fs::read_dir(here.join("page/static"))? {
        let entry = entry?;
        fs::copy(entry.path(), dist.join(entry.file_name()))?;
    }
    let wasm = fs::metadata(dist.join("page_bg.wasm"))?.len();
    let script = fs::metadata(dist.join("page.js"))?.len();
    println!("The page: {wasm} bytes of wasm, {script} bytes of JavaScript.");
    Ok(())
}

fn cargo(here: &Path, command: &str, words: &[OsString]) -> Result<(), Box<dyn Error>> {
    let cargo = env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let status = Command::new(cargo)
        .args([command, "--manifest-path"])
        .arg(here.join("Cargo.toml"))
        .args(words)
        .status()?;
    if status.success() {
        Ok(())
    } else {
        Err(format!("cargo {command} failed").into())
    }
}
