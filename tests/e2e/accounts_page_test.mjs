// Accounts, history and files in the chat page, in a real browser against a real parleyd; and what
// the page is where a server has none of them.

import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join as joinPath } from 'node:path';
import { after, before, test } from 'node:test';

import {
    comeIn,
    comesToShow,
    doorSays,
    joinPage,
    noteSays,
    numbered,
    offsets,
    openPage,
    publish,
    say,
    secret,
    shows,
    showsCount,
    startBrowser,
    state,
    texts,
} from './page.mjs';
import { configWithAll, startServer } from './server.mjs';

// The smallest PNG: one pixel.
const png = Buffer.from(
    'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==',
    'base64',
);

let browser;
let folder;
let server;
let bare;
let people = 0;
let rooms = 0;

before(async () => {
    folder = mkdtempSync(joinPath(tmpdir(), 'parley-page-'));
    const env = { PARLEY_FILES__SIZE_MAX: '64KiB' };
    server = await startServer({ config: configWithAll(folder), env });
    bare = await startServer();
    browser = await startBrowser();
});

after(async () => {
    await browser?.close();
    await server?.kill();
    await bare?.kill();
    rmSync(folder, { recursive: true, force: true });
});

const freshRoom = () => `room-${++rooms}`;
const freshName = () => `Person ${++people}`;
const open = (t, options) => openPage(t, { url: server.url, ...options });
const join = (t, name, room, options) => joinPage(t, name, room, { url: server.url, ...options });

/** Somebody with a new account, in that room. */
async function signedUp(t, room, options) {
    const name = freshName();
    const page = await open(t, options);
    await comeIn(page, 'up', name, room);
    await state(page, 'online');
    return { name, page };
}

// ---- accounts --------------------------------------------------------------------------------

test('who signs up has the name for good, is signed in again by a reload, and may sign out', async (t) => {
    const room = freshRoom();
    const { name, page } = await signedUp(t, room);
    assert.equal(await page.textContent('#me'), name);
    assert.equal(await page.textContent('#me-about'), 'Signed in');
    await say(page, 'mine');
    await showsCount(page, 1);
    const stored = await page.evaluate(() =>
        JSON.stringify([{ ...localStorage }, document.cookie]),
    );
    assert.doesNotMatch(stored, /ps_|horse/, 'neither token nor password is where scripts see it');

    await page.reload();
    await state(page, 'online');
    await shows(page, 'mine');
    assert.equal(await page.$$eval('#messages li.own', (all) => all.length), 1);

    const guest = await open(t);
    await guest.fill('#name', name);
    await guest.click('#join');
    await doorSays(guest, /registered/);
    await comeIn(guest, 'up', name, room);
    await doorSays(guest, /taken/);
    await comeIn(guest, 'in', name, room, 'wrong horse');
    await doorSays(guest, /password/);
    assert.equal(await guest.isVisible('#chat'), false);

    await page.click('#leave');
    await page.waitForSelector('#login-form');
    await page.reload();
    await page.waitForSelector('#ways:not([hidden])');
    assert.equal(await page.isVisible('#login-form'), true, 'and is not signed in any more');
    await comeIn(page, 'in', name, room);
    await state(page, 'online');
    assert.equal(await page.textContent('#me-about'), 'Signed in');
});

test('a guest needs no account, and may sign in from inside', async (t) => {
    const room = freshRoom();
    const page = await join(t, 'Passer-by', room);
    assert.equal(await page.textContent('#me-about'), 'Guest');
    await page.click('#account');
    await page.click('role=menuitem[name="Sign in or sign up…"]');
    const name = freshName();
    await comeIn(page, 'up', name, room);
    await state(page, 'online');
    assert.equal(await page.textContent('#me'), name);
});

