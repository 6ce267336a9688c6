// A TCP gate between a program and Kafka or PostgreSQL: the faults of a network, as verbs. Bytes keep
// their order and are never lost alone, as TCP guarantees; a fault affects whole connections.
//
// A gate is open by default; restore() undoes everything and closes the connections that lost bytes, because a
// stream with a hole is one that no network delivers.

import net from 'node:net';

const quiet = () => {}; // an unreachable peer is the point of this file

export class Gate {
  accepted = 0; // connections so far
  #server;
  #links = new Set();
  #target;
  #mode = 'open';
  #delayMs = 0;
  #tripwire = null;
  #spoil = null;

  // Listens at once; the target may be set later: a broker must know the gate's port before it has its own.
  static async open(target = null, { host = '127.0.0.1', port = 0 } = {}) {
    const gate = new Gate();
    gate.#target = target;
    gate.#server = net.createServer({ allowHalfOpen: true, pauseOnConnect: true }, (client) => gate.#accept(client));
    await new Promise((resolve, reject) => gate.#server.once('error', reject).listen(port, host, resolve));
    gate.port = gate.#server.address().port;
    return gate;
  }

  leadTo(port) {
    this.#target = port;
  }

  get connections() {
    return this.#links.size;
  }

  // --- verbs

  // Each piece arrives this much later, in either direction.
  slow(ms) {
    this.#delayMs = ms;
  }

  // Every connection breaks with a reset; new ones may come at once.
  cut() {
    for (const link of this.#links) link.end();
  }

  // Every connection breaks, and new ones are reset.
  refuse() {
    this.#mode = 'refuse';
    this.cut();
  }

  // Half-open: the peer seems reachable and accepts bytes, but nothing passes, new connections included.
  // What arrived meanwhile is delivered when the gate is open again, unless a side closed before.
  freeze() {
    this.#mode = 'freeze';
    for (const link of this.#links) link.freeze();
  }

  // The same for the existing connections, as long as they live; new ones work.
  stall() {
    for (const link of this.#links) link.freeze();
  }

  // An asymmetric partition: requests arrive and are executed, their responses are lost.
  loseAnswers() {
    this.#mode = 'lose';
    for (const link of this.#links) link.loseAnswers();
  }

  // Once: the piece with this text is passed on, the server responds, and the connection breaks before the client gets it.
  // With `behind`, only when that text went through before. Resolves when it happened.
  cutAfter(text, { behind = '' } = {}) {
    return new Promise((resolve) => {
      this.#tripwire = { text: Buffer.from(text), behind: Buffer.from(behind), armed: behind === '', resolve };
    });
  }

  // Each request that contains this text gets one bit flipped, this many times.
  corrupt(text, times) {
    this.#spoil = { text: Buffer.from(text), left: times };
  }

  restore() {
    this.#mode = 'open';
    this.#delayMs = 0;
    this.#tripwire = this.#spoil = null;
    for (const link of this.#links) link.restore();
  }

  async close() {
    this.#mode = 'refuse';
    this.cut();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  // --- one connection

  #accept(client) {
    client.on('error', quiet);
    this.accepted++;
    if (this.#mode === 'refuse' || !this.#target) return void client.resetAndDestroy();
    const link = new Link(this, client, this.#target);
    this.#links.add(link);
    link.onEnd = () => this.#links.delete(link);
    if (this.#mode === 'freeze') link.freeze();
    if (this.#mode === 'lose') link.loseAnswers();
  }

  get delayMs() {
    return this.#delayMs;
  }

  // What is sent instead of these bytes; and whether the connection ends with its response.
  inspect(bytes) {
    let trips = false;
    if (this.#tripwire?.armed === false && bytes.includes(this.#tripwire.behind)) this.#tripwire.armed = true;
    if (this.#tripwire?.armed && bytes.includes(this.#tripwire.text)) {
      this.#tripwire.resolve();
      this.#tripwire = null;
      trips = true;
    }
    const at = this.#spoil?.left > 0 ? bytes.indexOf(this.#spoil.text) : -1;
    if (at >= 0) {
      this.#spoil.left--;
      bytes = Buffer.from(bytes);
      bytes[at] ^= 1;
    }
    return { bytes, trips };
  }
}

// One direction of a connection: delayed bytes arrive in order, also when the delay changes.
class Line {
  #waiting = [];
  #timer = null;

  constructor(gate) {
    this.gate = gate;
  }

  add(action) {
    this.#waiting.push({ at: Date.now() + this.gate.delayMs, action });
    if (!this.#timer) this.#pass();
  }

  #pass() {
    this.#timer = null;
    while (this.#waiting.length > 0) {
      const leftMs = this.#waiting[0].at - Date.now();
      if (leftMs > 0) {
        this.#timer = setTimeout(() => this.#pass(), leftMs);
        return;
      }
      this.#waiting.shift().action();
    }
  }

  clear() {
    clearTimeout(this.#timer);
    this.#waiting = [];
  }
}

class Link {
  onEnd = quiet;
  #ended = false;
  #frozen = false;
  #losing = false;
  #lost = false;
  #lastWord = false;
  #toServer;
  #toClient;

  constructor(gate, client, port) {
    this.gate = gate;
    this.client = client;
    this.server = net.connect({ port, host: '127.0.0.1', allowHalfOpen: true });
    for (const socket of [client, this.server]) {
      socket.setNoDelay(true);
      socket.on('error', () => this.end());
      socket.on('close', () => this.end());
    }
    this.#toServer = new Line(gate);
    this.#toClient = new Line(gate);
    client.on('data', (bytes) => this.#fromClient(bytes));
    this.server.on('data', (bytes) => this.#fromServer(bytes));
    client.on('end', () => this.#toServer.add(() => this.server.end()));
    this.server.on('end', () => this.#losing || this.#toClient.add(() => client.end()));
    client.resume();
  }

  #fromClient(bytes) {
    const found = this.gate.inspect(bytes);
    if (found.trips) this.#lastWord = true;
    this.#toServer.add(() => this.server.write(found.bytes));
  }

  #fromServer(bytes) {
    if (this.#lastWord) return this.end();
    if (this.#losing) {
      this.#lost = true;
      return;
    }
    this.#toClient.add(() => this.client.write(bytes));
  }

  freeze() {
    this.#frozen = true;
    this.client.pause();
    this.server.pause();
  }

  loseAnswers() {
    this.#losing = true;
  }

  restore() {
    if (this.#lost) return this.end();
    this.#losing = false;
    if (!this.#frozen) return;
    this.#frozen = false;
    this.client.resume();
    this.server.resume();
  }

  end() {
    if (this.#ended) return;
    this.#ended = true;
    this.#toServer.clear();
    this.#toClient.clear();
    for (const socket of [this.client, this.server]) {
      socket.resume(); // a paused socket never reports its close
      socket.resetAndDestroy();
    }
    this.onEnd();
  }
}
