// The chat page in a real browser against a real parleyd.

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';

import {
    comesToShow,
    joinPage,
    memberNames,
    members,
    nothingPending,
    numbered,
    offsets,
    openPage,
    publish,
    say,
    shows,
    showsCount,
    startBrowser,
    state,
    texts,
    typingShows,
} from './page.mjs';
import { startRelay, startServer } from './server.mjs';

let browser;
let server;
let rooms = 0;

before(async () => {
    server = await startServer();
    browser = await startBrowser();
});

after(async () => {
    await browser?.close();
    await server?.kill();
});

const freshRoom = () => `room-${++rooms}`;
const open = (t, options) => openPage(t, { url: server.url, ...options });
const join = (t, name, room, options) => joinPage(t, name, room, { url: server.url, ...options });

// ---- talking ---------------------------------------------------------------------------------

test('two pages talk both ways and see one order', async (t) => {
    const room = freshRoom();
    const ann = await join(t, 'Ann', room);
    const bob = await join(t, 'Bob', room);
    await say(ann, 'hello Bob');
    await shows(bob, 'hello Bob');
    await say(bob, 'hello Ann');
    await shows(ann, 'hello Ann');

    await Promise.all(
        [
            [ann, 'a'],
            [bob, 'b'],
        ].map(async ([page, letter]) => {
            for (const text of numbered(10, letter)) await say(page, text);
        }),
    );
    await showsCount(ann, 22);
    await showsCount(bob, 22);
    const seen = await texts(ann);
    await comesToShow(bob, seen);
    assert.deepEqual(
        await offsets(ann),
        numbered(22).map((_, i) => i + 1),
    );
    for (const letter of ['a', 'b']) {
        assert.deepEqual(
            seen.filter((text) => new RegExp(`^${letter} \\d+$`).test(text)),
            numbered(10, letter),
        );
    }
    await nothingPending(ann);
    assert.equal(await ann.$$eval('#messages li.own', (all) => all.length), 11);
});

test('who comes late is shown what was said', async (t) => {
    const room = freshRoom();
    const ann = await join(t, 'Ann', room);
    for (const text of ['one', 'two', 'three']) await say(ann, text);
    await showsCount(ann, 3);
    const late = await join(t, 'Late', room);
    await showsCount(late, 3);
    await comesToShow(late, ['one', 'two', 'three']);
    assert.equal(await late.$eval('#messages li.first .sender', (e) => e.textContent), 'Ann');
});

test('HTML in a message stays text and only web addresses become links', async (t) => {
    const room = freshRoom();
    const ann = await join(t, 'Ann', room);
    const bob = await join(t, '<b>Bob</b>', room);
    const nasty =
        '<img src=x onerror="document.title=\'broken\'"><script>document.title=1</script>';
    await say(bob, nasty);
    await say(bob, 'see https://example.org/a_(b)?c=1&d=2. or javascript:alert(1)');
    await shows(ann, nasty);
    await showsCount(ann, 2);
    assert.equal(
        await ann.$$eval('#messages img, #messages script, #messages b', (all) => all.length),
        0,
    );
    assert.match(await ann.title(), new RegExp(room));
    assert.ok((await memberNames(ann)).includes('<b>Bob</b>'));
    const links = await ann.$$eval('#messages a', (all) =>
        all.map((a) => [a.getAttribute('href'), a.rel]),
    );
    assert.equal(links.length, 1);
    assert.equal(links[0][0], 'https://example.org/a_(b)?c=1&d=2');
    assert.match(links[0][1], /\bnoopener\b/);
});

// ---- who is here, typing, reading ------------------------------------------------------------

test('the roster shows who comes and who goes', async (t) => {
    const room = freshRoom();
    const ann = await join(t, 'Ann', room);
    await members(ann, ['Ann']);
    const bob = await join(t, 'Bob', room);
    await members(ann, ['Ann', 'Bob']);
    await members(bob, ['Ann', 'Bob']);
    assert.equal(await ann.textContent('#room-count'), '2 people here');
    await bob.click('#leave');
    await members(ann, ['Ann']);
    assert.equal(await bob.isVisible('#login-form'), true);
    await bob.click('#join');
    await state(bob, 'online');
    await members(ann, ['Ann', 'Bob']);
    await bob.close();
    await members(ann, ['Ann']);
});

