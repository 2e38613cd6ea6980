"use strict";
// The conversation. A turn is a question with what became of it; its view is the
// elements that show it. Turns are kept in this tab, so that a reader who opens a
// source and comes back finds them.

const turns = [];
let running = null; // { turn, abort }

// ---- asking

$("form").onsubmit = e => {
  e.preventDefault();
  const question = $("question").value.trim();
  if (question) ask(question); else if (running) stop(); else $("question").focus();
};

function ask(question) {
  if (running) stop();
  const turn = { question };
  turns.push(turn);
  $("question").value = "";
  history.pushState(null, "", "/?q=" + encodeURIComponent(question));
  document.title = question + " · Ask the course";
  show(turn);
  turn.view.article.scrollIntoView({ block: "start" });
  if (matchMedia("(pointer: coarse)").matches) $("question").blur(); // the keyboard would hide the answer
  run(turn);
}

function stop() {
  const { turn, abort } = running;
  abort.abort();
  finish(turn, { note: "You stopped this answer." });
}

// run asks the server for a turn's answer.
async function run(turn) {
  const abort = new AbortController(), mine = running = { turn, abort };
  const before = conversation(turn);
  Object.assign(turn, { text: "", events: [], passages: [], done: null, error: null, note: null, began: performance.now() });
  draw(turn);
  label();
  $("status").textContent = "Looking for passages.";
  try {
    const r = await api("/api/ask", { method: "POST", headers: { "Content-Type": "application/json" }, signal: abort.signal,
      body: JSON.stringify({ question: turn.question, history: before }) });
    const reader = r.body.pipeThrough(new TextDecoderStream()).getReader();
    let buffer = "";
    for (;;) {
      const { value, done } = await reader.read().catch(e => { if (e.name === "AbortError") throw e; return { done: true }; });
      if (done) break;
      buffer += value;
      for (let i; (i = buffer.indexOf("\n\n")) >= 0; buffer = buffer.slice(i + 2)) {
        const line = buffer.slice(0, i);
        if (line.startsWith("data: ") && running === mine) hear(turn, JSON.parse(line.slice(6)));
      }
    }
    if (running === mine) finish(turn, { error: { message: "The connection broke before the answer was complete." } });
  } catch (e) {
    if (e.name === "AbortError" || running !== mine) return;
    if (e.status === 401) {
      running = null;
      label();
      askForKey(turn.view.answer, stored.get("key") !== null, () => { greet(); run(turn); });
      turn.view.answer.setAttribute("aria-busy", "false");
      return;
    }
    finish(turn, { error: { message: e.message, code: e.code, wait: e.wait } });
  }
}

// conversation returns what was said before a turn, as far as it fits.
function conversation(turn) {
  const out = [];
  let room = 8000; // characters, of which the last turns get the most
  for (const t of turns.slice(0, turns.indexOf(turn)).reverse()) {
    if (!t.done || !t.text) continue;
    const answer = t.text.slice(0, 3000);
    room -= t.question.length + answer.length;
    if (room < 0 || out.length === 6) break;
    out.unshift({ role: "user", content: t.question }, { role: "assistant", content: answer });
  }
  return out;
}

// hear takes a message of the stream.
function hear(turn, m) {
  if (m.type === "passages") turn.passages = m.data;
  else if (m.type === "event") turn.events.push({ at: m.data.at, name: m.data.name, attrs: m.data.attrs, plain: m.data.plain, tone: m.data.tone });
  else if (m.type === "text") { turn.text += m.data; drawSoon(turn); }
  else if (m.type === "error") finish(turn, { error: Object.assign({}, m.data.error), spans: m.data.spans });
  else if (m.type === "done") {
    turn.text = m.data.text;
    turn.passages = m.data.passages;
    m.data.ms = Math.round(performance.now() - turn.began);
    finish(turn, { done: m.data, spans: m.data.spans });
  }
}

