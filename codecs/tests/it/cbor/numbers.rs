//! Numbers, which other encoders write in more ways than one.

use serde_json::json;

use super::{Event, Timed, assert_reads, assert_refuses};

/// A floating-point number without a fraction is read as an integer, as JavaScript's encoders write
/// those above 32 bits.
#[test]
fn whole_floats_are_read_as_integers() {
    let time: u64 = 1_700_000_000_000;
    let float = b"\xfb\x42\x78\xbc\xfe\x56\x80\0\0";
    let entry = [b"\xa1\x61t", &float[..]].concat();
    assert_reads(&[&entry], &Timed { t: time });
    assert_reads(&[&entry], &Timed { t: Some(time) });
    assert_reads(
        &[&entry],
        &Timed {
            t: i128::from(time),
        },
    );
    assert_reads(&[&[b"\x81", &float[..]].concat()], &vec![time]);

    let tick = [b"\xa2\x64type\x64Tick\x64data", &entry[..]].concat();
    assert_reads(&[&tick], &Event::Tick { t: time });

    assert_reads(&[b"\xf9\x3c\0", b"\xfa\x3f\x80\0\0"], &1u8);
    assert_reads(&[b"\xf9\xbc\0", b"\xfa\xbf\x80\0\0"], &-1i8);
    assert_reads(&[b"\xfa\xbf\x80\0\0", b"\xfb\xbf\xf0\0\0\0\0\0\0"], &-1i32);
    assert_reads(&[b"\xf9\x80\0", b"\xfb\x80\0\0\0\0\0\0\0"], &0i64);
    assert_reads(&[b"\xfb\x43\xe0\0\0\0\0\0\0"], &(1u64 << 63));
    assert_reads(&[b"\xfb\xc3\xe0\0\0\0\0\0\0"], &i64::MIN);
    assert_reads(&[b"\xfb\x47\xd0\0\0\0\0\0\0"], &(1u128 << 126));
    assert_reads(&[b"\xfb\xc7\xd0\0\0\0\0\0\0"], &(-1i128 << 126));
}

/// A floating-point number that would lose something is no integer.
#[test]
fn lossy_floats_are_no_integers() {
    // 1.5, infinities, not a number, 2^64, 2^128, and minus one.
    assert_refuses::<u64>(&[
        b"\xf9\x3e\0",
        b"\xf9\x7c\0",
        b"\xf9\xfc\0",
        b"\xf9\x7e\0",
        b"\xfb\x43\xf0\0\0\0\0\0\0",
        b"\xf9\xbc\0",
    ]);
    assert_refuses::<u128>(&[b"\xfb\x47\xf0\0\0\0\0\0\0", b"\xf9\xbc\0"]);
    assert_refuses::<i128>(&[b"\xfb\x47\xe0\0\0\0\0\0\0"]);
    assert_refuses::<u8>(&[b"\xf9\x5c\0"]);
    assert_refuses::<i8>(&[b"\xf9\x58\0"]);
}

/// An integer is read from each of its encodings, a bignum included (RFC 8949 section 3.4.3).
#[test]
fn integers_have_any_width() {
    assert_reads(
        &[
            b"\x05",
            b"\x18\x05",
            b"\x19\0\x05",
            b"\x1a\0\0\0\x05",
            b"\x1b\0\0\0\0\0\0\0\x05",
            b"\xc2\x41\x05",
            b"\xd8\x02\x42\0\x05",
            b"\xc2\x5f\x41\0\x41\x05\xff",
        ],
        &5u8,
    );
    assert_reads(&[b"\x24", b"\x39\0\x04", b"\xc3\x41\x04"], &-5i8);
    assert_reads(&[b"\xc2\x41\x05"], &5u64);
    assert_reads(&[b"\xc2\x40"], &0i64);
    let long = [&b"\xc2\x58\x20"[..], &[0; 31], &[7]].concat();
    assert_reads(&[&long], &7u128);
    assert_reads(&[b"\xc3\x48\x7f\xff\xff\xff\xff\xff\xff\xff"], &i64::MIN);
    assert_reads(&[&[&b"\xc3\x50\x7f"[..], &[0xff; 15]].concat()], &i128::MIN);
    assert_reads(&[&[&b"\xc2\x50"[..], &[0xff; 16]].concat()], &u128::MAX);
    assert_reads(&[b"\xc2\x41\x05"], &json!(5));
}

/// A number that its type does not hold is an error.
#[test]
fn numbers_out_of_range_are_refused() {
    assert_refuses::<u8>(&[b"\x19\x01\0", b"\x20", b"\xc2\x42\x01\0", b"\xc3\x41\0"]);
    assert_refuses::<i8>(&[b"\x18\x80", b"\x38\x80"]);
    assert_refuses::<u64>(&[b"\xc2\x49\x01\0\0\0\0\0\0\0\0"]);
    assert_refuses::<i64>(&[b"\x3b\xff\xff\xff\xff\xff\xff\xff\xff"]);
    assert_refuses::<i128>(&[&[&b"\xc3\x50\x80"[..], &[0; 15]].concat()]);
    assert_refuses::<u128>(&[&[&b"\xc2\x51\x01"[..], &[0; 16]].concat(), b"\xc2\x05"]);
}
