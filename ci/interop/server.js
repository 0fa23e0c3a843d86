// An echo server of npm `ws` with the contract of examples/echo, for our client to talk to.
//
// It echoes every message whole. Beyond that: a request path /close/CODE/REASON makes it close at once; the path
// /fragments makes it echo in three fragments, cut anywhere, with a ping before each of the last two.
//
// Usage: server.js [--no-deflate]
'use strict';

const { WebSocketServer } = require('ws');

// 1005 and 1006 stand in no frame: they say that there was no code, or no close frame.
const closeText = ({ code, reason }) => (code && code !== 1005 && code !== 1006 ? `${code} "${reason}"` : 'none');

let connections = 0;

function echoInFragments(socket, payload, binary, pings) {
  const cut = Math.floor(payload.length / 3);
  socket.send(payload.subarray(0, cut), { binary, fin: false });
  for (const [piece, fin] of [[payload.subarray(cut, 2 * cut), false], [payload.subarray(2 * cut), true]]) {
    const ping = `ping ${pings.size}`;
    pings.set(ping, false);
    socket.ping(ping);
    socket.send(piece, { binary, fin });
  }
}

function handle(socket, request) {
  const number = ++connections;
  const say = (what) => console.log(`connection ${number}: ${what}`);
  const pings = new Map();
  let sent = {};
  // The library answers a close frame through this method too.
  const close = socket.close.bind(socket);
  socket.close = (code, reason) => {
    if (!sent.code) sent = { code, reason: reason?.toString() ?? '' };
    close(code, reason);
  };
  socket.on('error', (error) => say(`error ${error.message}`));
  socket.on('pong', (data) => pings.set(data.toString(), true));
  socket.on('ping', (data) => say(`ping of ${data.length}`));
  socket.on('message', (payload, binary) => {
    say(`${binary ? 'binary' : 'text'} of ${payload.length}`);
    if (request.url === '/fragments') echoInFragments(socket, payload, binary, pings);
    else socket.send(payload, { binary });
  });
  socket.on('close', (code, reason) => {
    const answered = [...pings.values()].filter(Boolean).length;
    if (pings.size > 0) say(`${answered} of ${pings.size} pings answered`);
    say(`sent close ${closeText(sent)}, received close ${closeText({ code, reason: reason.toString() })}`);
  });
  const [, verb, code, ...reason] = request.url.split('/');
  if (verb === 'close') socket.close(Number(code), reason.join('/'));
}

const perMessageDeflate = !process.argv.includes('--no-deflate');
const server = new WebSocketServer({ host: '127.0.0.1', port: 0, maxPayload: 2 ** 25, perMessageDeflate });
server.on('connection', handle);
server.on('listening', () => console.log(`listening on ws://127.0.0.1:${server.address().port}/`));
