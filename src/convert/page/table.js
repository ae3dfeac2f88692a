// Tables that sort and filter; only the rows in view are in the page.

const ROW = 27, MAX_HEIGHT = 8e6;  // browsers limit the height of an element
const SPARE_ROWS = 8;

function el(tag, properties = {}, ...children) {
  const element = document.createElement(tag);
  for (const [key, value] of Object.entries(properties)) {
    if (key === "class") element.className = value;
    else if (key.startsWith("on")) element.addEventListener(key.slice(2), value);
    else if (key in element) element[key] = value;
    else element.setAttribute(key, value);
  }
  element.append(...children.filter(child => child !== null && child !== undefined));
  return element;
}

// Text from the graph: as text only, with what would hide or reorder it written out, and not without end.
function shown(text, limit = 400) {
  const safe = String(text).slice(0, limit).replace(/[\u0000-\u001f\u007f-\u009f\u200b-\u200f\u2028-\u202e\u2066-\u2069\ufeff]/g,
                                                    c => "\\u" + c.charCodeAt(0).toString(16).padStart(4, "0"));
  return text.length > limit ? safe + "\u2026" : safe;
}

const compareValues = (a, b) => a < b ? -1 : a > b ? 1 : 0;

// columns: {title, width, num, mono, value(i): sort key, text(i)}. facet: {label, of(i)}, a choice besides the text filter.
// -> {element, setFacet, setOnly, pick, shownRows}
function createTable({id, name, count, columns, facet, onPick}) {
  const searched = columns.filter(column => !column.num);
  let rows = [], sortBy = -1, falling = false, picked = -1, only = null, onlyText = "", haystack = null;
  const small = count <= 30 && columns.some(column => column.wrap);
  const body = el("tbody"), status = el("span", {class: "faint", role: "status"});
  const table = el("table", {class: small ? "text" : "", "aria-label": name},
                   el("colgroup", {}, ...columns.map(c => { const col = el("col"); if (c.width) col.style.width = c.width; return col; })),
                   el("thead", {}, el("tr", {}, ...columns.map(head))), body);
  const scroll = el("div", {class: "scroll", tabIndex: 0, role: "group", "aria-label": name + ", rows", onscroll: render, onkeydown: key}, table);
  table.style.minWidth = columns.reduce((sum, c) => sum + (parseInt(c.width, 10) || 240), 0) + "px";
  const search = el("input", {type: "search", hidden: !searched.length, placeholder: "Filter", "aria-label": "Filter " + name, oninput: () => {
    clearTimeout(search.timer);
    search.timer = setTimeout(refresh, count > 5000 ? 120 : 0);
  }});
  const choice = facet && count > 1 ? el("select", {"aria-label": facet.label, onchange: refresh}, ...choices()) : null;
  const chip = el("button", {class: "chip", hidden: true, title: "Show all again", onclick: () => setOnly(null, "")});
  const element = el("div", {}, el("div", {class: "bar"}, search, choice, chip, status), scroll);

  function head(column, c) {
    return el("th", {class: column.num ? "num" : "", scope: "col", "aria-sort": "none"},
              el("button", {title: "Sort by " + column.title, onclick: () => { falling = sortBy === c ? !falling : !!column.num; sortBy = c; refresh(); }},
                 column.title, el("span", {class: "arrow", "aria-hidden": "true"})));
  }

  function choices() {
    const counts = new Map();
    for (let i = 0; i < count; ++i) counts.set(facet.of(i), (counts.get(facet.of(i)) || 0) + 1);
    const sorted = [...counts].sort((a, b) => b[1] - a[1] || compareValues(a[0], b[0])).slice(0, 500);
    return [el("option", {value: ""}, facet.label), ...sorted.map(([value, n]) => el("option", {value}, `${shown(value, 60)} (${grouped(n)})`))];
  }

  function refresh() {
    const wanted = search.value.trim().toLowerCase(), value = choice ? choice.value : "";
    if (wanted && !haystack) haystack = Array.from({length: count}, (_, i) => searched.map(c => c.text(i)).join("\n").toLowerCase());
    rows = [];
    for (let i = 0; i < count; ++i)
      if ((!only || only(i)) && (!value || facet.of(i) === value) && (!wanted || haystack[i].includes(wanted))) rows.push(i);
    if (sortBy >= 0) {
      const keys = new Map(rows.map(i => [i, columns[sortBy].value(i)])), sign = falling ? -1 : 1;
      rows.sort((a, b) => sign * compareValues(keys.get(a), keys.get(b)) || a - b);
    }
    table.querySelectorAll("th").forEach((th, c) => {
      th.setAttribute("aria-sort", c !== sortBy ? "none" : falling ? "descending" : "ascending");
      th.querySelector(".arrow").textContent = c !== sortBy ? "" : falling ? " \u25bc" : " \u25b2";
    });
    chip.hidden = !only;
    chip.textContent = onlyText + " \u00d7";
    status.textContent = rows.length === count ? plural(count, "row") : `${grouped(rows.length)} of ${plural(count, "row")}`;
    table.setAttribute("aria-rowcount", rows.length + 1);
    scroll.scrollTop = 0;
    render();
  }

  // First row of the window, and the height above it.
  function windowStart() {
    const total = rows.length * ROW, view = scroll.clientHeight;
    if (total <= MAX_HEIGHT) {
      const first = Math.max(0, Math.floor(scroll.scrollTop / ROW) - SPARE_ROWS);
      return [first, first * ROW, total];
    }
    const first = Math.floor(scroll.scrollTop / (MAX_HEIGHT - view) * (rows.length - Math.floor(view / ROW) + 1));
    return [Math.max(0, Math.min(first, rows.length - 1)), scroll.scrollTop, MAX_HEIGHT];
  }

  function pad(height) {
    const cell = el("td", {colSpan: columns.length});
    cell.style.height = Math.max(0, height) + "px";
    return el("tr", {class: "pad", "aria-hidden": "true"}, cell);
  }

  function render() {
    const [first, above, total] = small ? [0, 0, 0] : windowStart();
    const many = small ? rows.length : Math.ceil((scroll.clientHeight || 560) / ROW) + 2 * SPARE_ROWS;
    const part = rows.slice(first, first + many);
    body.replaceChildren(pad(above), ...part.map((i, at) => row(i, first + at)), pad(total - above - part.length * ROW));
    const current = picked >= 0 && part.includes(picked);
    if (current) scroll.setAttribute("aria-activedescendant", `${id}-${picked}`);
    else scroll.removeAttribute("aria-activedescendant");
  }

  function row(i, at) {
    const line = el("tr", {id: `${id}-${i}`, class: onPick ? "act" : "", "aria-rowindex": at + 2, "aria-selected": String(i === picked),
                           onclick: () => { setPicked(i); if (onPick) onPick(i); }});
    for (const column of columns) {
      const text = column.text(i), cell = el("td", {class: (column.num ? "num " : "") + (column.mono ? "mono" : "")});
      if (column.draw) cell.append(column.draw(i));
      else {
        cell.textContent = shown(text);
        if (text.length > 12) cell.title = shown(text, 2000);
      }
      line.append(cell);
    }
    return line;
  }

  function setPicked(i) {
    picked = i;
    render();
  }

  function key(event) {
    if (event.target !== scroll || !rows.length) return;
    const page = Math.max(1, Math.floor(scroll.clientHeight / ROW) - 2), at = rows.indexOf(picked);
    const to = {ArrowDown: at + 1, ArrowUp: at - 1, PageDown: at + page, PageUp: at - page, Home: 0, End: rows.length - 1}[event.key];
    if (to !== undefined) {
      event.preventDefault();
      reveal(rows[Math.max(0, Math.min(to, rows.length - 1))]);
      if (onPick) onPick(picked);
    }
  }

  // Selects a row and scrolls it into view; lifts a filter that hides it.
  function reveal(i) {
    picked = i;
    let at = rows.indexOf(i);
    if (at < 0) {
      search.value = "";
      if (choice) choice.value = "";
      setOnly(null, "");
      at = rows.indexOf(i);
    }
    const total = rows.length * ROW, view = scroll.clientHeight, y = at * ROW;
    if (!small && total > MAX_HEIGHT) scroll.scrollTop = at / rows.length * (MAX_HEIGHT - view);
    else if (!small && (y < scroll.scrollTop || y + 2 * ROW > scroll.scrollTop + view)) scroll.scrollTop = Math.max(0, y - view / 2);
    render();
  }

  function setOnly(test, text) {
    only = test;
    onlyText = shown(text, 60);
    refresh();
  }

  function setFacet(value) {
    if (!choice) return;
    if (![...choice.options].some(option => option.value === value)) value = "";
    choice.value = value;
    search.value = "";
    setOnly(null, "");
  }

  refresh();
  return {element, setFacet, setOnly, reveal, render, shownRows: () => rows.length};
}
