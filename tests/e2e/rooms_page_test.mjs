// What people do to messages, to each other and to rooms in the chat page: edits and deletions, direct
// messages, what is unread and who has read, roles. In a real browser against a real parleyd.

import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';

import {
    comeIn,
    comesToShow,
    doorSays,
    joinPage,
    members,
    noteSays,
    nothingPending,
    openPage,
    say,
    shows,
    showsCount,
    startBrowser,
    state,
} from './page.mjs';
import { configWithAll, startServer } from './server.mjs';

let browser;
let folder;
let server;
let people = 0;
let rooms = 0;

before(async () => {
    folder = mkdtempSync(join(tmpdir(), 'parley-rooms-page-'));
    const kinds = { club: 'members', news: 'read-only', hidden: 'private' };
    const rules = Object.entries(kinds).map(
        ([prefix, kind]) => `[[rooms]]\nmatch = "${prefix}.*"\nkind = "${kind}"\n`,
    );
    server = await startServer({ config: configWithAll(folder, rules.join('')) });
    browser = await startBrowser();
});

after(async () => {
    await browser?.close();
    await server?.kill();
    rmSync(folder, { recursive: true, force: true });
});

const freshRoom = (kind = 'room') => `${kind}.${++rooms}`;
const freshName = (name) => `${name} ${++people}`;
const guest = async (t, name, room) => {
    const called = freshName(name);
    const page = await joinPage(t, called, room, { url: server.url });
    return Object.assign(page, { called });
};
/** Somebody with a new account, in that room. */
async function account(t, name, room) {
    const called = freshName(name);
    const page = await openPage(t, { url: server.url });
    await comeIn(page, 'up', called, room);
    await state(page, 'online');
    return Object.assign(page, { called });
}

async function pick(page, anchor, item) {
    const entry = page.locator(`role=menuitem[name="${item}"]`);
    // What one may do is known a while after one is in.
    for (const end = Date.now() + 20_000; Date.now() < end; ) {
        await page.hover(anchor);
        await page.click(anchor);
        if (await entry.isVisible()) return entry.click();
        await page.keyboard.press('Escape');
    }
    assert.fail(`no ${item} at ${anchor}`);
}
const messageMenu = (page, offset, item) =>
    pick(page, `#messages li[data-offset="${offset}"] .message-menu`, item);
const personMenu = (page, who, item) => pick(page, `#members button:has-text("${who}")`, item);
const confirm = (page) => page.click('dialog .primary');
const titled = (page, title) =>
    page.waitForFunction(
        (wanted) => document.querySelector('#room-title').textContent === wanted,
        title,
    );
const composerSays = (page, pattern) =>
    page.waitForFunction((source) => {
        const text = document.querySelector('#text');
        return text.disabled && new RegExp(source, 'i').test(text.placeholder);
    }, pattern.source);
const composerFree = (page) => page.waitForSelector('#text:not(:disabled)');
const line = (room) => `#room-list [data-room="${room}"]`;

// ---- edits and deletions ---------------------------------------------------------------------

test('Up corrects what was said last; everybody sees it, and that it was', async (t) => {
    const room = freshRoom();
    const ann = await guest(t, 'Ann', room);
    const bob = await guest(t, 'Bob', room);
    await say(ann, 'a mistkae');
    await say(bob, 'what?');
    await showsCount(ann, 2);
    await ann.waitForFunction(() => {
        document
            .querySelector('#text')
            .dispatchEvent(
                new KeyboardEvent('keydown', { key: 'ArrowUp', bubbles: true, cancelable: true }),
            );
        return document.querySelector('#text').value === 'a mistkae';
    });
    assert.equal(await ann.isVisible('#editing'), true);
    await ann.press('#text', 'Escape');
    assert.equal(await ann.inputValue('#text'), '');
    await ann.press('#text', 'ArrowUp');
    await say(ann, 'a mistake');
    for (const page of [ann, bob]) {
        await shows(page, 'a mistake');
        await page.waitForSelector('#messages li[data-offset="1"] .edited');
        await comesToShow(page, ['a mistake', 'what?']);
        assert.equal(await page.$$eval('#messages .edited', (all) => all.length), 1);
    }
    await nothingPending(ann);
    const late = await guest(t, 'Late', room);
    await shows(late, 'a mistake');
    await late.waitForSelector('#messages li[data-offset="1"] .edited');
});

