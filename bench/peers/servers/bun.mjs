// Rooms on Bun: its server, its topics (uWebSockets within).
//
//     bun bun.mjs PORT [CERT KEY]
//
// The path is the room. What a member sends goes to all who are subscribed to it.
const [port, cert, key] = process.argv.slice(2);

const server = Bun.serve({
  hostname: '127.0.0.1',
  port: Number(port),
  tls: cert === undefined ? undefined : { cert: Bun.file(cert), key: Bun.file(key) },
  fetch(request, self) {
    const room = new URL(request.url).pathname;
    if (self.upgrade(request, { data: { room } })) return undefined;
    return new Response('expected a WebSocket\n', { status: 426 });
  },
  websocket: {
    perMessageDeflate: false,
    idleTimeout: 0,
    // As much as may wait for one member at the highest rates; the default of 1 MiB drops messages.
    backpressureLimit: 16 * 1024 * 1024,
    open: (member) => member.subscribe(member.data.room),
    message: (member, text) => server.publish(member.data.room, text),
  },
});
