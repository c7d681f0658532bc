// Rooms on Node with npm's socket.io, for loadtest/targets/socketio.txt.
//
//     node socketio.mjs PORT [CERT KEY]
//
// NODE_PATH tells where socket.io is.
import { readFileSync } from 'node:fs';
import { createServer as createPlain } from 'node:http';
import { createServer as createSecure } from 'node:https';
import { createRequire } from 'node:module';

const { Server } = createRequire(import.meta.url)('socket.io');
const [port, cert, key] = process.argv.slice(2);

const http =
  cert === undefined
    ? createPlain()
    : createSecure({ cert: readFileSync(cert), key: readFileSync(key) });
const io = new Server(http, { serveClient: false, perMessageDeflate: false });

io.on('connection', (socket) => {
  socket.on('join', (room) => {
    socket.join(room);
    socket.emit('joined', room);
  });
  socket.on('msg', (room, text) => io.to(room).emit('msg', text));
});
http.listen({ host: '127.0.0.1', port: Number(port), backlog: 4096 });