test('changing the password signs out everywhere else', async (t) => {
    const room = freshRoom();
    const { name, page } = await signedUp(t, room);
    const other = await open(t);
    await comeIn(other, 'in', name, room);
    await state(other, 'online');

    const change = async (old, fresh, again = fresh) => {
        await page.fill('dialog [name=old]', old);
        await page.fill('dialog [name=fresh]', fresh);
        await page.fill('dialog [name=again]', again);
        await page.click('dialog .primary');
    };
    const refusedWith = (pattern) =>
        page.waitForFunction(
            (source) =>
                new RegExp(source).test(
                    document.querySelector('.dialog-error:not([hidden])')?.textContent,
                ),
            pattern.source,
        );
    await page.click('#account');
    await page.click('role=menuitem[name="Change password…"]');
    await change(secret, 'battery staple', 'battery stable');
    await refusedWith(/not the same/);
    await change('not it at all', 'battery staple');
    await refusedWith(/password/i);
    await change(secret, 'battery staple');
    await page.waitForSelector('dialog', { state: 'detached' });

    await doorSays(other, /signed out/);
    // The cookie that is left is in nobody's way.
    await other.reload();
    await other.waitForSelector('#ways:not([hidden])');
    await other.check('#way-guest');
    await other.fill('#name', 'Passer-by');
    await other.click('#join');
    await state(other, 'online');
    assert.equal(await other.textContent('#me-about'), 'Guest');
    await other.click('#leave');
    await say(page, 'still here');
    await showsCount(page, 1);
    await comeIn(other, 'in', name, room, secret);
    await doorSays(other, /password/);
    await other.fill('#password', 'battery staple');
    await other.click('#join');
    await state(other, 'online');
});

// ---- history ---------------------------------------------------------------------------------

test('scrolling back goes through all that is kept, far beyond what memory holds', async (t) => {
    const room = freshRoom();
    const ann = await join(t, 'Ann', room);
    await publish(ann, room, 'Archive', numbered(420));
    const late = await join(t, 'Late', room);
    await showsCount(late, 50);
    for (let loaded = 100; loaded <= 420 + 49; loaded += 50) {
        // What is in view stays where it is while older messages come above it.
        const [text, before] = await late.$eval('#scroll', (e) => {
            e.scrollTop = 0;
            const first = e.querySelector('li[data-offset] .text');
            return [first.textContent, first.getBoundingClientRect().top];
        });
        await showsCount(late, Math.min(loaded, 420));
        const now = await late.$$eval(
            '#messages li[data-offset] .text',
            (all, wanted) => all.find((e) => e.textContent === wanted).getBoundingClientRect().top,
            text,
        );
        assert.ok(Math.abs(now - before) < 2, `${text} moved by ${now - before}`);
    }
    await comesToShow(late, numbered(420));
    assert.equal(await late.isVisible('#beginning'), true);
});

test('a search finds words, marks them, and goes to the message in its place', async (t) => {
    const room = freshRoom();
    const ann = await join(t, 'Ann', room);
    const all = numbered(420);
    all[99] = 'the <b>quick</b> brown Füchsin';
    await publish(ann, room, 'Archive', all);
    const bob = await join(t, 'Bob', room);
    await showsCount(bob, 50);
    await bob.click('#search-open');
    await bob.fill('#search-text', 'fuchsin qui*');
    const result = await bob.waitForSelector('#results .result');
    assert.match(await result.textContent(), /the <b>quick<\/b> brown Füchsin/);
    assert.deepEqual(
        await bob.$$eval('#results mark', (marks) => marks.map((e) => e.textContent)),
        ['qui', 'Füchsin'],
    );
    await result.click();
    await bob.waitForSelector('#messages li.found[data-offset="100"]');
    const place = await bob.$eval('#messages li.found', (e) => {
        const { top, bottom } = e.getBoundingClientRect();
        return [top, bottom, innerHeight];
    });
    assert.ok(place[0] > 0 && place[1] < place[2], 'it is in view');
    const around = await offsets(bob);
    assert.ok(around.includes(99) && around.includes(101), 'with what was said around it');

    // Down again: page by page, without a hole, to what is being said.
    await say(ann, 'meanwhile');
    await bob.waitForSelector('#latest.news');
    await bob.waitForFunction(() => {
        const scroll = document.querySelector('#scroll');
        scroll.scrollTop = scroll.scrollHeight;
        return document.querySelector('#messages li[data-offset="421"]');
    });
    const shown = await offsets(bob);
    assert.deepEqual(
        shown,
        shown.map((_, i) => shown[0] + i),
    );

    await bob.fill('#search-text', 'message');
    await bob.waitForFunction(() => document.querySelectorAll('#results li').length === 20);
    await bob.click('#search-more');
    await bob.waitForFunction(() => document.querySelectorAll('#results li').length === 40);
    await bob.fill('#search-text', 'nothing of the kind');
    await bob.waitForFunction(() =>
        /Nothing was found/.test(document.querySelector('#search-note').textContent),
    );
});

