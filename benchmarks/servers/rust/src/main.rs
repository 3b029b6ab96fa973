//! socketioxide with its Redis adapter. Usage: benchmark-server PORT REDIS_URL

use std::time::{Duration, Instant};

use axum::serve::ListenerExt;
use serde::Deserialize;
use socketioxide::adapter::Adapter;
use socketioxide::extract::{AckSender, Data, SocketRef};
use socketioxide::SocketIo;
use socketioxide_redis::{RedisAdapter, RedisAdapterCtr};

const PAYLOAD: usize = 128;
/// Messages that may wait for one client. A full buffer drops messages; the default of 128 does so at once.
const WAITING: usize = 32768;

#[derive(Clone, Deserialize)]
struct Order {
    prefix: String,
    rooms: u64,
    count: u64,
    rate: u64,
    emitters: usize,
}

fn stamp() -> u64 {
    let mut time = libc::timespec { tv_sec: 0, tv_nsec: 0 };
    unsafe { libc::clock_gettime(libc::CLOCK_MONOTONIC, &mut time) };
    time.tv_sec as u64 * 1_000_000_000 + time.tv_nsec as u64
}

async fn emit<A: Adapter>(io: SocketIo<A>, order: Order, first: u64) {
    let began = Instant::now();
    for (done, number) in (first..order.count).step_by(order.emitters).enumerate() {
        let text = format!("{:x<width$}", format!("{:020}", stamp()), width = PAYLOAD);
        if order.rooms > 0 {
            let room = format!("{}{}", order.prefix, number % order.rooms);
            io.to(room).emit("m", &text).await.ok();
        } else {
            io.emit("m", &text).await.ok();
        }
        if order.rate > 0 {
            let due = began + Duration::from_secs_f64((done + 1) as f64 / order.rate as f64);
            tokio::time::sleep_until(due.into()).await;
        } else {
            tokio::task::yield_now().await;
        }
    }
}

async fn flood<A: Adapter>(io: SocketIo<A>, Data(order): Data<Order>, ack: AckSender<A>) {
    let mut emitters = tokio::task::JoinSet::new();
    for first in 0..order.emitters as u64 {
        emitters.spawn(emit(io.clone(), order.clone(), first));
    }
    emitters.join_all().await;
    ack.send("ok").ok();
}

async fn on_connect<A: Adapter>(socket: SocketRef<A>) {
    socket.on("join", |socket: SocketRef<A>, Data(rooms): Data<Vec<String>>, ack: AckSender<A>| async move {
        socket.join(rooms);
        ack.send("ok").ok();
    });
    socket.on("leave", |socket: SocketRef<A>, Data(rooms): Data<Vec<String>>, ack: AckSender<A>| async move {
        socket.leave(rooms);
        ack.send("ok").ok();
    });
    socket.on("echo", |Data(data): Data<String>, ack: AckSender<A>| async move {
        ack.send(&data).ok();
    });
    socket.on("flood", flood::<A>);
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let arguments: Vec<String> = std::env::args().collect();
    let redis = redis::Client::open(format!("{}?protocol=resp3", arguments[2]))?;
    let adapter = RedisAdapterCtr::new_with_redis(&redis).await?;
    let (layer, io) = SocketIo::builder()
        .max_buffer_size(WAITING)
        .with_adapter::<RedisAdapter<_>>(adapter)
        .build_layer();
    io.ns("/", on_connect).await?;
    let app = axum::Router::new().layer(layer);
    let listener = tokio::net::TcpListener::bind(("127.0.0.1", arguments[1].parse()?)).await?;
    let listener = listener.tap_io(|stream| stream.set_nodelay(true).unwrap()); // as the other servers do
    axum::serve(listener, app).await?;
    Ok(())
}
