
"use strict";
(() => {
  const data = JSON.parse(document.getElementById("data").textContent);
  const size = 50, severities = ["info", "low", "medium", "high", "critical"];
  const texts = data.strings;
  let lower, ranks;

  // flags marks the strings that contain a word, so that rows are compared by number.
  const flags = word => {
    lower ??= texts.map(t => t.toLowerCase());
    return Uint8Array.from(lower, t => t.includes(word) ? 1 : 0);
  };
  const rank = i => {
    if (!ranks) {
      const by = new Intl.Collator("en", { numeric: true }).compare;
      ranks = new Int32Array(texts.length);
      texts.map((_, k) => k).sort((a, b) => by(texts[a], texts[b])).forEach((k, at) => { ranks[k] = at; });
    }
    return ranks[i];
  };
  const named = kind => kind === "text" || kind === "code" || kind === "place" || kind === "advice";
  const first = cell => typeof cell === "number" ? cell : cell[0];
  const second = cell => typeof cell === "number" ? 0 : cell[1];

  const element = (name, className, text) => {
    const e = document.createElement(name);
    if (className) e.className = className;
    if (text !== undefined) e.textContent = text;
    return e;
  };
  const link = (href, text) => {
    if (!href) return document.createTextNode(text);
    const a = element("a", "", text);
    a.href = href;
    a.rel = "noreferrer";
    return a;
  };
  // breakable lets a long name be broken behind its underscores, without a character more.
  const breakable = text => text.split("_").flatMap((part, i) => i ? ["_", element("wbr"), part] : [part]);
  const repositoryAddress = r => data.base && r && r.l ? data.base + texts[r.n] : "";
  const isFile = path => path.split("/").every(p => p && p !== "." && p !== "..") && !path.includes("\uFFFD");
  const lineAddress = (r, path, line) => {
    if (!repositoryAddress(r) || !r.h || !isFile(path)) return "";
    return repositoryAddress(r) + "/blob/" + r.h + "/" + path.split("/").map(encodeURIComponent).join("/") + (line ? "#L" + line : "");
  };

  // stable orders the numbers of rows by a whole number from -1 up: a radix sort, since a
  // table may have hundreds of thousands of rows.
  const stable = (index, rows, down, value) => {
    const keys = Uint32Array.from(rows, r => down ? ~(value(r) + 1) : value(r) + 1);
    for (const shift of [0, 16]) {
      const ends = new Uint32Array(65537), out = new Uint32Array(index.length);
      for (const i of index) ends[(keys[i] >>> shift & 65535) + 1]++;
      for (let k = 1; k < ends.length; k++) ends[k] += ends[k - 1];
      for (const i of index) out[ends[keys[i] >>> shift & 65535]++] = i;
      index = out;
    }
    return index;
  };

  const classes = { number: "n", age: "n", code: "c", place: "p", repository: "p", date: "d", severity: "s", advice: "a" };
  const show = (column, cell, repository) => {
    const td = element("td", classes[column.kind] || "t"), n = first(cell);
    td.dataset.label = column.label;
    switch (column.kind) {
    case "severity": {
      if (n < 0) break;
      const s = element("span", "sev s" + n);
      const mark = element("i");
      mark.setAttribute("aria-hidden", "true");
      s.append(mark, severities[n]);
      td.append(s);
      break;
    }
    case "number": td.textContent = n < 0 ? "?" : n.toLocaleString("en"); break;
    case "age": td.textContent = n < 0 ? "" : n.toLocaleString("en"); break;
    case "date": td.textContent = n ? new Date(n * 864e5).toISOString().slice(0, 10) : ""; break;
    case "repository":
      if (n >= 0) td.append(link(repositoryAddress(data.repos[n]), texts[data.repos[n].n]));
      else td.textContent = "organization";
      break;
    case "advice":
      td.textContent = texts[n];
      if (second(cell)) td.append(element("small", "", texts[second(cell)]));
      break;
    case "place": {
      const path = texts[n], line = second(cell);
      if (path) td.append(link(lineAddress(data.repos[repository], path, line), path.replace(/^\.github\/workflows\//, "…/") + (line ? ":" + line : "")));
      break;
    }
    case "code": td.append(...breakable(texts[n])); break;
    default: td.textContent = texts[n];
    }
    return td;
  };

  const start = table => {
    const section = document.getElementById(table.id);
    const tools = section && section.querySelector(".tools");
    if (!tools) return;
    const body = section.querySelector("tbody"), heads = [...section.querySelectorAll("th")];
    const columns = table.columns, grouped = !!table.of;
    const rows = table.rows ? table.rows.map(r => [columns[0].kind === "repository" ? first(r[0]) : -1, r]) : [];
    if (grouped) table.of.forEach((g, repository) => { if (g >= 0) for (const r of table.groups[g]) rows.push([repository, r]); });
    const at = (row, c) => grouped ? (c === 0 ? row[0] : row[1][c - 1]) : row[1][c];
    const severityAt = columns.findIndex(c => c.kind === "severity");
    let order = table.order || [], found = rows, page = 0;

    const value = (row, c) => {
      const n = first(at(row, c));
      if (columns[c].kind === "repository") return n < 0 ? -1 : rank(data.repos[n].n);
      return named(columns[c].kind) ? rank(n) : n;
    };
    // sort goes from the last key to the first, each time keeping the order of equals.
    const sort = () => {
      let index = Uint32Array.from(rows, (_, i) => i);
      for (const o of [...order].reverse()) {
        const c = Math.abs(o) - 1;
        if (columns[c].kind === "place") index = stable(index, rows, o < 0, r => second(at(r, c)));
        index = stable(index, rows, o < 0, r => value(r, c));
      }
      sorted = Array.from(index, i => rows[i]);
    };
    let sorted;
    sort();

    const search = element("input");
    search.type = "search";
    search.placeholder = "filter: words, all of them";
    search.setAttribute("aria-label", "filter " + table.id);
    const least = element("select");
    least.setAttribute("aria-label", "least severity");
    severities.forEach((s, i) => least.append(new Option(i ? s + (i < 4 ? " and over" : "") : "every severity", i)));
    const left = section.querySelector(".left"); // from here on for print only
    if (left) left.classList.add("paper");
    const back = element("button", "", "← back"), next = element("button", "", "next →"), said = element("output");
    back.type = next.type = "button";
    said.setAttribute("aria-live", "polite");
    const by = element("select", "narrow");
    by.setAttribute("aria-label", "sort " + table.id);
    by.append(new Option("sort by", ""), ...columns.map((column, c) => new Option(column.label.toLowerCase(), c)));
    tools.append(search, by);
    if (severityAt >= 0) tools.append(least);
    tools.append(said, back, next);

    const filter = () => {
      const words = search.value.toLowerCase().split(/\s+/).filter(Boolean).map(w => [w, flags(w)]);
      const min = Number(least.value) || 0;
      const has = (row, marks) => columns.some((column, c) => {
        const n = first(at(row, c));
        return column.kind === "repository" ? n >= 0 && marks[data.repos[n].n] : named(column.kind) && (marks[n] || column.kind === "advice" && marks[second(at(row, c))]);
      });
      found = sorted.filter(r => (!min || first(at(r, severityAt)) >= min) && words.every(([, marks]) => has(r, marks)));
      page = 0;
      render();
    };
    const render = () => {
      const some = found.slice(page * size, page * size + size);
      body.replaceChildren(...some.map(r => {
        const tr = element("tr");
        columns.forEach((column, c) => tr.append(show(column, at(r, c), r[0])));
        return tr;
      }));
      const from = page * size;
      said.textContent = found.length === 0 ? "no row fits" :
        (from + 1).toLocaleString("en") + "–" + (from + some.length).toLocaleString("en") + " of " + found.length.toLocaleString("en");
      if (left) left.textContent = (rows.length - some.length).toLocaleString("en") + " more rows are not on this sheet; the CSV and JSON output has all.";
      back.disabled = page === 0;
      next.disabled = from + size >= found.length;
      heads.forEach((th, c) => {
        const by = order.length && Math.abs(order[0]) - 1 === c;
        if (by) th.setAttribute("aria-sort", order[0] < 0 ? "descending" : "ascending");
        else th.removeAttribute("aria-sort");
      });
    };
    const turn = by => { page += by; render(); section.scrollIntoView({ block: "start" }); };

    const resort = c => {
      const numeric = !named(columns[c].kind) && columns[c].kind !== "repository";
      const now = order.length && Math.abs(order[0]) - 1 === c ? -order[0] : (numeric ? -1 : 1) * (c + 1);
      order = [now, ...(table.order || []).filter(o => Math.abs(o) - 1 !== c)];
      sort();
      filter();
    };
    by.addEventListener("change", () => { if (by.value) resort(Number(by.value)); });
    heads.forEach((th, c) => {
      const button = element("button", "", th.textContent);
      button.type = "button";
      button.addEventListener("click", () => resort(c));
      th.replaceChildren(button);
    });
    let wait;
    search.addEventListener("input", () => { clearTimeout(wait); wait = setTimeout(filter, 120); });
    least.addEventListener("change", filter);
    back.addEventListener("click", () => turn(-1));
    next.addEventListener("click", () => turn(1));
    tools.hidden = false;
    found = sorted;
    render();
  };
  // Tables are made ready when they come near, so that the page opens at once.
  const near = new IntersectionObserver(entries => {
    for (const e of entries) {
      if (!e.isIntersecting) continue;
      near.unobserve(e.target);
      start(data.tables.find(t => t.id === e.target.id));
    }
  }, { rootMargin: "1200px" });
  for (const t of data.tables) {
    const section = document.getElementById(t.id);
    if (section) near.observe(section);
  }
})();
