// Of good-traffic.mjs: well-behaved clients in a thread of their own, so that the load of the crowd's thread does not
// affect what they measure. Each sends on a connection of its own, waits for the response, and repeats; workerData has the rest.

import { parentPort, workerData } from 'node:worker_threads';
import { clerkUser, userCreated } from '../e2e/clerk.mjs';
import { ask, requestText, webhookText } from './crowd.mjs';

const { port, secret, tokens, clients, turnMs, count, label } = workerData;
const answers = [];
let asked = 0;
let stopped = false;

const text = (n) =>
  tokens
    ? requestText('GET', '/v1/auth/verify', { Authorization: `Bearer ${tokens[n % tokens.length]}` })
    : webhookText(secret, `${label}_${n}`, userCreated(clerkUser()));

async function keepAsking() {
  while (!stopped && answers.length < count) {
    const turn = new Promise((resolve) => setTimeout(resolve, turnMs));
    answers.push(await ask(port, text(asked++)));
    await turn;
  }
}

parentPort.once('message', () => (stopped = true));
await Promise.all(Array.from({ length: clients }, keepAsking));
parentPort.postMessage(answers);
parentPort.close();
