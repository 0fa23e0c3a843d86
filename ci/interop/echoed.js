// npm `ws` as the client of server_tokio: one line a check, exit status 1 when one fails.
//
// Usage: echoed.js URL deflate|plain|broadcast
'use strict';

const assert = require('node:assert/strict');
const { randomBytes } = require('node:crypto');
const { once } = require('node:events');
const WebSocket = require('ws');

const [url, mode] = process.argv.slice(2);
const SCRIPTS = 'Latin äöü · Ελληνικά · кириллица · 漢字かな · 🦀🎉';
const LIMIT = 2 ** 24;
const CHECK_MS = 20_000;

/** Opens a connection, and queues what comes so that nothing is missed between two awaits. */
async function open() {
  const socket = new WebSocket(url, { maxPayload: 2 * LIMIT, perMessageDeflate: mode !== 'plain' });
  socket.messages = [];
  socket.on('message', (data, binary) => {
    socket.messages.push({ data, binary });
    socket.emit('queued');
  });
  socket.closed = new Promise((resolve) => {
    socket.on('close', (code, reason) => resolve({ code, reason: reason.toString() }));
  });
  socket.on('error', () => {});
  await once(socket, 'open');
  return socket;
}

async function expectMessage(socket, expected) {
  const closed = socket.closed.then(({ code }) => { throw new Error(`closed with ${code}`); });
  closed.catch(() => {});
  while (socket.messages.length === 0) await Promise.race([once(socket, 'queued'), closed]);
  const { data, binary } = socket.messages.shift();
  assert.equal(binary, typeof expected !== 'string', 'the kind of the message');
  assert.equal(Buffer.compare(data, Buffer.from(expected)), 0, `sent ${expected.length}, got ${data.length}`);
}

async function close(socket, code, reason) {
  socket.close(code, reason);
  assert.deepEqual(await socket.closed, { code, reason });
}

const echoes = (message) => async () => {
  const socket = await open();
  socket.send(message);
  await expectMessage(socket, message);
  await close(socket, 1000, 'bye');
};

async function agreesOnDeflate() {
  const socket = await open();
  assert.equal(socket.extensions.includes('permessage-deflate'), mode !== 'plain', socket.extensions);
  await close(socket, 1000, '');
}

async function echoesFragments() {
  const socket = await open();
  const pieces = Array.from({ length: 50 }, (_, index) => randomBytes(index * 7));
  pieces.forEach((piece, index) => socket.send(piece, { binary: true, fin: index === pieces.length - 1 }));
  await expectMessage(socket, Buffer.concat(pieces));
  await close(socket, 1000, '');
}

async function answersPings() {
  const socket = await open();
  for (const payload of [Buffer.alloc(0), randomBytes(125)]) {
    socket.ping(payload);
    const [pong] = await once(socket, 'pong');
    assert.deepEqual(pong, payload);
  }
  await close(socket, 1000, '');
}

async function echoesMany() {
  const socket = await open();
  const messages = Array.from({ length: 1000 }, (_, index) => (index % 2 ? `message ${index}` : randomBytes(index)));
  messages.forEach((message) => socket.send(message));
  for (const message of messages) await expectMessage(socket, message);
  await close(socket, 1000, '');
}

async function refusesTooLong() {
  const socket = await open();
  socket.send(Buffer.alloc(LIMIT + 1));
  assert.equal((await socket.closed).code, 1009);
}

async function refusesInvalidText() {
  const socket = await open();
  socket.send(Buffer.from([0x61, 0xc3, 0x28]), { binary: false });
  assert.equal((await socket.closed).code, 1007);
}

async function reachesAll() {
  const sockets = [await open(), await open(), await open()];
  await new Promise((resolve) => setTimeout(resolve, 200)); // until they are in the room
  for (const message of [SCRIPTS, randomBytes(100), 'again and again '.repeat(10_000), '']) {
    sockets[0].send(message);
    for (const socket of sockets) await expectMessage(socket, message);
  }
  for (const socket of sockets) await close(socket, 1000, 'all');
}

const CHECKS = [['permessage-deflate agreed on as it should', agreesOnDeflate]];
if (mode === 'broadcast') {
  CHECKS.push(['three clients receive what one sends', reachesAll]);
} else {
  CHECKS.push(
    ['empty text', echoes('')],
    ['text in five scripts', echoes(SCRIPTS)],
    ...[0, 1, 125, 126, 65_535, 65_536, 2 ** 20].map((length) => [`binary of ${length}`, echoes(randomBytes(length))]),
    ['text of 3 MiB', echoes(SCRIPTS.repeat(2 ** 15))],
    ['fragments', echoesFragments],
    ['pings', answersPings],
    ['1000 messages in order', echoesMany],
    ['close 3000 answered', async () => close(await open(), 3000, 'größer')],
    ['a message too long closed with 1009', refusesTooLong],
    ['invalid text closed with 1007', refusesInvalidText],
  );
}

async function main() {
  for (const [what, check] of CHECKS) {
    let timer;
    const late = new Promise((_, reject) => { timer = setTimeout(() => reject(new Error('too late')), CHECK_MS); });
    try {
      await Promise.race([check(), late]);
      console.log(`ok ws/client, ${mode}: ${what}`);
    } catch (error) {
      process.exitCode = 1;
      console.log(`FAIL ws/client, ${mode}: ${what}: ${error.message}`);
    }
    clearTimeout(timer);
  }
  process.exit();
}

main();
