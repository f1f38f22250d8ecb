//! The command line.

use std::path::PathBuf;

use crate::Result;

const USAGE: &str = "\
Usage: cargo run --release --manifest-path benches/peers/Cargo.toml -- [OPTIONS]
  --only NAME,NAME   these scenarios alone: burst, pingpong, pipelined, pipelined-1k, large,
                     large-down, huge, tls-burst, tls-pingpong, bulk, bulk-down, smallwrites,
                     fanout, idle, idle-9000, connections, deflate-200, deflate-2k, deflate-20k,
                     each with -context and without, deflate-idle, deflate-idle-context, scaling
  --rounds N         how often each runs, after once that does not count; default 7
  --threads N        threads for both ends together; default 1, which the targets are about
  --out FILE.svg     draw the tables
  --smoke            tiny sizes, once: to see that it works";

#[derive(Clone, Debug)]
pub(crate) struct Options {
    pub(crate) only: Vec<String>,
    pub(crate) rounds: usize,
    pub(crate) threads: usize,
    pub(crate) out: Option<PathBuf>,
    pub(crate) smoke: bool,
    /// How this program calls itself: one scenario and contender, in this process.
    pub(crate) apart: Option<String>,
}

impl Options {
    pub(crate) fn parse(mut args: impl Iterator<Item = String>) -> Result<Self> {
        let mut options = Self {
            only: Vec::new(),
            rounds: 7,
            threads: 1,
            out: None,
            smoke: false,
            apart: None,
        };
        while let Some(arg) = args.next() {
            if arg == "--smoke" {
                options.smoke = true;
                options.rounds = 1;
                continue;
            }
            let value = args.next().ok_or(USAGE)?;
            match arg.as_str() {
                "--only" => options.only = value.split(',').map(str::to_owned).collect(),
                "--rounds" => options.rounds = value.parse::<usize>()?.max(1),
                "--threads" => options.threads = value.parse::<usize>()?.max(1),
                "--out" => options.out = Some(value.into()),
                "--apart" => options.apart = Some(value),
                _ => return Err(USAGE.into()),
            }
        }
        Ok(options)
    }

    pub(crate) fn wants(&self, scenario: &str) -> bool {
        self.only.is_empty() || self.only.iter().any(|name| name == scenario)
    }
}