function finish(turn, what) {
  Object.assign(turn, what);
  if (turn.error && turn.error.code === "guard_blocked") turn.text = ""; // what was blocked is not kept
  running = null;
  draw(turn);
  label();
  save();
  $("status").textContent = turn.done ? (turn.done.refused ? "There is no answer to this. The nearest passages are shown." : "The answer is there, with " + plural(cited(turn).length, "source") + ".") : turn.note || turn.error.message;
}

// ---- showing

// show makes the view of a turn.
function show(turn) {
  $("welcome").hidden = true;
  $("new").hidden = false;
  const view = turn.view = { article: el("article", "turn"), answer: el("div", "answer"), after: el("div", "after") };
  view.answer.setAttribute("aria-live", "polite");
  view.article.append(el("h2", "question", turn.question), view.answer, view.after);
  $("turns").append(view.article);
}

let pending = null;
function drawSoon(turn) {
  if (pending === null) pending = requestAnimationFrame(() => { pending = null; if (running && running.turn === turn) draw(turn); });
}

// draw shows what is known of a turn.
function draw(turn) {
  const { answer, after, article } = turn.view, busy = running !== null && running.turn === turn;
  article.classList.toggle("busy", busy);
  answer.setAttribute("aria-busy", String(busy));
  answer.replaceChildren();
  after.replaceChildren();
  const refused = turn.done && turn.done.refused;
  if (turn.text) answer.append(written(turn, refused ? refusal(turn.text) : turn.text));
  else if (busy) answer.append(el("p", "waiting", turn.passages.length ? plural(turn.passages.length, "passage") + " found. Reading them …" : "Looking for passages …"));
  if (turn.error || turn.note) answer.append(trouble(turn));
  if (refused) answer.append(nearest(turn));
  if (turn.done && turn.done.uncited.length) answer.append(el("p", "legend", "A sentence with a dotted line cites no source. Do not trust it without reading."));
  if (busy) return;
  if (turn.done) after.append(...sources(turn), facts(turn));
  if (turn.events.length || (turn.spans || []).length) after.append(made(turn));
}

// written is an answer's text as elements.
function written(turn, text) {
  const done = turn.done, used = {};
  const fragment = Markdown.render(text, {
    ranges: done ? done.uncited.map(u => u) : [], mark: "uncited", title: "No source is cited for this sentence.",
    link: address => own(address) || (address.startsWith("https://pkg.go.dev/") ? address : null),
    cite: number => {
      const all = done ? done.citations.filter(c => c.number === number) : [];
      const c = all[Math.min(used[number] = (used[number] ?? -1) + 1, all.length - 1)];
      return chip(turn, number, c);
    },
    quote: quoted,
  });
  const first = fragment.firstElementChild;
  if (first && first.tagName === "P" && first.textContent.startsWith("Showing results for")) first.className = "notice";
  return fragment;
}

// quoted completes a quotation: its first line says where it is from, and leads there.
function quoted(quote) {
  const where = quote.querySelector(":scope > .lead"), cites = quote.querySelectorAll("a.cite"), last = cites[cites.length - 1];
  if (!where || where !== quote.firstElementChild) return;
  where.className = "where";
  if (!last) return;
  const a = el("a");
  a.href = last.getAttribute("href");
  a.append(...where.childNodes);
  where.append(a);
}

const statuses = { supported: "the passage has the words of the sentence", quoted: "quoted word for word", unsupported: "the passage does not have the words of the sentence", "no such passage": "there is no such passage", unchecked: "not checked" };
const fits = c => !c || c.status === "supported" || c.status === "quoted" || c.status === "unchecked";

// chip is a citation: a link to the passage in its document.
function chip(turn, number, citation) {
  const p = turn.passages[number - 1], to = own(citation && citation.url) || own(p && p.url);
  const e = el(to ? "a" : "span", fits(citation) ? "cite" : "cite bad", String(number));
  if (to) e.href = to;
  const what = (p ? p.where.join(" › ") : "passage " + number) + (citation ? ": " + (statuses[citation.status] || citation.status) : "");
  e.title = what;
  e.setAttribute("aria-label", "Source " + number + ", " + what);
  return e;
}

