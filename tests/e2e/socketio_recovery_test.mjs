// Connections that are lost, and what stock clients make of it: a state recovered whole, or an
// honest fresh start. STORM says how many are cut at once (300).

import assert from 'node:assert/strict';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';

import { Door } from './clients.mjs';
import { startRelay, startServer } from './server.mjs';
import { connected, inboxOf, modes, newSocket } from './socketio_clients.mjs';

const patience = { timeout: 120_000 };
const storm = Number(process.env.STORM ?? 300);

let server;
let rooms = 0;

before(async () => (server = await startServer()));
after(() => server?.kill());

const freshRoom = () => `recovery-${++rooms}`;
const count = (length, first = 1) => Array.from({ length }, (_, i) => first + i);
const isMessage = ({ event }) => event === 'message';

/** A socket that comes back by itself; its faults are what should not have happened to it. */
function persistentSocket(t, url, mode, auth) {
    const socket = newSocket(url, {
        transports: modes[mode],
        auth,
        reconnection: true,
        reconnectionDelay: 20,
        reconnectionDelayMax: 200,
    });
    t.after(() => socket.disconnect());
    socket.faults = [];
    const judge = (text) => {
        if (/session id|\b4\d\d\b/i.test(text)) socket.faults.push(text);
    };
    const watch = (engine) => {
        engine.on('close', (reason, error) => {
            const answer = error?.context;
            judge(`${error?.description ?? ''} ${answer?.responseText ?? ''}`);
        });
    };
    watch(socket.io.engine);
    socket.io.on('reconnect_attempt', () => setImmediate(() => watch(socket.io.engine)));
    socket.on('connect_error', (error) => judge(`${error.message} ${error.description ?? ''}`));
    return socket;
}

/** Keeps what a socket hears, by room; hears(room, offset) resolves once that came. */
function ledgerOf(socket) {
    const heard = new Map();
    const waiting = [];
    const hear = ({ room, offset }) => {
        if (!heard.has(room)) heard.set(room, []);
        heard.get(room).push(offset);
        for (const wait of waiting) wait();
    };
    socket.on('message', hear);
    return {
        offsets: (room) => heard.get(room) ?? [],
        hears: (room, offset) =>
            new Promise((resolve) => {
                const look = () => heard.get(room)?.includes(offset) && resolve();
                waiting.push(look);
                look();
            }),
    };
}

/** Says things in these rooms, one after the other, until it is stopped. */
function startTalker(door, among) {
    let talking = true;
    const last = new Map();
    const rounds = [];
    const done = (async () => {
        for (let i = 0; talking; ++i) {
            for (const room of among) last.set(room, (await door.say(room, `${i}`, 'bob')).offset);
            for (const next of rounds.splice(0)) next();
            await new Promise((resolve) => setTimeout(resolve, 2));
        }
    })();
    return {
        /** Once each room heard something more. */
        another: () => new Promise((resolve) => rounds.push(resolve)),
        /** Resolves with the last offset of each room. */
        stop: async () => {
            talking = false;
            await done;
            return last;
        },
    };
}

/** Resolves once it came back: by the WebSocket where it may have one. */
async function returned(socket, mode) {
    await once(socket, 'connect');
    const { engine } = socket.io;
    // A stock client whose WebSocket is cut while it changes over only notices by its heartbeat.
    if (mode === 'upgraded' && engine.transport.name !== 'websocket') await once(engine, 'upgrade');
}

