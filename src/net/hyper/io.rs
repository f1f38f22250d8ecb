//! The byte stream of an upgraded connection: the TCP socket itself, where it can be found.

use std::{
    io::{self, IoSlice},
    net::SocketAddr,
    pin::Pin,
    task::{Context, Poll},
};

use ::hyper::upgrade::Upgraded;
use bytes::{Bytes, BytesMut};
use hyper_util::{rt::TokioIo as HyperIo, server::conn::auto};
use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    net::TcpStream,
};

use crate::net::tokio::prepare_tcp;

/// An upgraded connection.
#[derive(Debug)]
pub(crate) enum HyperStream {
    /// Without hyper in between, which writes the first slice of a vectored write only.
    Tcp(TcpStream),
    Other(HyperIo<Upgraded>),
}

impl HyperStream {
    /// The stream, with what hyper has already read from it, and the address of the peer if it is
    /// known.
    pub(super) fn new(upgraded: Upgraded) -> (Self, BytesMut, Option<SocketAddr>) {
        match find_tcp(upgraded) {
            Ok((socket, read)) => {
                let peer = prepare_tcp(&socket);
                (Self::Tcp(socket), BytesMut::from(read), peer)
            }
            Err(upgraded) => (Self::Other(HyperIo::new(upgraded)), BytesMut::new(), None),
        }
    }
}

/// The TCP socket below a connection of `hyper_util::server::conn::auto`, which axum uses, or of
/// `hyper::server::conn::http1`.
fn find_tcp(upgraded: Upgraded) -> Result<(TcpStream, Bytes), Upgraded> {
    let upgraded = match auto::upgrade::downcast::<HyperIo<TcpStream>>(upgraded) {
        Ok(parts) => return Ok((parts.io.into_inner(), parts.read_buf)),
        Err(upgraded) => upgraded,
    };
    let parts = upgraded.downcast::<HyperIo<TcpStream>>()?;
    Ok((parts.io.into_inner(), parts.read_buf))
}

impl AsyncRead for HyperStream {
    fn poll_read(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Self::Tcp(io) => Pin::new(io).poll_read(cx, buf),
            Self::Other(io) => Pin::new(io).poll_read(cx, buf),
        }
    }
}

impl AsyncWrite for HyperStream {
    fn poll_write(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &[u8],
    ) -> Poll<io::Result<usize>> {
        match self.get_mut() {
            Self::Tcp(io) => Pin::new(io).poll_write(cx, buf),
            Self::Other(io) => Pin::new(io).poll_write(cx, buf),
        }
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        match self.get_mut() {
            Self::Tcp(io) => Pin::new(io).poll_write_vectored(cx, bufs),
            Self::Other(io) => Pin::new(io).poll_write_vectored(cx, bufs),
        }
    }

    fn is_write_vectored(&self) -> bool {
        match self {
            Self::Tcp(io) => io.is_write_vectored(),
            Self::Other(io) => io.is_write_vectored(),
        }
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Self::Tcp(io) => Pin::new(io).poll_flush(cx),
            Self::Other(io) => Pin::new(io).poll_flush(cx),
        }
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Self::Tcp(io) => Pin::new(io).poll_shutdown(cx),
            Self::Other(io) => Pin::new(io).poll_shutdown(cx),
        }
    }
}