test('from an old message one comes back to the newest at once, also by writing', async (t) => {
    const room = freshRoom();
    const ann = await join(t, 'Ann', room);
    const all = numbered(300);
    all[9] = 'needle';
    await publish(ann, room, 'Archive', all);
    const jump = async () => {
        await ann.fill('#search-text', '');
        await ann.fill('#search-text', 'needle');
        await ann.click('#results .result');
        await ann.waitForSelector('#messages li.found[data-offset="10"]');
    };
    await ann.click('#search-open');
    await jump();
    await ann.click('#latest');
    await ann.waitForSelector('#messages li[data-offset="300"]');
    await jump();
    await say(ann, 'from down here');
    await ann.waitForSelector('#messages li[data-offset="301"]');
    assert.equal((await texts(ann)).at(-1), 'from down here');
});

// ---- rooms -----------------------------------------------------------------------------------

test('rooms one is in stand side by side, each with what is new in it', async (t) => {
    const [first, second] = [freshRoom(), freshRoom()];
    const ann = await join(t, 'Ann', first);
    await ann.click('#new-room');
    await ann.fill('dialog [name=room]', 'no room!');
    await ann.click('dialog .primary');
    await ann.waitForSelector('.dialog-error:not([hidden])');
    await ann.fill('dialog [name=room]', second);
    await ann.click('dialog .primary');
    await ann.waitForFunction(
        (room) => document.querySelector('#room-title').textContent === room,
        second,
    );
    const bob = await join(t, 'Bob', first);
    await say(bob, 'psst');
    await say(bob, 'over here');
    const line = `#room-list [data-room="${first}"]`;
    await ann.waitForFunction(
        (of) => document.querySelector(`${of} .badge`)?.textContent === '2',
        line,
    );
    assert.match(await ann.textContent(`${line} .room-last`), /Bob: over here/);
    assert.equal(await ann.title(), `(2) #${second} · Parley`);
    await ann.fill('#text', 'half a thought');
    await ann.click(line);
    await showsCount(ann, 2);
    await comesToShow(ann, ['psst', 'over here']);
    assert.equal(await ann.$(`${line} .badge`), null);
    assert.equal(await ann.inputValue('#text'), '');
    await ann.click(`#room-list [data-room="${second}"]`);
    await ann.waitForFunction(() => document.querySelector('#text').value === 'half a thought');

    // A reload comes back to all of them; leaving one leaves it alone.
    await ann.reload();
    await ann.waitForFunction(() => document.querySelectorAll('#room-list .room').length === 2);
    await ann.click(line);
    await comesToShow(ann, ['psst', 'over here']); // joined again
    await ann.click(`#room-list [data-room="${second}"]`);
    await ann.waitForFunction(
        (room) => document.querySelector('#room-title').textContent === room,
        second,
    );
    await ann.click('#room-menu');
    await ann.click('role=menuitem[name="Leave this room"]');
    await ann.waitForFunction(() => document.querySelectorAll('#room-list .room').length === 1);
    assert.equal(await ann.textContent('#room-title'), first);
});

// ---- files -----------------------------------------------------------------------------------

const drop = (page, selector, files) =>
    page.evaluate(
        ([target, list]) => {
            const dataTransfer = new DataTransfer();
            for (const { name, type, bytes } of list) {
                dataTransfer.items.add(new File([new Uint8Array(bytes)], name, { type }));
            }
            const node = document.querySelector(target);
            for (const kind of ['dragenter', 'dragover', 'drop']) {
                node.dispatchEvent(
                    new DragEvent(kind, { dataTransfer, bubbles: true, cancelable: true }),
                );
            }
        },
        [selector, files],
    );
const paste = (page, { name, type, bytes }) =>
    page.evaluate(
        (file) => {
            const clipboardData = new DataTransfer();
            clipboardData.items.add(
                new File([new Uint8Array(file.bytes)], file.name, { type: file.type }),
            );
            document
                .querySelector('#text')
                .dispatchEvent(
                    new ClipboardEvent('paste', { clipboardData, bubbles: true, cancelable: true }),
                );
        },
        { name, type, bytes },
    );

