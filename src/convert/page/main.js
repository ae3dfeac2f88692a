// Puts the page together from the report's JSON (docs/report.md).

const byId = id => document.getElementById(id);
const MAX_BOXES = 4000;  // then runs of one code and layer share a box
const MAX_OPENED = 5000;  // nodes of an engine whose nodes are shown on the map

function card(value, text, title = "") {
  return el("div", {class: "card", title}, el("b", {}, value), el("span", {}, text));
}

function showTotals(report, counts, openCode) {
  const t = report.totals, engines = report.engines, sum = of => engines.reduce((total, e) => total + of(e), 0), work = sum(e => e.flops);
  byId("summary").textContent = shown(report.summary.replace(t.graph_bytes_out ? /; graftrt\.analyze.*$/ : /, [^,]* -> .*$/, ""), 1000);
  byId("cards").append(
    card(percent(t.nodes ? t.nodes_in_engines / t.nodes : 0), `${grouped(t.nodes_in_engines)} of ${grouped(t.nodes)} nodes in engines`),
    card(grouped(engines.length), engines.length === 1 ? "engine" : "engines"),
    card(flops(work), "in engines", "at max_batch_size, unknown extents as 1"),
    card(percent(work ? sum(e => e.flops * e.reference_flops_share) / work : 0), "of it in reference kernels"),
    ...(engines.some(e => e.int8_macs_share > 0) ? [card(percent(sum(e => e.flops * e.int8_macs_share) / work), "of multiply-adds in INT8")] : []),
    card(bytes(sum(e => e.weights_bytes)), "weights in plans"),
    card(bytes(report.memory.memory_bytes), "memory of the engines, estimated",
         `limit: ${report.memory.memory_limit_bytes < 0 ? "none" : bytes(report.memory.memory_limit_bytes)}; scratch of one engine at most ${bytes(report.memory.max_workspace_bytes)}`),
    card(t.graph_bytes_out ? `${bytes(t.graph_bytes_in)} \u2192 ${bytes(t.graph_bytes_out)}` : bytes(t.graph_bytes_in), "graph"),
    card(t.total_s < 0.1 ? `${(t.total_s * 1000).toPrecision(2)} ms` : `${t.total_s.toFixed(2)} s`, t.graph_bytes_out ? "to convert" : "to analyze"));
  const bar = byId("coverage");
  bar.setAttribute("aria-label", "Nodes: " + counts.map(([code, n]) => `${grouped(n)} ${code}`).join(", "));
  for (const [code, n] of counts) {
    const part = el("i", {title: `${code}: ${plural(n, "node")}`}), swatch = el("span", {class: "swatch"});
    part.style.flexGrow = n;
    part.style.background = swatch.style.background = cssColor(code);
    bar.append(part);
    byId("legend").append(el("li", {}, el("button", {title: `List the nodes: ${code}`, onclick: () => openCode(code)}, swatch, shown(code, 60),
                                          el("span", {class: "faint"}, grouped(n)))));
  }
  const few = report.warnings.slice(0, 5);
  byId("alerts").append(...few.map(text => el("p", {}, shown(text, 1000))));
  if (report.warnings.length > few.length) byId("alerts").append(el("p", {}, `${grouped(report.warnings.length - few.length)} more warnings: see the table.`));
}

// Consumers of each node, made when first asked for.
function usersOf(nodes) {
  let users = null;
  return i => {
    if (!users) {
      users = new Map();
      eachEdge(nodes, (from, to) => users.set(from, [...(users.get(from) || []).slice(-50), to]));
    }
    return [...new Set(users.get(i) || [])];
  };
}

function makeTabs(specs) {
  const tabs = new Map(), bar = byId("tabs"), panel = byId("panel");
  let current = null;
  const open = id => {
    const tab = tabs.get(id);
    tab.table ||= createTable(tab.spec);
    if (current !== id) {
      current = id;
      panel.replaceChildren(...(tab.spec.intro ? [el("p", {class: "faint"}, tab.spec.intro)] : []), tab.table.element);
      panel.setAttribute("aria-labelledby", "tab-" + id);
      for (const [other, {button}] of tabs) {
        button.setAttribute("aria-selected", String(other === id));
        button.tabIndex = other === id ? 0 : -1;
      }
      tab.table.render();
    }
    return tab.table;
  };
  for (const spec of specs) {
    const button = el("button", {id: "tab-" + spec.id, role: "tab", "aria-controls": "panel", onclick: () => open(spec.id)}, `${spec.name} (${grouped(spec.count)})`);
    tabs.set(spec.id, {spec, button, table: null});
    bar.append(button);
  }
  bar.addEventListener("keydown", event => {
    const ids = [...tabs.keys()], step = {ArrowRight: 1, ArrowLeft: -1}[event.key];
    if (!step) return;
    const id = ids[(ids.indexOf(current) + step + ids.length) % ids.length];
    open(id);
    tabs.get(id).button.focus();
  });
  open(specs[0].id);
  return {open, has: id => tabs.has(id)};
}

