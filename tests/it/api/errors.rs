//! Errors, and their way through `io::Error` and through errors of codecs.

use std::{
    error::Error,
    fmt::{self, Display, Formatter},
    io,
    sync::Arc,
};

use ws_framed::{
    CloseCode, CloseFrame, CodecError, Mismatch, RejectedHandshake, Setting, Timeout, Unsupported,
    Violation, WsErr,
    http::{HeaderMap, StatusCode},
};

/// `WsErr` and `CodecError` work as `Box<dyn Error + Send + Sync>`.
#[test]
fn errors_fit_error_traits() {
    fn error<T: Error + Display + Clone + Send + Sync + 'static>() {}
    fn codec_error<T: Error + Send + Sync + 'static>() {}
    error::<WsErr>();
    codec_error::<CodecError>();
    let boxed: Box<dyn Error + Send + Sync> = WsErr::ReceivedText.into();
    assert!(boxed.downcast_ref::<WsErr>().is_some());
}

#[derive(Debug)]
struct Outer(io::Error);

impl Display for Outer {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.write_str("outer")
    }
}

impl Error for Outer {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        Some(&self.0)
    }
}

/// A `WsErr` is found in any error that was made of it.
#[test]
fn error_is_found_everywhere() {
    let in_io = || io::Error::from(WsErr::ReceivedText);
    let errors: [Box<dyn Error + Send + Sync>; 6] = [
        WsErr::ReceivedText.into(),
        in_io().into(),
        CodecError::from(in_io()).into(),
        io::Error::other(CodecError::from(in_io())).into(),
        Outer(in_io()).into(),
        Outer(io::Error::other(Outer(in_io()))).into(),
    ];
    for error in errors {
        assert_eq!(
            WsErr::find_in(&*error),
            Some(&WsErr::ReceivedText),
            "{error:?}"
        );
    }
}

/// An error tells whether it ends the connection, and the close code.
#[test]
fn errors_can_be_asked() {
    let aborted = WsErr::Aborted(CloseFrame::from_peer(CloseCode::INTERNAL_ERROR, ""));
    assert!(aborted.ends_connection());
    assert_eq!(aborted.close_code(), Some(CloseCode::INTERNAL_ERROR));
    assert!(!WsErr::TooLargeToSend { len: 2, max: 1 }.ends_connection());
    assert!(!WsErr::TimedOut(Timeout::Ping).ends_connection());
    assert!(WsErr::TimedOut(Timeout::Silent).ends_connection());
    assert!(WsErr::TimedOut(Timeout::Close).is_timeout());
    assert!(WsErr::from(io::Error::from(io::ErrorKind::TimedOut)).is_timeout());
    assert!(WsErr::Closed.is_closed());
    assert_eq!(WsErr::Closed.close_code(), None);
}

/// Every error keeps its identity and its kind through `io::Error` and through that of a codec.
#[test]
fn errors_survive_io_error() {
    let frame = CloseFrame::from_peer(CloseCode::INTERNAL_ERROR, "why");
    let lost = io::Error::from(io::ErrorKind::ConnectionReset);
    let rows = [
        (WsErr::Io(Arc::new(lost)), io::ErrorKind::ConnectionReset),
        (WsErr::UnexpectedEof, io::ErrorKind::UnexpectedEof),
        (
            WsErr::Protocol(Violation::new("why")),
            io::ErrorKind::InvalidData,
        ),
        (
            WsErr::MessageTooLarge { len: 2, max: 1 },
            io::ErrorKind::InvalidData,
        ),
        (
            WsErr::TooLargeToSend { len: 2, max: 1 },
            io::ErrorKind::InvalidInput,
        ),
        (WsErr::ReceivedText, io::ErrorKind::InvalidData),
        (
            WsErr::NotOneFrame(Mismatch::NoLength),
            io::ErrorKind::InvalidData,
        ),
        (
            WsErr::Undecodable(CloseCode::MESSAGE_TOO_BIG),
            io::ErrorKind::InvalidData,
        ),
        (WsErr::Aborted(frame), io::ErrorKind::ConnectionAborted),
        (WsErr::TimedOut(Timeout::Close), io::ErrorKind::TimedOut),
        (WsErr::Closed, io::ErrorKind::BrokenPipe),
        (
            RejectedHandshake::new(StatusCode::FORBIDDEN, HeaderMap::new(), "why").into(),
            io::ErrorKind::PermissionDenied,
        ),
        (
            RejectedHandshake::new(StatusCode::GONE, HeaderMap::new(), "why").into(),
            io::ErrorKind::NotFound,
        ),
        (
            RejectedHandshake::new(StatusCode::IM_A_TEAPOT, HeaderMap::new(), "why").into(),
            io::ErrorKind::Other,
        ),
        (
            WsErr::Handshake("why".to_owned()),
            io::ErrorKind::InvalidData,
        ),
        (WsErr::NoSubprotocol, io::ErrorKind::InvalidData),
        (
            WsErr::Extension("why".to_owned()),
            io::ErrorKind::InvalidData,
        ),
        (
            WsErr::InvalidUrl("why".to_owned()),
            io::ErrorKind::InvalidInput,
        ),
        (
            WsErr::InvalidHeader("why".to_owned()),
            io::ErrorKind::InvalidInput,
        ),
        (
            WsErr::InvalidConfig(Setting::CloseTimeout),
            io::ErrorKind::InvalidInput,
        ),
        (
            WsErr::InvalidCloseCode(CloseCode::ABNORMAL_CLOSURE),
            io::ErrorKind::InvalidInput,
        ),
        (
            WsErr::ControlTooLong { len: 126 },
            io::ErrorKind::InvalidInput,
        ),
        (
            WsErr::Unsupported(Unsupported::Ping),
            io::ErrorKind::Unsupported,
        ),
    ];
    for (error, kind) in rows {
        let text = error.to_string();
        assert!(!text.is_empty());
        assert_eq!(error.kind(), kind, "{error:?}");
        let through = io::Error::from(error);
        assert_eq!(through.kind(), kind, "{through:?}");
        assert_eq!(through.to_string(), text);
        assert_eq!(WsErr::find_in(&through).unwrap().to_string(), text);

        // Through a codec's error, as the item stream returns it.
        let CodecError::Io(through) = CodecError::from(through) else {
            panic!("a CodecError of another kind");
        };
        assert_eq!(WsErr::from(through).to_string(), text);
    }
    let CodecError::Io(through) = CodecError::from(WsErr::ReceivedText) else {
        panic!("a CodecError of another kind");
    };
    assert!(matches!(WsErr::from(through), WsErr::ReceivedText));
    // Each cause is once in the chain of sources.
    let error = WsErr::from(io::Error::other(Outer(io::Error::other("inner"))));
    assert_eq!(error.to_string(), "outer");
    let source = error.source().unwrap();
    assert_eq!(source.to_string(), "inner");
    assert!(source.source().is_none());
    // Errors of other libraries are not found.
    assert!(WsErr::find_in(&io::Error::other("foreign")).is_none());
    assert!(WsErr::find_in(&io::Error::from(io::ErrorKind::UnexpectedEof)).is_none());
}
