// A real parley_echo_server for a test.

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';

/** Starts $ECHO_SERVER with these flags on a free port and waits until it listens. */
export async function startEchoServer(flags = {}) {
    const program = process.env.ECHO_SERVER;
    if (!program) throw new Error('ECHO_SERVER is not set: it names the parley_echo_server');
    const args = Object.entries(flags).flatMap(([name, value]) => [`--${name}`, `${value}`]);
    const child = spawn(program, args, { stdio: ['ignore', 'pipe', 'inherit'] });
    const gone = once(child, 'exit');
    const ended = gone.then(([code, signal]) => {
        throw new Error(`the echo server ended (${code ?? signal}) unasked`);
    });
    const lines = createInterface({ input: child.stdout });
    const [line] = await Promise.race([once(lines, 'line'), ended]);
    ended.catch(() => {});
    const port = Number(line.split(':').at(-1));
    return {
        port,
        url: `http://127.0.0.1:${port}/`,
        /** Resolves with [exit code, signal]. */
        stop: () => {
            child.kill('SIGTERM');
            return gone;
        },
    };
}
