// A Socket.IO chat on Node with the events of Parley's own (docs/protocol.md, Socket.IO), to measure
// beside it: rooms, `message` relayed to a room, acknowledged, over WebSocket and polling.
//
//     node bench/peers/socketio_chat.mjs MODULES [--listen HOST:PORT] [--cert FILE --key FILE]
//
// MODULES is a folder for npm: socket.io is installed there where it is not yet. Prints
// "listening on HOST:PORT, socket.io VERSION, pid PID" when it can be connected to.
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync } from 'node:fs';
import { createServer as createPlain } from 'node:http';
import { createServer as createSecure } from 'node:https';
import { createRequire } from 'node:module';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';

const wanted = 'socket.io@4.8';
const historyMax = 50;
const usage = 'usage: socketio_chat.mjs MODULES [--listen HOST:PORT] [--cert FILE --key FILE]';

function readArguments() {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: {
      listen: { type: 'string', default: '127.0.0.1:3000' },
      cert: { type: 'string' },
      key: { type: 'string' },
    },
  });
  const address = /^(.+):(\d+)$/.exec(values.listen);
  if (positionals.length !== 1) throw new Error(`expected one folder for npm; ${usage}`);
  if (address === null) throw new Error(`--listen ${values.listen}: expected HOST:PORT`);
  if (!values.cert !== !values.key) throw new Error('--cert and --key go together');
  return { ...values, modules: resolve(positionals[0]), host: address[1], port: Number(address[2]) };
}

function loadSocketIo(modules) {
  const folder = join(modules, 'node_modules', 'socket.io');
  if (!existsSync(folder)) {
    mkdirSync(modules, { recursive: true });
    const npm = spawnSync('npm', ['install', '--prefix', modules, '--no-fund', '--no-audit', wanted], {
      stdio: ['ignore', 'ignore', 'inherit'],
    });
    if (npm.status !== 0) throw new Error(`npm could not install ${wanted} into ${modules}`);
  }
  const require = createRequire(join(modules, 'package.json'));
  return { Server: require('socket.io').Server, version: require('socket.io/package.json').version };
}

const rooms = new Map(); // name → { offset, history }
function roomOf(name) {
  let room = rooms.get(name);
  if (room === undefined) rooms.set(name, (room = { offset: 0, history: [] }));
  return room;
}

function enter(socket, name) {
  socket.join(name);
  socket.data.room = name;
  socket.emit('message_history', roomOf(name).history);
}

function publish(io, socket, said) {
  const text = typeof said === 'string' ? said : said?.text ?? said?.message ?? said?.msg;
  const name = said?.room ?? socket.data.room;
  if (typeof text !== 'string' || typeof name !== 'string') {
    return { error: { code: 'bad_request', message: 'expected a text', temporary: false } };
  }
  const room = roomOf(name);
  const offset = ++room.offset;
  const message = {
    username: socket.data.username,
    text,
    message: text,
    timestamp: new Date().toISOString(),
    room: name,
    offset,
    id: `${name}:${offset}`,
  };
  room.history.push(message);
  if (room.history.length > historyMax) room.history.shift();
  io.to(name).emit('message', message);
  return { room: name, offset, cursor: message.id, at: message.timestamp };
}

function serve({ host, port, cert, key, modules }) {
  const { Server, version } = loadSocketIo(modules);
  const http = cert
    ? createSecure({ cert: readFileSync(cert), key: readFileSync(key) })
    : createPlain();
  const io = new Server(http, { serveClient: false });
  io.on('connection', (socket) => {
    const { auth, query } = socket.handshake;
    socket.data.username = auth.username ?? query.username ?? socket.id;
    enter(socket, auth.room ?? query.room ?? 'lobby');
    socket.on('join', (asked, ack) => {
      enter(socket, typeof asked === 'string' ? asked : asked.room);
      ack?.({ room: socket.data.room });
    });
    socket.on('leave', (asked, ack) => {
      socket.leave(typeof asked === 'string' ? asked : asked.room);
      ack?.({});
    });
    socket.on('message', (said, ack) => {
      const answer = publish(io, socket, said);
      ack?.(answer);
    });
  });
  http.on('error', (error) => fail(error));
  http.listen({ host, port, backlog: 4096 }, () => {
    const at = http.address();
    console.log(`listening on ${at.address}:${at.port}, socket.io ${version}, pid ${process.pid}`);
  });
  const stop = () => io.close(() => process.exit(0));
  process.on('SIGTERM', stop);
  process.on('SIGINT', stop);
}

function fail(error) {
  console.error(`socketio_chat: ${error.message}`);
  process.exit(1);
}

try {
  serve(readArguments());
} catch (error) {
  fail(error);
}