// refusal is a refusal's own sentence; its passages are shown as cards.
function refusal(text) {
  const cut = text.search(/(^|[\n.!?] ?)\**nearest passages\b/i);
  return cut > 0 ? text.slice(0, cut + 1) : text;
}

// noDocuments says how to add some.
function noDocuments() {
  const p = el("p", "empty", "There are no documents to search. Add yours, then start the server again: ");
  p.append(el("code", "", "go run ./examples/capstone ingest FOLDER"));
  return p;
}

function nearest(turn) {
  const box = el("div", "nearest"), all = turn.done.nearest || [];
  if (!all.length) {
    box.append(noDocuments());
    return box;
  }
  const far = all.every(n => n.closeness === "far");
  box.append(el("p", "lead", far ? "Nothing in the documents is close to this question. The nearest passages:" : "Nearest passages:"));
  const list = el("ol"), more = el("ol");
  all.forEach((n, i) => {
    const li = el("li"), a = el("a", "card");
    a.href = own(n.url);
    const where = el("span", "where", n.where.join(" › "));
    a.append(where, el("span", "closeness " + n.closeness.replace(" ", "-"), n.closeness), el("span", "excerpt", n.quote.replace(/\[([^\]]+)\]\([^()\s]*\)/g, "$1").replace(/\s+/g, " ")));
    li.append(a);
    (i < 3 ? list : more).append(li);
  });
  box.append(list);
  if (more.children.length) {
    const d = el("details");
    d.append(el("summary", "", plural(more.children.length, "more passage")), more);
    box.append(d);
  }
  box.append(el("p", "hint", "Try the English term, other words, or one thing at a time."));
  return box;
}

// trouble says why there is no whole answer, and offers to ask again.
function trouble(turn) {
  const broken = turn.error && turn.text;
  const box = el("div", turn.error ? "trouble" : "note"), p = el("p");
  if (broken) p.append(el("b", "", "The answer broke off here. "));
  p.append(turn.error ? sentence(turn.error.message) : turn.note);
  if (turn.error && turn.error.wait) p.append(" Try again in " + turn.error.wait + " s.");
  const again = el("button", "plain", "Ask again");
  again.type = "button";
  again.onclick = () => { if (running) stop(); run(turn); };
  box.append(p, again);
  if (turn.error) box.setAttribute("role", "alert");
  return box;
}

// sentence begins an error's message as a sentence, and ends it as one.
const sentence = m => m.charAt(0).toUpperCase() + m.slice(1) + (/[.!?]$/.test(m) ? "" : ".");

// cited returns the numbers that an answer cites, in order.
const cited = turn => [...new Set((turn.done ? turn.done.citations : []).map(c => c.number))].filter(n => turn.passages[n - 1]);

// sources lists what the answer cites, and what else was found.
function sources(turn) {
  const out = [], used = turn.done.refused ? [] : cited(turn), others = turn.passages.filter(p => !used.includes(p.number));
  if (used.length) {
    // Each quotation leads to its place itself, so that a list says little more.
    const shown = !turn.done.citations.every(c => c.status === "quoted");
    const box = el(shown ? "section" : "details", "sources"), list = el("ol");
    box.append(shown ? el("h3", "", used.length === 1 ? "Source" : "Sources") : el("summary", "", plural(used.length, "source")));
    for (const n of used) {
      const all = turn.done.citations.filter(c => c.number === n), bad = all.find(c => !fits(c));
      list.append(row(turn.passages[n - 1], (bad || all[0]).url, (bad || all[0]).status, bad));
    }
    box.append(list);
    out.push(box);
  }
  if (others.length && !turn.done.refused) {
    const d = el("details", "others"), list = el("ol");
    for (const p of others) list.append(row(p, p.url, ""));
    d.append(el("summary", "", plural(others.length, "other passage") + " found"), list);
    out.push(d);
  }
  return out;
}

