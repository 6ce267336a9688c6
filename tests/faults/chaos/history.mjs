// The history of a chaos run: one JSON line for each event, in the order in which we observed it. The checker
// reads nothing else, except the topics and the tables at the end.

import { createWriteStream } from 'node:fs';
import path from 'node:path';

export class History {
  #file;
  counts = {};

  constructor(folder) {
    this.#file = createWriteStream(path.join(folder, 'history.jsonl'));
  }

  write(what, fields = {}) {
    this.counts[what] = (this.counts[what] ?? 0) + 1;
    this.#file.write(`${JSON.stringify({ at: Date.now(), what, ...fields })}\n`);
  }

  close() {
    return new Promise((resolve) => this.#file.end(resolve));
  }
}
