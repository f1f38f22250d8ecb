//! Bytes that one end writes and the other reads.

use super::{Task, Work, block_on};
use crate::{
    Result,
    contenders::ByteCarrier,
    measure::{Sample, Stopwatch},
    value::{PAGE, pattern},
};

pub(super) fn run<C: ByteCarrier>(work: Work) -> Result<Sample> {
    block_on(&work, async {
        let (mut sender, mut receiver) = work.direction(C::pair().await?);
        let total = work.count * work.len;
        let source = source();
        let stopwatch = Stopwatch::start();
        let sending = Task::spawn(async move {
            for n in 0..work.count {
                let start = n * work.len % source.len();
                sender.write(&source[start..start + work.len]).await?;
            }
            sender.flush().await?;
            Ok(sender)
        });
        let receiving = Task::spawn(async move {
            let mut buffer = vec![0; 64 * 1024];
            let mut check = Check::new(work.thorough);
            while check.seen < total {
                receiver.read(&mut buffer, |bytes| check.see(bytes)).await?;
            }
            if check.wrong || check.seen > total {
                return Err("the bytes did not arrive as they were sent".into());
            }
            Ok(receiver)
        });
        let ends = tokio::try_join!(biased; sending.join(), receiving.join())?;
        let sample = stopwatch.read();
        drop(ends);
        Ok(sample)
    })
}

/// What is sent, over and over: as many pages as there are patterns.
fn source() -> Vec<u8> {
    let pages = 0..SOURCE_LEN / PAGE;
    pages.flat_map(|page| [pattern(0, page); PAGE]).collect()
}

const SOURCE_LEN: usize = 1024 * 1024;

/// Looks at what arrives.
struct Check {
    seen: usize,
    thorough: bool,
    wrong: bool,
}

impl Check {
    fn new(thorough: bool) -> Self {
        Self {
            seen: 0,
            thorough,
            wrong: false,
        }
    }

    fn see(&mut self, bytes: &[u8]) {
        let expected = |at: usize| pattern(0, at % SOURCE_LEN / PAGE);
        if self.thorough {
            let mut places = bytes.iter().zip(self.seen..);
            self.wrong |= places.any(|(byte, at)| *byte != expected(at));
        } else if let [first, .., last] = bytes {
            self.wrong |= *first != expected(self.seen);
            self.wrong |= *last != expected(self.seen + bytes.len() - 1);
        }
        self.seen += bytes.len();
    }
}