function row(p, url, status, bad) {
  const li = el("li"), a = el("a", "", p.where.join(" › "));
  a.href = own(url) || own(p.url);
  const what = el("span", "what");
  what.append(a);
  if (status) { const s = el("span", bad ? "status bad" : "status", status); s.title = statuses[status] || ""; what.append(" ", s); }
  if (p.closeness) { const c = el("span", "closeness " + p.closeness.replace(" ", "-"), p.closeness); c.title = "How near the passage is to the question in meaning: " + p.similarity + " of 1"; what.append(" ", c); }
  li.append(el("span", "num", p.number), what);
  return li;
}

// facts says what answered, how fast, at what cost.
function facts(turn) {
  const d = el("details", "facts"), s = el("summary"), done = turn.done;
  s.append("answered by ", el("b", "", done.backend), " in " + done.ms + " ms for " + done.cost);
  d.append(s, el("p", "", done.about));
  if (navigator.clipboard) {
    const copy = el("button", "plain", "Copy the answer");
    copy.type = "button";
    copy.onclick = () => navigator.clipboard.writeText(turn.text).then(() => { copy.textContent = "Copied"; }, () => { copy.textContent = "Copying is not allowed here"; });
    d.append(copy);
  }
  return d;
}

// made shows each decision of each layer, and where the time went.
function made(turn) {
  const d = el("details", "made"), list = el("ol", "events"), first = turn.events.length ? Date.parse(turn.events[0].at) : 0;
  d.append(el("summary", "", "How this answer was made"));
  for (const e of turn.events) {
    const li = el("li"), inner = el("details"), sum = el("summary");
    sum.append(el("span", "t", "+" + (Date.parse(e.at) - first) + " ms"), el("span", "say " + (e.tone || ""), e.plain));
    const attrs = Object.entries(e.attrs || {}).filter(([, v]) => v !== "" && v !== null).map(([k, v]) => k + "=" + value(v)).join(" ");
    inner.append(sum, el("code", "", e.name + " " + attrs));
    li.append(inner);
    list.append(li);
  }
  if (turn.events.length) d.append(list);
  if (turn.done) d.append(el("p", "dim", turn.done.usage.prompt_tokens + " tokens were read and " + turn.done.usage.completion_tokens + " written. An event opens to the words of the log."));
  if ((turn.spans || []).length) d.append(el("h3", "", "Where the time went"), bars(turn.spans));
  d.open = stored.get("made") === "open";
  d.ontoggle = () => stored.set("made", d.open ? "open" : "");
  return d;
}

function value(v) {
  if (Array.isArray(v)) return v.slice(0, 6).map(value).join(",");
  return typeof v === "number" && !Number.isInteger(v) ? v.toPrecision(3) : String(v);
}

const spanName = s => s.name.startsWith("invoke_workflow") ? "the answer, through all layers" : s.name.startsWith("retrieval") ? "the search for passages" : s.name.startsWith("chat ") ? "the model " + s.name.slice(5) : s.name;

function bars(spans) {
  const box = el("div", "bars"), time = s => { const f = /\.(\d+)/.exec(s); return Date.parse(s.replace(/\.\d+/, "")) + (f ? +("0." + f[1]) * 1000 : 0); };
  spans = [...spans].sort((a, b) => a.start < b.start ? -1 : 1);
  const t0 = Math.min(...spans.map(s => time(s.start))), t1 = Math.max(...spans.map(s => time(s.end))), all = Math.max(t1 - t0, .001);
  spans.forEach((s, i) => {
    const from = time(s.start) - t0, long = time(s.end) - time(s.start), row = el("div", s.status === "Error" ? "bar err" : "bar"), bar = el("i", "k" + i % 4);
    bar.style.left = 100 * from / all + "%";
    bar.style.width = Math.max(100 * long / all, .6) + "%";
    row.append(bar, el("span", "", spanName(s) + "  " + (long < 10 ? long.toFixed(2) : Math.round(long)) + " ms" + (s.status === "Error" ? "  " + ((s.attributes || {})["error.type"] || "error") : "")));
    row.title = s.name;
    box.append(row);
  });
  return box;
}

