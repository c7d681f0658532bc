// What the page remembers: in this browser (localStorage) or in this tab (sessionStorage). Storage
// may be refused or full; the page then only forgets.

const key = (name) => `parley.${name}`;

function read(store, name, fallback) {
    try {
        return JSON.parse(store().getItem(key(name))) ?? fallback;
    } catch {
        return fallback;
    }
}

function write(store, name, value) {
    try {
        if (value === null) store().removeItem(key(name));
        else store().setItem(key(name), JSON.stringify(value));
    } catch {
        // Full or refused.
    }
}

const memoryIn = (store) => ({
    get: (name, fallback = null) => read(store, name, fallback),
    /** null forgets. */
    set: (name, value) => write(store, name, value),
});

export const browser = memoryIn(() => localStorage);
export const tab = memoryIn(() => sessionStorage);
