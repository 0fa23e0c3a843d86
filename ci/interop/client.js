// npm `ws` as the client of an echo server: one line a check, exit status 1 when one fails.
//
// Usage: client.js URL
'use strict';

const assert = require('node:assert/strict');
const { randomBytes } = require('node:crypto');
const { once } = require('node:events');
const WebSocket = require('ws');

const url = process.argv[2].replace(/\/$/, '');
const SCRIPTS = 'Latin äöü · Ελληνικά · кириллица · 漢字かな · 🦀🎉';
const CHECK_MS = 20_000;

/** The sockets of the running check, to be dropped when it is over. */
const sockets = new Set();

/** Opens a connection, and queues what comes so that nothing is missed between two awaits. */
async function open(path = '/') {
  const socket = new WebSocket(url + path, { maxPayload: 2 ** 25, handshakeTimeout: 5000 });
  sockets.add(socket);
  socket.messages = [];
  socket.on('message', (data, binary) => {
    socket.messages.push({ data, binary });
    socket.emit('queued');
  });
  socket.closed = new Promise((resolve) => {
    socket.on('close', (code, reason) => resolve({ code, reason: reason.toString() }));
  });
  // The stream of events must have an error listener; `closed` then tells what the checks ask for.
  socket.on('error', () => {});
  socket.on('upgrade', (response) => { socket.response = response; });
  await once(socket, 'open');
  return socket;
}

async function receive(socket) {
  const closed = socket.closed.then(({ code, reason }) => { throw new Error(`closed with ${code} "${reason}"`); });
  while (socket.messages.length === 0) await Promise.race([once(socket, 'queued'), closed]);
  closed.catch(() => {});
  return socket.messages.shift();
}

async function expectMessage(socket, expected) {
  const { data, binary } = await receive(socket);
  assert.equal(binary, typeof expected !== 'string', 'the kind of the message');
  assert.equal(Buffer.compare(data, Buffer.from(expected)), 0, `sent ${expected.length}, got ${data.length}`);
}

async function expectEcho(socket, message) {
  socket.send(message);
  await expectMessage(socket, message);
}

async function close(socket, ...close) {
  socket.close(...close);
  return socket.closed;
}

const echoes = (message) => async () => {
  const socket = await open();
  await expectEcho(socket, message);
  assert.equal((await close(socket, 1000)).code, 1000);
};

async function declinesDeflate() {
  const socket = await open();
  assert.equal(socket.response.headers['sec-websocket-extensions'], undefined, 'an extension was accepted');
  assert.equal(socket.extensions, '');
  await expectEcho(socket, 'not compressed'.repeat(200));
}

async function echoesTextInFragments() {
  const socket = await open();
  const payload = Buffer.from(SCRIPTS);
  for (let at = 0; at < payload.length; at++) {
    if (at % 16 === 3) await expectPong(socket, `between ${at}`);
    socket.send(payload.subarray(at, at + 1), { binary: false, fin: at === payload.length - 1 });
  }
  await expectMessage(socket, SCRIPTS);
}

async function echoesBinaryInFragments() {
  const socket = await open();
  const pieces = [0, 200, 0, 0, 70_000, 0].map((length) => randomBytes(length));
  pieces.forEach((piece, at) => socket.send(piece, { binary: true, fin: at === pieces.length - 1 }));
  await expectMessage(socket, Buffer.concat(pieces));
}

async function expectPong(socket, payload) {
  socket.ping(payload);
  const [pong] = await once(socket, 'pong');
  assert.deepEqual(pong, Buffer.from(payload));
}

async function answersPings() {
  const socket = await open();
  for (const payload of ['', 'four', Buffer.from([0x00, 0xff]), randomBytes(125)]) await expectPong(socket, payload);
}

async function ignoresUnsolicitedPongs() {
  const socket = await open();
  socket.pong('nobody asked');
  await expectEcho(socket, 'still here');
}

async function echoesABurstInOrder() {
  const socket = await open();
  const messages = Array.from({ length: 300 }, (_, n) => (n % 2 ? `message ${n}` : Buffer.alloc(4 * n, n)));
  for (const message of messages) socket.send(message);
  for (const message of messages) await expectMessage(socket, message);
}

const answersClose = (expected, ...args) => async () => {
  const socket = await open();
  assert.deepEqual(await close(socket, ...args), expected);
};

const isClosedWith = (code, reason) => async () => {
  const socket = await open(`/close/${code}/${reason}`);
  assert.deepEqual(await socket.closed, { code, reason });
};

async function refusesInvalidText() {
  const socket = await open();
  socket.send(Buffer.from('valid, and then \xc3\x28', 'latin1'), { binary: false });
  assert.equal((await socket.closed).code, 1007);
}

const CHECKS = [
  ['permessage-deflate offered and declined', declinesDeflate],
  ['empty text', echoes('')],
  ['empty binary', echoes(Buffer.alloc(0))],
  ['text in five scripts', echoes(SCRIPTS)],
  ...[1, 125, 126, 127, 65_535, 65_536].map((length) => [`binary of ${length}`, echoes(randomBytes(length))]),
  ['binary of 1 MiB', echoes(randomBytes(2 ** 20))],
  ['text of 1 MiB', echoes('\u0416\u6f22'.repeat(209_715))],
  ['text in one-byte fragments with pings between', echoesTextInFragments],
  ['binary in fragments, some of them empty', echoesBinaryInFragments],
  ['ping payloads of 0, 4, 2 and 125 come back', answersPings],
  ['unsolicited pong ignored', ignoresUnsolicitedPongs],
  ['burst of 300 messages in order', echoesABurstInOrder],
  ['close 1000 answered', answersClose({ code: 1000, reason: 'bye' }, 1000, 'bye')],
  ['close without a code answered', answersClose({ code: 1005, reason: '' })],
  ['close 3000 answered', answersClose({ code: 3000, reason: 'größer' }, 3000, 'größer')],
  ['close 4999 with a reason of 123 bytes answered',
    answersClose({ code: 4999, reason: 'r'.repeat(123) }, 4999, 'r'.repeat(123))],
  ['closed by the server with 1000', isClosedWith(1000, 'done')],
  ['closed by the server with 1012', isClosedWith(1012, 'restart')],
  ['closed by the server with 4321', isClosedWith(4321, 'countdown')],
  ['invalid text closed with 1007', refusesInvalidText],
];

function withTimeLimit(promise) {
  let timer;
  const limit = new Promise((_, reject) => { timer = setTimeout(() => reject(new Error('timed out')), CHECK_MS); });
  return Promise.race([promise, limit]).finally(() => clearTimeout(timer));
}

async function main() {
  let failed = 0;
  for (const [what, check] of CHECKS) {
    try {
      await withTimeLimit(check());
      console.log(`ok ws/client ${what}`);
    } catch (error) {
      failed += 1;
      console.log(`FAIL ws/client ${what}: ${error.message.replace(/\s+/g, ' ')}`);
    }
    for (const socket of sockets) socket.terminate();
    sockets.clear();
  }
  process.exitCode = failed > 0 ? 1 : 0;
}

main();
