// The chat page as a person has it: what one does with it and what one sees of it.
//
// Every wait is for something that the page shows. NODE_PATH may name where playwright-core was
// installed.

import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { createRequire } from 'node:module';

const { chromium } = createRequire(import.meta.url)('playwright-core');
const executablePath = process.env.CHROMIUM ?? '/usr/bin/chromium';

let browser;

/** Starts Chromium with an empty profile. */
export async function startBrowser() {
    if (!existsSync(executablePath)) {
        throw new Error(`${executablePath} was not found: install the Debian package chromium`);
    }
    browser = await chromium.launch({
        executablePath,
        args: [
            '--no-sandbox',
            '--disable-gpu',
            '--disable-quic',
            '--no-first-run',
            '--disable-background-networking',
            '--disable-component-update',
            '--disable-sync',
        ],
    });
    return browser;
}

// ---- what a person does ----------------------------------------------------------------------

/** Opens the page for someone new; ends with the test. A broken promise of the page fails it. */
export async function openPage(t, { url, meddle, ...options }) {
    const context = await browser.newContext({
        viewport: { width: 1100, height: 700 },
        ...options,
    });
    t.after(() => context.close());
    const page = await context.newPage();
    page.setDefaultTimeout(20_000);
    page.faults = [];
    page.on('pageerror', (error) => page.faults.push(String(error)));
    page.on('console', (message) => {
        // The browser itself reports refusals; those are the point of some tests.
        const own = /net::ERR|WebSocket|Failed to load resource/.test(message.text());
        if (message.type() === 'error' && !own) {
            page.faults.push(message.text());
        }
    });
    t.after(() => assert.deepEqual(page.faults, []));
    if (meddle) await page.routeWebSocket(/\/ws$/, (near) => between(near, meddle));
    await page.goto(url);
    return page;
}

/** Lets meddle.up(frame, answer) and meddle.down(frame, add) swallow frames by returning true. */
function between(near, { up = () => false, down = () => false }) {
    const far = near.connectToServer();
    const toPage = (frame) => near.send(JSON.stringify(frame));
    near.onMessage((text) => up(JSON.parse(text), toPage) || far.send(text));
    far.onMessage((text) => down(JSON.parse(text), toPage) || near.send(text));
}

/** Opens the page and comes into a room. */
export async function joinPage(t, name, room, options) {
    const page = await openPage(t, options);
    await page.fill('#name', name);
    await page.fill('#room', room);
    await page.click('#join');
    await state(page, 'online');
    return page;
}

export const secret = 'correct horse battery';

/** Signs in ('in') or up ('up') at the door, and comes into a room. */
export async function comeIn(page, way, name, room, password = secret) {
    await page.check(`#way-${way}`);
    await page.fill('#name', name);
    await page.fill('#password', password);
    await page.fill('#room', room);
    await page.click('#join');
}

export async function say(page, text) {
    await page.fill('#text', text);
    await page.press('#text', 'Enter');
}

// ---- what a person sees ----------------------------------------------------------------------

export const state = (page, name) => page.waitForSelector(`#status[data-state="${name}"]`);
export const texts = (page) =>
    page.$$eval('#messages li[data-offset] .text', (all) => all.map((e) => e.textContent));
export const offsets = (page) =>
    page.$$eval('#messages li[data-offset]', (all) => all.map((e) => Number(e.dataset.offset)));
export const memberNames = (page) =>
    page.$$eval('#members .who', (all) => all.map((e) => e.textContent).sort());

export const shows = (page, text) =>
    page.waitForFunction(
        (wanted) =>
            [...document.querySelectorAll('#messages li[data-offset] .text')].some(
                (e) => e.textContent === wanted,
            ),
        text,
    );
export const showsCount = (page, count) =>
    page.waitForFunction(
        (wanted) => document.querySelectorAll('#messages li[data-offset]').length === wanted,
        count,
    );
// Waits until the room's messages are these, no more and no fewer; what the page had instead is in
// the failure.
export async function comesToShow(page, expected) {
    const wanted = JSON.stringify(expected);
    await page
        .waitForFunction(
            (all) =>
                JSON.stringify(
                    [...document.querySelectorAll('#messages li[data-offset] .text')].map(
                        (e) => e.textContent,
                    ),
                ) === all,
            wanted,
        )
        .catch(() => {});
    assert.deepEqual(await texts(page), expected);
}
export const nothingPending = (page) =>
    page.waitForFunction(() => !document.querySelector('#messages li[data-state]'));
const says = (id) => (page, pattern) =>
    page.waitForFunction(
        ([of, source]) => {
            const node = document.querySelector(of);
            return !node.hidden && new RegExp(source, 'i').test(node.textContent);
        },
        [id, pattern.source],
    );
export const doorSays = says('#login-error');
export const noteSays = says('#note');
export const typingShows = (page, pattern) =>
    page.waitForFunction(
        (source) => new RegExp(source).test(document.querySelector('#typing').textContent),
        pattern.source,
    );
export const members = (page, names) =>
    page.waitForFunction(
        (wanted) =>
            [...document.querySelectorAll('#members .who')]
                .map((e) => e.textContent)
                .sort()
                .join('\n') === wanted,
        [...names].sort().join('\n'),
    );

/** Publishes many messages at once through the page's own client library. */
export const publish = (page, room, name, all) =>
    page.evaluate(
        async ([to, who, list]) => {
            const { ParleyClient } = await import('/parley.js');
            const client = new ParleyClient({ url: `ws://${location.host}/ws`, name: who });
            client.connect();
            await client.join(to, { history: 0, presence: false });
            while (list.length) {
                await Promise.all(list.splice(0, 50).map((text) => client.send(to, { text })));
            }
            client.close();
        },
        [room, name, all],
    );

export const numbered = (count, prefix = 'message') =>
    Array.from({ length: count }, (_, i) => `${prefix} ${i + 1}`);
