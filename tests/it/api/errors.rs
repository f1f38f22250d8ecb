//! Errors, and their way through `io::Error` and through errors of codecs.

use std::{error::Error, fmt::Display, io, sync::Arc};

use ws_framed::{
    CloseCode, CloseFrame, CodecError, RejectedHandshake, Violation, WsErr,
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
        (WsErr::ReceivedText, io::ErrorKind::InvalidData),
        (WsErr::NotOneFrame("why"), io::ErrorKind::InvalidData),
        (WsErr::Undecodable, io::ErrorKind::InvalidData),
        (WsErr::Aborted(frame), io::ErrorKind::ConnectionAborted),
        (WsErr::TimedOut("why"), io::ErrorKind::TimedOut),
        (WsErr::Closed, io::ErrorKind::BrokenPipe),
        (
            RejectedHandshake::new(StatusCode::FORBIDDEN, HeaderMap::new(), "why").into(),
            io::ErrorKind::ConnectionRefused,
        ),
        (
            WsErr::Handshake("why".to_owned()),
            io::ErrorKind::InvalidData,
        ),
        (WsErr::NoSubprotocol, io::ErrorKind::InvalidData),
        (
            WsErr::InvalidUrl("why".to_owned()),
            io::ErrorKind::InvalidInput,
        ),
        (
            WsErr::InvalidHeader("why".to_owned()),
            io::ErrorKind::InvalidInput,
        ),
        (WsErr::InvalidConfig("why"), io::ErrorKind::InvalidInput),
        (
            WsErr::InvalidCloseCode(CloseCode::ABNORMAL),
            io::ErrorKind::InvalidInput,
        ),
        (
            WsErr::ControlTooLong { len: 126 },
            io::ErrorKind::InvalidInput,
        ),
        (WsErr::Unsupported("why"), io::ErrorKind::Unsupported),
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
    // The error of a transport is the source of the error.
    let error = WsErr::from(io::Error::other("the cause"));
    assert_eq!(error.source().unwrap().to_string(), "the cause");
    // Errors of other libraries are not found.
    assert!(WsErr::find_in(&io::Error::other("foreign")).is_none());
    assert!(WsErr::find_in(&io::ErrorKind::UnexpectedEof.into()).is_none());
}
