//! Tables of headers at every boundary.

use crate::protocol::{
    Role,
    frame::{EncodedHeader, Header, OpCode},
    rule::Rule,
};

const OPCODES: [OpCode; 6] = [
    OpCode::Continuation,
    OpCode::Text,
    OpCode::Binary,
    OpCode::Close,
    OpCode::Ping,
    OpCode::Pong,
];

fn parse(role: Role, input: &[u8]) -> Result<Option<(Header, usize)>, Rule> {
    Header::parse(input, role, 0)
}

/// The rule that two bytes break, written down from the RFC: reserved bits, opcodes, control
/// frames, masks.
fn expected(role: Role, first: u8, second: u8) -> Option<Rule> {
    let is_control = first & 0x08 != 0;
    let is_masked = second & 0x80 != 0;
    if first & 0x70 != 0 {
        Some(Rule::ReservedBits)
    } else if matches!(first & 0x0f, 3..=7 | 11..=15) {
        Some(Rule::ReservedOpCode)
    } else if is_control && first & 0x80 == 0 {
        Some(Rule::FragmentedControl)
    } else if is_control && second & 0x7f > 125 {
        Some(Rule::LongControl)
    } else {
        match (role, is_masked) {
            (Role::Client, true) => Some(Rule::Masked),
            (Role::Server, false) => Some(Rule::Unmasked),
            _ => None,
        }
    }
}

/// Every value of the first two bytes, as both roles.
#[test]
fn first_two_bytes() {
    for role in [Role::Client, Role::Server] {
        for (first, second) in (0..=255).flat_map(|a| (0..=255).map(move |b| (a, b))) {
            let input = [first, second, 0xff, 0xff];
            for len in [2, 4] {
                let parsed = parse(role, &input[..len]);
                assert_eq!(
                    parsed.err(),
                    expected(role, first, second),
                    "{first:x} {second:x}"
                );
            }
            assert_eq!(parse(role, &input[..1]), Ok(None), "one byte is not enough");
        }
    }
}

/// An extension claims a bit, and no other.
#[test]
fn claimed_bits() {
    let input = [0xc2, 0];
    assert_eq!(parse(Role::Client, &input), Err(Rule::ReservedBits));
    assert!(Header::parse(&input, Role::Client, 0x40).unwrap().is_some());
    assert_eq!(
        Header::parse(&[0xe2, 0], Role::Client, 0x40),
        Err(Rule::ReservedBits)
    );
}

/// Each encoding of a length at its boundaries: only the shortest is taken, and at most 63 bits.
#[test]
fn length_encodings() {
    let short: [(u16, _); 4] = [
        (0, Some(Rule::PaddedLength)),
        (125, Some(Rule::PaddedLength)),
        (126, None),
        (65535, None),
    ];
    let long: [(u64, _); 7] = [
        (0, Some(Rule::PaddedLength)),
        (126, Some(Rule::PaddedLength)),
        (65535, Some(Rule::PaddedLength)),
        (65536, None),
        ((1 << 63) - 1, None),
        (1 << 63, Some(Rule::LongLength)),
        (u64::MAX, Some(Rule::LongLength)),
    ];
    let short = short.map(|(len, rule)| {
        (
            len.into(),
            [&[0x82, 126][..], &len.to_be_bytes()].concat(),
            rule,
        )
    });
    let long = long.map(|(len, rule)| (len, [&[0x82, 127][..], &len.to_be_bytes()].concat(), rule));
    for (len, input, rule) in short.into_iter().chain(long) {
        let parsed = parse(Role::Client, &input);
        assert_eq!(parsed.err(), rule, "{len}");
        if let Ok(Some((header, header_len))) = parsed {
            assert_eq!((header.len, header_len), (len, input.len()));
        }
        for end in 0..input.len() {
            assert_eq!(parse(Role::Client, &input[..end]), Ok(None), "{len} {end}");
        }
    }
    for len in 0..=125 {
        let (header, header_len) = parse(Role::Client, &[0x82, len]).unwrap().unwrap();
        assert_eq!((header.len, header_len), (len.into(), 2));
    }
}

/// An invalid length is found before the masking key has arrived.
#[test]
fn length_before_mask() {
    assert_eq!(
        parse(Role::Server, &[0x82, 0xfe, 0, 125]),
        Err(Rule::PaddedLength)
    );
    assert_eq!(parse(Role::Server, &[0x82, 0xfe, 0, 126]), Ok(None));
}

/// What is encoded is parsed again, at every boundary of the length.
#[test]
fn round_trip() {
    let lens = [0, 1, 125, 126, 127, 65535, 65536, 1 << 20, (1 << 63) - 1];
    for (opcode, len) in OPCODES.iter().flat_map(|o| lens.map(|len| (*o, len))) {
        for (role, mask) in [(Role::Client, None), (Role::Server, Some([1, 2, 3, 4]))] {
            for is_final in [true, false] {
                let encoded = EncodedHeader::new(opcode, is_final, len, mask);
                let bytes = encoded.as_bytes();
                assert_eq!(bytes.len(), EncodedHeader::len_for(len, mask.is_some()));
                let len = len as u64;
                if opcode.is_control() && (!is_final || len > 125) {
                    continue;
                }
                let (header, header_len) = parse(role, bytes).unwrap().unwrap();
                let expected = Header {
                    opcode,
                    is_final,
                    mask,
                    len,
                };
                assert_eq!((header, header_len), (expected, bytes.len()));
            }
        }
    }
}

/// The texts of the rules name a section, and are short enough for a close frame.
#[test]
fn rules_name_sections() {
    for rule in Rule::ALL {
        let violation = crate::Violation::from(rule);
        let text = violation.to_string();
        assert!(text.contains("(RFC 6455 section "), "{text}");
        assert!(text.len() <= 123, "{text}");
        let code = if rule == Rule::Utf8 { 1007 } else { 1002 };
        assert_eq!(u16::from(violation.code()), code, "{text}");
    }
}
