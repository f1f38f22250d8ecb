//! Does one kind of work a given number of times, for a tool that counts: see
//! `benches/counted/run`.

use std::{env, process::ExitCode};

use counted::{
    LARGE_LEN, Large, STREAM_LEN, WRITE_LEN, alone, items, over_socket, send_batch, send_burst,
    send_bytes, send_large, send_one, send_pieces,
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
            (0..times).for_each(|_| send_batch(&mut client, &mut server));
        }
        "burst" => {
            let (mut client, mut server) = items(ends);
            (0..times).for_each(|_| send_burst(&mut client, &mut server));
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
            (0..times).for_each(|_| send_bytes(&mut client, &mut server, &mut buffer));
        }
        "pieces" => {
            let (mut client, mut server) = ends;
            let mut buffer = vec![7; STREAM_LEN];
            (0..times).for_each(|_| send_pieces(&mut client, &mut server, &mut buffer));
        }
        _ => {
            eprintln!("there is no work {work}");
            return ExitCode::FAILURE;
        }
    }
    ExitCode::SUCCESS
}