test('typing shows, and vanishes when it is sent, deleted or never heard of again', async (t) => {
    const room = freshRoom();
    const relay = await startRelay(server.port);
    t.after(() => relay.close());
    const ann = await join(t, 'Ann', room);
    const bob = await join(t, 'Bob', room, { url: relay.url });
    await bob.locator('#text').pressSequentially('half a thou');
    await typingShows(ann, /^Bob is typing$/);
    await say(bob, 'a whole thought');
    await typingShows(ann, /^$/);

    await bob.locator('#text').pressSequentially('no');
    await typingShows(ann, /^Bob is typing$/);
    await bob.fill('#text', '');
    await typingShows(ann, /^$/);

    await bob.locator('#text').pressSequentially('into the tun');
    await typingShows(ann, /^Bob is typing$/);
    relay.cut();
    await typingShows(ann, /^$/);
});

test('what others have read is marked once, under the last of it', async (t) => {
    const room = freshRoom();
    const ann = await join(t, 'Ann', room);
    await join(t, 'Bob', room);
    await say(ann, 'first');
    await ann.waitForSelector('#messages li[data-offset="1"] .seen');
    await say(ann, 'second');
    await ann.waitForSelector('#messages li[data-offset="2"] .seen');
    assert.equal(await ann.$$eval('#messages .seen', (all) => all.length), 1);
    assert.match(await ann.textContent('#messages .seen'), /Read by Bob/);
});

test('messages that came while the page was hidden are counted in the title', async (t) => {
    const room = freshRoom();
    // Somebody who is in no other room, of which something might be unread.
    const ann = await join(t, 'Hilda', room);
    const bob = await join(t, 'Bob', room);
    const hide = (hidden) =>
        ann.evaluate((value) => {
            Object.defineProperty(document, 'hidden', { configurable: true, get: () => value });
            document.dispatchEvent(new Event('visibilitychange'));
        }, hidden);
    await hide(true);
    await say(bob, 'one');
    await say(bob, 'two');
    await ann.waitForFunction((title) => document.title === title, `(2) #${room} · Parley`);
    await hide(false);
    assert.equal(await ann.title(), `#${room} · Parley`);
});

// ---- scrolling -------------------------------------------------------------------------------

test('scrolling back loads what was said before, down to the first message', async (t) => {
    const room = freshRoom();
    const ann = await join(t, 'Ann', room);
    await publish(ann, room, 'Archive', numbered(120));
    await showsCount(ann, 120);
    const late = await join(t, 'Late', room);
    await showsCount(late, 50);
    assert.equal(await late.isVisible('#beginning'), false);
    for (const loaded of [100, 120]) {
        await late.$eval('#scroll', (e) => (e.scrollTop = 0));
        await showsCount(late, loaded);
        const top = await late.$eval('#scroll', (e) => e.scrollTop);
        assert.ok(top > 300, `the place was kept, not ${top}`);
    }
    assert.deepEqual(
        await offsets(late),
        numbered(120).map((_, i) => i + 1),
    );
    await comesToShow(late, numbered(120));
    assert.equal(await late.isVisible('#beginning'), true);
});

test('who reads further up is left there and told what is new', async (t) => {
    const room = freshRoom();
    const ann = await join(t, 'Ann', room);
    const bob = await join(t, 'Bob', room);
    await publish(ann, room, 'Archive', numbered(40));
    await showsCount(ann, 40);
    const fromEnd = () =>
        ann.$eval('#scroll', (e) => e.scrollHeight - e.scrollTop - e.clientHeight);
    await ann.waitForFunction(() => {
        const e = document.querySelector('#scroll');
        return e.scrollHeight - e.scrollTop - e.clientHeight < 2;
    });
    await ann.$eval('#scroll', (e) => (e.scrollTop = 0));
    await ann.waitForSelector('#latest:not([hidden])');
    await say(bob, 'news');
    await ann.waitForSelector('#latest.news');
    assert.match(await ann.textContent('#latest'), /1 new message$/);
    assert.equal(await ann.$eval('#scroll', (e) => e.scrollTop), 0);
    await ann.click('#latest');
    await ann.waitForSelector('#latest', { state: 'hidden' });
    assert.ok((await fromEnd()) < 2);
});

