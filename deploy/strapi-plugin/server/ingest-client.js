'use strict';

// Asks clerk-ingest whose token this is: GET /v1/auth/verify, over connections that are kept. ask() never throws and
// always ends within timeoutMs, with exactly one of
//   { outcome: 'user', answer }             the body of a 200
//   { outcome: 'invalid' }                  401: not a token of ours, or no longer
//   { outcome: 'forbidden' }                403: a good token of a user who may not come in
//   { outcome: 'away', why, retryAfterS }   anything else: nothing is known about the token
// No part of a token is ever in `why` (I6).

const http = require('node:http');
const https = require('node:https');

const answerBytesMax = 64 * 1024;
const connectionsMax = 256;
const spareConnectionsMax = 16;
const retryAfterMaxS = 60;

const away = (why, retryAfterS = 1) => ({ outcome: 'away', why, retryAfterS });

function secondsOf(header) {
  return /^\d{1,4}$/.test(header || '') ? Math.min(Math.max(Number(header), 1), retryAfterMaxS) : 1;
}

const isRole = (role) => role === null || (typeof role === 'object' && Number.isInteger(role.id));
const isAnswer = (answer) =>
  typeof answer?.clerkId === 'string' && answer.clerkId !== '' && Number.isInteger(answer.user?.id) && isRole(answer.user.role ?? null);

function readAnswer(text) {
  let answer;
  try {
    answer = JSON.parse(text);
  } catch {
    return away('its answer is not JSON');
  }
  if (!isAnswer(answer)) return away('its answer names no user: is this the address of clerk-ingest?');
  return answer.user.blocked === true ? { outcome: 'forbidden' } : { outcome: 'user', answer };
}

function outcomeOf(response, text) {
  if (response.statusCode === 200) return readAnswer(text);
  if (response.statusCode === 401) return { outcome: 'invalid' };
  if (response.statusCode === 403) return { outcome: 'forbidden' };
  return away(`it answered ${response.statusCode}`, secondsOf(response.headers['retry-after']));
}

function readBody(response, done, failed) {
  const parts = [];
  let bytes = 0;
  response.on('data', (part) => {
    bytes += part.length;
    if (bytes > answerBytesMax) response.destroy(new Error('its answer is too long'));
    else parts.push(part);
  });
  response.on('error', failed);
  response.on('end', () => done(Buffer.concat(parts).toString('utf8')));
}

// An idle connection may be closed by the other side in the moment we take it. That request has reached nobody.
const wasClosedWhileIdle = (request, error) => request.reusedSocket && ['ECONNRESET', 'EPIPE'].includes(error.code);

function createIngestClient({ url, timeoutMs }) {
  const target = new URL(`${url.replace(/\/+$/, '')}/v1/auth/verify`);
  const transport = target.protocol === 'https:' ? https : http;
  const agent = new transport.Agent({ keepAlive: true, maxSockets: connectionsMax, maxFreeSockets: spareConnectionsMax });

  return function ask(token) {
    return new Promise((resolve) => {
      let request;
      let ended = false;
      const end = (outcome) => {
        ended = true;
        clearTimeout(timer);
        resolve(outcome);
      };
      const timer = setTimeout(() => {
        end(away(`no answer within ${timeoutMs} ms`));
        request.destroy();
      }, timeoutMs);
      const failed = (error) => {
        if (!ended) end(away(error.code || error.message));
      };
      const attempt = (triesLeft) => {
        request = transport.get(target, { agent, headers: { authorization: `Bearer ${token}`, accept: 'application/json' } });
        let answered = false;
        request.on('response', (response) => {
          answered = true;
          readBody(response, (text) => ended || end(outcomeOf(response, text)), failed);
        });
        const mine = request;
        request.on('error', (error) => {
          if (!ended && !answered && triesLeft > 0 && wasClosedWhileIdle(mine, error)) attempt(triesLeft - 1);
          else failed(error);
        });
      };
      attempt(1);
    });
  };
}

module.exports = { createIngestClient };
