// Engine.IO and Socket.IO as the transport has them, with stock clients, against an application
// that only echoes: what is sent comes back whole, in order and once, whatever carries it.
// UPGRADES says how often the upgrade under traffic is tried (1000).

import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createRequire } from 'node:module';
import { after, before, describe, test } from 'node:test';

import { Door } from './clients.mjs';
import { startEchoServer } from './echo_server.mjs';
import { startLaggingRelay } from './server.mjs';
import { carrier, clients, connected, inboxOf, modes, newSocket } from './socketio_clients.mjs';

const payloadMax = 1_000_000;
const patience = { timeout: 30_000 };
const upgrades = Number(process.env.UPGRADES ?? 1000);

let server;
let door;

before(async () => {
    server = await startEchoServer({
        // Often, so that heartbeats come between everything else.
        'ping-interval': 100,
        'ping-timeout': 20_000,
        'max-payload': payloadMax,
        'connect-timeout': 20_000,
    });
    door = new Door(server.port);
});

after(() => server?.stop());

const isEcho = ({ event }) => event === 'message-back';

/** A socket of socket.io-client 4 that ends with the test. */
async function open(t, mode, options, path = '') {
    const socket = newSocket(`${door.url}${path}`, { transports: modes[mode], ...options });
    t.after(() => socket.disconnect());
    socket.inbox = inboxOf(socket);
    return connected(socket, mode);
}

function bytes(size) {
    const all = Buffer.alloc(size);
    for (let i = 0; i < size; ++i) all[i] = (i * 31 + (i >> 8)) & 255;
    return all;
}

// ---- every client, however it is carried -----------------------------------------------------

for (const [client, opened] of Object.entries(clients)) {
    for (const mode of Object.keys(modes)) {
        test(`${client} is echoed, ${mode}`, patience, async (t) => {
            const auth = { token: '123' };
            const it = await opened(t, door, mode, { namespace: '/custom', auth });
            assert.equal(it.transport, carrier(mode));
            const isAuth = ({ event }) => event === 'auth';
            const { args } = await it.inbox.until(isAuth);
            assert.deepEqual(args, [auth]);

            const all = [
                [1, 'two', { three: [false, null, 4.5] }],
                ['grüße 🎉 "\\\n\u001e\u2028', ''],
                [bytes(3), { deep: [bytes(256)] }, 'text after'],
                [bytes(0)],
                ['x'.repeat(70_000)],
                [],
            ];
            // One by one: a Python client with threads has one for each event.
            for (const sent of all) {
                it.emit('message', ...sent);
                assert.deepEqual((await it.inbox.until(isEcho)).args, sent);
            }
            for (const sent of all.slice(0, 4)) {
                assert.deepEqual(await it.call(20, 'message-with-ack', ...sent), sent);
            }
            await assert.rejects(it.call(0.05, 'nobody acknowledges this', 1), /timeout/);
            assert.deepEqual(await it.call(20, 'message-with-ack', 'and it lives on'), [
                'and it lives on',
            ]);
            it.close();
            await it.closed;
        });
    }

    test(`${client} is told that there is no such namespace`, patience, async (t) => {
        const refused = opened(t, door, 'upgraded', { namespace: '/random' });
        await assert.rejects(refused, /namespace/);
    });
}

// ---- upgrade ---------------------------------------------------------------------------------

/** Numbered messages go both ways all the while; resolves some messages after the upgrade. */
function upgradeUnderTraffic(url, number) {
    return new Promise((resolve, reject) => {
        const socket = newSocket(url, { query: { lag: 3 * (number % 8) } });
        const inFlight = 1 + (number % 6);
        const seen = { before: 0, after: 0 };
        let sent = 0;
        let heard = 0;
        let last = Infinity;
        const fail = (text) => {
            socket.disconnect();
            reject(new Error(`try ${number}: ${text}`));
        };
        const send = () => {
            const n = sent++;
            if (n % 3 === number % 3) socket.emit('message', n, Buffer.from(`${n}`));
            else socket.emit('message', n);
        };
        socket.on('connect_error', (error) => fail(error.message));
        socket.on('disconnect', (reason) => heard < last && fail(`disconnected: ${reason}`));
        // It may come before the namespace is connected.
        socket.io.engine.once('upgrade', () => (last = sent + inFlight + 5));
        socket.on('connect', () => {
            for (let i = 0; i < inFlight; ++i) send();
        });
        socket.on('message-back', (n, attached) => {
            if (n !== heard) return fail(`${n} came where ${heard} was due`);
            if (attached && `${attached}` !== `${n}`) return fail(`${attached} came with ${n}`);
            ++seen[last === Infinity ? 'before' : 'after'];
            ++heard;
            if (sent < last) send();
            if (heard === last) {
                socket.disconnect();
                resolve(seen);
            }
        });
    });
}

test(
    `${upgrades} upgrades under traffic lose, repeat and swap nothing`,
    { timeout: 300_000 },
    async (t) => {
        const relay = await startLaggingRelay(server.port);
        t.after(() => relay.close());
        const all = [];
        let next = 0;
        const lane = async () => {
            while (next < upgrades) all.push(await upgradeUnderTraffic(relay.url, next++));
        };
        await Promise.all(Array.from({ length: 25 }, lane));
        assert.equal(all.length, upgrades);
        const times = (moment) => all.filter((seen) => seen[moment] > 0).length;
        assert.equal(times('after'), upgrades);
        assert.ok(times('before') > 0);
        t.diagnostic(`${times('before')} with traffic before`);
    },
);

