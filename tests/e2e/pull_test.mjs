// Long-poll and Server-Sent Events as curl and a browser use them, against a real parleyd.

import assert from 'node:assert/strict';
import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { after, before, test } from 'node:test';
import { promisify } from 'node:util';

import { startBrowser } from './page.mjs';
import { startRelay, startServer } from './server.mjs';

const run = promisify(execFile);

let browser;
let server;
let rooms = 0;

before(async () => {
    server = await startServer({ env: { PARLEY_HTTP__ALLOWED_ORIGINS: 'https://ok.example' } });
    browser = await startBrowser();
});

after(async () => {
    await browser?.close();
    await server?.kill();
});

const freshRoom = () => `pull-${++rooms}`;
const roomUrl = (room, leaf, base = server.url) => `${base}api/v1/rooms/${room}/${leaf}`;

async function say(room, text, name = 'ann') {
    const answer = await fetch(roomUrl(room, 'messages'), {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify({ text, name }),
    });
    assert.equal(answer.status, 201);
    return answer.json();
}

async function curl(...args) {
    const { stdout } = await run('curl', ['--silent', '--show-error', '--max-time', '20', ...args]);
    return stdout;
}

async function openPage(t, url = server.url) {
    const context = await browser.newContext();
    t.after(() => context.close());
    const page = await context.newPage();
    page.setDefaultTimeout(20_000);
    await page.goto(url);
    return page;
}

test('curl -N prints events as they are said', async (t) => {
    const room = freshRoom();
    await say(room, 'before');
    const child = spawn('curl', ['--silent', '--no-buffer', roomUrl(room, 'events?history=1')]);
    t.after(() => child.kill());
    const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
    const data = async () => {
        for (;;) {
            const { value, done } = await lines.next();
            assert.ok(!done, 'the stream ended');
            if (value.startsWith('data: ')) return JSON.parse(value.slice(6)).text;
        }
    };
    assert.equal(await data(), 'before');
    for (const text of ['one', 'two\nlines', 'three']) {
        await say(room, text);
        assert.equal(await data(), text);
    }
});

test('curl in a loop misses nothing by long-poll', async () => {
    const room = freshRoom();
    let cursor = (await say(room, '0')).cursor;
    const heard = [];
    const talking = (async () => {
        for (let i = 1; i <= 30; ++i) await say(room, `${i}`);
    })();
    while (heard.length < 30) {
        const answer = JSON.parse(
            await curl(roomUrl(room, `messages?limit=4&wait=10s&since=${cursor}`)),
        );
        assert.equal(answer.recovered, true);
        assert.ok(answer.messages.length > 0 && answer.messages.length <= 4);
        heard.push(...answer.messages.map((message) => Number(message.text)));
        cursor = answer.cursor;
    }
    await talking;
    assert.deepEqual(
        heard,
        Array.from({ length: 30 }, (_, i) => i + 1),
    );
});

test('an EventSource that loses its server resumes by itself and misses nothing', async (t) => {
    const room = freshRoom();
    await say(room, 'first');
    const relay = await startRelay(server.port);
    t.after(() => relay.close());
    // The relay's pages are of its own origin, and may use what they came from.
    const page = await openPage(t, relay.url);
    await page.evaluate((url) => {
        window.heard = [];
        window.opened = 0;
        const events = new EventSource(url);
        events.onopen = () => ++window.opened;
        events.addEventListener('message', (event) => {
            window.heard.push([event.lastEventId, JSON.parse(event.data)]);
        });
    }, roomUrl(room, 'events?history=1', relay.url));
    const offsets = (count) =>
        page.waitForFunction((wanted) => window.heard.length >= wanted, count);
    await offsets(1);
    await say(room, 'second');
    await offsets(2);
    relay.cut();
    for (const text of ['missed', 'missed, too', 'and this']) await say(room, text);
    relay.restore();
    await page.waitForFunction(() => window.opened >= 2);
    await say(room, 'last');
    await offsets(6);
    const heard = await page.evaluate(() => window.heard);
    assert.deepEqual(
        heard.map(([, message]) => message.offset),
        [1, 2, 3, 4, 5, 6],
    );
    for (const [id, message] of heard) assert.equal(id, message.cursor);
});

test('a page of another site needs leave', async (t) => {
    const room = freshRoom();
    const { cursor } = await say(room, 'hello');
    for (const [origin, allowed] of [
        ['https://ok.example', true],
        ['https://other.example', false],
    ]) {
        for (const url of [
            roomUrl(room, 'events?history=1'),
            roomUrl(room, `messages?wait=1ms&since=${cursor}`),
        ]) {
            const head = await curl('--include', '--max-time', '1', '-H', `Origin: ${origin}`, url)
                // A stream ends by its time running out.
                .catch((error) => error.stdout);
            assert.match(head, /^HTTP\/1.1 200 /);
            assert.equal(head.includes(`Access-Control-Allow-Origin: ${origin}`), allowed, url);
        }
    }
    const relay = await startRelay(server.port);
    t.after(() => relay.close());
    const page = await openPage(t, relay.url);
    const outcome = await page.evaluate(
        (url) =>
            new Promise((resolve) => {
                const events = new EventSource(url);
                events.onopen = () => resolve('open');
                events.onerror = () => resolve('error');
            }),
        roomUrl(room, 'events'),
    );
    assert.equal(outcome, 'error');
});

