"use strict";
// Every text that comes from a trace is set as textContent, and never as markup.
const $ = (id) => document.getElementById(id);
const el = (tag, text, cls) => {
  const e = document.createElement(tag);
  if (text !== undefined) e.textContent = text;
  if (cls) e.className = cls;
  return e;
};
const svgEl = (tag, attrs) => {
  const e = document.createElementNS("http://www.w3.org/2000/svg", tag);
  for (const [k, v] of Object.entries(attrs)) e.setAttribute(k, v);
  return e;
};
const secs = (s) => (s < 1 ? Math.round(s * 1000) + " ms" : s.toFixed(s < 10 ? 2 : 1) + " s");
const clock = (t) => new Date(t).toISOString().slice(5, 19).replace("T", " ");
const get = async (path) => {
  const r = await fetch(path);
  if (!r.ok) throw new Error(await r.text());
  return r.json();
};

function cards(s) {
  const items = [
    ["Traces", s.Traces], ["Failed", s.Failed + (s.Traces ? " (" + ((100 * s.Failed) / s.Traces).toFixed(1) + " %)" : "")],
    ["Median", s.Latency.p50 === undefined ? "no data" : secs(s.Latency.p50)], ["95th percentile", s.Latency.p95 === undefined ? "no data" : secs(s.Latency.p95)],
    ["99th percentile", s.Latency.p99 === undefined ? "no data" : secs(s.Latency.p99)], ["Cost", (s.Unpriced ? "≥ " : "") + s.USD],
    ["Calls without a price", s.Unpriced], ["From cache", (100 * s.FromCache).toFixed(1) + " %"], ["Spans kept", s.Spans], ["Spans dropped", s.Dropped],
  ];
  $("cards").replaceChildren(...items.map(([k, v]) => {
    const d = el("div");
    d.append(el("dt", k), el("dd", String(v)));
    return d;
  }));
}

function chart(title, series, value, label) {
  const f = el("figure");
  const values = series.map(value);
  const top = Math.max(...values, 0);
  f.append(el("figcaption", title + (top ? ", at most " + label(top) : ": no data")));
  const svg = svgEl("svg", { viewBox: `0 0 ${Math.max(series.length, 1)} 100`, preserveAspectRatio: "none", role: "img", "aria-label": title + (top ? ", at most " + label(top) : ": no data") });
  values.forEach((v, i) => {
    const h = top ? (98 * v) / top : 0;
    const bar = svgEl("rect", { x: i + 0.1, y: 100 - h, width: 0.8, height: h });
    const tip = svgEl("title", {});
    tip.textContent = clock(series[i].Start) + ": " + label(v);
    bar.append(tip);
    svg.append(bar);
  });
  f.append(svg);
  if (series.length) f.append(el("small", clock(series[0].Start) + " to " + clock(series[series.length - 1].Start) + " UTC"));
  return f;
}

function table(title, head, rows) {
  const d = el("figure");
  d.append(el("figcaption", title));
  const t = el("table"), h = el("tr"), wide = el("div", undefined, "wide");
  head.forEach((x, i) => h.append(el("th", x, i ? "n" : "")));
  t.append(h);
  for (const row of rows) {
    const tr = el("tr");
    row.forEach((x, i) => tr.append(el("td", String(x), i ? "n" : "")));
    t.append(tr);
  }
  if (!rows.length) t.append(el("tr")), t.lastChild.append(el("td", "none"));
  wide.append(t);
  d.append(wide);
  return d;
}

