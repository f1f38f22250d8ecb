//! Where one WebSocket frame ends and the next begins (RFC 6455 section 5.2), without looking into any.

/// The longest header of a frame.
const MAX_HEADER_LEN: usize = 14;

/// Follows the frames that come, to tell whether a data message is under way: that is not to be had from the engine.
/// What breaks the protocol is the engine's to find; after that, nobody asks.
#[derive(Debug, Default)]
pub(super) struct Frames {
    /// What has come of a header that is not complete.
    header: [u8; MAX_HEADER_LEN],
    header_len: usize,
    /// What is still to come of the payload of the frame under way.
    left: u64,
    /// The frame is one of data, not of control.
    is_data: bool,
    /// It is the last of its message.
    is_last: bool,
    /// How much payload has come of the data message under way, if there is one.
    unfinished: Option<u64>,
}

impl Frames {
    /// How much payload has come of a data message that is not complete, if there is one.
    pub(super) fn unfinished(&self) -> Option<u64> {
        let begins = self.header_len > 0 && is_data(self.header[0]);
        self.unfinished.or(begins.then_some(0))
    }

    /// These bytes have come.
    pub(super) fn feed(&mut self, mut bytes: &[u8]) {
        while let Some((first, rest)) = bytes.split_first() {
            if self.left > 0 {
                let here =
                    usize::try_from(self.left).map_or(bytes.len(), |left| left.min(bytes.len()));
                self.take_payload(here as u64);
                bytes = bytes.get(here..).unwrap_or_default();
            } else {
                self.take_header(*first);
                bytes = rest;
            }
        }
    }

    fn take_payload(&mut self, len: u64) {
        self.left = self.left.saturating_sub(len);
        if let (true, Some(unfinished)) = (self.is_data, &mut self.unfinished) {
            *unfinished += len;
        }
        self.end_if_complete();
    }

    fn take_header(&mut self, byte: u8) {
        if let Some(place) = self.header.get_mut(self.header_len) {
            *place = byte;
        }
        self.header_len += 1;
        let [first, second, long @ ..] = &self.header;
        let (extra, short) = match second & 0x7f {
            126 => (2, 0),
            127 => (8, 0),
            len => (0, u64::from(len)),
        };
        let long = long.iter().take(extra);
        let len = long.fold(short, |len, byte| len << 8 | u64::from(*byte));
        let mask = if second & 0x80 == 0 { 0 } else { 4 };
        if self.header_len < 2 || self.header_len < 2 + extra + mask {
            return;
        }
        self.is_data = is_data(*first);
        self.is_last = first & 0x80 != 0;
        self.left = len;
        self.header_len = 0;
        if self.is_data {
            self.unfinished.get_or_insert(0);
        }
        self.end_if_complete();
    }

    fn end_if_complete(&mut self) {
        if self.left == 0 && self.is_data && self.is_last {
            self.unfinished = None;
        }
    }
}

/// Whether a frame with this first byte is part of a data message: the control frames have the opcodes from 8.
fn is_data(first: u8) -> bool {
    first & 0x08 == 0
}

#[cfg(test)]
mod tests {
    use arbtest::arbtest;

    use super::*;

    fn frame(first: u8, len: usize, is_masked: bool) -> Vec<u8> {
        let mask = if is_masked { 0x80 } else { 0 };
        let mut frame = vec![first];
        match len {
            0..126 => frame.push(mask | u8::try_from(len).unwrap()),
            126..0x1_0000 => {
                frame.push(mask | 0x7e);
                frame.extend(u16::try_from(len).unwrap().to_be_bytes());
            }
            _ => {
                frame.push(mask | 0x7f);
                frame.extend((len as u64).to_be_bytes());
            }
        }
        frame.resize(frame.len() + if is_masked { 4 } else { 0 }, 0xff);
        // Payload that looks like headers.
        frame.resize(frame.len() + len, 0x82);
        frame
    }

    fn fed(parts: &[Vec<u8>]) -> Option<u64> {
        let mut frames = Frames::default();
        for part in parts {
            frames.feed(part);
        }
        frames.unfinished()
    }

    #[test]
    fn only_data_is_under_way() {
        let cut = |mut frame: Vec<u8>, len| {
            frame.truncate(len);
            frame
        };
        for is_masked in [false, true] {
            let frame = |first, len| frame(first, len, is_masked);
            let header = if is_masked { 6 } else { 2 };
            assert_eq!(fed(&[]), None);
            assert_eq!(fed(&[frame(0x82, 5)]), None);
            assert_eq!(fed(&[cut(frame(0x82, 5), 1)]), Some(0));
            assert_eq!(fed(&[cut(frame(0x82, 5), header + 3)]), Some(3));
            assert_eq!(fed(&[cut(frame(0x89, 5), 1)]), None);
            assert_eq!(fed(&[cut(frame(0x8a, 5), header + 3)]), None);
            assert_eq!(fed(&[frame(0x01, 0)]), Some(0));
            let begun = [frame(0x02, 200), frame(0x89, 5), frame(0x00, 70_000)];
            assert_eq!(fed(&begun), Some(70_200));
            let ended = [&begun[..], &[frame(0x80, 0)]].concat();
            assert_eq!(fed(&ended), None);
            assert_eq!(
                fed(&[&ended[..], &[cut(frame(0x82, 300), 1)]].concat()),
                Some(0)
            );
        }
    }

    #[test]
    fn splits_make_no_difference() {
        arbtest(|u| {
            let mut bytes = Vec::new();
            for _ in 0..u.int_in_range(0..=5)? {
                let first = *u.choose(&[0x82, 0x02, 0x00, 0x80, 0x89, 0x8a])?;
                let len = if u.arbitrary()? {
                    66_000
                } else {
                    u.int_in_range(0..=129)?
                };
                bytes.extend(frame(first, len, u.arbitrary()?));
            }
            bytes.truncate(u.choose_index(bytes.len() + 1)?);
            let step = u.int_in_range(1..=19)?;
            let mut whole = Frames::default();
            whole.feed(&bytes);
            let mut split = Frames::default();
            for chunk in bytes.chunks(step) {
                split.feed(chunk);
            }
            assert_eq!(whole.unfinished(), split.unfinished());
            Ok(())
        });
    }
}