for (const mode of Object.keys(modes)) {
    describe(mode, () => {
        test('a cut connection is recovered, and misses nothing', patience, async (t) => {
            const door = new Door(server.port);
            const relay = await startRelay(server.port);
            t.after(() => relay.close());
            const among = [freshRoom(), freshRoom(), freshRoom()];
            const watcher = await connected(
                newSocket(door.url, { auth: { username: 'watcher', room: among[0] } }),
                'polling',
            );
            t.after(() => watcher.disconnect());
            const watched = inboxOf(watcher);

            const ann = persistentSocket(t, relay.url, mode, { username: 'ann', room: among[0] });
            const ledger = ledgerOf(ann);
            await connected(ann, mode);
            assert.equal(ann.recovered, false);
            for (const room of among.slice(1)) {
                const ack = await ann.timeout(20_000).emitWithAck('join', { room });
                assert.equal(ack.error, undefined);
            }
            const { id } = ann;
            const talker = startTalker(door, among);
            t.after(() => talker.stop());
            for (let cuts = 0; cuts < 8; ++cuts) {
                await talker.another();
                await talker.another();
                const lost = once(ann, 'disconnect');
                // As networks have it: sometimes the server's words are lost for a while before.
                if (cuts % 2) {
                    relay.loseAnswers();
                    await talker.another();
                }
                relay.cut();
                await lost;
                for (let i = 0; i < 3 * cuts; ++i) await talker.another();
                const back = returned(ann, mode);
                relay.restore();
                await back;
                assert.equal(ann.recovered, true, `cut ${cuts}`);
                assert.equal(ann.id, id);
            }
            const last = await talker.stop();
            for (const [room, offset] of last) {
                await ledger.hears(room, offset);
                const offsets = ledger.offsets(room);
                assert.deepEqual(offsets, count(offset - offsets[0] + 1, offsets[0]), room);
                assert.ok(offsets.length > 16);
            }
            // To others it never left, and it speaks on in its rooms.
            for (const room of among) {
                const ack = await ann.timeout(20_000).emitWithAck('message', { room, text: 'on' });
                assert.equal(ack.offset, last.get(room) + 1);
            }
            const events = [];
            while (!events.includes('message')) {
                const { event } = await watched.until(({ args }) => args[0]?.username === 'ann');
                events.push(event);
            }
            assert.deepEqual(events, ['user_joined', 'message']);
            assert.deepEqual(ann.faults, []);
        });

        test('after another server came it is a fresh start', patience, async (t) => {
            const first = await startServer();
            t.after(() => first.kill());
            const ann = persistentSocket(t, first.url, mode, { username: 'ann', room: 'lobby' });
            const inbox = inboxOf(ann);
            await connected(ann, mode);
            ann.emit('message', 'before');
            assert.equal((await inbox.until(isMessage)).args[0].text, 'before');
            const { id } = ann;
            const lost = once(ann, 'disconnect');
            await first.kill();
            await lost;
            const later = inboxOf(ann);
            const back = once(ann, 'connect');
            const second = await startServer({ port: first.port });
            t.after(() => second.kill());
            await back;
            assert.equal(ann.recovered, false);
            assert.notEqual(ann.id, id);
            ann.emit('message', 'after');
            const [{ text, offset, room }] = (await later.until(isMessage)).args;
            assert.deepEqual([text, offset, room], ['after', 1, 'lobby']);
        });

        test('a restart with a store is recovered, and misses nothing', patience, async (t) => {
            const folder = mkdtempSync(join(tmpdir(), 'parley-recovery-'));
            t.after(() => rmSync(folder, { recursive: true, force: true }));
            const env = { PARLEY_HISTORY__STORE: `sqlite:${join(folder, 'history.db')}` };
            const first = await startServer({ env });
            t.after(() => first.kill());
            const among = [freshRoom(), freshRoom()];
            const auth = { username: 'ann', room: among[0] };
            const ann = persistentSocket(t, first.url, mode, auth);
            const ledger = ledgerOf(ann);
            await connected(ann, mode);
            const ack = await ann.timeout(20_000).emitWithAck('join', { room: among[1] });
            assert.equal(ack.error, undefined);
            for (let i = 0; i < 10; ++i) {
                for (const room of among) await new Door(first.port).say(room, `${i}`, 'bob');
            }
            for (const room of among) await ledger.hears(room, 10);
            const { id } = ann;
            const lost = once(ann, 'disconnect');
            ann.io.opts.reconnectionDelay = ann.io.opts.reconnectionDelayMax = 300;
            assert.deepEqual(await first.stop(), [0, null]);
            await lost;
            const back = returned(ann, mode);
            const second = await startServer({ port: first.port, env });
            t.after(() => second.kill());
            const door = new Door(second.port);
            for (let i = 10; i < 20; ++i) {
                for (const room of among) await door.say(room, `${i}`, 'bob');
            }
            await back;
            assert.equal(ann.recovered, true);
            assert.equal(ann.id, id);
            for (const room of among) {
                await ledger.hears(room, 20);
                assert.deepEqual(ledger.offsets(room), count(20), room);
            }
            assert.deepEqual(ann.faults, []);
        });

        test('who says goodbye has nothing to recover', patience, async (t) => {
            const door = new Door(server.port);
            const room = freshRoom();
            const ann = persistentSocket(t, door.url, mode, { username: 'ann', room });
            const inbox = inboxOf(ann);
            await connected(ann, mode);
            ann.emit('message', 'one');
            await inbox.until(isMessage);
            const { id } = ann;
            ann.disconnect();
            await door.say(room, 'unheard');
            ann.connect();
            await once(ann, 'connect');
            assert.equal(ann.recovered, false);
            assert.notEqual(ann.id, id);
        });
    });
}

test(`${storm} who are cut at once all come back, and miss nothing`, patience, async (t) => {
    const door = new Door(server.port);
    const relay = await startRelay(server.port);
    t.after(() => relay.close());
    const room = freshRoom();
    const all = await Promise.all(
        count(storm, 0).map(async (i) => {
            const mode = Object.keys(modes)[i % 3];
            const socket = persistentSocket(t, relay.url, mode, { username: `user ${i}`, room });
            const ledger = ledgerOf(socket);
            return { socket: await connected(socket, mode), ledger, mode };
        }),
    );
    const { offset: first } = await door.say(room, 'first');
    await Promise.all(all.map(({ ledger }) => ledger.hears(room, first)));
    let last = first;
    for (let cuts = 0; cuts < 3; ++cuts) {
        const lost = all.map(({ socket }) => once(socket, 'disconnect'));
        relay.cut();
        for (let i = 0; i < 20; ++i) last = (await door.say(room, 'missed')).offset;
        await Promise.all(lost);
        const back = all.map(({ socket, mode }) => returned(socket, mode));
        relay.restore();
        for (let i = 0; i < 10; ++i) last = (await door.say(room, 'meanwhile')).offset;
        await Promise.all(back);
        await Promise.all(all.map(({ ledger }) => ledger.hears(room, last)));
    }
    for (const { socket, ledger, mode } of all) {
        assert.equal(socket.recovered, true, mode);
        assert.deepEqual(ledger.offsets(room), count(last - first + 1, first), mode);
        assert.deepEqual(socket.faults, []);
    }
});
