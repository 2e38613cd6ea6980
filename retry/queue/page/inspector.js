// Asks for the numbers every two seconds and shows rates from two answers.
"use strict";
let before = null;
const body = document.querySelector("#queues tbody");
function oldest(ns) {
  const s = Math.round(ns / 1e9);
  return s === 0 ? "" : s < 120 ? s + " s" : s < 7200 ? Math.round(s / 60) + " min" : Math.round(s / 3600) + " h";
}
async function refresh() {
  if (document.hidden) return;
  const answer = await fetch("stats.json");
  if (!answer.ok) return;
  const rows = await answer.json(), now = performance.now();
  const known = new Set([...body.querySelectorAll("tr[data-queue]")].map(r => r.dataset.queue));
  if (rows.some(r => !known.has(r.queue))) { location.reload(); return; }
  for (const row of rows) {
    const cells = body.querySelector(`tr[data-queue="${CSS.escape(row.queue)}"]`).querySelectorAll("td");
    const values = [row.ready, row.scheduled, row.running, row.done, row.dead, oldest(row.oldest)];
    const last = before && before.rows.find(r => r.queue === row.queue);
    for (const name of ["added", "finished", "failed"]) {
      values.push(last ? (Math.max(0, row[name] - last[name]) * 1000 / (now - before.at)).toFixed(1) : "–");
    }
    values.forEach((v, i) => { if (cells[i].textContent !== String(v)) cells[i].textContent = v; });
  }
  before = { rows, at: now };
}
refresh().catch(() => {});
setInterval(() => refresh().catch(() => {}), 2000);