test('files come by drop, paste and button: pictures are shown, others are named links', async (t) => {
    const room = freshRoom();
    const ann = await join(t, 'Ann', room);
    const { page: bob } = await signedUp(t, room);
    await drop(ann, '#scroll', [
        { name: 'dot.png', type: 'image/png', bytes: [...png] },
        { name: 'notes & <b>more.txt', type: 'text/plain', bytes: [...Buffer.from('some words')] },
    ]);
    await paste(bob, { name: 'pasted.png', type: 'image/png', bytes: [...png] });
    for (const page of [ann, bob]) await showsCount(page, 3);
    await bob.setInputFiles('#picker', {
        name: 'grüße.pdf',
        mimeType: 'application/pdf',
        buffer: Buffer.from('%PDF-1.4\n'),
    });
    for (const page of [ann, bob]) {
        await showsCount(page, 4);
        await page.waitForFunction(() =>
            [...document.querySelectorAll('#messages img.picture')].every(
                (image) => image.complete && image.naturalWidth === 1,
            ),
        );
        const pictures = await page.$$eval('#messages img.picture', (all) =>
            all.map((image) => [image.alt, image.loading, image.getAttribute('width')]),
        );
        assert.deepEqual(pictures.sort(), [
            ['dot.png', 'lazy', '1'],
            ['pasted.png', 'lazy', '1'],
        ]);
        const names = await page.$$eval('#messages a.file', (all) =>
            all.map((a) => a.querySelector('.file-name').textContent),
        );
        assert.deepEqual(names.sort(), ['grüße.pdf', 'notes & <b>more.txt']);
        assert.equal(await page.isVisible('#uploads'), false);
    }
    const [download] = await Promise.all([
        ann.waitForEvent('download'),
        ann.click('#messages a.file:has-text("notes")'),
    ]);
    assert.match(download.suggestedFilename(), /^notes/);
});

test('a file that is refused says why and can be tried again or dismissed', async (t) => {
    const room = freshRoom();
    const ann = await join(t, 'Ann', room);
    await drop(ann, '#scroll', [
        { name: 'page.html', type: 'text/html', bytes: [...Buffer.from('<script>1</script>')] },
    ]);
    const failed = await ann.waitForSelector('.upload.failed');
    assert.match(await failed.textContent(), /not taken here/);
    await ann.click('.upload.failed >> text=Try again');
    await ann.waitForSelector('.upload.failed');
    await ann.click('.upload.failed [aria-label="Cancel page.html"]');
    await ann.waitForSelector('.upload', { state: 'detached' });
    await drop(ann, '#scroll', [
        { name: 'big.bin', type: 'image/png', bytes: Array(70_000).fill(1) },
    ]);
    await noteSays(ann, /big\.bin has 70 kB; 66 kB is most/);
    assert.equal(await ann.$$eval('#messages li', (all) => all.length), 0);
});

test('what only claims to be a file of this server is no picture and no link to elsewhere', async (t) => {
    const room = freshRoom();
    const ann = await join(t, 'Ann', room);
    const file = { name: 'x.png', type: 'image/png', size: 1 };
    const lies = [
        'https://example.org/x.png',
        '//example.org/api/v1/files/aaaaaaaaaaaaaaaaaaaaaa',
        '/api/v1/files/../../etc/passwd',
        'javascript:alert(1)',
    ];
    await ann.evaluate(
        async ([to, about, all]) => {
            const { ParleyClient } = await import('/parley.js');
            const client = new ParleyClient({ url: `ws://${location.host}/ws`, name: 'Liar' });
            client.connect();
            await client.join(to, { history: 0, presence: false });
            for (const url of all) await client.send(to, { data: { file: { ...about, url } } });
            client.close();
        },
        [room, file, lies],
    );
    await showsCount(ann, lies.length);
    assert.equal(await ann.$$eval('#messages img, #messages a', (all) => all.length), 0);
});

// ---- without ---------------------------------------------------------------------------------

test('where a server has none of it nothing of it is offered, nor asked for', async (t) => {
    const page = await openPage(t, { url: bare.url });
    const asked = [];
    page.on('response', (response) => {
        if (response.status() >= 400) asked.push(`${response.status()} ${response.url()}`);
    });
    await page.reload();
    await page.fill('#name', 'Ann');
    await page.fill('#room', 'lobby');
    await page.click('#join');
    await state(page, 'online');
    await say(page, 'hello');
    await showsCount(page, 1);
    for (const id of ['#ways', '#password', '#search-open', '#attach']) {
        assert.equal(await page.isVisible(id), false, id);
    }
    assert.equal(await page.isDisabled('#account'), true);
    await drop(page, '#scroll', [{ name: 'dot.png', type: 'image/png', bytes: [...png] }]);
    await page.press('#text', 'Escape');
    await say(page, 'and on');
    await showsCount(page, 2);
    await comesToShow(page, ['hello', 'and on']);
    assert.deepEqual(asked, []);
});
