// A PostgreSQL of the test's own, in a temporary folder, reached by a Unix socket there.

import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { chownSync, mkdtempSync, openSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const bin = process.env.POSTGRES_BIN;

/** Makes one and starts it; $POSTGRES_BIN is the folder of its programs. */
export async function startPostgres() {
    const postgres = new Postgres();
    await postgres.start();
    return postgres;
}

class Postgres {
    folder = mkdtempSync(join(tmpdir(), 'parley-pg-'));
    constructor() {
        if (!bin) throw new Error('POSTGRES_BIN is not set: it names the folder of initdb and postgres');
        // A server does not run as root.
        this.as = { cwd: '/' };
        if (process.getuid() === 0) {
            const [uid, gid] = ['-u', '-g'].map((what) => Number(execFileSync('id', [what, 'postgres'])));
            Object.assign(this.as, { uid, gid });
        }
        this.give(this.folder);
        this.data = join(this.folder, 'data');
        const made = ['-D', this.data, '-U', 'parley', '-N', '--auth=trust', '--locale=C.UTF-8'];
        execFileSync(join(bin, 'initdb'), [...made, '-E', 'UTF8'], { ...this.as, stdio: 'pipe' });
    }

    /** A folder becomes the server's. */
    give(folder) {
        if (this.as.uid !== undefined) chownSync(folder, this.as.uid, this.as.gid);
    }

    async start() {
        const log = openSync(join(this.folder, 'log'), 'a');
        const options = ['-c', 'listen_addresses=', '-c', 'max_connections=50'];
        const server = [join(bin, 'postgres'), '-D', this.data, '-k', this.folder, ...options];
        // It ends with this program, however that ends.
        this.server = spawn('setpriv', ['--pdeathsig', 'SIGQUIT', ...server], {
            ...this.as,
            stdio: ['ignore', log, log],
        });
        this.gone = once(this.server, 'exit');
        for (const end = Date.now() + 60_000; !this.#ready(); ) {
            if (Date.now() > end) throw new Error(`PostgreSQL does not start: ${this.folder}/log`);
            await new Promise((resolve) => setTimeout(resolve, 20));
        }
    }

    #ready() {
        try {
            execFileSync(join(bin, 'pg_isready'), ['-q', '-h', this.folder, '-t', '5']);
            return true;
        } catch {
            return false;
        }
    }

    /** SIGINT: ends its connections and itself; SIGQUIT: as a crash would. */
    async stop(signal = 'SIGINT') {
        if (!this.server) return;
        this.server.kill(signal);
        const late = setTimeout(() => this.server.kill('SIGKILL'), 60_000);
        await this.gone;
        clearTimeout(late);
        this.server = undefined;
    }

    query(sql, database = 'postgres') {
        const where = ['-h', this.folder, '-U', 'parley', '-d', database, '-v', 'ON_ERROR_STOP=1'];
        const out = execFileSync(join(bin, 'psql'), [...where, '-X', '-A', '-t', '-q', '-c', sql], {
            timeout: 60_000,
            encoding: 'utf8',
        });
        return out.split('\n').filter((line) => line !== '');
    }

    /** As parleyd's --history takes it. */
    store(database) {
        return `postgres:host=${this.folder} user=parley dbname=${database}`;
    }

    async remove() {
        await this.stop('SIGQUIT');
        rmSync(this.folder, { recursive: true, force: true });
    }
}