function start() {
  const report = JSON.parse(byId("data").textContent);
  if (report.schema !== 1) throw new Error(`the report has schema ${report.schema}, this page reads 1`);
  const opened = new Set(), users = usersOf(report.nodes), details = byId("details");
  let {boxes, boxOf, boxOfEngine, merged} = contract(report, MAX_BOXES), tabs = null, map = null;
  const codeOf = node => node.engine >= 0 ? "engine" : node.code;

  const act = {
    showNode: i => { tabs.open("nodes").reveal(i); showNode(i); },
    showEngine,
    isOpen: e => opened.has(e),
    toggleEngine: e => {
      if (opened.has(e)) opened.delete(e);
      else if (report.engines[e].nodes.length > MAX_OPENED) return;
      else opened.add(e);
      ({boxes, boxOf, boxOfEngine, merged} = contract(report, MAX_BOXES, opened));
      map.show(boxes, byId("size-by").value);
      showEngine(e);
    },
  };
  function listNodes(b) {
    const box = boxes[b], members = new Set(box.nodes);
    tabs.open("nodes").setOnly(i => members.has(i), box.engine >= 0 ? report.engines[box.engine].name : `box: ${boxLabel(report, box)[0]}`);
  }
  function putDetails(parts) {
    details.replaceChildren(...parts);
    details.scrollTop = 0;
  }
  function showNode(i) {
    map.select(boxOf[i], true);
    putDetails(nodeDetails(report, i, users(i), act));
  }
  function describeEngine(e) {
    const engine = report.engines[e], members = [];
    report.nodes.forEach((node, i) => { if (node.engine === e) members.push(i); });
    putDetails(engineDetails(engine, e, members.length, {
      ...act,
      listNodes: () => tabs.open("nodes").setOnly(i => report.nodes[i].engine === e, engine.name),
      listLayers: () => tabs.open("layers").setOnly(r => layers[r].e === e, engine.name),
    }));
  }
  function showEngine(e) {
    map.select(boxOfEngine[e], true);
    if (opened.has(e)) map.fitBoxes(box => box.opened === e);
    describeEngine(e);
  }
  // The node that a box of an opened engine stands for; -1 for other boxes.
  const nodeOfBox = box => box.opened >= 0 ? box.nodes[0] : -1;
  function showBox(b) {
    if (b < 0) return putDetails([el("p", {class: "faint"}, "Nothing is selected.")]);
    const box = boxes[b];
    if (box.engine >= 0) describeEngine(box.engine);
    else if (box.opened >= 0) putDetails(nodeDetails(report, nodeOfBox(box), users(nodeOfBox(box)), act));
    else putDetails(nativeDetails(report, box, {...act, listNodes: () => listNodes(b)}));
  }

  const layers = report.engines.flatMap((engine, e) => engine.layers.map(layer => ({e, layer})));
  const specs = tableSpecs(report, layers, {
    engine: showEngine,
    layer: r => showEngine(layers[r].e),
    reason: ({code, op, reason}) => tabs.open("nodes").setOnly(i => {
      const node = report.nodes[i];
      return node.engine < 0 && node.code === code && node.op === op && generalReason(node) === reason;
    }, `${op}: ${reason}`),
    node: showNode,
  });
  const counts = tally(report.nodes, codeOf).sort((a, b) => (b[0] === "engine") - (a[0] === "engine") || b[1] - a[1]);
  counts.filter(([code]) => !colorNames.has(code)).slice(0, SPARE.length).forEach(([code], i) => colorNames.set(code, SPARE[i]));
  showTotals(report, counts, code => { tabs.open("nodes").setFacet(code); byId("tabs").scrollIntoView({block: "start"}); });

  map = createMap(byId("map"), {
    label: box => boxLabel(report, box),
    onSelect: b => {
      showBox(b);
      if (b < 0) return;
      const {engine, opened: of} = boxes[b];
      if (engine >= 0) tabs.open("engines").reveal(engine);
      else if (of >= 0) tabs.open("nodes").reveal(nodeOfBox(boxes[b]));
      else listNodes(b);
    },
    onToggle: b => { const e = Math.max(boxes[b].engine, boxes[b].opened); if (e >= 0) act.toggleEngine(e); },
    onOpen: b => { listNodes(b); byId("panel").querySelector(".scroll").focus(); },
    note: text => {
      const full = [merged ? "Runs of one code and layer share a box." : "", text].filter(Boolean).join(" ");
      if (byId("map-note").textContent !== full) byId("map-note").textContent = full;
    },
  });
  map.show(boxes, "nodes");
  byId("size-by").addEventListener("change", event => map.show(boxes, event.target.value));
  byId("zoom-in").addEventListener("click", () => map.zoom(1.3));
  byId("zoom-out").addEventListener("click", () => map.zoom(1 / 1.3));
  byId("zoom-fit").addEventListener("click", () => map.fit());
  tabs = makeTabs(specs);
  if (report.engines.length) describeEngine(0);
  else showBox(-1);
  document.documentElement.dataset.ready = "1";
}

try {
  start();
} catch (error) {
  byId("problem").textContent = "This report can't be shown: " + error.message;
  byId("problem").hidden = false;
  byId("main").hidden = true;
}