test('an upgrade that is given up leaves polling as it was', patience, async (t) => {
    const { WebSocket } = createRequire(import.meta.url)('ws');
    const socket = await open(t, 'polling');
    const url = `ws://127.0.0.1:${door.port}/socket.io/?EIO=4&transport=websocket`;
    let n = 0;
    for (let tries = 0; tries < 20; ++tries) {
        const probing = new WebSocket(`${url}&sid=${socket.io.engine.id}`);
        await once(probing, 'open');
        probing.send('2probe');
        for (let i = 0; i < 5; ++i) socket.emit('message', n + i);
        assert.equal(`${(await once(probing, 'message'))[0]}`, '3probe');
        const closed = once(probing, 'close');
        if (tries % 2) probing.terminate();
        else probing.close();
        for (let i = 0; i < 5; ++i, ++n) {
            assert.deepEqual((await socket.inbox.until(isEcho)).args, [n]);
        }
        await closed;
    }
    assert.ok(socket.connected);
});

// ---- acknowledgements ------------------------------------------------------------------------

for (const mode of Object.keys(modes)) {
    describe(mode, () => {
        test('an acknowledgement comes, or the time is up', patience, async (t) => {
            const socket = await open(t, mode);
            const patiently = socket.timeout(20_000);
            const all = await Promise.all(
                Array.from({ length: 200 }, (_, n) =>
                    patiently.emitWithAck('message-with-ack', n, `text ${n}`),
                ),
            );
            assert.deepEqual(
                all,
                Array.from({ length: 200 }, (_, n) => n),
            );
            const unanswered = socket.timeout(20).emitWithAck('nothing of the kind');
            await assert.rejects(unanswered, /timed out/);
            assert.equal(await patiently.emitWithAck('message-with-ack', 'later'), 'later');
        });

        test('a connection carries several namespaces', patience, async (t) => {
            const main = await open(t, mode);
            assert.deepEqual(await main.inbox.next(), { event: 'auth', args: [{}] });
            const custom = main.io.socket('/custom', { auth: { name: 'ann' } });
            custom.inbox = inboxOf(custom);
            assert.deepEqual(await custom.inbox.next(), { event: 'auth', args: [{ name: 'ann' }] });
            assert.notEqual(main.id, custom.id);
            assert.ok(![main.id, custom.id].includes(main.io.engine.id));
            custom.emit('message', 'custom');
            main.emit('message', 'main');
            assert.deepEqual((await custom.inbox.next()).args, ['custom']);
            assert.deepEqual((await main.inbox.next()).args, ['main']);
            custom.disconnect();
            main.emit('message', 'still here');
            assert.deepEqual((await main.inbox.next()).args, ['still here']);
        });

        test('heartbeats keep an idle connection', patience, async (t) => {
            const socket = await open(t, mode);
            for (let i = 0; i < 5; ++i) {
                await new Promise((resolve) => socket.io.once('ping', resolve));
            }
            assert.ok(socket.connected);
            assert.equal(socket.io.engine.transport.name, carrier(mode));
        });
    });
}

// ---- binary ----------------------------------------------------------------------------------

// A polling body carries base64, and beside it what the client believes to fit: it reckons with a
// little less than base64 takes.
const largest = {
    polling: Math.floor((payloadMax - 200) / 4) * 3,
    websocket: payloadMax,
    upgraded: payloadMax,
};

for (const mode of Object.keys(modes)) {
    describe(mode, () => {
        test('binary of every size makes the round trip', patience, async (t) => {
            const socket = await open(t, mode);
            const sizes = [0, 1, 2, 3, 125, 126, 127, 65_535, 65_536, 262_144, largest[mode]];
            for (const size of sizes) {
                const sent = bytes(size);
                socket.emit('message', size, sent);
                const echo = await socket.inbox.until(isEcho);
                assert.equal(echo.args[0], size);
                assert.ok(sent.equals(echo.args[1]), `${size} bytes`);
                const ack = await socket
                    .timeout(20_000)
                    .emitWithAck('message-with-ack', sent);
                assert.ok(sent.equals(ack), `${size} bytes acknowledged`);
            }
            assert.ok(socket.connected);
        });

        test('ten attachments are taken and eleven are not', patience, async (t) => {
            const socket = await open(t, mode);
            const attached = Array.from({ length: 10 }, (_, n) => bytes(n * 1000));
            socket.emit('message', { deep: attached }, 'end');
            const { args } = await socket.inbox.until(isEcho);
            assert.deepEqual(args, [{ deep: attached }, 'end']);
            socket.emit('message', ...attached, bytes(1));
            const [reason] = await once(socket, 'disconnect');
            assert.match(reason, /transport (close|error)/);
        });

        test('what is too large ends its connection alone', patience, async (t) => {
            const other = await open(t, mode);
            const socket = await open(t, mode);
            socket.emit('message', bytes(payloadMax + 1));
            const [reason] = await once(socket, 'disconnect');
            assert.match(reason, /transport (close|error)/);
            assert.equal(await other.timeout(20_000).emitWithAck('message-with-ack', 1), 1);
        });
    });
}
