//! How fast bytes go from one process to another: writes of 64 KiB through some capacities, on
//! one and two workers. `cargo run --release -p rusm-actor --example stream_throughput`

use std::time::Instant;

use rusm_actor::{Config, Context, Node};

const PIECE: usize = 64 << 10;
const PIECES: usize = 40_000;
const ROUNDS: usize = 7;

/// Gigabytes a second, least, median and best of some rounds.
fn measure(workers: usize, capacity: usize) -> [f64; 3] {
    let config = Config {
        workers,
        ..Config::default()
    };
    let node = Node::start(config).expect("a node starts");
    let mut rounds: Vec<f64> = (0..ROUNDS)
        .map(|_| {
            let run = node.block_on(move |ctx| transfer(ctx, capacity));
            run.expect("it returns")
        })
        .collect();
    rounds.sort_by(f64::total_cmp);
    [rounds[0], rounds[ROUNDS / 2], rounds[ROUNDS - 1]]
}

async fn transfer(ctx: Context, capacity: usize) -> f64 {
    let (mut writer, mut reader) = ctx.open_stream(capacity).expect("a capacity");
    ctx.spawn(move |_| async move {
        let piece = vec![7; PIECE];
        for _ in 0..PIECES {
            writer.write_all(&piece).await.expect("somebody reads");
        }
    });
    let (begun, mut buffer, mut bytes) = (Instant::now(), vec![0; PIECE], 0);
    loop {
        match reader.read(&mut buffer).await.expect("no abort") {
            0 => break,
            count => bytes += count,
        }
    }
    assert_eq!(bytes, PIECE * PIECES);
    bytes as f64 / begun.elapsed().as_nanos() as f64
}

fn main() {
    println!("workers  capacity   GB/s: least  median  best");
    for workers in [1, 2] {
        for capacity in [PIECE, 4 * PIECE, 16 * PIECE] {
            let [least, median, best] = measure(workers, capacity);
            let kib = capacity >> 10;
            println!("{workers:7} {kib:6} KiB       {least:6.2}  {median:6.2}  {best:4.2}");
        }
    }
}
