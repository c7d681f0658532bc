// Who one is, below the list of rooms: a guest who may leave, or an account with its menu.

import { ask } from './dialog.js';
import { avatar } from './dom.js';
import { openMenu } from './menu.js';
import { changePassword } from './rest.js';

export class AccountView {
    #nodes; // {account, me, me-about, leave}

    constructor(nodes, { leave, signIn }) {
        this.#nodes = nodes;
        nodes.leave.addEventListener('click', leave);
        nodes.account.addEventListener('click', () => {
            const items = this.signedIn
                ? [
                      { label: 'Change password…', run: () => this.#changePassword() },
                      null,
                      { label: 'Sign out', run: leave },
                  ]
                : [{ label: 'Sign in or sign up…', run: signIn }];
            openMenu(nodes.account, items, { label: 'Your account' });
        });
    }

    show({ user, signedIn, hasAccounts }) {
        this.signedIn = signedIn;
        const { account, me, 'me-about': about, leave, 'me-avatar': face } = this.#nodes;
        face.replaceChildren(avatar(user.name));
        me.textContent = user.name;
        about.textContent = signedIn ? 'Signed in' : 'Guest';
        account.disabled = !hasAccounts;
        leave.textContent = signedIn ? 'Sign out' : 'Leave';
    }

    async #changePassword() {
        const password = (name, label, autocomplete) => ({
            name,
            label,
            autocomplete,
            type: 'password',
        });
        const done = await ask({
            title: 'Change your password',
            text: 'You stay signed in here, and are signed out everywhere else.',
            fields: [
                {
                    name: 'user',
                    label: 'Name',
                    value: this.#nodes.me.textContent,
                    readonly: true,
                    autocomplete: 'username',
                },
                password('old', 'Password so far', 'current-password'),
                password('fresh', 'New password', 'new-password'),
                password('again', 'New password, again', 'new-password'),
            ],
            action: 'Change password',
            submit: ({ old, fresh, again }) => {
                if (fresh !== again) throw new Error('the new passwords are not the same');
                return changePassword(old, fresh);
            },
        });
        if (done) this.#nodes['me-about'].textContent = 'Password changed';
    }
}
