// The events of the benchmark, for the servers written in JavaScript.
"use strict";

const { setTimeout: sleep, setImmediate: turn } = require("node:timers/promises");

const PAYLOAD = 128;

// stamp() gives the nanoseconds of CLOCK_MONOTONIC, which the load generator reads too.
async function emit(io, stamp, { prefix, rooms, count, rate, emitters }, first) {
  const began = performance.now();
  let done = 0;
  for (let number = first; number < count; number += emitters) {
    const target = rooms ? io.to(prefix + (number % rooms)) : io;
    target.emit("m", String(stamp()).padStart(20, "0").padEnd(PAYLOAD, "x"));
    const due = rate ? began + (++done * 1000) / rate - performance.now() : 0;
    await (due > 0 ? sleep(due) : turn());
  }
}

const flood = (io, stamp, order) =>
  Promise.all(Array.from({ length: order.emitters }, (_, first) => emit(io, stamp, order, first)));

exports.addHandlers = (io, stamp) =>
  io.on("connection", (socket) => {
    socket.on("join", (rooms, answer) => {
      socket.join(rooms);
      answer("ok");
    });
    socket.on("leave", (rooms, answer) => {
      for (const room of rooms) socket.leave(room);
      answer("ok");
    });
    socket.on("echo", (data, answer) => answer(data));
    socket.on("flood", (order, answer) => flood(io, stamp, order).then(() => answer("ok")));
  });
