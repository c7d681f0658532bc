// What the load generator writes of a run: JSON, a page, HdrHistogram's text; two of them compared; and
// how it ends. The page is opened in Chromium, as wide as a telephone and as a screen, light and dark.

import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';

import { startBrowser } from './page.mjs';
import { startServer } from './server.mjs';

const folder = mkdtempSync(join(tmpdir(), 'parley-reports-'));
const file = (name) => join(folder, name);

let server;
let browser;

before(async () => {
    server = await startServer({ admin: true });
    browser = await startBrowser();
});

after(async () => {
    await browser?.close();
    await server?.kill();
    rmSync(folder, { recursive: true });
});

/** How it ended and what it said. */
function load(...args) {
    const program = process.env.PARLEY_LOAD;
    if (!program) throw new Error('PARLEY_LOAD is not set: it names the load generator');
    return new Promise((resolve) =>
        execFile(program, args, (error, stdout, stderr) =>
            resolve({ code: error ? error.code : 0, stdout, stderr }),
        ),
    );
}

const scenario = ['--connections', '40', '--rooms', '2', '--rate', '100', '--ramp', '1s'];
const times = ['--warmup', '500ms', '--duration', '6s', '--quiet'];

/** A run with every report; 2 says that the machine was busy, and nothing of the deliveries. */
async function run(name, ...more) {
    const url = ['--url', `ws://127.0.0.1:${server.port}/ws`, '--room-prefix', name];
    const reports = ['json', 'html', 'hgrm'].flatMap((kind) => [
        `--${kind}`,
        file(`${name}.${kind}`),
    ]);
    const metrics = ['--server-metrics', `http://127.0.0.1:${server.adminPort}/metrics`];
    const ended = await load(...url, ...scenario, ...times, ...reports, ...metrics, ...more);
    assert.ok(ended.code === 0 || ended.code === 2, `${ended.code}: ${ended.stdout}${ended.stderr}`);
    return { ...ended, json: JSON.parse(readFileSync(file(`${name}.json`))) };
}

test('a run writes JSON with its series, its head and the server', async () => {
    const { json, stdout } = await run('first', '--server-pid', `${server.pid}`);
    assert.match(stdout, /CPU per delivery/);
    assert.equal(json.schema, 2);
    assert.equal(json.kind, 'messages');
    assert.match(json.command_line, /^parley-load --url ws:.*--room-prefix first/);
    const series = json.time_series;
    for (const [name, column] of Object.entries(series)) {
        if (!['interval_s', 'window_s'].includes(name)) {
            assert.equal(column.length, series.at_s.length, name);
        }
    }
    assert.ok(series.at_s.length >= 7, `${series.at_s}`);
    assert.equal(Math.max(...series.open), 40);
    // What was delivered second by second is what was delivered.
    const lasted = series.at_s.map((at, i) => at - (series.at_s[i - 1] ?? 0));
    const delivered = series.delivered_per_s.reduce((sum, rate, i) => sum + rate * lasted[i], 0);
    assert.ok(Math.abs(delivered - json.deliveries.received) < 1, `${delivered}`);
    const measured = series.measured.reduce((sum, count) => sum + count, 0);
    assert.equal(measured, json.deliveries.received);
    const counted = json.latency_buckets.count.reduce((sum, count) => sum + count, 0);
    assert.equal(counted, json.latency_us.count);
    assert.ok(json.server_series.cpu_cores.length >= 6);
    assert.equal(Math.max(...json.server_series.counters.connections) >= 40, true);
    assert.ok(json.server.cpu_us_per_delivery > 0);
});

test('without its process id the server is known by its metrics', async () => {
    const { json } = await run('second');
    assert.equal(json.server.memory, 'resident');
    assert.ok(json.server.cpu_us_per_delivery > 0);
    assert.ok(json.server.pss_kib_connected > 1000);
});

