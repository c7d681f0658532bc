// Every door, plain and over TLS, by the same cases, through the clients that people have.

import assert from 'node:assert/strict';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';

import { answersOf, request, upgrade } from './bare_http.mjs';
import { Door, eventStreams, makeCertificate, webSockets } from './clients.mjs';
import { joinPage, say as sayOnPage, shows, startBrowser } from './page.mjs';
import { startRelay, startServer } from './server.mjs';
import { clients as socketIoClients, modes } from './socketio_clients.mjs';
import { wander } from './wander.mjs';

const folder = mkdtempSync(join(tmpdir(), 'parley-doors-'));
const patience = { timeout: 90_000 };

let browser;
let certificate; // {cert, key}: files
let server;
let rooms = 0;

before(async () => {
    certificate = makeCertificate(folder);
    server = await startServer({
        tls: certificate,
        env: {
            PARLEY_HTTP__ALLOWED_ORIGINS: 'https://ok.example',
            // Enough for whoever is held up on the way from one door to the next.
            PARLEY_HISTORY__MESSAGES: '20000',
            PARLEY_HISTORY__BYTES: '64MiB',
        },
    });
    browser = await startBrowser();
});

after(async () => {
    await browser?.close();
    await server?.kill();
    rmSync(folder, { recursive: true });
});

const doorTo = {
    plain: (to) => new Door(to.port),
    tls: (to) => {
        const text = readFileSync(certificate.cert, 'utf8');
        return new Door(to.tlsPort, { file: certificate.cert, text });
    },
};

const freshRoom = () => `doors-${++rooms}`;
const ofType = (type) => (frame) => frame.type === type;
const answerTo = (id) => (frame) => frame.id === id;
const count = (length, first = 1) => Array.from({ length }, (_, i) => first + i);

/** Takes part in a room from the cursor on. */
async function takePart(socket, room, name, since) {
    await socket.send({ type: 'hello', id: 'hello', name });
    await socket.inbox.until(answerTo('hello'));
    await socket.send({ type: 'join', id: 'join', room, since });
    const joined = await socket.inbox.until(answerTo('join'));
    assert.equal(joined.type, 'joined');
    assert.equal(joined.recovered, true);
    return joined.history;
}

