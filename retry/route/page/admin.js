// Asks for the state every two seconds, and shows each target's share of the calls
// between two answers.
"use strict";
let before = null;
let leaving = false; // a button was pressed: a reload would lose its answer
const body = document.querySelector("#targets tbody");
function time(ns) {
  return ns === 0 ? "–" : ns < 1e9 ? Math.round(ns / 1e6) + " ms" : (ns / 1e9).toFixed(1) + " s";
}
function put(cell, value) {
  if (cell && cell.textContent !== String(value)) cell.textContent = value;
}
function canary(c) {
  if (!c) return;
  put(document.querySelector("#rollout"), `${c.phase_name}, ${c.weight} % of the traffic, step ${c.step} of ${c.weights.length}: ${c.reason}`);
  const n = r => r.good + r.failed;
  put(document.querySelector("#results"), `canary ${c.total.canary.failed} failed of ${n(c.total.canary)}, stable ${c.total.stable.failed} failed of ${n(c.total.stable)}`);
}
async function refresh() {
  if (document.hidden || leaving) return;
  const answer = await fetch("state.json");
  if (!answer.ok) return;
  const state = await answer.json();
  if (leaving) return;
  const gained = t => { const old = before && before.targets.find(o => o.name === t.name); return old ? Math.max(0, t.picks - old.picks) : 0; };
  const sum = state.targets.reduce((n, t) => n + gained(t), 0);
  for (const t of state.targets) {
    const row = body.querySelector(`tr[data-target="${CSS.escape(t.name)}"]`);
    if (!row) { location.reload(); return; }
    const cells = [...row.querySelectorAll("td")].slice(1); // without the buttons
    // The buttons depend on the state.
    if ((t.state === "drained") !== (cells[0].textContent === "drained")) { location.reload(); return; }
    [t.state, t.in_flight, t.queue, time(t.first_token), time(t.whole), t.healthy, t.unhealthy, t.throttled,
      sum > 0 ? Math.round(100 * gained(t) / sum) + " %" : "–"].forEach((v, i) => put(cells[i], v));
  }
  if (before && before.canary && state.canary && before.canary.phase_name !== state.canary.phase_name) { location.reload(); return; }
  canary(state.canary);
  before = state;
}
addEventListener("submit", () => { leaving = true; });
addEventListener("pageshow", () => { leaving = false; }); // the page may come back
refresh().catch(() => {});
setInterval(() => refresh().catch(() => {}), 2000);
