//! The decoder of the protocol: beside tungstenite's, and with compression, which that has not.

/// The first byte selects the role; the others arrive.
pub fn decoder(input: &[u8]) {
    if let Some((role, input)) = input.split_first() {
        ws_framed::__fuzzing::check_decoder(input, role & 1 != 0);
    }
}

/// The first byte selects the role, the context takeover and the limit; the others arrive.
pub fn inflation(input: &[u8]) {
    ws_framed::__fuzzing::check_inflation(input);
}