// ---- losing the connection -------------------------------------------------------------------

test('a killed server is noticed; restarted on its port it is found again', async (t) => {
    const room = freshRoom();
    let mortal = await startServer();
    t.after(() => mortal.kill());
    const ann = await join(t, 'Ann', room, { url: mortal.url });
    const bob = await join(t, 'Bob', room, { url: mortal.url });
    await say(ann, 'before');
    for (const page of [ann, bob]) await shows(page, 'before');
    await mortal.kill();
    for (const page of [ann, bob]) await state(page, 'offline');
    await ann.waitForFunction(() =>
        /retrying in \d+ s/.test(document.querySelector('#banner-text').textContent),
    );
    await say(ann, 'written offline');
    await ann.waitForSelector('#messages li[data-state="pending"]');

    mortal = await startServer({ port: mortal.port });
    await state(ann, 'online');
    await bob.waitForFunction(
        () => {
            if (document.querySelector('#status').dataset.state === 'online') return true;
            document.querySelector('#retry').click();
            return false;
        },
        null,
        { polling: 200 },
    );
    await shows(bob, 'written offline');
    await nothingPending(ann);
    await say(bob, 'after');
    await shows(ann, 'after');
    for (const page of [ann, bob]) {
        await comesToShow(page, ['before', 'written offline', 'after']);
        assert.equal(await page.isVisible('#banner'), false);
    }
});

test('what was acknowledged when a server was lost stays, though it never came back', async (t) => {
    const room = freshRoom();
    let mortal = await startServer();
    t.after(() => mortal.kill());
    const unheard = (frame) => frame.type === 'message' && frame.text === 'before';
    const ann = await join(t, 'Ann', room, { url: mortal.url, meddle: { down: unheard } });
    await say(ann, 'before');
    await ann.waitForSelector('#messages li[data-state="sent"]');
    await mortal.kill();
    await state(ann, 'offline');
    mortal = await startServer({ port: mortal.port });
    await state(ann, 'online');
    await say(ann, 'after');
    await comesToShow(ann, ['before', 'after']);
    await nothingPending(ann);
    assert.ok(await ann.$eval('#messages li[data-offset]', (e) => e.classList.contains('own')));
});

test('a cut connection resumes at its cursor: nothing lost, nothing twice', async (t) => {
    const room = freshRoom();
    const relay = await startRelay(server.port);
    t.after(() => relay.close());
    const ann = await join(t, 'Ann', room, { url: relay.url });
    const bob = await join(t, 'Bob', room);
    await say(bob, 'before');
    await shows(ann, 'before');
    relay.cut();
    await state(ann, 'offline');
    for (const text of numbered(7, 'meanwhile')) await say(bob, text);
    await showsCount(bob, 8);
    relay.restore();
    await state(ann, 'online');
    await showsCount(ann, 8);
    await say(ann, 'back again');
    await shows(bob, 'back again');
    await showsCount(ann, 9);
    await comesToShow(ann, ['before', ...numbered(7, 'meanwhile'), 'back again']);
    await comesToShow(bob, await texts(ann));
    assert.deepEqual(
        await offsets(ann),
        numbered(9).map((_, i) => i + 1),
    );
});

test('a message whose ack was lost is sent again and published once', async (t) => {
    const room = freshRoom();
    const relay = await startRelay(server.port);
    t.after(() => relay.close());
    const ann = await join(t, 'Ann', room, { url: relay.url });
    const bob = await join(t, 'Bob', room);
    relay.loseAnswers();
    await say(ann, 'just once');
    await shows(bob, 'just once');
    relay.cut();
    await state(ann, 'offline');
    assert.equal(await ann.$$eval('#messages li[data-state="pending"]', (all) => all.length), 1);
    relay.restore();
    await state(ann, 'online');
    await shows(ann, 'just once');
    await nothingPending(ann);
    await say(ann, 'and done');
    await shows(bob, 'and done');
    await shows(ann, 'and done');
    for (const page of [ann, bob]) await comesToShow(page, ['just once', 'and done']);
});

