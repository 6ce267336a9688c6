'use strict';

// Verifies a token at clerk-ingest: GET /v1/auth/verify, over keep-alive connections. verifyToken() never throws and
// always resolves within timeoutMs, with exactly one of
//   { outcome: 'user', answer }                    the body of a 200
//   { outcome: 'invalid' }                         401: the token is invalid or expired
//   { outcome: 'forbidden' }                       403: a valid token of a blocked or deleted user
//   { outcome: 'unavailable', why, retryAfterS }   anything else: the token could not be verified
// No part of a token is ever in `why` (I6).

const http = require('node:http');
const https = require('node:https');

const answerBytesMax = 64 * 1024;
const connectionsMax = 256;
const spareConnectionsMax = 16;
const retryAfterMaxS = 60;

const unavailable = (why, retryAfterS = 1) => ({ outcome: 'unavailable', why, retryAfterS });

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
    return unavailable('its response is not JSON');
  }
  if (!isAnswer(answer)) return unavailable('its response contains no user; check that ingestUrl is the address of clerk-ingest');
  return answer.user.blocked === true ? { outcome: 'forbidden' } : { outcome: 'user', answer };
}

function outcomeOf(response, text) {
  if (response.statusCode === 200) return readAnswer(text);
  if (response.statusCode === 401) return { outcome: 'invalid' };
  if (response.statusCode === 403) return { outcome: 'forbidden' };
  return unavailable(`it returned ${response.statusCode}`, secondsOf(response.headers['retry-after']));
}

function readBody(response, done, failed) {
  const parts = [];
  let bytes = 0;
  response.on('data', (part) => {
    bytes += part.length;
    if (bytes > answerBytesMax) response.destroy(new Error('its response is too long'));
    else parts.push(part);
  });
  response.on('error', failed);
  response.on('end', () => done(Buffer.concat(parts).toString('utf8')));
}

// The server may close an idle connection at the moment we reuse it. It has not received that request, so a retry is
// safe.
const wasClosedWhileIdle = (request, error) => request.reusedSocket && ['ECONNRESET', 'EPIPE'].includes(error.code);

function createIngestClient({ url, timeoutMs }) {
  const target = new URL(`${url.replace(/\/+$/, '')}/v1/auth/verify`);
  const transport = target.protocol === 'https:' ? https : http;
  const agent = new transport.Agent({ keepAlive: true, maxSockets: connectionsMax, maxFreeSockets: spareConnectionsMax });

  return function verifyToken(token) {
    return new Promise((resolve) => {
      let request;
      let ended = false;
      const end = (outcome) => {
        ended = true;
        clearTimeout(timer);
        resolve(outcome);
      };
      const timer = setTimeout(() => {
        end(unavailable(`no response within ${timeoutMs} ms`));
        request.destroy();
      }, timeoutMs);
      const failed = (error) => {
        if (!ended) end(unavailable(error.code || error.message));
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
