"use strict";
// A safe subset of Markdown as elements: paragraphs, headings, lists, quotations,
// code, tables as text, bold, italic, links to places that the caller allows, and
// citations. Everything else stays text. No HTML of the text's is ever read as HTML.

const Markdown = (() => {
  const open = "\uE000", close = "\uE001"; // around a marked part

  // marked puts marks around ranges of a text, which are in bytes of UTF-8. A mark at
  // the beginning of a line goes after what makes the line a heading, an item or code,
  // and one after the end of a line goes before that end.
  function marked(text, ranges) {
    const sorted = ranges.filter(r => r[1] > r[0]).sort((a, b) => a[0] - b[0]);
    let out = "", at = 0, next = 0, end = -1; // end: of the range that is open
    for (const c of text) {
      if (end >= 0 && at >= end) { out += close; end = -1; }
      for (; next < sorted.length && at >= sorted[next][0]; next++) {
        if (end < 0 && sorted[next][1] > at) { out += open; end = sorted[next][1]; } else if (end >= 0) end = Math.max(end, sorted[next][1]);
      }
      out += c === open || c === close ? "\uFFFD" : c;
      const n = c.codePointAt(0);
      at += n < 0x80 ? 1 : n < 0x800 ? 2 : n < 0x10000 ? 3 : 4;
    }
    if (end >= 0) out += close;
    return out
      .replace(/(^|\n)\uE000([ \t]*(?:>[ \t]?|(?:[-*+•]|\d{1,3}[.)]|#{1,6})[ \t]+)*)/g, "$1$2" + open)
      .replace(/(\n+)\uE001/g, close + "$1");
  }

  const bare = line => line.replace(/[\uE000\uE001]/g, "");

  // strip takes n columns, or the blanks there are, from the left of a line.
  function strip(line, n) {
    let marks = "", i = 0;
    for (; i < line.length && n > 0; i++) {
      if (line[i] === open || line[i] === close) marks += line[i];
      else if (line[i] === " ") n--;
      else if (line[i] === "\t") n = 0;
      else break;
    }
    return marks + line.slice(i);
  }

  const item = /^( {0,6})([-*+•]|\d{1,3}[.)])[ \t]+(?=\S)/, fence = /^ {0,3}(```+|~~~+)/, heading = /^ {0,3}(#{1,6})[ \t]+(.*?)[ \t#]*$/;
  const lead = /^\s*\*\*[^*\n]+\*\*\s*$/; // a line that is bold as a whole is a heading
  const begins = l => !l.trim() || fence.test(l) || heading.test(l) || /^ {0,3}>/.test(l) || item.test(l) || /^ {0,3}\|/.test(l) || lead.test(l);

  // render returns the text as elements. o.cite(number) makes the element of a
  // citation; o.link(address) returns the address that a link may have, or null;
  // o.mark is the class of the marked ranges, o.ranges; o.quote(element) completes a
  // quotation; o.plain leaves bold, italic, links and citations as they are.
  function render(text, o = {}) {
    const state = { on: 0, o };
    const fragment = document.createDocumentFragment();
    fragment.append(...blocks(marked(text, o.ranges || []).split(/\r?\n/), state, 0));
    return fragment;
  }

  function blocks(lines, state, depth) {
    const out = [];
    for (let i = 0; i < lines.length;) {
      const l = bare(lines[i]);
      if (!l.trim()) { runs(lines[i++], state); continue; }
      const f = fence.exec(l), h = heading.exec(l);
      let j = i + 1;
      if (f) {
        while (j < lines.length && !new RegExp("^ {0,3}" + f[1][0] + "{" + f[1].length + ",}\\s*$").test(bare(lines[j]))) j++;
        const before = runs(lines[i].replace(/[^\uE000\uE001]/g, ""), state);
        out.push(pre(lines.slice(i + 1, j), state), ...before);
        if (j < lines.length) runs(lines[j].replace(/[^\uE000\uE001]/g, ""), state);
        i = j + 1;
      } else if (/^(\t| {4})/.test(l)) {
        while (j < lines.length && (/^(\t| {4})/.test(bare(lines[j])) || !bare(lines[j]).trim() && /^(\t| {4})/.test(bare(lines[j + 1] || "")))) j++;
        out.push(pre(lines.slice(i, j).map(x => strip(x, 4)), state));
        i = j;
      } else if (/^ {0,3}\|/.test(l)) {
        while (j < lines.length && /^ {0,3}\|/.test(bare(lines[j]))) j++;
        out.push(pre(lines.slice(i, j), state));
        i = j;
      } else if (h) {
        const e = document.createElement("h" + Math.min(6, h[1].length + 2));
        inline(e, lines[i].replace(/^( {0,3}[\uE000\uE001]?)#{1,6}[ \t]+/, "$1"), state);
        out.push(e);
        i = j;
      } else if (/^ {0,3}>/.test(l) && depth < 4) {
        while (j < lines.length && /^ {0,3}>/.test(bare(lines[j]))) j++;
        const e = document.createElement("blockquote");
        e.append(...blocks(lines.slice(i, j).map(x => x.replace(/^([\uE000\uE001]?) {0,3}> ?/, "$1")), state, depth + 1));
        if (state.o.quote) state.o.quote(e);
        out.push(e);
        i = j;
      } else if (item.test(l) && depth < 4) {
        i = list(lines, i, out, state, depth);
      } else if (lead.test(l) && !state.o.plain) {
        const e = document.createElement("p");
        e.className = "lead";
        inline(e, lines[i], state);
        out.push(e);
        i = j;
      } else {
        while (j < lines.length && !begins(bare(lines[j]))) j++;
        const e = document.createElement("p");
        inline(e, lines.slice(i, j).map(x => x.trim()).join("\n"), state);
        out.push(e);
        i = j;
      }
    }
    return out;
  }

  // list reads a list from line i on and returns the line after it.
  function list(lines, i, out, state, depth) {
    const first = item.exec(bare(lines[i])), numbered = /\d/.test(first[2]);
    const e = document.createElement(numbered ? "ol" : "ul");
    if (numbered && parseInt(first[2], 10) !== 1) e.start = parseInt(first[2], 10);
    while (i < lines.length) {
      const m = item.exec(bare(lines[i]));
      if (!m || m[1].length !== first[1].length || /\d/.test(m[2]) !== numbered) break;
      const inner = [lines[i].replace(new RegExp("^([\\uE000\\uE001]?)" + m[0].replace(/[.*+?^${}()|[\]\\]/g, "\\$&")), "$1")];
      let j = i + 1;
      for (; j < lines.length; j++) {
        const l = bare(lines[j]);
        if (!l.trim()) {
          const next = lines.slice(j).map(bare).find(x => x.trim());
          if (next === undefined || !/^( {2,}|\t)/.test(next) || next.search(/\S/) <= m[1].length) break;
          inner.push(lines[j]);
        } else if (l.search(/\S/) > m[1].length + 1 || l.startsWith("\t")) inner.push(strip(lines[j], m[0].length));
        else if (begins(l)) break;
        else inner.push(lines[j]);
      }
      const li = document.createElement("li"), body = blocks(inner, state, depth + 1);
      if (body.length && body[0].tagName === "P" && !body[0].className) li.append(...body[0].childNodes, ...body.slice(1)); // a tight list
      else li.append(...body);
      e.append(li);
      i = j;
      while (i < lines.length && !bare(lines[i]).trim()) { // items may have a blank line between
        const next = lines.slice(i).findIndex(x => bare(x).trim()), m = next >= 0 && item.exec(bare(lines[i + next]));
        if (!m || m[1].length !== first[1].length) break;
        i += next;
      }
    }
    out.push(e);
    return i;
  }

  function pre(lines, state) {
    const e = document.createElement("pre"), code = document.createElement("code");
    code.append(...runs(lines.join("\n"), state));
    e.append(code);
    e.tabIndex = 0; // it may scroll
    return e;
  }

  // runs returns text nodes, the marked ones in an element of their own.
  function runs(text, state) {
    const out = [];
    for (const part of text.split(/([\uE000\uE001])/)) {
      if (part === open) state.on++;
      else if (part === close) state.on = Math.max(0, state.on - 1);
      else if (part && state.on && state.o.mark) {
        const m = document.createElement("mark");
        m.className = state.o.mark;
        m.textContent = part;
        if (state.o.title) m.title = state.o.title;
        out.push(m);
      } else if (part) out.push(document.createTextNode(part));
    }
    return out;
  }

  const spans = /(`+)([^`\n]+?)\1(?!`)|\*\*(?=\S)([^\n]{0,1000}?\S)\*\*|(?<![\w*])\*(?=[^\s*])([^*\n]*[^\s*])\*(?![\w*])|\[([^\[\]\n]+)\]\(([^()\s]+)\)|[\[【]\s*(\d{1,3}(?:\s*[,;]\s*\d{1,3})*)\s*[\]】]/;
  const codeOnly = /(`+)([^`\n]+?)\1(?!`)/;

  // inline adds a line's text to an element.
  function inline(e, text, state) {
    for (;;) {
      const m = (state.o.plain ? codeOnly : spans).exec(text);
      if (!m) break;
      const [all, , code, bold, italic, label, address, numbers] = m;
      e.append(...runs(text.slice(0, m.index), state));
      text = text.slice(m.index + all.length);
      const child = tag => { const c = document.createElement(tag); e.append(c); return c; };
      if (code !== undefined) child("code").append(...runs(code, state));
      else if (bold !== undefined) inline(child("strong"), bold, state);
      else if (italic !== undefined) inline(child("em"), italic, state);
      else if (address !== undefined) {
        const to = state.o.link ? state.o.link(bare(address)) : null;
        if (to === null) e.append(...runs(label + " (" + address + ")", state));
        else { const a = child("a"); a.href = to; a.rel = "noreferrer"; inline(a, label, state); }
      } else for (const n of numbers.split(/[,;]/)) {
        const cite = state.o.cite ? state.o.cite(Number(n)) : null;
        e.append(cite || "[" + n.trim() + "]");
      }
    }
    e.append(...runs(text, state));
  }

  // code returns a program's text.
  function code(text, o = {}) {
    return pre(marked(text, o.ranges || []).split(/\r?\n/), { on: 0, o });
  }

  return { render, code };
})();