test('the percentiles are in the form of HdrHistogram', () => {
    const json = JSON.parse(readFileSync(file('first.json')));
    const lines = readFileSync(file('first.hgrm'), 'utf8').split('\n');
    assert.match(lines[0], /^ +Value +Percentile TotalCount 1\/\(1-Percentile\)$/);
    // As its plotter reads it: columns of numbers between blanks, comments left out.
    const rows = lines
        .slice(1)
        .filter((line) => line.trim() && !line.startsWith('#'))
        .map((line) => line.trim().split(/ +/).map(Number));
    for (const [i, [value, percentile, count]] of rows.entries()) {
        assert.ok(Number.isFinite(value) && percentile <= 1 && count > 0, lines[i]);
        if (i > 0) assert.ok(value >= rows[i - 1][0] && percentile > rows[i - 1][1], lines[i]);
    }
    assert.equal(rows.at(-1)[1], 1);
    assert.equal(rows.at(-1)[2], json.latency_us.count);
    assert.ok(Math.abs(rows.at(-1)[0] - json.latency_us.max / 1000) < 0.001);
    assert.match(lines.at(-2), /^#\[Buckets = +\d+, SubBuckets +=/);
});

test('the page is well-formed and asks for nothing', async () => {
    const page = await browser.newPage();
    const asked = [];
    const errors = [];
    page.on('request', (request) => asked.push(request.url()));
    page.on('console', (message) => errors.push(message.text()));
    page.on('pageerror', (error) => errors.push(error.message));
    await page.goto(`file://${file('first.html')}`);
    assert.deepEqual(asked, [`file://${file('first.html')}`]);
    assert.deepEqual(errors, []);
    const broken = await page.evaluate((text) => {
        const parsed = new DOMParser().parseFromString(text, 'application/xhtml+xml');
        return parsed.querySelector('parsererror')?.textContent;
    }, readFileSync(file('first.html'), 'utf8'));
    assert.equal(broken, undefined);
    const titles = await page.locator('figcaption').allInnerTexts();
    for (const title of [
        'Latency over time',
        'Latency histogram',
        'Latency by percentile',
        'Throughput over time',
        'Connections',
        "Server's processor time",
        "Server's resident memory",
        'Server: deliveries/s',
    ]) {
        assert.ok(
            titles.some((found) => found.startsWith(title)),
            `${title} is not among ${titles}`,
        );
    }
    await page.close();
});

for (const colorScheme of ['light', 'dark']) {
    for (const width of [360, 1280]) {
        test(`the page can be read ${width} wide and ${colorScheme}`, async () => {
            const page = await browser.newPage({ colorScheme, viewport: { width, height: 800 } });
            await page.goto(`file://${file('first.html')}`);
            const seen = await page.evaluate(() => {
                const [red] = getComputedStyle(document.body).backgroundColor.match(/\d+/g);
                const texts = [...document.querySelectorAll('svg text')].map(
                    (text) => text.getBoundingClientRect().height,
                );
                return {
                    wide: document.documentElement.scrollWidth,
                    red: Number(red),
                    smallest: Math.min(...texts),
                };
            });
            assert.ok(seen.wide <= width, `${seen.wide} wide`);
            assert.equal(seen.red > 128, colorScheme === 'light');
            assert.ok(seen.smallest >= 9, `a text of ${seen.smallest} pixels`);
            const shots = process.env.SHOTS;
            if (shots) {
                const path = join(shots, `report-${width}-${colorScheme}.png`);
                await page.screenshot({ path, fullPage: true });
            }
            await page.close();
        });
    }
}

test('two results are compared, and the exit code tells', async () => {
    const same = await load('compare', file('first.json'), file('first.json'));
    assert.equal(same.code, 0, same.stdout);
    assert.match(same.stdout, /within noise/);

    // Without its seconds a run has one per cent of noise, however this machine's seconds differed.
    const steady = JSON.parse(readFileSync(file('first.json')));
    delete steady.time_series;
    delete steady.server_series;
    writeFileSync(file('steady.json'), JSON.stringify(steady));
    const worse = structuredClone(steady);
    worse.latency_us.p99 *= 10;
    writeFileSync(file('worse.json'), JSON.stringify(worse));
    const page = ['--html', file('compared.html')];
    const failed = await load('compare', file('steady.json'), file('worse.json'), ...page);
    assert.equal(failed.code, 1, failed.stdout);
    assert.match(failed.stdout, /Worse by more than 10\.0 %: latency p99 \(900\.0 %\)/);
    assert.match(readFileSync(file('compared.html'), 'utf8'), /latency p99.*worse/);
    const lenient = ['--fail-over', '1000'];
    const borne = await load('compare', file('steady.json'), file('worse.json'), ...lenient);
    assert.equal(borne.code, 0, borne.stdout);

    const other = JSON.parse(readFileSync(file('first.json')));
    other.scenario.connections = 41;
    writeFileSync(file('other.json'), JSON.stringify(other));
    const apart = await load('compare', file('first.json'), file('other.json'));
    assert.equal(apart.code, 2);
    assert.match(apart.stdout, /connections: 40 and 41/);

    for (const wrong of ['no-such.json', 'first.html']) {
        const refused = await load('compare', file('first.json'), file(wrong));
        assert.equal(refused.code, 3);
        assert.match(refused.stderr, new RegExp(wrong));
    }
});

test('handshakes have a page, JSON and percentiles as well', async () => {
    const url = ['--url', `ws://127.0.0.1:${server.port}/ws`, '--handshakes', '100'];
    const reports = ['json', 'html', 'hgrm'].flatMap((kind) => [`--${kind}`, file(`hs.${kind}`)]);
    const metrics = ['--server-metrics', `http://127.0.0.1:${server.adminPort}/metrics`];
    const ended = await load(...url, '--duration', '4s', '--quiet', ...reports, ...metrics);
    assert.ok(ended.code === 0 || ended.code === 2, ended.stdout);
    const json = JSON.parse(readFileSync(file('hs.json')));
    assert.equal(json.kind, 'handshakes');
    const measured = json.time_series.measured.reduce((sum, count) => sum + count, 0);
    assert.equal(measured, json.done);
    assert.ok(json.server.cpu_us_per_handshake > 0);
    assert.ok(json.server_series.cpu_cores.length >= 2);
    assert.match(readFileSync(file('hs.html'), 'utf8'), /Latency histogram/);
    assert.match(readFileSync(file('hs.hgrm'), 'utf8'), /Total count/);
});

test('it ends with 1 where messages were refused, and with 3 where it could not start', async () => {
    const limited = await startServer({ limits: true });
    const url = ['--url', `ws://127.0.0.1:${limited.port}/ws`];
    const flood = ['--connections', '2', '--rate', '2000', '--duration', '1s', '--ramp', '0s'];
    const refused = await load(...url, ...flood, '--quiet');
    await limited.kill();
    assert.equal(refused.code, 1, refused.stdout + refused.stderr);
    assert.match(refused.stdout, /rate_limited/);

    const nobody = await load(...url, '--connections', '1', '--quiet');
    assert.equal(nobody.code, 3);
    const to = ['--url', `ws://127.0.0.1:${server.port}/ws`];
    for (const [args, words] of [
        [['--html', '/no/such/folder/x.html'], /--html .*cannot be written/],
        [['--html', '-', '--json', '-'], /standard output is taken/],
        [['--server-metrics', 'http://127.0.0.1:1/metrics'], /--server-metrics: /],
        [['--server-pid', '2147483000'], /no such process/],
        [['--no-such-option'], /--no-such-option/],
    ]) {
        const ended = await load(...to, ...args, '--quiet');
        assert.equal(ended.code, 3, `${args}: ${ended.stdout}`);
        assert.match(ended.stderr, words);
        assert.equal(ended.stderr.trim().split('\n').length, 1);
    }
});
