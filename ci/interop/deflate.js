// npm `ws` with permessage-deflate, with every combination of parameters that it has.
//
// Usage: deflate.js client URL       one line a combination, exit status 1 when one fails
//        deflate.js serve PARAMS     an echo server that asks for these, as in "server_max_window_bits=10"
'use strict';

const assert = require('node:assert/strict');
const { randomBytes } = require('node:crypto');
const { once } = require('node:events');
const WebSocket = require('ws');

const TEXT = '{"id": 7, "name": "größer 漢字 🦀", "list": [1, 2, 3]}, '.repeat(60);
const MESSAGES = [TEXT, TEXT, '', Buffer.alloc(0), Buffer.alloc(100_000), randomBytes(70_000), TEXT.repeat(30), 'a'];
const COMMON = { threshold: 0, concurrencyLimit: 4 };

async function receive(socket) {
  const [data, binary] = await once(socket, 'message', { signal: AbortSignal.timeout(20_000) });
  return binary ? data : data.toString();
}

async function exchange(url, parameters) {
  const socket = new WebSocket(url, { perMessageDeflate: { ...COMMON, ...parameters }, maxPayload: 2 ** 25 });
  await once(socket, 'open');
  assert.equal(socket.extensions, 'permessage-deflate', 'no extension was agreed on');
  for (const message of MESSAGES) {
    const answer = receive(socket);
    socket.send(message);
    assert.deepEqual(await answer, message);
  }
  const answer = receive(socket);
  for (const [at, piece] of [TEXT.slice(0, 500), '', TEXT.slice(500, 1001), TEXT.slice(1001)].entries()) {
    socket.ping('between');
    socket.send(piece, { fin: at === 3 });
  }
  assert.equal(await answer, TEXT);
  socket.close(1000);
  await once(socket, 'close');
}

async function client(url) {
  const flags = [undefined, true];
  const bits = [undefined, 9, 12, 15];
  for (const serverNoContextTakeover of flags) {
    for (const clientNoContextTakeover of flags) {
      for (const serverMaxWindowBits of bits) {
        for (const clientMaxWindowBits of [...bits, true]) {
          const parameters = { serverNoContextTakeover, clientNoContextTakeover, serverMaxWindowBits, clientMaxWindowBits };
          try {
            await exchange(url, parameters);
            console.log(`ok ws/client ${JSON.stringify(parameters)}`);
          } catch (error) {
            process.exitCode = 1;
            console.log(`FAIL ws/client ${JSON.stringify(parameters)}: ${error.message}`);
          }
        }
      }
    }
  }
}

function serve(params) {
  const perMessageDeflate = { ...COMMON };
  for (const param of params.split(';').map((param) => param.trim()).filter(Boolean)) {
    const [name, value] = param.split('=');
    perMessageDeflate[name.replace(/_(.)/g, (_, letter) => letter.toUpperCase())] = value ? Number(value) : true;
  }
  const server = new WebSocket.Server({ host: '127.0.0.1', port: 0, maxPayload: 2 ** 25, perMessageDeflate });
  server.on('connection', (socket) => {
    socket.on('message', (payload, binary) => {
      const half = payload.length >> 1;
      socket.send(payload.subarray(0, half), { binary, fin: false });
      socket.send(payload.subarray(half), { binary });
    });
  });
  server.on('listening', () => console.log(`listening on ws://127.0.0.1:${server.address().port}/`));
}

if (process.argv[2] === 'client') client(process.argv[3]);
else serve(process.argv[3]);