// One participant goes from door to door with nothing but the cursor; each door is left as soon as
// a few messages came through it.
async function wander({ room, rounds, few }) {
    const base = `/api/v1/rooms/${room}`;
    const heard = [];
    let cursor;
    const record = (message) => {
        heard.push(message.offset);
        cursor = message.cursor;
    };
    const doors = {
        websocket: () =>
            new Promise((resolve, reject) => {
                const socket = new WebSocket(`ws://${location.host}/ws`);
                let count = 0;
                const hear = (message) => {
                    if (count >= few) return;
                    record(message);
                    if (++count < few) return;
                    socket.close();
                    resolve();
                };
                socket.onopen = () =>
                    socket.send(JSON.stringify({ type: 'join', id: 1, room, since: cursor }));
                socket.onmessage = ({ data }) => {
                    const frame = JSON.parse(data);
                    if (frame.type === 'joined') {
                        if (cursor && !frame.recovered) reject(new Error('websocket: a gap'));
                        frame.history.forEach(hear);
                    }
                    if (frame.type === 'message') hear(frame);
                };
                socket.onerror = () => reject(new Error('websocket failed'));
            }),
        longpoll: async () => {
            for (let count = 0; count < few; ) {
                const answer = await fetch(`${base}/messages?wait=20s&limit=3&since=${cursor}`);
                const page = await answer.json();
                if (!page.recovered) throw new Error('longpoll: a gap');
                page.messages.forEach(record);
                count += page.messages.length;
                cursor = page.cursor;
            }
        },
        sse: () =>
            new Promise((resolve, reject) => {
                const events = new EventSource(`${base}/events?since=${cursor}`);
                let count = 0;
                events.addEventListener('message', ({ data }) => {
                    if (count >= few) return;
                    record(JSON.parse(data));
                    if (++count < few) return;
                    events.close();
                    resolve();
                });
                events.addEventListener('gap', () => reject(new Error('sse: a gap')));
                events.addEventListener('joined', () => reject(new Error('sse: a gap')));
            }),
        rest: async () => {
            const answer = await fetch(`${base}/messages?limit=200&since=${cursor}`);
            const page = await answer.json();
            if (!page.recovered) throw new Error('rest: a gap');
            page.messages.forEach(record);
        },
    };
    const way = ['websocket', 'longpoll', 'sse', 'rest'];
    for (let round = 0; round < rounds; ++round) {
        for (const door of [...way, ...way.slice().reverse()]) await doors[door]();
    }
    return heard;
}

test('one conversation through every door and back misses nothing while others talk', async (t) => {
    const room = freshRoom();
    let talking = true;
    t.after(() => (talking = false));
    const talkers = Array.from({ length: 100 }, async (_, i) => {
        for (let k = 0; talking; ++k) {
            await say(room, `${i}-${k}`, `talker-${i}`);
            await new Promise((resolve) => setTimeout(resolve, 500));
        }
    });
    const page = await openPage(t);
    const heard = await page.evaluate(wander, { room, rounds: 3, few: 10 });
    talking = false;
    await Promise.all(talkers);
    assert.ok(heard.length >= 3 * 2 * 30);
    assert.deepEqual(
        heard,
        Array.from({ length: heard.length }, (_, i) => heard[0] + i),
    );
});

test('a drain answers who waits and tells who listens', async (t) => {
    const own = await startServer();
    t.after(() => own.kill());
    const poll = fetch(roomUrl('lobby', 'messages?wait=30s', own.url));
    const child = spawn('curl', ['--silent', '--no-buffer', roomUrl('lobby', 'events', own.url)]);
    t.after(() => child.kill());
    let text = '';
    child.stdout.on('data', (bytes) => (text += bytes));
    while (!text.includes('id: ')) await once(child.stdout, 'data');
    // Its answer would be late if it did not wait yet; the drain answers that as well.
    const ended = own.stop();
    const [code] = await once(child, 'close');
    assert.equal(code, 0, 'curl saw a whole stream');
    assert.match(text, /retry: \d+\nevent: drain\ndata: \{"type":"drain"/);
    const answer = await poll.catch(() => null);
    if (answer) assert.deepEqual((await answer.json()).messages, []);
    assert.deepEqual(await ended, [0, null]);
});
