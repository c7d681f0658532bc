// What a store keeps through restarts, kills and a full disk, as clients see it. STORE is sqlite or
// postgres; KILLS says how often the server is killed under load (4), or the database stopped; SENDERS by
// how many it is written to (40).

import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { chmodSync, closeSync, mkdtempSync, openSync, rmSync, writeSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';

import { Door } from './clients.mjs';
import { startPostgres } from './postgres.mjs';
import { startServer } from './server.mjs';

const WebSocket = createRequire(import.meta.url)('ws');
const kills = Number(process.env.KILLS ?? 4);
const senders = Number(process.env.SENDERS ?? 40);
const patience = { timeout: 120_000 };

const inPostgres = process.env.STORE === 'postgres';

let folder;
let postgres;

before(async () => {
    folder = mkdtempSync(join(tmpdir(), 'parley-history-'));
    if (!inPostgres) return;
    chmodSync(folder, 0o711); // the server's user gets to what is his in it
    postgres = await startPostgres();
});
after(async () => {
    await postgres?.remove();
    rmSync(folder, { recursive: true, force: true });
});

/** A new and empty store; its files are in that folder. */
function stored(name, durability = 'sync', where = folder) {
    const database = `${name}_${durability}`;
    if (inPostgres) postgres.query(`CREATE DATABASE ${database}${where === folder ? '' : tablespace(where)}`);
    const store = inPostgres ? postgres.store(database) : `sqlite:${join(where, `${database}.db`)}`;
    return { PARLEY_HISTORY__STORE: store, PARLEY_HISTORY__DURABILITY: durability };
}

function tablespace(where) {
    const files = mkdtempSync(join(where, 'files-'));
    postgres.give(files);
    const name = `space${Date.now()}`;
    postgres.query(`CREATE TABLESPACE ${name} LOCATION '${files}'`);
    return ` TABLESPACE ${name}`;
}

async function until(holds, what) {
    for (const end = Date.now() + 20_000; ; ) {
        if (await holds()) return;
        assert.ok(Date.now() < end, `still not: ${what}`);
        await new Promise((resolve) => setTimeout(resolve, 25));
    }
}

const epochOf = (answer) => answer.body.cursor.split(':')[0];

/** Everything that a room retains, page by page from its beginning; nothing where there is no such room. */
async function wholeRoom(door, room) {
    const first = await door.ask(`${door.room(room)}?limit=1`);
    if (first.status === 404) return { epoch: undefined, messages: [] };
    const epoch = epochOf(first);
    const messages = [];
    for (let since = `${epoch}:0`, more = true; more; ) {
        const { status, body } = await door.ask(`${door.room(room)}?since=${since}&limit=200`);
        assert.equal(status, 200, JSON.stringify(body));
        assert.equal(body.recovered, true);
        messages.push(...body.messages);
        since = body.cursor;
        more = body.more;
    }
    return { epoch, messages };
}

/**
 * Says one numbered text after the other by WebSocket, each with a key, and once more with the same key
 * where the ack did not come. `acked` maps each text to the offset that was acknowledged.
 */
class Sender {
    acked = new Map();
    sent = 0;
    refused = 0;
    constructor(name, room) {
        Object.assign(this, { name, room });
    }

    /** Until the connection ends. */
    async talk(door) {
        const socket = (this.socket = new WebSocket(`${door.webSocketUrl}?name=${this.name}&room=${this.room}`));
        const ended = new Promise((resolve) => socket.on('close', resolve));
        socket.on('error', () => {});
        const say = () => {
            const text = `${this.name} ${this.sent}`;
            if (socket.readyState !== WebSocket.OPEN) return;
            socket.send(JSON.stringify({ type: 'send', id: this.sent, room: this.room, text, key: text }));
        };
        socket.on('message', (bytes) => {
            const frame = JSON.parse(bytes);
            if (frame.type === 'joined') say();
            if (frame.type === 'error' && frame.id === this.sent) {
                assert.equal(frame.code, 'unavailable');
                ++this.refused;
                setTimeout(say, frame.retry_after_ms);
            }
            if (frame.type !== 'ack' || frame.id !== this.sent) return;
            this.acked.set(`${this.name} ${this.sent}`, frame.offset);
            ++this.sent;
            say();
        });
        await ended;
    }
}

async function metricOf(server, name) {
    const answer = await fetch(`http://127.0.0.1:${server.adminPort}/metrics`);
    return Number((await answer.text()).match(new RegExp(`^${name} (.*)$`, 'm'))[1]);
}

const everythingAcked = (crowd) => crowd.map((sender) => ({ room: sender.room, acked: new Map(sender.acked) }));

/**
 * What the rooms hold, without a hole, and how much of it was expected: of each of these
 * {room, acked} every text at its offset. Where `once`, nothing is there twice.
 */
async function counted(door, expected, once = true) {
    let acked = 0;
    let kept = 0;
    for (const room of ['room-0', 'room-1', 'room-2']) {
        const { messages } = await wholeRoom(door, room);
        messages.forEach(({ offset, text }, i) => {
            assert.equal(offset, i + 1);
            assert.match(text, /^s\d+ \d+$/);
        });
        kept += messages.length;
        if (once) assert.equal(new Set(messages.map(({ text }) => text)).size, messages.length);
        for (const each of expected.filter((each) => each.room === room)) {
            acked += each.acked.size;
            for (const [text, offset] of each.acked) assert.equal(messages[offset - 1]?.text, text);
        }
    }
    return { acked, kept };
}

for (const [durability, keeps] of [
    ['sync', true],
    ['async', false],
]) {
    test(`${durability}: killed again and again under load`, patience, async (t) => {
        const env = stored('kills', durability);
        const crowd = Array.from({ length: senders }, (_, i) => new Sender(`s${i}`, `room-${i % 3}`));
        let port = 0;
        let epochs;
        const saved = [];
        for (let round = 0; round <= kills; ++round) {
            const server = await startServer({ port, env, admin: true });
            t.after(() => server.kill());
            const door = new Door((port = server.port));
            await counted(door, saved, keeps);
            crowd.forEach(({ acked }) => acked.clear());
            const now = [];
            for (const room of ['room-0', 'room-1', 'room-2']) {
                const answer = await door.ask(`${door.room(room)}?limit=1`);
                now.push(answer.status === 200 ? epochOf(answer) : undefined);
            }
            if (epochs && keeps) assert.deepEqual(now, epochs, 'the offsets go on');
            if (epochs && !keeps) now.forEach((epoch, i) => assert.notEqual(epoch, epochs[i]));
            const talking = crowd.map((sender) => sender.talk(door));
            const before = crowd.map(({ sent }) => sent);
            await until(() => crowd.every(({ sent }, i) => sent > before[i] + 20), 'all are heard');
            epochs = [];
            for (const room of ['room-0', 'room-1', 'room-2']) {
                const answer = await door.ask(`${door.room(room)}?limit=1`);
                epochs.push(epochOf(answer));
            }
            const noted = Date.now();
            if (!keeps) {
                saved.push(...everythingAcked(crowd));
                // What was acked by then is certain as soon as all that is unsaved is younger.
                await until(async () => {
                    const asked = Date.now();
                    return (await metricOf(server, 'parley_history_unsaved_seconds')) < (asked - noted) / 1000;
                }, 'it is written behind');
            }
            await server.kill();
            await Promise.all(talking);
            if (keeps) saved.push(...everythingAcked(crowd));
        }
        const server = await startServer({ port, env });
        t.after(() => server.kill());
        const { acked, kept } = await counted(new Door(server.port), saved, keeps);
        // Of each sender one send at most was stored whose ack it never saw.
        if (keeps) assert.ok(kept - acked <= senders, `${kept} kept of ${acked} acked`);
        t.diagnostic(`${kills + 1} kills, ${acked} acks checked, ${kept} messages kept`);
    });
}

for (const durability of inPostgres ? ['sync', 'async'] : []) {
    test(`${durability}: the database is stopped and started under load`, patience, async (t) => {
        const env = stored('stops', durability);
        const server = await startServer({ env, admin: true });
        t.after(() => server.kill());
        const door = new Door(server.port);
        const crowd = Array.from({ length: senders }, (_, i) => new Sender(`s${i}`, `room-${i % 3}`));
        const talking = crowd.map((sender) => sender.talk(door));
        const allAreHeard = async () => {
            const before = crowd.map(({ sent }) => sent);
            await until(() => crowd.every(({ sent }, i) => sent > before[i] + 20), 'all are heard');
        };
        for (let round = 0; round < kills; ++round) {
            await allAreHeard();
            await postgres.stop(round % 2 ? 'SIGQUIT' : 'SIGINT');
            const health = () => door.ask(`${door.url}healthz`);
            await until(async () => (await health()).status === 503, 'it is reported');
            assert.equal((await health()).body.status, 'history_unavailable');
            const json = { text: 'lost', name: 'ann' };
            const refused = await door.ask(door.room('room-0'), { method: 'POST', json });
            assert.deepEqual([refused.status, refused.body.code], [503, 'unavailable']);
            assert.ok(Number(refused.headers['retry-after']) > 0);
            const read = await door.ask(`${door.room('room-0')}?limit=10`);
            assert.deepEqual([read.status, read.body.messages.length], [200, 10], 'from memory');
            await postgres.start();
            await until(async () => (await health()).status === 200, 'it is well again');
        }
        await allAreHeard();
        const since = `${epochOf(await door.ask(`${door.room('room-0')}?limit=1`))}:0`;
        const older = async () => (await door.ask(`${door.room('room-0')}?since=${since}`)).status;
        await until(async () => (await older()) === 200, 'older messages are read');
        assert.ok(crowd.every(({ socket }) => socket.readyState === WebSocket.OPEN), 'nobody had to leave');
        crowd.forEach(({ socket }) => socket.close());
        await Promise.all(talking);
        const { acked, kept } = await counted(door, everythingAcked(crowd));
        assert.ok(kept - acked <= senders, `${kept} kept of ${acked} acked`);
        const refused = crowd.reduce((sum, sender) => sum + sender.refused, 0);
        assert.ok(refused > 0);
        const whole = await wholeRoom(door, 'room-0');
        assert.deepEqual(await server.stop(), [0, null]);
        const next = await startServer({ env });
        t.after(() => next.kill());
        assert.deepEqual(await wholeRoom(new Door(next.port), 'room-0'), whole);
        t.diagnostic(`${kills} stops, ${acked} acks checked, ${refused} refused, ${kept} messages kept`);
    });
}

test('a restart keeps rooms, cursors, pages and searches', patience, async (t) => {
    const env = { ...stored('restart'), PARLEY_HISTORY__MESSAGES: '20' };
    const first = await startServer({ env });
    t.after(() => first.kill());
    let door = new Door(first.port);
    for (let i = 1; i <= 450; ++i) await door.say('den', i % 100 ? `text ${i}` : `pearl ${i}`, 'ann');
    const whole = await wholeRoom(door, 'den');
    assert.equal(whole.messages.length, 450);
    assert.deepEqual(await first.stop(), [0, null]);

    const second = await startServer({ port: first.port, env });
    t.after(() => second.kill());
    door = new Door(second.port);
    assert.deepEqual(await wholeRoom(door, 'den'), whole);
    const back = [];
    for (let query = 'limit=200', more = true; more; ) {
        const { body } = await door.ask(`${door.room('den')}?${query}`);
        back.unshift(...body.messages);
        more = body.more;
        query = `limit=200&before=${back[0].cursor}`;
    }
    assert.deepEqual(back, whole.messages);
    const search = async (query) => (await door.ask(`${door.room('den', 'search')}?${query}`)).body;
    const found = await search('q=PEARL&limit=3');
    assert.deepEqual(
        found.messages.map(({ text }) => text),
        ['pearl 200', 'pearl 300', 'pearl 400'],
    );
    assert.equal(found.more, true);
    const older = await search(`q=pearl&before=${found.messages[0].cursor}`);
    assert.deepEqual([older.messages.map(({ offset }) => offset), older.more], [[100], false]);
    assert.equal((await search('q=')).code, 'bad_request');
    assert.equal((await door.ask(`${door.room('none', 'search')}?q=x`)).status, 404);
    assert.equal((await door.say('den', 'on', 'ann')).offset, 451);
});

test('a full disk refuses what is said, and nothing else, until there is room', patience, async (t) => {
    const disk = mkdtempSync(join(folder, 'disk-'));
    try {
        execFileSync('mount', ['-t', 'tmpfs', '-o', `size=${inPostgres ? 48 : 8}m`, 'tmpfs', disk], { stdio: 'pipe' });
    } catch (error) {
        return t.skip(`a disk to be filled can't be mounted here: ${error.stderr}`);
    }
    t.after(() => execFileSync('umount', ['-l', disk]));
    for (const durability of ['sync', 'async']) {
        const env = stored('full', durability, disk);
        const server = await startServer({ env, admin: true });
        t.after(() => server.kill());
        const door = new Door(server.port);
        const say = (text) => door.ask(door.room('den'), { method: 'POST', json: { text, name: 'ann' } });
        const metric = (name) => metricOf(server, name);
        const acked = [];
        const speak = async (text) => {
            const { status, headers, body } = await say(text);
            if (status === 201) assert.equal(body.offset, acked.push(text));
            return { status, headers, body };
        };
        assert.equal((await speak('the first')).status, 201);
        fill(join(disk, 'filler'));
        const long = 'x'.repeat(4000);
        let refused;
        await until(async () => {
            refused = await speak(`${acked.length} ${long}`);
            return refused.status !== 201;
        }, 'a send is refused');
        assert.deepEqual([refused.status, refused.body.code], [503, 'unavailable']);
        assert.ok(Number(refused.headers['retry-after']) > 0);
        // PostgreSQL is asked again in between whether it works.
        await until(async () => {
            await speak(`${acked.length} ${long}`);
            const { status, body } = await door.ask(`${door.url}healthz`);
            const up = await metric('parley_history_up');
            return status === 503 && body.status === 'history_unavailable' && up === 0;
        }, 'it is reported');
        assert.ok((await metric('parley_history_refused_total')) > 0);
        const read = await door.ask(`${door.room('den')}?limit=1`);
        assert.equal(read.status, 200);
        assert.match(read.body.messages[0].text, /^\d+ x+$|^the first$/);
        rmSync(join(disk, 'filler'));
        await until(async () => (await speak('there is room')).status === 201, 'it is written again');
        assert.equal(await metric('parley_history_up'), 1);
        assert.deepEqual(await server.stop(), [0, null]);
        const next = await startServer({ env });
        t.after(() => next.kill());
        const { messages } = await wholeRoom(new Door(next.port), 'den');
        assert.deepEqual(messages.map(({ text }) => text), acked);
        await next.kill();
        for (const end of ['', '-wal', '-shm']) rmSync(join(disk, `full_${durability}.db${end}`), { force: true });
    }
});

/** Writes until the disk is full. */
function fill(path) {
    const file = openSync(path, 'w');
    try {
        for (let size = 1 << 20; size >= 512; ) {
            try {
                writeSync(file, Buffer.alloc(size));
            } catch (error) {
                assert.equal(error.code, 'ENOSPC');
                size >>= 1;
            }
        }
    } finally {
        closeSync(file);
    }
}
