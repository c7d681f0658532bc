// The client library without a network: a socket, a clock and luck that the test holds.

import assert from 'node:assert/strict';
import { cpSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { fileURLToPath, pathToFileURL } from 'node:url';

// From a copy: web/ has no package.json to say that it holds modules.
const folder = mkdtempSync(join(tmpdir(), 'parley-client-'));
after(() => rmSync(folder, { recursive: true }));
cpSync(fileURLToPath(new URL('../../web', import.meta.url)), folder, { recursive: true });
writeFileSync(join(folder, 'package.json'), '{"type":"module"}');
const { ParleyClient, ParleyError, backoffMs, mayReconnect, parseCursor } = await import(
    pathToFileURL(join(folder, 'parley.js'))
);

class Clock {
    #time = 1_000_000;
    #timers = new Map();
    #next = 1;
    now = () => this.#time;
    setTimeout = (run, ms) => {
        this.#timers.set(this.#next, { at: this.#time + ms, run });
        return this.#next++;
    };
    clearTimeout = (id) => this.#timers.delete(id);
    /** Runs what falls due, in order. */
    advance(ms) {
        const end = this.#time + ms;
        for (;;) {
            const due = [...this.#timers]
                .filter(([, timer]) => timer.at <= end)
                .sort(([, one], [, other]) => one.at - other.at)[0];
            if (!due) break;
            this.#timers.delete(due[0]);
            this.#time = Math.max(this.#time, due[1].at);
            due[1].run();
        }
        this.#time = end;
    }
}

const epoch = 'e1';
const message = (offset, { room = 'lobby', in: life = epoch } = {}) => ({
    type: 'message',
    room,
    offset,
    cursor: `${life}:${offset}`,
    from: { id: 'b', name: 'Bob' },
    text: `text ${offset}`,
    at: '2026-01-01T00:00:00.000Z',
});
const messages = (from, to, options) =>
    Array.from({ length: to - from + 1 }, (_, i) => message(from + i, options));

/** A client with its world; `world.socket` is the newest of `world.sockets`. */
function world({ luck = 1 } = {}) {
    const clock = new Clock();
    const sockets = [];
    class Socket {
        frames = [];
        closedWith = null;
        constructor(url, protocol) {
            Object.assign(this, { url, protocol });
            sockets.push(this);
        }
        send(text) {
            this.frames.push(JSON.parse(text));
        }
        close(code) {
            this.closedWith = code ?? 1005;
        }
        push(frame) {
            this.onmessage({ data: JSON.stringify(frame) });
        }
        last(type) {
            return this.frames.filter((frame) => frame.type === type).at(-1);
        }
        all(type) {
            return this.frames.filter((frame) => frame.type === type);
        }
        reply(type, frame) {
            this.push({ id: this.last(type).id, ...frame });
        }
        /** As far as a server that knows nobody: opened, greeted. */
        greet() {
            this.onopen();
            this.reply('hello', {
                type: 'welcome',
                user: { id: 'a', name: 'Ann' },
                heartbeat_ms: 25_000,
            });
        }
        joined({ at = 0, history = [], recovered = false, room = 'lobby', in: life = epoch } = {}) {
            this.reply('join', {
                type: 'joined',
                room,
                cursor: `${life}:${at}`,
                recovered,
                history,
                members: [],
                count: 1,
            });
        }
        ack(frame, offset) {
            this.push({
                type: 'ack',
                id: frame.id,
                room: frame.room,
                offset,
                cursor: `${epoch}:${offset}`,
            });
        }
        lost(code = 1006) {
            this.onclose({ code, reason: '' });
        }
    }
    let keys = 0;
    const client = new ParleyClient({
        url: 'ws://test/ws',
        name: 'Ann',
        WebSocket: Socket,
        clock,
        random: () => luck,
        newKey: () => `key-${++keys}`,
    });
    const log = [];
    for (const event of [
        'state',
        'joined',
        'message',
        'gap',
        'delayed',
        'refused',
        'removed',
        'role',
        'drain',
        'error',
    ]) {
        client.on(event, (detail) => log.push([event, detail]));
    }
    return {
        client,
        clock,
        sockets,
        log,
        get socket() {
            return sockets.at(-1);
        },
        of: (event) => log.filter(([name]) => name === event).map(([, detail]) => detail),
        offsets: () =>
            log.flatMap(([name, detail]) =>
                name === 'message'
                    ? [detail.offset]
                    : name === 'joined'
                      ? detail.messages.map((each) => each.offset)
                      : [],
            ),
    };
}

/** Online in the lobby, having seen offsets 1..at. */
function online(at = 0, options = {}) {
    const w = world(options);
    w.join = w.client.join('lobby');
    w.join.catch(() => {});
    w.client.connect();
    w.socket.greet();
    w.socket.joined({ at, history: messages(1, at) });
    return w;
}

function reconnect(w, joined) {
    w.client.connect();
    w.socket.greet();
    w.socket.joined(joined);
}

const settled = (promise) =>
    Promise.race([
        promise.then(
            (value) => ({ value }),
            (error) => ({ error }),
        ),
        new Promise((resolve) => setImmediate(() => resolve('open'))),
    ]);

// ---- values ----------------------------------------------------------------------------------

test('cursors are parsed as the server writes them, and nothing else is', () => {
    assert.deepEqual(parseCursor('aB3:17'), { epoch: 'aB3', offset: 17, text: 'aB3:17' });
    for (const bad of [
        undefined,
        null,
        '',
        'a',
        ':1',
        'a:',
        'a:-1',
        'a:1:2',
        'ninechars:1',
        'a b:1',
    ]) {
        assert.equal(parseCursor(bad), null, String(bad));
    }
});

test('back-off doubles up to its bound and never falls under half of it', () => {
    for (let attempt = 0; attempt < 100; ++attempt) {
        const ceiling = Math.min(30_000, 500 * 2 ** attempt);
        assert.equal(
            backoffMs(attempt, () => 0),
            ceiling / 2,
        );
        assert.equal(
            backoffMs(attempt, () => 1),
            ceiling,
        );
    }
});

test('of all close codes just 4000 to 4099 end it for good', () => {
    for (let code = 1000; code < 5000; ++code) {
        const private_ = code >= 4000 && code <= 4099;
        assert.equal(mayReconnect(code), !private_, String(code));
    }
    for (const code of [
        1000, 1001, 1006, 1012, 1013, 4000, 4001, 4003, 4009, 4099, 4100, 4108, 4110, 4129,
    ]) {
        const w = online();
        w.socket.lost(code);
        assert.equal(w.client.state, mayReconnect(code) ? 'offline' : 'closed', String(code));
        w.clock.advance(3_600_000);
        assert.equal(w.sockets.length > 1, mayReconnect(code), String(code));
    }
});

// ---- connecting ------------------------------------------------------------------------------

test('it says hello, joins, and only then is online', async () => {
    const w = world();
    const joined = w.client.join('lobby', { history: 20 });
    w.client.connect();
    assert.equal(w.socket.protocol, 'parley.v1');
    assert.equal(w.client.state, 'connecting');
    w.socket.onopen();
    assert.deepEqual(
        w.socket.frames.map(({ type, name }) => [type, name]),
        [['hello', 'Ann']],
    );
    w.socket.reply('hello', {
        type: 'welcome',
        user: { id: 'a', name: 'Ann' },
        heartbeat_ms: 25_000,
    });
    const { room, history, presence, since } = w.socket.last('join');
    assert.deepEqual(
        { room, history, presence, since },
        { room: 'lobby', history: 20, presence: true, since: undefined },
    );
    assert.equal(w.client.state, 'connecting');
    w.socket.joined({ at: 3, history: messages(1, 3) });
    assert.equal(w.client.state, 'online');
    assert.equal((await joined).messages.length, 3);
});

test('a refused hello ends it; a name still held by the old session is waited for', () => {
    const first = world();
    first.client.connect();
    first.socket.onopen();
    first.socket.reply('hello', {
        type: 'error',
        code: 'bad_request',
        message: 'no',
        temporary: false,
    });
    assert.equal(first.client.state, 'closed');
    assert.equal(first.of('state').at(-1).error.code, 'bad_request');

    const later = online();
    later.socket.lost();
    later.clock.advance(1_000);
    later.socket.onopen();
    later.socket.reply('hello', {
        type: 'error',
        code: 'conflict',
        message: 'taken',
        temporary: false,
    });
    assert.equal(later.client.state, 'offline');
});

test('a room refused for good is told once; a busy one is asked again', async () => {
    const w = world();
    const joined = w.client.join('lobby');
    w.client.connect();
    w.socket.greet();
    w.socket.reply('join', {
        type: 'error',
        code: 'rate_limited',
        message: 'slow',
        temporary: true,
        retry_after_ms: 700,
    });
    assert.equal(w.client.state, 'connecting');
    w.clock.advance(699);
    assert.equal(w.socket.all('join').length, 1);
    w.clock.advance(1);
    assert.equal(w.socket.all('join').length, 2);
    w.socket.reply('join', { type: 'error', code: 'forbidden', message: 'no', temporary: false });
    await assert.rejects(
        joined,
        (error) => error instanceof ParleyError && error.code === 'forbidden',
    );
    assert.equal(w.of('refused').length, 1);
    w.socket.lost();
    w.client.connect();
    w.socket.greet();
    assert.equal(w.socket.all('join').length, 0);
});

test('attempts are spaced by the back-off until one has lasted', () => {
    const w = online();
    const waits = [];
    for (let i = 0; i < 9; ++i) {
        w.socket.lost();
        const { retryAt } = w.of('state').at(-1);
        waits.push(retryAt - w.clock.now());
        const before = w.sockets.length;
        w.clock.advance(waits.at(-1) - 1);
        assert.equal(w.sockets.length, before);
        w.clock.advance(1);
        assert.equal(w.sockets.length, before + 1);
    }
    assert.deepEqual(waits, [500, 1000, 2000, 4000, 8000, 16000, 30000, 30000, 30000]);
    w.socket.greet();
    w.socket.joined();
    w.clock.advance(1_000);
    w.socket.lost();
    assert.equal(w.of('state').at(-1).retryAt - w.clock.now(), 30_000, 'one second is not lasting');
    w.clock.advance(30_000);
    w.socket.greet();
    w.socket.joined();
    w.clock.advance(5_000);
    w.socket.lost();
    assert.equal(w.of('state').at(-1).retryAt - w.clock.now(), 500);
});

test('a draining server says when to come back, a busy one is left alone for a while', () => {
    const w = online();
    w.socket.push({ type: 'drain', retry_after_ms: 4321 });
    w.socket.lost(1012);
    assert.equal(w.of('state').at(-1).retryAt - w.clock.now(), 4321);
    for (const code of [1013, 4129]) {
        const busy = online();
        busy.socket.lost(code);
        assert.equal(busy.of('state').at(-1).retryAt - busy.clock.now(), 5_000);
    }
});

test('connect() cuts the wait short and close() ends everything', async () => {
    const w = online();
    w.socket.lost();
    w.client.connect();
    assert.equal(w.sockets.length, 2);
    w.socket.greet();
    w.socket.joined();
    const sent = w.client.send('lobby', { text: 'never acknowledged' });
    w.client.close();
    assert.equal(w.socket.closedWith, 1000);
    assert.equal(w.client.state, 'closed');
    await assert.rejects(sent);
    w.clock.advance(3_600_000);
    assert.equal(w.sockets.length, 2);
});

test('a silent connection is asked for a sign of life and given up without one', () => {
    const w = online();
    w.clock.advance(25_000);
    assert.equal(w.socket.all('ping').length, 1);
    w.socket.reply('ping', { type: 'pong' });
    w.clock.advance(20_000);
    assert.equal(w.client.state, 'online');
    w.clock.advance(60_000);
    assert.ok(w.sockets.length > 1);
    assert.equal(w.sockets[0].closedWith, 1005);
});

test('frames that are not JSON, or of no known type, are passed over', () => {
    const w = online();
    w.socket.onmessage({ data: '{"type":' });
    w.socket.push({ type: 'from the future' });
    w.socket.push(message(1));
    assert.deepEqual(w.offsets(), [1]);
});

// ---- resuming --------------------------------------------------------------------------------

test('wherever the cut falls, each message is told once and in order', () => {
    const total = 6;
    for (let seen = 0; seen <= total; ++seen) {
        for (let repeatedFrom = 1; repeatedFrom <= seen + 1; ++repeatedFrom) {
            const w = online();
            for (const each of messages(1, seen)) w.socket.push(each);
            w.socket.lost();
            reconnect(w, { at: total, history: messages(repeatedFrom, total), recovered: true });
            assert.equal(w.socket.last('join').since, seen ? `${epoch}:${seen}` : `${epoch}:0`);
            w.socket.push(message(total)); // and once more as a push
            w.socket.push(message(total + 1));
            assert.deepEqual(w.offsets(), [1, 2, 3, 4, 5, 6, 7]);
            assert.equal(w.of('gap').length, 0);
        }
    }
});

test('what the server no longer has is told as missed', () => {
    const w = online(3);
    w.socket.lost();
    reconnect(w, { at: 20, history: messages(11, 20) });
    assert.deepEqual(w.of('joined').at(-1).missed, { from: 4, to: 10 });
    w.socket.push(message(21));
    assert.deepEqual(w.offsets().at(-1), 21);
    w.socket.lost();
    reconnect(w, { at: 30, history: [] });
    assert.deepEqual(w.of('joined').at(-1).missed, { from: 22, to: 30 });
});

test('a new epoch starts the numbering anew', () => {
    const w = online(5);
    w.socket.lost();
    reconnect(w, { at: 2, history: messages(1, 2, { in: 'e2' }), in: 'e2' });
    const joined = w.of('joined').at(-1);
    assert.equal(joined.restarted, true);
    assert.equal(joined.missed, null);
    assert.deepEqual(
        joined.messages.map((each) => each.cursor),
        ['e2:1', 'e2:2'],
    );
    w.socket.push(message(3, { in: 'e2' }));
    assert.equal(w.of('message').at(-1).cursor, 'e2:3');
});

test('a gap is told whether the server announced it or not, and moves the cursor', () => {
    const w = online(3);
    w.socket.push({ type: 'gap', room: 'lobby', from: 4, to: 9, cursor: `${epoch}:9` });
    w.socket.push(message(10));
    w.socket.push(message(13));
    assert.deepEqual(
        w.of('gap').map(({ from, to }) => [from, to]),
        [
            [4, 9],
            [11, 12],
        ],
    );
    w.socket.push({ type: 'gap', room: 'lobby', from: 14, to: 20, cursor: `${epoch}:20` });
    w.socket.lost();
    reconnect(w, { at: 20, recovered: true });
    assert.equal(w.socket.last('join').since, `${epoch}:20`);
});

test('a room that was left is not joined again', () => {
    const w = online();
    w.client.leave('lobby');
    assert.equal(w.socket.all('leave').length, 1);
    w.socket.push(message(1));
    assert.deepEqual(w.offsets(), []);
    w.socket.lost();
    w.client.connect();
    w.socket.greet();
    assert.equal(w.socket.all('join').length, 0);
    assert.equal(w.client.state, 'online');
});

// ---- sending ---------------------------------------------------------------------------------

test('whenever the connection is lost, a send arrives under one key', async () => {
    for (const moment of ['before it is sent', 'before its ack', 'twice', 'after its ack']) {
        const w = online();
        if (moment === 'before it is sent') w.socket.lost();
        const sent = w.client.send('lobby', { text: 'hi' });
        if (moment === 'after its ack') w.socket.ack(w.socket.last('send'), 1);
        if (moment !== 'before it is sent') w.socket.lost();
        reconnect(w, { recovered: true });
        if (moment === 'twice') {
            w.socket.lost();
            reconnect(w, { recovered: true });
        }
        const frames = w.sockets.flatMap((socket) => socket.all('send'));
        assert.deepEqual(new Set(frames.map((frame) => frame.key)), new Set(['key-1']), moment);
        const again = { 'before it is sent': 1, 'before its ack': 1, twice: 1, 'after its ack': 0 };
        assert.equal(w.socket.all('send').length, again[moment], moment);
        if (again[moment]) w.socket.ack(w.socket.last('send'), 1);
        assert.equal((await sent).offset, 1, moment);
        w.socket.lost();
        reconnect(w, { recovered: true });
        assert.equal(w.socket.all('send').length, 0, moment);
    }
});

test('what was written offline is sent in the order it was written', () => {
    const w = online();
    w.socket.lost();
    for (const text of ['a', 'b', 'c']) w.client.send('lobby', { text });
    w.client.connect();
    w.socket.greet();
    assert.equal(w.socket.all('send').length, 0, 'not before the room is joined');
    w.socket.joined({ recovered: true });
    assert.deepEqual(
        w.socket.all('send').map((frame) => frame.text),
        ['a', 'b', 'c'],
    );
});

test('a rate-limited send waits as long as it is told, and so does what follows', async () => {
    const w = online();
    const slow = {
        type: 'error',
        code: 'rate_limited',
        message: 'slow',
        temporary: true,
        retry_after_ms: 900,
    };
    const first = w.client.send('lobby', { text: 'a' });
    w.socket.reply('send', slow);
    const second = w.client.send('lobby', { text: 'b' });
    assert.deepEqual(
        w.of('delayed').map(({ key, retryInMs }) => [key, retryInMs]),
        [['key-1', 900]],
    );
    w.clock.advance(899);
    assert.equal(w.socket.all('send').length, 1);
    w.clock.advance(1);
    const frames = w.socket.all('send');
    assert.deepEqual(
        frames.map((frame) => frame.key),
        ['key-1', 'key-1', 'key-2'],
    );
    w.socket.ack(frames[1], 1);
    w.socket.ack(frames[2], 2);
    assert.deepEqual([(await first).offset, (await second).offset], [1, 2]);
});

test('a send is refused in the end, not tried for ever', async () => {
    const w = online();
    const sent = w.client.send('lobby', { text: 'a' });
    let tries = 0;
    while ((await settled(sent)) === 'open') {
        assert.ok(++tries < 20);
        w.socket.reply('send', {
            type: 'error',
            code: 'unavailable',
            message: 'busy',
            temporary: true,
            retry_after_ms: 10,
        });
        w.clock.advance(10);
    }
    assert.equal(tries, 6);
    await assert.rejects(sent, { code: 'unavailable' });

    const refused = w.client.send('lobby', { text: 'b' });
    w.socket.reply('send', { type: 'error', code: 'too_large', message: 'no', temporary: false });
    await assert.rejects(refused, { code: 'too_large' });
});

test('a key that the server may have forgotten is not used again', async () => {
    const w = online();
    const sent = w.client.send('lobby', { text: 'was it published?' });
    w.socket.lost();
    const unsent = w.client.send('lobby', { text: 'surely not' });
    w.clock.advance(270_001);
    reconnect(w, { recovered: true });
    await assert.rejects(sent, { code: 'expired' });
    assert.deepEqual(
        w.socket.all('send').map((frame) => frame.text),
        ['surely not'],
    );
    w.socket.ack(w.socket.last('send'), 1);
    assert.equal((await unsent).offset, 1);
});

test('the outbox is bounded', async () => {
    const w = online();
    w.socket.lost();
    for (let i = 0; i < 100; ++i) w.client.send('lobby', { text: `${i}` }).catch(() => {});
    await assert.rejects(w.client.send('lobby', { text: 'one too many' }), { code: 'unavailable' });
});

test('typing and read are forgotten while offline; asking is refused', async () => {
    const w = online();
    w.client.typing('lobby');
    w.client.read('lobby', 3);
    assert.equal(w.socket.last('typing').active, true);
    assert.equal(w.socket.last('read').offset, 3);
    w.socket.reply('typing', {
        type: 'error',
        code: 'rate_limited',
        message: 'slow',
        temporary: true,
    });
    assert.equal(w.of('error').length, 0);
    w.socket.lost();
    w.client.typing('lobby');
    await assert.rejects(w.client.history('lobby', { before: `${epoch}:9` }), {
        code: 'disconnected',
    });
    reconnect(w, { recovered: true });
    assert.equal(w.socket.all('typing').length, 0);
    const page = w.client.history('lobby', { before: `${epoch}:9`, limit: 7 });
    assert.equal(w.socket.last('history').limit, 7);
    w.socket.reply('history', { type: 'history', room: 'lobby', messages: [], more: false });
    assert.equal((await page).more, false);
});

// ---- changing what was said, conversations of two, roles --------------------------------------

test('an edit and a deletion wait in the outbox like a send, each under its key', async () => {
    const w = online(3);
    w.socket.lost();
    const edited = w.client.edit('lobby', 2, { text: 'better' });
    const removed = w.client.remove('lobby', 1, { reason: 'spam' });
    reconnect(w, { at: 3, recovered: true });
    const { type, room, offset, text, key } = w.socket.last('edit');
    assert.deepEqual(
        { type, room, offset, text, key },
        { type: 'edit', room: 'lobby', offset: 2, text: 'better', key: 'key-1' },
    );
    assert.equal(w.socket.last('delete').reason, 'spam');
    w.socket.ack(w.socket.last('edit'), 4);
    w.socket.reply('delete', { type: 'error', code: 'forbidden', message: 'no', temporary: false });
    assert.equal((await edited).offset, 4);
    await assert.rejects(removed, { code: 'forbidden' });
});

test('what is said to a person needs no room, and is sent once there is a connection', async () => {
    const w = online();
    w.socket.lost();
    const said = w.client.direct('b', { text: 'psst' });
    w.client.connect();
    w.socket.greet();
    w.socket.joined({ recovered: true });
    const { to, text, key } = w.socket.last('direct');
    assert.deepEqual({ to, text, key }, { to: 'b', text: 'psst', key: 'key-1' });
    assert.equal(w.socket.all('direct').length, 1);
    w.socket.push({ type: 'ack', id: w.socket.last('direct').id, room: 'dm:a:b', offset: 1 });
    assert.equal((await said).room, 'dm:a:b');
});

test('a room that one is joined to unasked is heard, and joined again after a cut', () => {
    const w = online();
    w.socket.push({
        type: 'joined',
        room: 'dm:a:b',
        cursor: `${epoch}:1`,
        recovered: false,
        history: [message(1, { room: 'dm:a:b' })],
        count: 2,
        direct: { id: 'b', name: 'Bob' },
    });
    const joined = w.of('joined').at(-1);
    assert.equal(joined.direct.name, 'Bob');
    assert.equal(joined.first, true);
    w.socket.push(message(2, { room: 'dm:a:b' }));
    assert.deepEqual(w.offsets(), [1, 2]);
    w.socket.lost();
    w.client.connect();
    w.socket.greet();
    assert.deepEqual(
        w.socket.all('join').map(({ room, since }) => [room, since]),
        [
            ['lobby', `${epoch}:0`],
            ['dm:a:b', `${epoch}:2`],
        ],
    );
});

test('a conversation that was left unasked is joined again by what one says there', async () => {
    const w = online();
    const room = 'dm:a:b';
    const pushed = { type: 'joined', room, cursor: `${epoch}:1`, recovered: false, count: 2 };
    const history = [message(1, { room })];
    const left = [];
    w.client.on('left', (detail) => left.push(detail.room));
    w.socket.push({ ...pushed, history, direct: { id: 'b', name: 'Bob' } });
    const crossed = w.client.send(room, { text: 'crossed' });
    w.socket.push({ type: 'left', room });
    assert.deepEqual(left, [room]);
    w.socket.reply('send', { type: 'error', code: 'not_joined', message: 'not joined' });
    const later = w.client.send(room, { text: 'later' });
    assert.deepEqual(
        w.socket.all('join').map((frame) => [frame.room, frame.since]),
        [
            ['lobby', undefined],
            [room, `${epoch}:1`],
        ],
    );
    w.socket.joined({ room, at: 2, recovered: true, history: [message(2, { room })] });
    assert.deepEqual(w.offsets(), [1, 2], 'and nothing was missed');
    const sent = w.socket.all('send').slice(1);
    assert.deepEqual(
        sent.map(({ text, key }) => [text, key]),
        [
            ['crossed', 'key-1'],
            ['later', 'key-2'],
        ],
    );
    sent.forEach((frame, at) => w.socket.ack(frame, at + 3));
    assert.deepEqual([(await crossed).offset, (await later).offset], [3, 4]);
});

test('one that was left unasked is not joined after a cut, unless something waits for it', () => {
    for (const says of [false, true]) {
        const w = online();
        const room = 'dm:a:b';
        w.socket.push({ type: 'joined', room, cursor: `${epoch}:1`, recovered: false, count: 2 });
        w.socket.push({ type: 'left', room });
        w.socket.lost();
        if (says) w.client.send(room, { text: 'offline' }).catch(() => {});
        w.client.connect();
        w.socket.greet();
        w.socket.joined({ recovered: true });
        assert.equal(w.client.state, 'online');
        assert.equal(w.socket.last('join').room, says ? room : 'lobby');
    }
});

test('who is put out of a room is told, and does not come back by itself', async () => {
    const w = online();
    const sent = w.client.send('lobby', { text: 'still here' });
    w.socket.push({
        type: 'removed',
        room: 'lobby',
        action: 'kick',
        by: { id: 'b', name: 'Bob' },
        reason: 'enough',
    });
    assert.equal(w.of('removed')[0].reason, 'enough');
    await assert.rejects(sent, { code: 'forbidden' });
    w.socket.push(message(1));
    assert.deepEqual(w.offsets(), []);
    w.socket.lost();
    w.client.connect();
    w.socket.greet();
    assert.equal(w.socket.all('join').length, 0);
});

test('questions about rooms are frames with their fields, and nothing where there are none', () => {
    const w = online();
    w.client.room('lobby');
    w.client.rooms();
    w.client.role('lobby', 'b', 'muted', { for: '10m', reason: 'loud' });
    w.client.role('lobby', 'b', 'none');
    w.client.kick('lobby', 'b');
    w.client.topic('lobby', 'Cats');
    const asked = w.socket.frames.slice(2).map(({ id: _, ...frame }) => frame);
    assert.deepEqual(asked, [
        { type: 'room', room: 'lobby' },
        { type: 'rooms' },
        { type: 'role', room: 'lobby', user: 'b', role: 'muted', for: '10m', reason: 'loud' },
        { type: 'role', room: 'lobby', user: 'b', role: 'none' },
        { type: 'kick', room: 'lobby', user: 'b' },
        { type: 'topic', room: 'lobby', topic: 'Cats' },
    ]);
});
