//! `into_split` of the byte stream: owned halves with the traits of both families, a close with an
//! outcome, and the way back.

use futures::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, future};
use support::{
    Frame, IMMEDIATE, config_without_keepalive, on_all_transports, on_transports, pair,
    poll_until_idle, run,
};
use ws_framed::{CloseCode, CloseFrame, CloseOutcome, ClosedBy, ReuniteError, WsReader, WsWriter};

/// Reunited halves have lost nothing: neither what was written, nor what was received.
#[test]
fn reunited_halves_lose_nothing() {
    on_all_transports(&config_without_keepalive(), async |mut ours, mut peer| {
        peer.send(Frame::binary("one, two, three")).await;
        let mut data = [0; 5];
        ours.read_exact(&mut data).await.unwrap();
        assert_eq!(&data, b"one, ");
        let (mut reader, mut writer) = ours.into_split();
        writer.write_all(b"written").await.unwrap();
        reader.read_exact(&mut data).await.unwrap();
        assert_eq!(&data, b"two, ");
        let mut ours = reader.reunite(writer).unwrap();
        ours.flush().await.unwrap();
        peer.expect(Frame::binary("written")).await;
        ours.read_exact(&mut data).await.unwrap();
        assert_eq!(&data, b"three");
        let (reader, writer) = ours.into_split();
        writer.reunite(reader).unwrap();
    });
}

/// Halves of two connections are not joined. Both come back, with what was received.
#[test]
fn strangers_are_not_joined() {
    run(async {
        let (server, mut client) = pair().await;
        let (other, _other_client) = pair().await;
        client.write_all(b"hello").await.unwrap();
        client.flush().await.unwrap();
        let (mut reader, writer) = server.into_split();
        let (other_reader, other_writer) = other.into_split();
        assert_eq!(reader.fill_buf().await.unwrap(), b"hello");
        let ReuniteError(reader, other_writer): ReuniteError<WsReader, WsWriter> =
            reader.reunite(other_writer).map(drop).unwrap_err();
        other_writer.reunite(other_reader).unwrap();
        let mut server = writer.reunite(reader).unwrap();
        assert_eq!(server.fill_buf().await.unwrap(), b"hello");
    });
}

/// What was written goes out when the reading half waits.
#[test]
fn waiting_reader_flushes() {
    on_transports(
        &IMMEDIATE,
        &config_without_keepalive(),
        async |ours, mut peer| {
            let (mut reader, mut writer) = ours.into_split();
            writer.write_all(b"question").await.unwrap();
            let mut data = [0; 6];
            let mut answer = std::pin::pin!(reader.read_exact(&mut data));
            assert!(poll_until_idle(answer.as_mut()).is_pending());
            peer.expect(Frame::binary("question")).await;
            peer.send(Frame::binary("answer")).await;
            answer.await.unwrap();
            assert_eq!(&data, b"answer");
        },
    );
}

/// `close_with` of the writing half discards what arrives. The reading half still has what it had
/// received, and then ends.
#[test]
fn close_with_ends_both_halves() {
    on_all_transports(&config_without_keepalive(), async |ours, mut peer| {
        let (mut reader, mut writer) = ours.into_split();
        peer.send(Frame::binary("received")).await;
        assert_eq!(reader.fill_buf().await.unwrap(), b"received");
        writer.write_all(b"last").await.unwrap();
        let frame = CloseFrame::new(CloseCode::from(4001), "enough").unwrap();
        let script = async {
            peer.send(Frame::binary("discarded")).await;
            peer.expect(Frame::binary("last")).await;
            peer.expect(Frame::close(4001, "enough")).await;
            peer.send(Frame::close(4001, "")).await;
            peer.expect_end().await;
            drop(peer);
        };
        let (outcome, ()) = future::join(writer.close_with(frame), script).await;
        let CloseOutcome::Clean {
            by: ClosedBy::Us, ..
        } = outcome.unwrap()
        else {
            panic!("not clean");
        };
        let mut data = Vec::new();
        reader.read_to_end(&mut data).await.unwrap();
        assert_eq!(data, b"received");
    });
}

/// The traits of tokio, which clash with those of futures-io.
mod of_tokio {
    use futures::future;
    use support::{pair, timeout};
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    use ws_framed::{WsReader, WsStream, WsWriter};

    /// The halves have the traits of tokio, too, and copy both ways at once.
    #[tokio::test(flavor = "multi_thread", worker_threads = 4)]
    async fn tokio_copies_both_ways() {
        async fn send(mut writer: WsWriter, data: Vec<u8>) -> WsWriter {
            for part in data.chunks(10_000) {
                writer.write_all(part).await.unwrap();
            }
            writer.flush().await.unwrap();
            writer
        }

        async fn receive(mut reader: WsReader, expected: Vec<u8>) -> WsReader {
            let mut data = vec![0; expected.len()];
            reader.read_exact(&mut data).await.unwrap();
            assert!(data == expected, "other bytes");
            reader
        }

        async fn close((reader, writer): (WsReader, WsWriter)) -> usize {
            let mut stream: WsStream = writer.reunite(reader).unwrap();
            stream.shutdown().await.unwrap();
            AsyncReadExt::read(&mut stream, &mut [0]).await.unwrap()
        }

        timeout(async {
            let data = |seed: u8| -> Vec<u8> { (0..=250).map(|n: u8| n ^ seed).collect() };
            let (up, down) = (data(1).repeat(20_000), data(2).repeat(20_000));
            let (server, client) = pair().await;
            let (from_client, to_client) = server.into_split();
            let (from_server, to_server) = client.into_split();
            let tasks = future::join4(
                tokio::spawn(receive(from_client, up.clone())),
                tokio::spawn(send(to_client, down.clone())),
                tokio::spawn(receive(from_server, down)),
                tokio::spawn(send(to_server, up)),
            );
            let (from_client, to_client, from_server, to_server) = tasks.await;
            let server = (from_client.unwrap(), to_client.unwrap());
            let client = (from_server.unwrap(), to_server.unwrap());
            assert_eq!(future::join(close(server), close(client)).await, (0, 0));
        })
        .await;
    }
}
