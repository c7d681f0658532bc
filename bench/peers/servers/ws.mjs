// Rooms on Node with npm's ws: a set of members a room, and a loop over it.
//
//     node ws.mjs PORT [CERT KEY]
//
// The path is the room. NODE_PATH tells where ws is.
import { readFileSync } from 'node:fs';
import { createServer as createPlain } from 'node:http';
import { createServer as createSecure } from 'node:https';
import { createRequire } from 'node:module';

const { WebSocketServer } = createRequire(import.meta.url)('ws');
const [port, cert, key] = process.argv.slice(2);

const http =
  cert === undefined
    ? createPlain()
    : createSecure({ cert: readFileSync(cert), key: readFileSync(key) });
const rooms = new Map();

function roomOf(name) {
  let members = rooms.get(name);
  if (members === undefined) rooms.set(name, (members = new Set()));
  return members;
}

const server = new WebSocketServer({ server: http, perMessageDeflate: false });
server.on('connection', (member, request) => {
  const members = roomOf(request.url);
  members.add(member);
  member.on('message', (data, binary) => {
    for (const each of members) each.send(data, { binary });
  });
  member.on('close', () => members.delete(member));
  member.on('error', () => member.terminate());
});
http.listen({ host: '127.0.0.1', port: Number(port), backlog: 4096 });
