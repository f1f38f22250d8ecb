//! Does one kind of work a given number of times, for a tool that counts: see
//! `benches/counted/run`.

use std::{env, process::ExitCode};

use counted::{
    BATCH, BURST, LARGE_LEN, Large, PIECE_LEN, STREAM_LEN, WRITE_LEN, alone, items, over_socket,
    send_batch, send_bytes, send_large, send_one,
};

fn main() -> ExitCode {
    let args: Vec<String> = env::args().skip(1).collect();
    let [over, work, times] = args.as_slice() else {
        eprintln!("usage: counted alone|socket batch|burst|one|large|bytes|pieces TIMES");
        return ExitCode::FAILURE;
    };
    let Ok(times) = times.parse::<usize>() else {
        eprintln!("{times} is no number");
        return ExitCode::FAILURE;
    };
    let ends = if over == "alone" {
        alone()
    } else {
        over_socket()
    };
    match work.as_str() {
        "batch" => {
            let (mut client, mut server) = items(ends);
            (0..times).for_each(|_| send_batch(&mut client, &mut server, BATCH));
        }
        "burst" => {
            let (mut client, mut server) = items(ends);
            (0..times).for_each(|_| send_batch(&mut client, &mut server, BURST));
        }
        "one" => {
            let (mut client, mut server) = items(ends);
            (0..times).for_each(|_| send_one(&mut client, &mut server));
        }
        "large" => {
            let (mut client, mut server) = items(ends);
            let mut value = Large {
                data: vec![7; LARGE_LEN],
            };
            for _ in 0..times {
                value = send_large(&mut client, &mut server, value);
            }
        }
        "bytes" => {
            let (mut client, mut server) = ends;
            let mut buffer = vec![7; WRITE_LEN];
            (0..times).for_each(|_| send_bytes(&mut client, &mut server, &mut buffer, WRITE_LEN));
        }
        "pieces" => {
            let (mut client, mut server) = ends;
            let mut buffer = vec![7; STREAM_LEN];
            (0..times).for_each(|_| send_bytes(&mut client, &mut server, &mut buffer, PIECE_LEN));
        }
        _ => {
            eprintln!("there is no work {work}");
            return ExitCode::FAILURE;
        }
    }
    ExitCode::SUCCESS
}