test('what is deleted is gone for everybody, also for who comes later; others’ is not one’s own', async (t) => {
    const room = freshRoom();
    const ann = await guest(t, 'Ann', room);
    const bob = await guest(t, 'Bob', room);
    await say(ann, 'a secret');
    await say(ann, 'no secret');
    await showsCount(bob, 2);
    const entries = async (page, offset) => {
        await page.hover(`#messages li[data-offset="${offset}"]`);
        await page.click(`#messages li[data-offset="${offset}"] .message-menu`);
        const all = await page.$$eval('.menu-item', (items) => items.map((e) => e.textContent));
        await page.keyboard.press('Escape');
        return all;
    };
    assert.deepEqual(await entries(bob, 1), ['Copy text']);
    await ann.waitForFunction(() => !document.querySelector('#messages li[data-state]'));
    const end = Date.now() + 20_000;
    while (Date.now() < end && !(await entries(ann, 1)).includes('Edit'));
    assert.deepEqual(await entries(ann, 1), ['Edit', 'Copy text', 'Delete…']);
    await messageMenu(ann, 1, 'Delete…');
    await confirm(ann);
    const late = await guest(t, 'Late', room);
    for (const page of [ann, bob, late]) {
        await page.waitForSelector('#messages li.deleted[data-offset="1"]');
        assert.doesNotMatch(await page.textContent('#messages'), /a secret/);
        assert.match(await page.textContent('#messages'), /no secret/);
    }
});

test('a picture goes with its message', async (t) => {
    const room = freshRoom();
    const ann = await guest(t, 'Ann', room);
    const png = Buffer.from(
        'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==',
        'base64',
    );
    await ann.setInputFiles('#picker', { name: 'a.png', mimeType: 'image/png', buffer: png });
    const address = await (await ann.waitForSelector('#messages img.picture')).getAttribute('src');
    await nothingPending(ann);
    await messageMenu(ann, 1, 'Delete…');
    await confirm(ann);
    await ann.waitForSelector('#messages li.deleted');
    const status = await ann.evaluate(async (url) => {
        const ask = async () => (await fetch(url, { cache: 'reload' })).status;
        for (let tries = 0; tries < 200 && (await ask()) === 200; ++tries) {
            await new Promise((again) => setTimeout(again, 50));
        }
        return ask();
    }, address);
    assert.equal(status, 404);
});

// ---- conversations of two --------------------------------------------------------------------

test('a name in the roster opens a conversation that nobody else sees', async (t) => {
    const room = freshRoom();
    const ann = await account(t, 'Ann', room);
    const bob = await guest(t, 'Bob', room);
    const eve = await guest(t, 'Eve', room);
    await members(ann, [ann.called, bob.called, eve.called]);
    await personMenu(ann, bob.called, `Message ${bob.called}`);
    await titled(ann, bob.called);
    await say(ann, 'between us');
    await showsCount(ann, 1);
    await nothingPending(ann);
    await bob.waitForFunction(
        () => document.querySelector('#direct-list .badge')?.textContent === '1',
    );
    await bob.click('#direct-list .room');
    await titled(bob, ann.called);
    await shows(bob, 'between us');
    await say(bob, 'of course');
    await shows(ann, 'of course');
    await ann.waitForSelector('#messages li[data-offset="1"]');
    assert.equal(await eve.isVisible('#direct-title'), false);
    assert.doesNotMatch(await eve.textContent('body'), /between us/);
    const address = new URL(ann.url()).hash.slice(1);
    await eve.evaluate((to) => (location.hash = to), address);
    await noteSays(eve, /\S/);
    assert.notEqual(await eve.textContent('#room-title'), ann.called);

    // It is there after a reload, with what was said.
    await ann.reload();
    await ann.waitForSelector('#direct-list .room');
    await ann.click('#direct-list .room');
    await shows(ann, 'of course');
});

// ---- unread and receipts ---------------------------------------------------------------------

test('what is unread, and who has read, is kept by the server', async (t) => {
    const [first, second] = [freshRoom(), freshRoom()];
    const ann = await account(t, 'Ann', first);
    const bob = await account(t, 'Bob', first);
    await say(bob, 'one');
    await shows(ann, 'one');
    await bob.waitForSelector('#messages li[data-offset="1"] .seen');
    await ann.click('#new-room');
    await ann.fill('dialog [name=room]', second);
    await confirm(ann);
    await titled(ann, second);
    await ann.goto('about:blank');
    await members(bob, [bob.called]);
    for (const text of ['two', 'three']) await say(bob, text);
    await showsCount(bob, 3);

    // Another browser of the same person.
    const again = await openPage(t, { url: server.url });
    await comeIn(again, 'in', ann.called, second);
    await again.waitForFunction(
        (of) => document.querySelector(`${of} .badge`)?.textContent === '2',
        line(first),
    );
    // And another of Bob's, who sees how far she had read.
    const elsewhere = await openPage(t, { url: server.url });
    await comeIn(elsewhere, 'in', bob.called, first);
    await elsewhere.waitForSelector('#messages li[data-offset="1"] .seen');
    assert.match(await elsewhere.textContent('#messages .seen'), new RegExp(ann.called));
    await again.click(line(first));
    await again.waitForSelector('.unread-line');
    await elsewhere.waitForSelector('#messages li[data-offset="3"] .seen');
    assert.equal(await again.$(`${line(first)} .badge`), null);
});

