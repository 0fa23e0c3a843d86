// The sessions that record.py stores, with npm `ws` as the client.
//
// Usage: session.js URL
'use strict';

const assert = require('node:assert/strict');
const { once } = require('node:events');
const WebSocket = require('ws');

const url = process.argv[2].replace(/\/$/, '');
const TEXTS = ['', 'plain', 'äöü ß', 'Ελληνικά', 'кириллица', '漢字かな交じり', '🦀🎉 mixed with ascii'];
const LENGTHS = [0, 1, 125, 126, 200];

const counting = (length) => Buffer.from(Array.from({ length }, (_, n) => n));

async function open(path) {
  const socket = new WebSocket(url + path, { perMessageDeflate: false, handshakeTimeout: 5000 });
  socket.closed = once(socket, 'close');
  await once(socket, 'open');
  return socket;
}

async function expectMessage(socket, expected) {
  const [data] = await once(socket, 'message');
  assert.equal(Buffer.compare(data, Buffer.from(expected)), 0);
}

async function ping(socket, payload) {
  socket.ping(payload);
  await once(socket, 'pong');
}

async function wholeMessages() {
  const socket = await open('/');
  for (const message of [...TEXTS, ...LENGTHS.map(counting)]) {
    socket.send(message);
    await expectMessage(socket, message);
  }
  for (const payload of ['', 'hello', counting(125)]) await ping(socket, payload);
  socket.close(1000, 'bye');
  await socket.closed;
}

async function sendPieces(socket, payload, length, binary) {
  socket.send('', { binary, fin: false });
  for (let at = 0; at < payload.length; at += length) {
    await ping(socket, `at ${at}`);
    socket.send(payload.subarray(at, at + length), { binary, fin: at + length >= payload.length });
  }
  await expectMessage(socket, payload);
}

async function fragments() {
  const socket = await open('/fragments');
  await sendPieces(socket, Buffer.from(TEXTS.join(' · ')), 11, false);
  await sendPieces(socket, counting(200), 70, true);
  socket.close(3001, 'größer');
  await socket.closed;
}

async function closedByTheServer() {
  const socket = await open('/close/4001/enough');
  const [code] = await socket.closed;
  assert.equal(code, 4001);
}

setTimeout(() => process.exit(2), 20_000).unref();
wholeMessages().then(fragments).then(closedByTheServer);
