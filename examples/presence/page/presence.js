// Who is present in a room. Copy this file; it needs nothing but a socket of socket.io-client.
//
//   const presence = new Presence(socket, "garden");
//   presence.onchange = () => show(presence.list());       // [{ key: "ada", metas: [{…}, {…}] }, …]
//   presence.onjoin = (key, metas) => …                     // not for those who were there already
//   presence.onleave = (key, metas) => …
export class Presence {
  #socket; #room; #people = new Map(); #pieces = null; #waiting = []; #known = false; #first = true;

  constructor(socket, room) {
    this.#socket = socket;
    this.#room = room;
    this.onchange = this.onjoin = this.onleave = () => {};
    socket.on("presence_state", this.#state);
    socket.on("presence_diff", this.#diff);
    socket.on("disconnect", this.#lost);
  }

  // Everybody, by key. What is shown during a reconnect is what was known before it.
  list() {
    return [...this.#people].map(([key, metas]) => ({ key, metas: [...metas.values()] }))
      .sort((one, other) => (one.key < other.key ? -1 : 1));
  }

  close() {
    this.#socket.off("presence_state", this.#state);
    this.#socket.off("presence_diff", this.#diff);
    this.#socket.off("disconnect", this.#lost);
  }

  #lost = () => { this.#known = false; this.#pieces = null; this.#waiting = []; };

  // A large state comes in pieces. Diffs that come before the last one wait for it.
  #state = ({ room, state, more }) => {
    if (room !== this.#room) return;
    this.#pieces = { ...this.#pieces, ...state };
    if (more) return;
    const before = this.#people;
    this.#people = new Map(Object.entries(this.#pieces).map(([key, { metas }]) => [key, byRef(metas)]));
    this.#pieces = null;
    this.#known = true;
    if (this.#first) this.#people.forEach((metas, key) => before.set(key, metas)); // they were there already
    this.#first = false;
    for (const [key, metas] of before) if (!this.#people.has(key)) this.onleave(key, [...metas.values()]);
    for (const [key, metas] of this.#people) if (!before.has(key)) this.onjoin(key, [...metas.values()]);
    const waiting = this.#waiting;
    this.#waiting = [];
    waiting.forEach(this.#apply);
    this.onchange();
  };

  #diff = (diff) => {
    if (diff.room !== this.#room) return;
    if (!this.#known || this.#pieces) { this.#waiting.push(diff); return; }
    this.#apply(diff);
    this.onchange();
  };

  #apply = ({ joins, leaves }) => {
    for (const [key, { metas }] of Object.entries(joins)) {
      const there = this.#people.get(key);
      this.#people.set(key, new Map([...(there ?? []), ...byRef(metas)]));
      if (!there) this.onjoin(key, metas);
    }
    for (const [key, { metas }] of Object.entries(leaves)) {
      const there = this.#people.get(key);
      if (!there) continue;
      metas.forEach(({ phx_ref }) => there.delete(phx_ref));
      if (there.size === 0) { this.#people.delete(key); this.onleave(key, metas); }
    }
  };
}

function byRef(metas) { return new Map(metas.map((meta) => [meta.phx_ref, meta])); }