// ---- roles -----------------------------------------------------------------------------------

test('who comes first owns a members’ room and invites; others are told why they may not', async (t) => {
    const room = freshRoom('club');
    const owner = await account(t, 'Owner', room);
    await owner.waitForSelector('#room-kind:not([hidden])');
    assert.match(await owner.textContent('#room-kind'), /Members only/);
    const other = await openPage(t, { url: server.url });
    const called = freshName('Other');
    await comeIn(other, 'up', called, room);
    await doorSays(other, /only members may read.*invite/);
    await pick(owner, '#room-menu', 'Invite someone…');
    await owner.fill('dialog [name=user]', 'Nobody of that name');
    await confirm(owner);
    await owner.waitForSelector('.dialog-error:not([hidden])');
    await owner.fill('dialog [name=user]', called);
    await confirm(owner);
    await owner.waitForSelector('dialog', { state: 'detached' });
    await other.waitForSelector('#identity:not([hidden])'); // signed up, but not in
    await other.click('#join');
    await state(other, 'online');
    await say(other, 'thank you');
    await shows(owner, 'thank you');
});

test('in a read-only room moderators speak; an owner appoints them', async (t) => {
    const room = freshRoom('news');
    const owner = await account(t, 'Owner', room);
    const reader = await account(t, 'Reader', room);
    await composerSays(reader, /only moderators/);
    assert.equal(await reader.isVisible('#attach'), false);
    await say(owner, 'read this');
    await shows(reader, 'read this');
    await personMenu(owner, reader.called, 'Make a moderator');
    await composerFree(reader);
    await say(reader, 'and this');
    await shows(owner, 'and this');
    await owner.waitForSelector('#members .mark[data-role="moderator"]');
});

test('who is muted can’t speak, and can again; who is removed is out, and may come back', async (t) => {
    const room = freshRoom('club');
    const owner = await account(t, 'Owner', room);
    const called = freshName('Member');
    const member = await openPage(t, { url: server.url });
    await comeIn(member, 'up', called, room);
    await doorSays(member, /only members/);
    await pick(owner, '#room-menu', 'Invite someone…');
    await owner.fill('dialog [name=user]', called);
    await confirm(owner);
    await owner.waitForSelector('dialog', { state: 'detached' });
    await member.click('#join');
    await state(member, 'online');
    await members(owner, [owner.called, called]);
    await say(member, 'shouting');
    await shows(owner, 'shouting');

    await personMenu(owner, called, 'Mute…');
    await owner.selectOption('dialog [name=for]', '1h');
    await owner.fill('dialog [name=reason]', 'too loud');
    await confirm(owner);
    await composerSays(member, /muted here until/);
    await messageMenu(owner, 1, 'Delete…');
    await confirm(owner);
    await member.waitForSelector('#messages li.deleted');

    await personMenu(owner, called, 'Remove from the room…');
    await owner.fill('dialog [name=reason]', 'enough');
    await confirm(owner);
    await doorSays(member, /removed from.*enough/);
    await members(owner, [owner.called]);
});

test('who is banned from a public room stays out of it', async (t) => {
    const room = freshRoom('news');
    const owner = await account(t, 'Owner', room);
    const guestly = await guest(t, 'Guest', room);
    await members(owner, [owner.called, guestly.called]);
    await personMenu(owner, guestly.called, 'Ban…');
    await confirm(owner);
    await doorSays(guestly, /banned from/);
    await members(owner, [owner.called]);
    await guestly.click('#join');
    await doorSays(guestly, /you are banned/);
});

test('the topic is set by those who may, and read by all', async (t) => {
    const room = freshRoom('news');
    const owner = await account(t, 'Owner', room);
    const reader = await guest(t, 'Reader', room);
    await owner.click('#topic');
    await owner.fill('dialog [name=topic]', 'What <b>grows</b>');
    await confirm(owner);
    for (const page of [owner, reader]) {
        await page.waitForFunction(
            () => document.querySelector('#topic').textContent === 'What <b>grows</b>',
        );
        await page.waitForSelector('#messages .event-line');
    }
    assert.equal(await reader.isDisabled('#topic'), true);
    const late = await guest(t, 'Late', room);
    assert.equal(await late.textContent('#topic'), 'What <b>grows</b>');
});