for (const scheme of ['plain', 'tls']) {
    describe(scheme, () => {
        let door;
        before(() => (door = doorTo[scheme](server)));

        for (const [client, open] of Object.entries(webSockets)) {
            test(`${client} chats by WebSocket`, patience, async (t) => {
                const room = freshRoom();
                const { cursor } = await door.say(room, 'before');
                const socket = await open(t, door, browser);
                assert.deepEqual(await takePart(socket, room, 'bob', cursor), []);

                // Of every size of a frame's length, and what JSON and UTF-8 make difficult.
                const texts = ['hi', 'grüße 🎉 "\\\n', 'x'.repeat(126), 'é'.repeat(4_000)];
                for (const [i, text] of texts.entries()) {
                    await socket.send({ type: 'send', id: i, room, text });
                    // Its own message comes beside the answer, before or after it.
                    const two = [await socket.inbox.next(), await socket.inbox.next()];
                    const ack = two.find(ofType('ack'));
                    const message = two.find(ofType('message'));
                    assert.equal(ack.offset, i + 2);
                    assert.equal(message.cursor, ack.cursor);
                    assert.equal(message.text, text);
                    assert.equal(message.from.name, 'bob');
                }
                await door.say(room, 'by REST');
                const heard = await socket.inbox.until(ofType('message'));
                assert.deepEqual([heard.text, heard.from.name], ['by REST', 'ann']);

                await socket.send({ type: 'dance', id: 'no' });
                assert.equal((await socket.inbox.until(answerTo('no'))).code, 'bad_request');
                await socket.send({ type: 'ping', id: 'yes' });
                assert.equal((await socket.inbox.until(answerTo('yes'))).type, 'pong');
                await socket.close();
                const { code, protocol } = await socket.closed;
                assert.deepEqual([code, protocol], [1000, 'parley.v1']);
            });
        }

        for (const [client, open] of Object.entries(eventStreams)) {
            test(`${client} shows events as they are said`, patience, async (t) => {
                const room = freshRoom();
                await door.say(room, 'before');
                const { inbox } = await open(t, door, door.room(room, 'events?history=1'), browser);
                const next = async () => {
                    const { event, id, data } = await inbox.next();
                    assert.equal(event, 'message');
                    assert.equal(id, data.cursor);
                    return data.text;
                };
                assert.equal(await next(), 'before');
                for (const text of ['one', 'two\nlines', 'grüße 🎉']) {
                    await door.say(room, text);
                    assert.equal(await next(), text);
                }
            });
        }

        test('an EventSource that loses its server misses nothing', patience, async (t) => {
            const room = freshRoom();
            await door.say(room, 'first');
            const relay = await startRelay(door.port);
            t.after(() => relay.close());
            // The relay's pages are of its own origin, and may use what they came from.
            const near = door.at(relay.port);
            const url = near.room(room, 'events?history=1');
            const { inbox, page } = await eventStreams.EventSource(t, near, url, browser);
            const offsets = [];
            const hear = async (upTo) => {
                while (offsets.length < upTo) offsets.push((await inbox.next()).data.offset);
            };
            await hear(1);
            await door.say(room, 'second');
            await hear(2);
            relay.cut();
            for (const text of ['missed', 'missed, too', 'and this']) await door.say(room, text);
            relay.restore();
            await page.waitForFunction(() => window.opened >= 2);
            await door.say(room, 'last');
            await hear(6);
            assert.deepEqual(offsets, count(6));
        });

        test('curl in a loop misses nothing by long-poll', patience, async () => {
            const room = freshRoom();
            let { cursor } = await door.say(room, '0');
            const heard = [];
            const talking = (async () => {
                for (let i = 1; i <= 30; ++i) await door.say(room, `${i}`);
            })();
            while (heard.length < 30) {
                const url = door.room(room, `messages?limit=4&wait=10s&since=${cursor}`);
                const answer = JSON.parse(await door.curl(url));
                assert.equal(answer.recovered, true);
                assert.ok(answer.messages.length > 0 && answer.messages.length <= 4);
                heard.push(...answer.messages.map((message) => Number(message.text)));
                cursor = answer.cursor;
            }
            await talking;
            assert.deepEqual(heard, count(30));
            const url = door.room(room, `messages?wait=1ms&since=${cursor}`);
            assert.deepEqual(JSON.parse(await door.curl(url)).messages, []);
        });

        test('curl chats by REST', patience, async () => {
            const room = freshRoom();
            const url = door.room(room);
            const form = ['--data-urlencode', 'text=grüße & more', '-d', 'name=ann'];
            const first = JSON.parse(await door.curl(...form, url));
            assert.equal(first.offset, 1);
            const json = ['-H', 'Content-Type: application/json', '-H', 'Idempotency-Key: once'];
            const body = JSON.stringify({ data: { dice: [3, 5] }, name: 'bob' });
            for (let i = 0; i < 2; ++i) {
                assert.equal(JSON.parse(await door.curl(...json, '-d', body, url)).offset, 2);
            }
            const since = `${url}?since=${first.cursor}`;
            const page = JSON.parse(await door.curl('--compressed', since));
            assert.equal(page.recovered, true);
            assert.deepEqual(
                page.messages.map(({ offset, from, data }) => [offset, from.name, data]),
                [[2, 'bob', { dice: [3, 5] }]],
            );
            const older = JSON.parse(await door.curl(`${url}?before=${page.cursor}&limit=1`));
            assert.equal(older.messages[0].text, 'grüße & more');

            const me = door.room(room, 'members/me');
            const bob = ['-H', 'X-Parley-Name: bob'];
            assert.equal(JSON.parse(await door.curl('-X', 'PUT', ...bob, me)).user.name, 'bob');
            const members = JSON.parse(await door.curl(door.room(room, 'members')));
            assert.deepEqual([members.count, members.members[0].name], [1, 'bob']);

            const status = ['-o', '/dev/null', '-w', '%{http_code} %{content_type}'];
            const problem = 'application/problem+json';
            assert.equal(await door.curl(...status, '-d', 'x=1', url), `400 ${problem}`);
            assert.equal(await door.curl(...status, '-X', 'DELETE', url), `405 ${problem}`);
            assert.equal(await door.curl(...status, `${door.url}api/v1/no`), `404 ${problem}`);
            assert.match(await door.curl('--head', url), /^HTTP\/1.1 200 .*\r\n\r\n$/s);
        });

        test('everybody hears the same in the same order', patience, async (t) => {
            const room = freshRoom();
            const { cursor } = await door.say(room, 'begin');
            const each = 15;
            const listening = {};
            const collect = async (inbox, pick, heard = []) => {
                while (heard.at(-1)?.text !== 'the end') {
                    const message = pick(await inbox.next());
                    if (message) heard.push(message);
                }
                return heard;
            };

            const socketIo = {};
            for (const client of ['socket.io-client 4', 'python3-socketio, asyncio']) {
                for (const mode of Object.keys(modes)) {
                    const username = `${client}, ${mode}`;
                    const who = { query: { username }, auth: { username }, events: ['message'] };
                    const socket = await socketIoClients[client](t, door, mode, who);
                    await socket.call(20, 'join', { room });
                    socketIo[username] = socket;
                    const inRoom = ({ event, args }) =>
                        event === 'message' && args[0].room === room && args[0];
                    listening[username] = collect(socket.inbox, inRoom);
                }
            }

            const speaking = Object.entries(webSockets).map(async ([name, open]) => {
                const socket = await open(t, door, browser);
                const history = await takePart(socket, room, name, cursor);
                let acks = 0;
                let acked;
                const told = new Promise((resolve) => (acked = resolve));
                const pick = (frame) => {
                    if (frame.type === 'ack' && ++acks === each) acked();
                    return frame.type === 'message' && frame;
                };
                listening[name] = collect(socket.inbox, pick, history);
                for (const i of count(each)) {
                    await socket.send({ type: 'send', id: i, room, text: `${name} ${i}` });
                }
                await told;
            });
            for (const [name, open] of Object.entries(eventStreams)) {
                const url = door.room(room, `events?since=${cursor}`);
                const { inbox } = await open(t, door, url, browser);
                listening[name] = collect(inbox, (it) => it.event === 'message' && it.data);
            }
            listening['long-poll'] = (async (heard = [], since = cursor) => {
                while (heard.at(-1)?.text !== 'the end') {
                    const url = door.room(room, `messages?wait=20s&since=${since}`);
                    const page = JSON.parse(await door.curl(url));
                    heard.push(...page.messages);
                    since = page.cursor;
                }
                return heard;
            })();
            for (const [name, socket] of Object.entries(socketIo)) {
                speaking.push(
                    (async () => {
                        for (const i of count(each)) {
                            await socket.call(20, 'message', { room, text: `${name} ${i}` });
                        }
                    })(),
                );
            }
            speaking.push(
                (async () => {
                    for (const i of count(each)) {
                        await door.curl('-d', `text=curl ${i}`, '-d', 'name=curl', door.room(room));
                    }
                })(),
            );
            await Promise.all(speaking);
            await door.say(room, 'the end');
            const all = await door.ask(door.room(room, `messages?since=${cursor}&limit=200`));
            const { messages } = all.body;
            const speakers = [...Object.keys(webSockets), ...Object.keys(socketIo), 'curl'];
            assert.deepEqual(
                messages.map(({ offset }) => offset),
                count(each * speakers.length + 1, 2),
            );
            for (const name of speakers) {
                const own = messages.filter(({ from }) => from.name === name);
                assert.deepEqual(
                    own.map(({ text }) => text),
                    count(each).map((i) => `${name} ${i}`),
                );
            }
            const inSocketIo = ({ offset, from, text }) => [offset, from.name, text];
            for (const [name, heard] of Object.entries(listening)) {
                if (name in socketIo) {
                    assert.deepEqual(
                        (await heard).map(({ offset, username, text }) => [offset, username, text]),
                        messages.map(inSocketIo),
                        name,
                    );
                } else {
                    assert.deepEqual(await heard, messages, name);
                }
            }
        });

        test('one conversation through every door and back misses nothing', patience, async (t) => {
            const room = freshRoom();
            let talking = true;
            t.after(() => (talking = false));
            const talkers = count(100).map(async (i) => {
                for (let k = 0; talking; ++k) {
                    await door.say(room, `${i}-${k}`, `talker-${i}`);
                    await new Promise((resolve) => setTimeout(resolve, 500));
                }
            });
            const context = await browser.newContext({ ignoreHTTPSErrors: true });
            t.after(() => context.close());
            const page = await context.newPage();
            await page.goto(door.url);
            const heard = await page.evaluate(wander, { room, rounds: 3, few: 10 });
            talking = false;
            await Promise.all(talkers);
            assert.ok(heard.length >= 3 * 2 * 30);
            assert.deepEqual(heard, count(heard.length, heard[0]));
        });

        test('the chat page is there, and two people chat by it', patience, async (t) => {
            const room = freshRoom();
            const options = { url: door.url, ignoreHTTPSErrors: true };
            const ann = await joinPage(t, 'ann', room, options);
            const bob = await joinPage(t, 'bob', room, options);
            await sayOnPage(ann, 'hello bob');
            await shows(bob, 'hello bob');
            await sayOnPage(bob, 'hello ann');
            await shows(ann, 'hello ann');
        });

        test('a connection is kept, also by who waited on it', patience, async () => {
            const room = freshRoom();
            const { cursor } = await door.say(room, 'hello');
            const urls = [
                door.room(room),
                door.room(room, `messages?wait=1ms&since=${cursor}`),
                `${door.url}healthz`,
                `${door.url}parley.js`,
            ];
            const each = urls.flatMap((url) => ['-o', '/dev/null', url]);
            const made = await door.curl('-w', '%{http_code}:%{num_connects} ', ...each);
            assert.equal(made, '200:1 200:0 200:0 200:0 ');
        });

        test('what is asked at once is answered in order', patience, async (t) => {
            const room = freshRoom();
            const { cursor } = await door.say(room, 'hello');
            const path = `/api/v1/rooms/${room}`;
            const body = '{"text":"pipelined"}';
            const post = request(
                `POST ${path}/messages`,
                `Content-Type: application/json\r\nContent-Length: ${body.length}\r\n`,
                body,
            );
            const poll = (since) => request(`GET ${path}/messages?wait=20s&since=${since}`);
            const healthz = request('GET /healthz');

            const { inbox, send } = answersOf(await door.connect(t));
            send(healthz, post, request(`HEAD ${path}/messages`), poll(cursor), healthz);
            assert.equal((await inbox.next()).body, '{"status":"ok"}');
            const posted = await inbox.next();
            assert.equal(posted.status, 201);
            assert.match((await inbox.next()).head, /\r\nContent-Length: [1-9]/);
            assert.equal(JSON.parse((await inbox.next()).body).messages[0].text, 'pipelined');
            assert.equal((await inbox.next()).body, '{"status":"ok"}');

            // A poll that has to wait holds up what was asked after it.
            send(poll(JSON.parse(posted.body).cursor), healthz);
            await door.say(room, 'late');
            assert.equal(JSON.parse((await inbox.next()).body).messages[0].text, 'late');
            assert.equal((await inbox.next()).body, '{"status":"ok"}');

            // The last of them may be what takes the connection over.
            send(healthz, request(`GET ${path}/events`));
            assert.equal((await inbox.next()).body, '{"status":"ok"}');
            assert.match((await inbox.next()).head, /\r\nContent-Type: text\/event-stream/i);
            const other = answersOf(await door.connect(t));
            other.send(healthz, request('GET /ws', upgrade));
            assert.equal((await other.inbox.next()).body, '{"status":"ok"}');
            assert.equal((await other.inbox.next()).status, 101);
        });

        test('a page of another site needs leave', patience, async (t) => {
            const room = freshRoom();
            const { cursor } = await door.say(room, 'hello');
            for (const [origin, allowed] of [
                ['https://ok.example', true],
                ['https://other.example', false],
            ]) {
                for (const leaf of ['events?history=1', `messages?wait=1ms&since=${cursor}`]) {
                    const { inbox, send } = answersOf(await door.connect(t));
                    send(request(`GET /api/v1/rooms/${room}/${leaf}`, `Origin: ${origin}\r\n`));
                    const { status, head } = await inbox.next();
                    assert.equal(status, 200);
                    const leave = `Access-Control-Allow-Origin: ${origin}`;
                    assert.equal(head.includes(leave), allowed, leaf);
                }
            }
            const relay = await startRelay(door.port);
            t.after(() => relay.close());
            const context = await browser.newContext({ ignoreHTTPSErrors: true });
            t.after(() => context.close());
            const page = await context.newPage();
            await page.goto(door.at(relay.port).url);
            const outcome = await page.evaluate(
                (url) =>
                    new Promise((resolve) => {
                        const events = new EventSource(url);
                        events.onopen = () => resolve('open');
                        events.onerror = () => resolve('error');
                    }),
                door.room(room, 'events'),
            );
            assert.equal(outcome, 'error');
        });

        test('a drain is seen at every door', patience, async (t) => {
            const own = await startServer({
                tls: certificate,
                env: { PARLEY_DRAIN__DEADLINE: '6s' },
            });
            t.after(() => own.kill());
            const near = doorTo[scheme](own);
            const { cursor } = await near.say('lobby', 'hello');
            const idle = await near.connect(t);
            const kept = answersOf(idle);
            kept.send(request('GET /healthz'));
            assert.equal((await kept.inbox.next()).status, 200);
            // Once the first is answered the second waits.
            const polling = answersOf(await near.connect(t));
            const poll = `GET /api/v1/rooms/lobby/messages?wait=60s&since=${cursor}`;
            polling.send(request('GET /healthz'), request(poll));
            assert.equal((await polling.inbox.next()).status, 200);

            const streams = [];
            for (const open of Object.values(eventStreams)) {
                const url = near.room('lobby', 'events?history=1');
                streams.push(await open(t, near, url, browser));
                await streams.at(-1).inbox.until(({ data }) => data.text === 'hello');
            }
            const sockets = [];
            for (const open of Object.values(webSockets)) {
                sockets.push(await open(t, near, browser));
                await takePart(sockets.at(-1), 'lobby', 'bob', cursor);
            }

            const ended = own.stop();
            for (const { inbox, closed } of sockets) {
                const { retry_after_ms } = await inbox.until(ofType('drain'));
                assert.ok(retry_after_ms > 0);
                assert.equal((await closed).code, 1012);
            }
            for (const { inbox, ended: exit } of streams) {
                assert.equal((await inbox.until((it) => it.event === 'drain')).data.type, 'drain');
                assert.equal((await exit) ?? 0, 0, 'curl saw a whole stream');
            }
            assert.deepEqual(JSON.parse((await polling.inbox.next()).body).messages, []);
            assert.equal(await polling.inbox.next(), undefined);
            assert.equal(await kept.inbox.next(), undefined);
            assert.deepEqual(await ended, [0, null]);
        });
    });
}
