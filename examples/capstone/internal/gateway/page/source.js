"use strict";
// The page of a document: its text with the passage of an answer marked, or the list
// of all documents.

const query = new URLSearchParams(location.search);

async function load() {
  const wanted = new URLSearchParams();
  for (const name of ["doc", "id", "start", "end"]) if (query.get(name)) wanted.set(name, query.get(name));
  try {
    const r = await api("/api/source?" + wanted), body = await r.json();
    if (body.documents) showList(body.documents); else showDocument(body);
  } catch (e) {
    if (e.status === 401) askForKey($("document"), stored.get("key") !== null, load);
    else showError(e);
  }
  $("document").removeAttribute("aria-busy");
}

function showError(e) {
  const p = el("p", "", e.status === 404 ? "There is no document of that name. It may have been removed or renamed since the answer was given." : e.message);
  const all = el("p"), a = el("a", "", "See all documents");
  a.href = "/source";
  all.append(a);
  $("head").replaceChildren(el("h2", "title", e.status === 404 ? "Not found" : "The document could not be read"));
  $("document").replaceChildren(p, all);
}

const kinds = { notes: "Lecture notes", program: "Program", text: "Document" };

function showDocument(d) {
  document.title = d.title + " · Ask the course";
  const facts = el("p", "facts", kinds[d.kind] + " · ");
  facts.append(el("code", "", d.source));
  if (d.kind === "notes") facts.append(" · in a terminal: ", el("code", "", "go doc " + (d.title === "prodai" ? "." : "./" + d.title)));
  $("head").replaceChildren(el("h2", "title", d.title), facts);
  const o = { ranges: d.end > d.start ? [[d.start, d.end]] : [], mark: "passage", title: "the passage of the answer", plain: d.kind === "notes", link: () => null };
  const text = d.kind === "program" ? Markdown.code(d.text, o) : Markdown.render(d.text, o);
  $("document").replaceChildren(text);
  const top = $("document").firstElementChild; // the title is above already
  if (top && /^H\d$/.test(top.tagName) && (top.textContent === "Package " + d.title || top.textContent === d.title) && !top.querySelector("mark")) top.remove();
  if (d.before) $("document").prepend(el("p", "empty", "The document begins before this part."));
  if (d.after) $("document").append(el("p", "empty", "The document goes on after this part."));
  contents();
  const mark = document.querySelector("mark.passage");
  if (mark) {
    mark.id = "passage";
    mark.tabIndex = -1;
    mark.scrollIntoView({ block: "center" });
    mark.focus({ preventScroll: true });
    $("status").textContent = "The passage of the answer is marked.";
  } else if (wantsPassage()) {
    $("head").append(el("p", "note", "The passage is not marked: a part of this document was redacted, or it has changed since the answer was given."));
  }
}

const wantsPassage = () => location.hash === "#passage";

// contents lists the headings, so that the reader can go on from the passage.
function contents() {
  const headings = [...$("document").querySelectorAll("h3, h4, h5")].filter(h => h.textContent.trim());
  if (headings.length < 3) return;
  const list = el("ul");
  headings.forEach((h, i) => {
    h.id = "h" + i;
    const a = el("a", "", h.textContent), li = el("li", "l" + h.tagName[1]);
    a.href = "#h" + i;
    li.append(a);
    list.append(li);
  });
  $("contents").querySelector("nav").replaceChildren(list);
  $("contents").hidden = false;
}

function showList(documents) {
  document.title = "All documents · Ask the course";
  $("head").replaceChildren(el("h2", "title", "All documents"), el("p", "facts", "The answers come from these " + documents.length + " documents, and from nothing else."));
  const label = el("label", "unseen", "Find a document by its name"), input = el("input", "filter"), out = el("div");
  input.type = "search"; input.id = "filter"; input.placeholder = "Find a document by its name …"; label.htmlFor = "filter";
  const show = () => {
    out.replaceChildren();
    const words = input.value.toLowerCase().split(/\s+/).filter(Boolean);
    const found = documents.filter(d => words.every(w => d.source.toLowerCase().includes(w) || d.title.toLowerCase().includes(w)));
    for (const [kind, title] of [["notes", "Lecture notes"], ["text", "Documents"], ["program", "Programs of the examples"]]) {
      const rows = found.filter(d => d.kind === kind).sort((a, b) => a.title < b.title ? -1 : 1);
      if (!rows.length) continue;
      const list = el("ul", "documents");
      for (const d of rows) {
        const li = el("li"), a = el("a", "", d.title);
        a.href = "/source?doc=" + encodeURIComponent(d.source);
        li.append(a, el("span", "dim", plural(d.passages, "passage")));
        list.append(li);
      }
      out.append(el("h3", "", title), list);
    }
    if (!found.length) out.append(el("p", "empty", documents.length ? "No document has that name. The search here is by name only; to search in the texts, ask a question." : "There are no documents yet. Add yours: go run ./examples/capstone ingest FOLDER"));
  };
  input.oninput = show;
  $("document").replaceChildren(label, input, out);
  show();
}

load();