test('skipped messages are announced in their place and can be shown after all', async (t) => {
    const room = freshRoom();
    const skip = (frame, toPage) => {
        if (frame.type !== 'message' || frame.offset < 2 || frame.offset > 4) return false;
        if (frame.offset === 4) {
            toPage({ type: 'gap', room: frame.room, from: 2, to: 4, cursor: frame.cursor });
        }
        return true;
    };
    const ann = await join(t, 'Ann', room, { meddle: { down: skip } });
    const bob = await join(t, 'Bob', room);
    for (const text of numbered(5)) await say(bob, text);
    await showsCount(ann, 2);
    const order = () =>
        ann.$$eval('#messages > li', (all) => all.map((e) => e.dataset.offset ?? e.dataset.gap));
    assert.deepEqual(await order(), ['1', '2-4', '5']);
    assert.match(await ann.textContent('#messages [data-gap]'), /^3 messages skipped/);
    await ann.click('#messages [data-gap] button');
    await showsCount(ann, 5);
    assert.deepEqual(await order(), ['1', '2', '3', '4', '5']);
});

// ---- refusals --------------------------------------------------------------------------------

test('a message that came too fast says so and is sent after all', async (t) => {
    const room = freshRoom();
    let refusals = 1;
    const refuse = ({ type, id }, toPage) => {
        if (type !== 'send' || refusals-- <= 0) return false;
        toPage({
            type: 'error',
            id,
            code: 'rate_limited',
            message: 'slow down',
            temporary: true,
            retry_after_ms: 5_000,
        });
        return true;
    };
    const ann = await join(t, 'Ann', room, { meddle: { up: refuse } });
    await say(ann, 'in a hurry');
    const trouble = await ann.waitForSelector('#messages li[data-state="delayed"] .trouble');
    assert.match(await trouble.textContent(), /too fast.*5 s/);
    await shows(ann, 'in a hurry');
    await nothingPending(ann);
    await comesToShow(ann, ['in a hurry']);
});

test('a refused message stays, to be tried again or discarded', async (t) => {
    const room = freshRoom();
    let willing = false;
    const refuse = ({ type, id }, toPage) => {
        if (type !== 'send' || willing) return false;
        toPage({
            type: 'error',
            id,
            code: 'forbidden',
            message: 'not in this tone',
            temporary: false,
        });
        return true;
    };
    const ann = await join(t, 'Ann', room, { meddle: { up: refuse } });
    const failed = '#messages li[data-state="failed"]';
    await say(ann, 'away with it');
    await ann.waitForSelector(failed);
    assert.match(await ann.textContent(`${failed} .trouble`), /not in this tone/);
    await ann.click(`${failed} >> text=Discard`);
    await nothingPending(ann);
    await say(ann, 'please');
    await ann.waitForSelector(failed);
    willing = true;
    await ann.click(`${failed} >> text=Try again`);
    await shows(ann, 'please');
    await nothingPending(ann);
    await comesToShow(ann, ['please']);
});

// ---- the door --------------------------------------------------------------------------------

test('names and rooms that are refused are explained, and can be corrected', async (t) => {
    const page = await open(t);
    const refusedWith = async (name, room, pattern) => {
        await page.fill('#name', name);
        await page.fill('#room', room);
        await page.click('#join');
        await page.waitForFunction((source) => {
            const error = document.querySelector('#login-error');
            return !error.hidden && new RegExp(source, 'i').test(error.textContent);
        }, pattern.source);
        assert.equal(await page.isVisible('#chat'), false);
    };
    await refusedWith('', 'lobby', /name/);
    await refusedWith('x'.repeat(300), 'lobby', /name/);
    await refusedWith('Ann', 'not a room!', /room/);
    await refusedWith('Ann', 'r'.repeat(129), /room/);
    await page.fill('#room', freshRoom());
    await page.click('#join');
    await state(page, 'online');
    assert.equal(await page.isVisible('#composer'), true);
});

test('the room comes from the address, and a reload comes back to it', async (t) => {
    const [first, second] = [freshRoom(), freshRoom()];
    const page = await open(t, { url: `${server.url}?room=${first}` });
    assert.equal(await page.inputValue('#room'), first);
    await page.fill('#name', 'Ann');
    await page.click('#join');
    await state(page, 'online');
    await say(page, 'still here');
    await showsCount(page, 1);
    await page.reload();
    await state(page, 'online');
    await shows(page, 'still here');
    assert.equal(await page.$$eval('#messages li.own', (all) => all.length), 1);
    await page.evaluate((room) => (location.hash = room), second);
    await page.waitForFunction(
        (room) => document.querySelector('#room-title').textContent === room,
        second,
    );
    await showsCount(page, 0);
});

