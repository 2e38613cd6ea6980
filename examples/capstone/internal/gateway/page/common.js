"use strict";
// What both pages use. Text of a model or a document becomes an element only by
// textContent, never by innerHTML.

const $ = id => document.getElementById(id);

function el(tag, cls, text) {
  const e = document.createElement(tag);
  if (cls) e.className = cls;
  if (text !== undefined) e.textContent = text;
  return e;
}

// stored reads and writes a value of this tab. A browser that keeps nothing is no
// reason to fail.
const stored = {
  get(key) { try { return sessionStorage.getItem(key); } catch { return null; } },
  set(key, value) { try { sessionStorage.setItem(key, value); return true; } catch { return false; } },
  remove(key) { try { sessionStorage.removeItem(key); } catch { /* nothing is kept */ } },
};

// An ApiError is a response that is not what was asked for.
class ApiError extends Error {
  constructor(status, message, code, wait) { super(message); this.status = status; this.code = code; this.wait = wait; }
}

// api asks this server, with the key that the reader gave.
async function api(path, options = {}) {
  const headers = Object.assign({}, options.headers), key = stored.get("key");
  if (key) headers.Authorization = "Bearer " + key;
  let r;
  try {
    r = await fetch(path, Object.assign({}, options, { headers }));
  } catch (e) {
    if (e.name === "AbortError") throw e;
    throw new ApiError(0, "The server does not answer. Is the program still running?", "unreachable");
  }
  if (r.ok) return r;
  const body = await r.json().catch(() => null), error = body && body.error;
  throw new ApiError(r.status, error ? error.message : "The server answered with status " + r.status + ".", error ? error.code : "", Number(r.headers.get("Retry-After")) || 0);
}

// askForKey shows the form for an API key in a place, and calls next with it kept.
function askForKey(place, wrong, next) {
  const form = el("form", "key"), label = el("label", "", wrong ? "That key is not accepted. Your API key:" : "This server wants an API key:");
  const input = el("input"), button = el("button", "primary", "Use this key");
  input.type = "password"; input.id = "key"; input.autocomplete = "off"; input.required = true; label.htmlFor = "key";
  form.append(label, input, button, el("p", "hint", "It is kept in this tab only, and sent to this server only. The operator of the server has set the keys in CAPSTONE_API_KEYS."));
  form.onsubmit = e => { e.preventDefault(); stored.set("key", input.value.trim()); form.remove(); next(); };
  place.replaceChildren(form);
  input.focus();
}

// own returns an address of this server's source page, or nothing: no other address is
// made a link.
const own = address => typeof address === "string" && address.startsWith("/source?") ? address : "";

// plural counts things.
function plural(n, one, many) { return n + " " + (n === 1 ? one : many || one + "s"); }

// As in other documentation, / and Ctrl-K lead to the box.
document.addEventListener("keydown", e => {
  const slash = e.key === "/" && !e.ctrlKey && !e.metaKey && !e.altKey && !/^(INPUT|TEXTAREA|SELECT)$/.test(e.target.tagName);
  if (!slash && !(e.key.toLowerCase() === "k" && (e.ctrlKey || e.metaKey) && !e.shiftKey && !e.altKey)) return;
  const box = $("question") || $("filter");
  if (box) { e.preventDefault(); box.focus(); }
});
