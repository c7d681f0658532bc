// The three styles of front end that Socket.IO chats have, in Chromium, with the stock bundle and
// the ready configuration of each ($CONF): pages of another origin, which parleyd does not serve.

import assert from 'node:assert/strict';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';

import { Door } from './clients.mjs';
import { openPage, startBrowser } from './page.mjs';
import { startPageServer } from './page_server.mjs';
import { startServer } from './server.mjs';
import { modes } from './socketio_clients.mjs';

const patience = { timeout: 30_000 };

let browser;
let pages;

before(async () => {
    if (!process.env.CONF) throw new Error('CONF is not set: it names the folder conf/');
    [browser, pages] = await Promise.all([startBrowser(), startPageServer()]);
});

after(async () => {
    await browser?.close();
    pages?.close();
});

const start = (style, env) =>
    startServer({
        config: join(process.env.CONF, `socketio-${style}.toml`),
        env: { PARLEY_HTTP__ALLOWED_ORIGINS: pages.origin, ...env },
    });

/** A page of that style for someone, connected unless connect is false. */
async function visit(t, server, style, username, { connect = true, from = pages, ...asked } = {}) {
    const query = new URLSearchParams({ server: server.url, username, ...asked });
    const page = await openPage(t, { url: `${from.origin}/${style}.html?${query}` });
    if (connect) await says(page, '#status', 'connected');
    return page;
}

// ---- what is done and seen on a page ---------------------------------------------------------

const says = (page, selector, text) =>
    page.waitForFunction(
        ([where, wanted]) => document.querySelector(where)?.textContent === wanted,
        [selector, text],
    );
const items = (page, selector = '#messages li') =>
    page.$$eval(selector, (all) => all.map((item) => item.textContent));
const shows = (page, text) =>
    page.waitForFunction(
        (wanted) =>
            [...document.querySelectorAll('#messages li')].some((e) => e.textContent === wanted),
        text,
    );
async function enter(page, text) {
    await page.fill('#text', text);
    await page.press('#text', 'Enter');
}

// ---- plain -----------------------------------------------------------------------------------

describe('plain', () => {
    let server;
    before(async () => (server = await start('plain')));
    after(() => server?.kill());

    for (const [mode, transports] of Object.entries(modes)) {
        test(`two pages chat, ${mode}`, patience, async (t) => {
            const options = { transports: transports.join() };
            const ann = await visit(t, server, 'plain', 'ann', options);
            const bob = await visit(t, server, 'plain', 'bob', options);
            const all = ['ann: hello bob', 'bob: grüße 🎉 <b>ann</b>', 'ann: bye'];
            for (const line of all) {
                const [who, text] = line.split(': ');
                await enter(who === 'ann' ? ann : bob, text);
                for (const page of [ann, bob]) await shows(page, line);
            }
            assert.deepEqual((await items(bob)).slice(-3), all);
            assert.deepEqual(await items(ann, '#messages b'), []);
        });
    }

    test('a page hears the other doors, and they hear it', patience, async (t) => {
        const door = new Door(server.port);
        const ann = await visit(t, server, 'plain', 'ann');
        await door.say('lobby', 'hello by REST', 'curl');
        await shows(ann, 'curl: hello by REST');
        await enter(ann, 'hello curl');
        await shows(ann, 'ann: hello curl');
        const { body } = await door.ask(door.room('lobby'));
        const { from, text } = body.messages.at(-1);
        assert.deepEqual([from.name, text], ['ann', 'hello curl']);
    });

    test('a page may send its credentials', patience, async (t) => {
        for (const transports of Object.values(modes)) {
            const options = { credentials: '1', transports: transports.join() };
            const ann = await visit(t, server, 'plain', 'ann', options);
            await enter(ann, `by ${transports}`);
            await shows(ann, `ann: by ${transports}`);
        }
    });

    test('a page of an origin that is not listed is refused', patience, async (t) => {
        const from = await startPageServer('socket.io-client-3');
        t.after(() => from.close());
        for (const [transports, error] of [
            ['polling', 'xhr poll error'],
            ['websocket', 'websocket error'],
            ['polling,websocket', 'xhr poll error'],
        ]) {
            const options = { connect: false, from, transports };
            const mallory = await visit(t, server, 'plain', 'mallory', options);
            await says(mallory, '#status', error);
            await mallory.close();
            mallory.faults.length = 0; // the browser's own words of it
        }
    });

    test('a page of socket.io-client 3 chats', patience, async (t) => {
        const from = await startPageServer('socket.io-client-3');
        t.after(() => from.close());
        const own = await start('plain', { PARLEY_HTTP__ALLOWED_ORIGINS: from.origin });
        t.after(() => own.kill());
        const ann = await visit(t, own, 'plain', 'ann', { from });
        await enter(ann, 'hello from 3');
        await shows(ann, 'ann: hello from 3');
    });
});

// ---- Flask -----------------------------------------------------------------------------------

test('the Flask chat: who comes, talks, types and goes', patience, async (t) => {
    const server = await start('flask', { PARLEY_PRESENCE__GRACE: '100ms' });
    t.after(() => server.kill());
    const ann = await visit(t, server, 'flask', 'ann');
    const bob = await visit(t, server, 'flask', 'bob');
    await shows(ann, 'bob joined');
    await says(ann, '#count', '2');

    await bob.type('#text', 'hi');
    await says(ann, '#typing', 'bob is typing');
    await bob.click('#send');
    await shows(ann, 'bob: hi');
    await shows(bob, 'bob: hi');
    await ann.fill('#text', 'hello bob');
    await ann.click('#send');
    await shows(bob, 'ann: hello bob');
    await shows(ann, 'ann: hello bob');
    assert.deepEqual(await items(ann, '.message'), ['bob: hi', 'ann: hello bob']);

    await bob.close();
    await shows(ann, 'bob left');
    await says(ann, '#count', '1');
});

// ---- rooms -----------------------------------------------------------------------------------

async function go(page, room) {
    await page.fill('#room', room);
    await page.press('#room', 'Enter');
    await says(page, '#where', room);
}

test('the rooms: history, talk and typing stay in their room', patience, async (t) => {
    const server = await start('rooms');
    t.after(() => server.kill());
    const ann = await visit(t, server, 'rooms', 'ann');
    await go(ann, 'kitchen');
    for (const text of ['one', 'two', 'three']) {
        await enter(ann, text);
        await shows(ann, `ann: ${text}`);
    }
    const bob = await visit(t, server, 'rooms', 'bob');
    await go(bob, 'kitchen');
    assert.deepEqual(await items(bob), ['ann: one', 'ann: two', 'ann: three']);
    await bob.type('#text', 'four');
    await says(ann, '#typing', 'bob types');
    await bob.press('#text', 'Enter');
    await shows(ann, 'bob: four');

    await go(bob, 'garden');
    assert.deepEqual(await items(bob), []);
    await enter(ann, 'still here');
    await shows(ann, 'ann: still here');
    await enter(bob, 'nice weather');
    await shows(bob, 'bob: nice weather');
    assert.deepEqual(await items(bob), ['bob: nice weather']);
    await go(ann, 'garden');
    assert.deepEqual(await items(ann), ['bob: nice weather']);
    await go(bob, 'kitchen');
    assert.equal((await items(bob)).at(-1), 'ann: still here');
});