function render(s) {
  cards(s);
  const notices = s.Notices || [];
  $("alerts").replaceChildren(...(notices.length ? notices.slice(0, 30).map((n) => {
    const li = el("li");
    li.append(el("strong", n.state, n.state === "fired" || n.state === "alarm" ? "bad" : ""), " " + clock(n.at) + " " + n.name + ": " + n.text);
    return li;
  }) : [el("li", "none")]));
  const series = s.Traces ? s.Series : [];
  $("charts").replaceChildren(
    chart("Traces", series, (x) => x.Traces, String),
    chart("Share of failed traces", series, (x) => (x.Traces ? x.Failed / x.Traces : 0), (v) => (100 * v).toFixed(1) + " %"),
    chart("Latency, 95th percentile", series, (x) => x.P95, secs),
    chart("Mean score", series, (x) => Math.max(x.Score, 0), (v) => v.toFixed(3)));
  const group = (title, list) => table(title, ["", "Calls", "Failed", "Tokens in", "out", "Cost"], (list || []).map((g) =>
    [g.Key || "(none)", g.Calls, g.Failed, g.Input, g.Output, g.Unpriced ? (g.Unpriced === g.Calls ? "unknown" : "≥ " + g.USD) : g.USD]));
  $("groups").replaceChildren(group("By tenant", s.Tenants), group("By feature", s.Features), group("By model", s.Models));
  const pairs = (m) => Object.entries(m || {}).sort((a, b) => b[1] - a[1]);
  $("lists").replaceChildren(
    table("Scores", ["", "Number", "Mean"], (s.Quality || []).map((q) => [q.Name, q.N, q.Mean.toFixed(3)])),
    table("Failed calls by kind", ["", "Number"], pairs(s.Errors)),
    table("Events (guards, caches, retries)", ["", "Number", "a trace"], pairs(s.Events).map(([k, v]) => [k, v, (v / Math.max(s.Traces, 1)).toFixed(3)])));
}

async function list() {
  const q = new URLSearchParams({ find: $("find").value, failed: $("failed").checked ? "1" : "" });
  const r = await get("traces.json?" + q);
  $("found").textContent = r.found + " found" + (r.found > r.traces.length ? ", the newest " + r.traces.length + " shown" : "");
  const focused = document.activeElement && document.activeElement.dataset.trace;
  $("traces").tBodies[0].replaceChildren(...r.traces.map((t) => {
    const tr = el("tr"), name = el("td"), b = el("button", t.name || "(no name)");
    b.dataset.trace = t.id;
    b.addEventListener("click", () => open(t.id));
    name.append(b);
    tr.append(el("td", clock(t.start)), name, el("td", t.failed ? "✗ failed " + t.error : t.error ? "ok, after " + t.error : "ok", t.failed ? "bad" : ""),
      el("td", secs(t.seconds), "n"), el("td", String(t.spans), "n"), el("td", t.tenant), el("td", t.feature), el("td", t.usd, "n"));
    return tr;
  }));
  if (focused) for (const b of $("traces").querySelectorAll("button")) if (b.dataset.trace === focused) b.focus();
}

async function open(id) {
  const r = await get("trace.json?" + new URLSearchParams({ id }));
  const total = Math.max(r.trace.seconds, 1e-9);
  $("facts").textContent = [id, clock(r.trace.start) + " UTC", secs(r.trace.seconds), "cost " + r.trace.usd, ...(r.scores || []).map((s) => s.name + " " + s.value)].join(" · ");
  $("waterfall").replaceChildren(...r.spans.map((s) => {
    const li = el("li"), line = el("div", "\u00a0\u00a0".repeat(s.depth) + (s.failed ? "✗ " : "") + s.name + " — " + secs(s.seconds), "name" + (s.failed ? " bad" : ""));
    const bar = svgEl("svg", { class: "track", viewBox: "0 0 1000 10", preserveAspectRatio: "none", "aria-hidden": "true" });
    const x = Math.min((1000 * s.offset) / total, 997);
    bar.append(svgEl("rect", { x, y: 0, width: Math.max(Math.min((1000 * s.seconds) / total, 1000 - x), 3), height: 10, class: s.failed ? "failed" : "" }));
    li.append(line, bar);
    if (s.facts.length) li.append(el("small", s.facts.join(" · ")));
    if (s.events.length) li.append(el("small", "events: " + s.events.join(", ")));
    return li;
  }));
  $("detail").hidden = false;
  $("h-detail").focus();
}

let busy = false, again = false;
async function refresh() {
  if (busy) { again = true; return; }
  busy = true;
  try {
    const [s] = await Promise.all([get("summary.json"), list()]);
    render(s);
    $("state").textContent = "updated " + new Date().toISOString().slice(11, 19) + " UTC";
    document.body.dataset.ready = "1";
  } catch (e) {
    $("state").textContent = "no answer: " + e.message;
  }
  busy = false;
  if (again) { again = false; refresh(); }
}
$("filter").addEventListener("submit", (e) => e.preventDefault());
$("find").addEventListener("input", list);
$("failed").addEventListener("change", list);
const source = new EventSource("events");
source.onmessage = refresh;
source.onerror = () => { $("state").textContent = "connection lost, trying again"; };
refresh();
