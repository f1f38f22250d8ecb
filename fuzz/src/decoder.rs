//! The decoder of the protocol beside tungstenite's.

/// The first byte selects the role; the others arrive.
pub fn decoder(input: &[u8]) {
    if let Some((role, input)) = input.split_first() {
        ws_framed::__fuzzing::check_decoder(input, role & 1 != 0);
    }
}