test('a phone shows the whole composer, never scrolls sideways, and has a drawer', async (t) => {
    const room = freshRoom();
    const page = await join(t, 'Ann', room, {
        viewport: { width: 360, height: 740 },
        hasTouch: true,
    });
    await say(page, `${'unbroken'.repeat(60)} https://example.org/${'a'.repeat(300)}`);
    await showsCount(page, 1);
    const fits = () =>
        page.evaluate(
            () =>
                document.documentElement.scrollWidth <= 360 &&
                document.querySelector('#scroll').scrollWidth <=
                    document.querySelector('#scroll').clientWidth,
        );
    assert.equal(await fits(), true);
    for (const id of ['#composer', '#text', '#send']) {
        const box = await page.locator(id).boundingBox();
        assert.ok(box.x >= 0 && box.x + box.width <= 360 && box.y + box.height <= 740, id);
    }
    assert.equal(await page.isVisible('#members'), false);
    await page.click('#people');
    await page.waitForSelector('#members li');
    assert.equal(await fits(), true);
    await page.press('body', 'Escape');
    await page.waitForSelector('#members', { state: 'hidden' });
});

// ---- without a mouse -------------------------------------------------------------------------

test('everything has a name, and the messages and their menus are reached by keyboard', async (t) => {
    const room = freshRoom();
    const ann = await join(t, 'Ann', room);
    for (const text of ['one', 'two', 'three']) await say(ann, text);
    await showsCount(ann, 3);
    await nothingPending(ann);
    for (const part of [
        'role=log[name="Messages"]',
        'role=navigation[name="Rooms"]',
        'role=complementary[name="Who is here"]',
        'role=textbox[name="Message"]',
        'role=button[name="Send"]',
        'role=button[name="Join or make a room"]',
        'role=button[name="Actions for this room"]',
    ]) {
        assert.equal(await ann.locator(part).count(), 1, part);
    }
    const unnamed = await ann.$$eval('button, input, textarea', (all) =>
        all
            .filter((e) => e.checkVisibility())
            .filter((e) => !e.ariaLabel && !e.textContent.trim() && !e.labels?.length)
            .map((e) => e.outerHTML),
    );
    assert.deepEqual(unnamed, []);

    const focused = () =>
        ann.evaluate(
            () => document.activeElement.closest('li')?.querySelector('.text').textContent,
        );
    await ann.press('#text', 'Shift+Tab');
    await ann.focus('#scroll');
    await ann.keyboard.press('ArrowUp');
    assert.equal(await focused(), 'three');
    await ann.keyboard.press('ArrowUp');
    assert.equal(await focused(), 'two');
    await ann.keyboard.press('Enter');
    await ann.waitForSelector('role=menu');
    assert.equal(await ann.evaluate(() => document.activeElement.role), 'menuitem');
    await ann.keyboard.press('Escape');
    await ann.waitForSelector('role=menu', { state: 'detached' });
    await ann.keyboard.press('ArrowDown');
    assert.equal(await focused(), 'three');
    await ann.keyboard.press('Escape');
    assert.equal(await ann.evaluate(() => document.activeElement.id), 'text');
});

test('on a phone the rooms are a drawer too', async (t) => {
    const [first, second] = [freshRoom(), freshRoom()];
    const page = await join(t, 'Ann', first, {
        viewport: { width: 360, height: 740 },
        hasTouch: true,
    });
    assert.equal(await page.isVisible('#new-room'), false);
    await page.click('#rooms-open');
    await page.click('#new-room');
    await page.fill('dialog [name=room]', second);
    await page.click('dialog .primary');
    await page.waitForFunction(
        (room) => document.querySelector('#room-title').textContent === room,
        second,
    );
    await page.click('#rooms-open');
    await page.waitForSelector('#room-list .room >> nth=1');
    const fits = await page.evaluate(() => document.documentElement.scrollWidth <= 360);
    assert.equal(fits, true);
    await page.click(`#room-list [data-room="${first}"]`);
    await page.waitForSelector('#sidebar', { state: 'hidden' });
    assert.equal(await page.textContent('#room-title'), first);
});
