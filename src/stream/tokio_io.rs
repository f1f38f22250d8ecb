//! The I/O traits of tokio for the byte stream.

use std::{
    io::{self, IoSlice},
    ops::Deref,
    pin::Pin,
    task::{Context, Poll, ready},
};

use tokio::io::{AsyncBufRead, AsyncRead, AsyncWrite, ReadBuf};

use super::{WsReader, WsStream, WsWriter};
use crate::transport::MessageTransport;

/// The traits of a type that has unread bytes.
macro_rules! reads {
    ($stream:ident) => {
        impl<M: MessageTransport> AsyncRead for $stream<M> {
            fn poll_read(
                self: Pin<&mut Self>,
                cx: &mut Context<'_>,
                buf: &mut ReadBuf<'_>,
            ) -> Poll<io::Result<()>> {
                if buf.remaining() == 0 {
                    return Poll::Ready(Ok(()));
                }
                let this = self.get_mut();
                let unread = ready!(this.poll_unread(cx))?;
                let (read, _) = unread.split_at(unread.len().min(buf.remaining()));
                buf.put_slice(read);
                let read = read.len();
                this.consume_unread(read);
                Poll::Ready(Ok(()))
            }
        }

        impl<M: MessageTransport> AsyncBufRead for $stream<M> {
            fn poll_fill_buf(
                self: Pin<&mut Self>,
                cx: &mut Context<'_>,
            ) -> Poll<io::Result<&[u8]>> {
                self.get_mut().poll_unread(cx)
            }

            fn consume(self: Pin<&mut Self>, amount: usize) {
                self.get_mut().consume_unread(amount);
            }
        }
    };
}

/// The trait of a type that gives access to a stream by a method.
macro_rules! writes {
    ($stream:ident, $access:ident) => {
        impl<M: MessageTransport> AsyncWrite for $stream<M> {
            fn poll_write(
                self: Pin<&mut Self>,
                cx: &mut Context<'_>,
                buf: &[u8],
            ) -> Poll<io::Result<usize>> {
                self.$access().poll_write_chunks(cx, [buf])
            }

            fn poll_write_vectored(
                self: Pin<&mut Self>,
                cx: &mut Context<'_>,
                bufs: &[IoSlice<'_>],
            ) -> Poll<io::Result<usize>> {
                self.$access()
                    .poll_write_chunks(cx, bufs.iter().map(Deref::deref))
            }

            fn is_write_vectored(&self) -> bool {
                true
            }

            fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
                self.$access().poll_flush_buffered(cx)
            }

            /// Closes as `AsyncWriteExt::close` of futures does.
            fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
                self.$access().poll_close_normal(cx)
            }
        }
    };
}

reads!(WsStream);
reads!(WsReader);
writes!(WsStream, get_mut);
writes!(WsWriter, lock);
