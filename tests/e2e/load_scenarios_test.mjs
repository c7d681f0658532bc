// parley-load with its ready scenario files, each in a small fraction of its time and size, and with
// several processes: against a real parleyd, with every delivery checked.

import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';

import { startServer } from './server.mjs';

const folder = mkdtempSync(join(tmpdir(), 'parley-scenarios-'));
const scenarios = new URL('../../loadtest/scenarios/', import.meta.url).pathname;

let server;
let runs = 0;

before(async () => {
    server = await startServer();
});

after(async () => {
    await server?.kill();
    rmSync(folder, { recursive: true });
});

/** Starts the load generator; `done` resolves with {code, report, errors} when it has ended. */
function start(options, { json = true } = {}) {
    const program = process.env.PARLEY_LOAD;
    if (!program) throw new Error('PARLEY_LOAD is not set: it names the load generator');
    const file = join(folder, `${++runs}.json`);
    const flags = Object.entries({ ...options, ...(json ? { json: file } : {}) }).flatMap(
        ([name, value]) => [`--${name}`, `${value}`],
    );
    const child = spawn(program, flags, { stdio: ['ignore', 'ignore', 'pipe'] });
    const errors = [];
    child.stderr.setEncoding('utf8').on('data', (text) => errors.push(text));
    const done = once(child, 'close').then(([code]) => ({
        code,
        errors: errors.join(''),
        report: json && code < 3 ? JSON.parse(readFileSync(file)) : undefined,
    }));
    return { child, done };
}

/** The report of a run without a fault. 2: the generator was the bottleneck, which is none. */
async function clean(options) {
    const { code, report, errors } = await start(options).done;
    const what = report ? JSON.stringify(report.remarks) : errors;
    assert.ok(code === 0 || code === 2, `exit code ${code}: ${what}`);
    return report;
}

// Of every door the paths are Parley's own; a path in the URL would be the WebSocket's.
const url = (name) =>
    name === 'mixed_doors'
        ? `http://127.0.0.1:${server.port}`
        : `ws://127.0.0.1:${server.port}/ws`;

const expected = {
    chat_evening: { phases: 5, personas: 5 },
    storm: { phases: 4, personas: 3 },
    mixed_doors: { personas: 6 },
    slow_readers: { phases: 3, personas: 4 },
};

test('every ready scenario is known here', () => {
    const files = readdirSync(scenarios).map((file) => file.replace('.toml', ''));
    assert.deepEqual(files.sort(), Object.keys(expected).sort());
});

for (const [name, { phases, personas }] of Object.entries(expected)) {
    test(`${name} loses nothing, and tells each phase and persona`, async () => {
        const report = await clean({
            scenario: join(scenarios, `${name}.toml`),
            url: url(name),
            connections: 120,
            'time-scale': 0.05,
        });
        assert.equal(report.phases?.length, phases);
        const parts = Object.values(report.personas);
        assert.equal(parts.length, personas);
        const sum = (key) => parts.reduce((all, part) => all + part[key], 0);
        assert.equal(sum('users'), 120);
        assert.equal(sum('published'), report.messages.published);
        assert.ok(report.deliveries.received > 0);
        for (const phase of report.phases ?? []) {
            assert.ok(phase.all.published > 0, `${phase.name}: nothing was published`);
            assert.ok(phase.all.latency_us.count > 0, `${phase.name}: nothing was measured`);
        }
        if (name === 'storm') {
            assert.ok(sum('churned') > 150, 'most were cut off, twice');
            assert.equal(sum('rejoined'), sum('churned'));
            assert.equal(report.deliveries.received, report.deliveries.expected);
        }
        if (name === 'slow_readers') assert.equal(report.scenario.slow_readers, 60);
    });
}

const several = {
    connections: 60,
    rooms: 3,
    spread: 4,
    rate: 200,
    warmup: '200ms',
    duration: '1s',
    ramp: '500ms',
    threads: 1,
};

test('two processes and one count the same', async () => {
    const to = url('');
    const one = await clean({ ...several, url: to, 'room-prefix': 'one' });
    const two = await clean({ ...several, url: to, 'room-prefix': 'two', workers: 2 });
    assert.equal(one.scenario.processes, 1);
    assert.equal(two.scenario.processes, 2);
    assert.deepEqual(two.messages, one.messages);
    assert.deepEqual(two.deliveries, one.deliveries);
    assert.deepEqual(two.connections, one.connections);
    assert.equal(two.latency_us.count, one.latency_us.count);
    assert.equal(two.messages.published, 240);
    assert.equal(two.deliveries.received, 240 * 20);
});

test('several processes hear each other through every door', async () => {
    const mix = 'websocket=20,sse=20,longpoll=20,socketio=20,socketio-polling=20';
    const report = await clean({ ...several, url: url('mixed_doors'), mix, workers: 3 });
    assert.equal(report.deliveries.received, 240 * 20);
});

test('a storm is survived by several processes too', async () => {
    const report = await clean({
        scenario: join(scenarios, 'storm.toml'),
        url: url('storm'),
        connections: 120,
        'time-scale': 0.05,
        workers: 2,
        threads: 1,
        'room-prefix': 'storm-of-two',
    });
    assert.equal(report.deliveries.received, report.deliveries.expected);
    assert.ok(report.personas.apps.caught_up >= 0);
});

/** The processes that a process has started. */
const childrenOf = (pid) =>
    readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').trim().split(' ').map(Number);

test('a worker that is killed ends the run with code 4 and its name', async () => {
    const { child, done } = start({ ...several, url: url(''), duration: '60s', workers: 2 });
    // Its progress is told once the workers are at work.
    await once(child.stderr, 'data');
    const [first, second] = childrenOf(child.pid);
    assert.ok(first > 0 && second > 0);
    process.kill(second, 'SIGKILL');
    const { code, errors } = await done;
    assert.equal(code, 4);
    assert.match(errors, new RegExp(`worker [12] of 2 \\(pid ${second}\\) is lost`));
    assert.throws(() => process.kill(first, 0), /ESRCH/, 'the other one has ended too');
});

test('an interrupted run of several processes reports what it measured', async () => {
    const { child, done } = start({ ...several, url: url(''), duration: '60s', workers: 2 });
    await new Promise((resolve) => {
        child.stderr.on('data', (text) => text.includes('measuring') && resolve());
    });
    child.kill('SIGINT');
    const { code, report } = await done;
    assert.ok(code === 0 || code === 2, `exit code ${code}`);
    assert.equal(report.interrupted, true);
    assert.ok(report.window_s < 60);
    assert.equal(report.deliveries.received, report.deliveries.expected);
});

test('workers that were started by hand join, and wrong addresses are refused', async () => {
    const leader = start({
        ...several,
        url: url(''),
        coordinator: '127.0.0.1:0',
        expect: 2,
        'room-prefix': 'by-hand',
    });
    const [told] = await once(leader.child.stderr, 'data');
    const [, address] = told.match(/--join (\S+)/);
    const workers = [1, 2].map(() => start({ join: address }, { json: false }));
    const { code, report } = await leader.done;
    assert.ok(code === 0 || code === 2, `exit code ${code}`);
    assert.equal(report.deliveries.received, 240 * 20);
    for (const worker of workers) assert.equal((await worker.done).code, 0);
    const far = await start({ join: '10.1.2.3:7000' }, { json: false }).done;
    assert.equal(far.code, 3);
    assert.match(far.errors, /no loopback address/);
});
