// The door: a name and a room; where the server keeps accounts also signing in and up.

import { sentence } from './dom.js';
import { browser, tab } from './memory.js';
import { introduce, signIn, signOut, signUp } from './rest.js';
import { isDirectName } from './room_state.js';

const labels = { guest: 'Join', in: 'Sign in', up: 'Sign up', account: 'Join' };

const retryMs = 3_000;

const roomName = (text) => text.trim().replace(/^#/, '') || 'lobby';

function roomFromUrl() {
    const asked = new URLSearchParams(location.search).get('room');
    if (asked) return asked;
    try {
        return decodeURIComponent(location.hash.slice(1));
    } catch {
        return '';
    }
}

export class Door {
    #nodes; // those of the page, by id
    #enter; // ({name, room, signedIn})
    #url;
    #introduction = null;
    #known = false; // whether the server has answered
    #coming = false;

    constructor(nodes, { enter, url }) {
        this.#nodes = nodes;
        this.#enter = enter;
        this.#url = url;
        nodes['login-form'].addEventListener('submit', (event) => {
            event.preventDefault();
            this.#submit();
        });
        nodes['identity-out'].addEventListener('click', () => this.#signOut());
        nodes.ways.addEventListener('change', () => {
            this.#fit();
            this.say('');
            (nodes.name.value ? nodes.password : nodes.name).focus();
        });
    }

    /** The beginning of the page: comes in at once where one is in already. */
    async begin() {
        const { name, room } = this.#nodes;
        name.value = browser.get('name', '');
        room.value = roomFromUrl() || browser.get('room', '') || 'lobby';
        this.#fit();
        (name.value ? this.#nodes.join : name).focus();
        const returning = tab.get('joined', false) && name.value;
        if (returning) this.#nodes.login.classList.add('returning');
        await this.#arrive(returning);
    }

    async #arrive(returning, again = false) {
        await this.#learn();
        this.#nodes.login.classList.remove('returning');
        if (this.#coming) return; // somebody was quicker
        if (this.#introduction?.signedIn) return this.#come({ signedIn: true });
        const wasSignedIn = browser.get('account', false);
        if (wasSignedIn && !this.#introduction) {
            this.say("The server can't be reached.");
            return void setTimeout(() => this.#arrive(returning, true), retryMs);
        }
        if (again) this.say('');
        this.#fit();
        if (wasSignedIn) this.#choose('in');
        else if (returning && this.#way === 'guest') this.#come({ signedIn: false });
    }

    /** Back at the door. */
    async open(error = '', field = 'name') {
        const { login, join, password, room } = this.#nodes;
        if (isDirectName(room.value)) room.value = browser.get('room', 'lobby');
        login.hidden = false;
        join.disabled = false;
        password.value = '';
        this.#coming = false;
        this.#fit();
        this.say(error);
        this.#nodes[field].focus();
        await this.#learn();
        this.#fit();
    }

    close() {
        this.#nodes.login.hidden = true;
        this.say('');
    }

    say(text) {
        this.#nodes['login-error'].textContent = sentence(text);
        this.#nodes['login-error'].hidden = !text;
    }

    get #way() {
        if (this.#introduction?.signedIn) return 'account';
        return this.#nodes.ways.hidden ? 'guest' : this.#nodes['login-form'].elements.way.value;
    }

    #choose(way) {
        if (this.#nodes.ways.hidden) return;
        this.#nodes['login-form'].elements.way.value = way;
        this.#fit();
    }

    // What the server has decides what is offered.
    async #learn() {
        try {
            this.#introduction = await introduce(this.#url);
            if (this.#introduction.stale) await signOut().catch(() => {});
        } catch {
            return; // coming in says so
        }
        const { features, signedIn } = this.#introduction;
        const { ways, 'way-guest': guest } = this.#nodes;
        ways.hidden = !features.has('accounts') || signedIn;
        const first = !this.#known;
        this.#known = true;
        guest.closest('label').hidden = features.has('accounts_only');
        if (features.has('accounts_only') && this.#way === 'guest') this.#choose('in');
        else if (first) this.#fit();
    }

    #fit() {
        const { password, join, name, identity } = this.#nodes;
        const way = this.#way;
        identity.hidden = way !== 'account';
        this.#nodes['identity-name'].textContent = this.#introduction?.user?.name ?? '';
        this.#nodes['name-part'].hidden = way === 'account';
        this.#nodes['password-part'].hidden = way === 'guest' || way === 'account';
        password.autocomplete = way === 'up' ? 'new-password' : 'current-password';
        name.autocomplete = way === 'guest' ? 'nickname' : 'username';
        join.textContent = labels[way];
    }

    async #submit() {
        const { name, password, room, join } = this.#nodes;
        const way = this.#way;
        if (way === 'account') {
            room.value = roomName(room.value);
            return this.#come({ signedIn: true });
        }
        const [who, secret] = [name.value.trim(), password.value];
        room.value = roomName(room.value);
        this.say('');
        if (!who) {
            this.say('Please enter a name.');
            return name.focus();
        }
        if (way === 'guest') return this.#come({ signedIn: false });
        if (!secret) {
            this.say('Please enter a password.');
            return password.focus();
        }
        join.disabled = true;
        try {
            if (way === 'up') await signUp(who, secret);
            await signIn(who, secret);
        } catch (error) {
            join.disabled = false;
            this.say(error.message);
            return (error.code === 'conflict' ? name : password).focus();
        }
        password.value = '';
        await this.#learn();
        this.#come({ signedIn: true });
    }

    async #signOut() {
        await signOut().catch((error) => this.say(error.message));
        await this.#learn();
        this.#fit();
        this.#nodes.name.focus();
    }

    #come({ signedIn }) {
        this.#coming = true;
        const { name, room, join } = this.#nodes;
        join.disabled = true;
        join.textContent = 'Joining…';
        if (signedIn) name.value = this.#introduction?.user?.name ?? name.value;
        this.#enter({ name: name.value.trim(), room: room.value, signedIn });
    }

    /** Remembered once one is in. */
    remember({ name, room, signedIn }) {
        browser.set('name', name);
        if (!isDirectName(room)) browser.set('room', room);
        browser.set('account', signedIn || null);
        tab.set('joined', true);
    }

    forget() {
        tab.set('joined', false);
        browser.set('account', null);
    }
}

export { roomFromUrl };