// ---- the box

function label() {
  const stopping = running && !$("question").value.trim();
  $("go").textContent = stopping ? "Stop" : "Ask";
}

$("question").oninput = label;
let shift = false;
$("question").onbeforeinput = e => { // a phone's keyboard may send no key
  if (/^insert(LineBreak|Paragraph)$/.test(e.inputType) && !shift) { e.preventDefault(); $("form").requestSubmit(); }
};
$("question").onkeydown = e => {
  shift = e.shiftKey;
  if (e.isComposing) return;
  if (e.key === "Escape") { if ($("question").value) { $("question").value = ""; label(); } else if (running) stop(); else $("question").blur(); }
  else if (e.key === "ArrowUp" && !$("question").value && turns.length) { e.preventDefault(); $("question").value = turns[turns.length - 1].question; label(); }
};

// ---- keeping

const kept = 20; // turns

function save() {
  const data = turns.slice(-kept).map(({ question, text, events, passages, done, error, note, spans }) => ({ question, text, events, passages, done: done && Object.assign({}, done, { passages: undefined, spans: undefined }), error, note, spans }));
  while (data.length && !stored.set("turns", JSON.stringify(data))) data.shift(); // as many as the tab has room for
}

function restore() {
  let data = [];
  try { data = JSON.parse(stored.get("turns") || "[]"); } catch { /* another version's */ }
  for (const turn of data) {
    if (!turn || typeof turn.question !== "string" || !Array.isArray(turn.events) || !Array.isArray(turn.passages)) continue;
    turns.push(turn);
    show(turn);
    draw(turn);
  }
}

$("new").onclick = () => {
  if (running) stop();
  turns.length = 0;
  stored.remove("turns");
  $("turns").replaceChildren();
  $("welcome").hidden = false;
  $("new").hidden = true;
  history.pushState(null, "", "/");
  document.title = "Ask the course";
  $("question").focus();
};

// fill puts the question of the address into the box. Only the reader asks: a link
// must not spend the reader's money.
function fill() {
  const asked = new URLSearchParams(location.search).get("q"), turn = asked && turns.findLast(t => t.question === asked);
  if (turn) turn.view.article.scrollIntoView({ block: "start" });
  else if (asked) $("question").value = asked;
  label();
}
addEventListener("popstate", fill);

// greet shows what answers, and what may be asked.
async function greet() {
  let s;
  try {
    s = await (await api("/api/status")).json();
  } catch (e) {
    if (e.status === 401 && !turns.length) askForKey($("gate"), stored.get("key") !== null, greet);
    return;
  }
  $("gate").replaceChildren();
  $("foot").replaceChildren(plural(s.passages, "passage") + " of " + plural(s.documents, "document") + ", answered by ", el("b", "", s.backend), ". ", s.about.split(/(?<=\.) /).slice(0, 1).join(" "), " Programs ask with the OpenAI protocol at ", el("code", "", location.origin + "/v1"), ", model course.");
  const known = s.suggestions.filter(l => l.question), without = s.suggestions.filter(l => !l.question);
  $("try").replaceChildren();
  if (!s.documents) $("try").append(noDocuments());
  if (!known.length) { $("from").textContent = "this server's documents"; return; }
  const list = el("ul");
  for (const l of known) {
    const b = el("button"), li = el("li");
    b.type = "button";
    b.append(el("span", "lecture", "L" + l.number + " " + l.name), el("span", "", l.question));
    b.onclick = () => ask(l.question);
    li.append(b);
    list.append(li);
  }
  $("try").append(el("h3", "", "A question for each lecture"), list);
  if (without.length) $("try").append(el("p", "hint", "No notes yet: " + without.map(l => "L" + l.number + " " + l.name).join(", ") + "."));
}

restore();
fill();
greet();
