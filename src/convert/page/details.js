// The panel beside the map: one box or one node.

const CODES = ["unsupported_op", "unsupported_attr", "dtype", "rank", "shape", "denied", "input_node", "segment", "build_failed", "memory_limit", "slower"];
const SPARE = ["spare0", "spare1", "spare2", "spare3", "spare4", "spare5"];  // for other codes, the most frequent first
const colorNames = new Map(["engine", ...CODES].map(code => [code, code]));
const colorName = code => colorNames.get(code) || "other";
const cssColor = code => `var(--${colorName(code)})`;
const LISTED = 12;  // entries of a list in the panel

const numberFormat = new Intl.NumberFormat("en-US", {maximumFractionDigits: 0});
const grouped = n => numberFormat.format(n);
function scaled(value, unit, base = 1000) {
  const prefixes = ["", "k", "M", "G", "T", "P"];
  let p = 0;
  while (Math.abs(value) >= base && p < prefixes.length - 1) { value /= base; ++p; }
  return `${p === 0 ? grouped(value) : value.toPrecision(3).replace(/e\+.*/, "")} ${prefixes[p]}${unit}`;
}
const bytes = n => scaled(n, "B");
const flops = n => scaled(n, "FLOP");
const percent = share => `${(share * 100).toFixed(share > 0 && share < 0.001 ? 3 : 1)} %`;
const plural = (n, word) => `${grouped(n)} ${word}${n === 1 ? "" : "s"}`;
const tensorText = t => `${t.name} ${t.dtype}[${t.shape.map(d => d < 0 ? "?" : d).join(",")}]`;
// One reason for nodes that differ by the names in it alone.
const generalReason = node => (node.reason || node.code).replace(/'[^']*'/g, "'\u2026'");

function tally(items, of) {
  const counts = new Map();
  for (const item of items) counts.set(of(item), (counts.get(of(item)) || 0) + 1);
  return [...counts].sort((a, b) => b[1] - a[1]);
}

function boxLabel(report, box) {
  if (box.engine >= 0) {
    const engine = report.engines[box.engine];
    return [shown(engine.name, 80), plural(engine.nodes.length, "node"), flops(engine.flops)];
  }
  // Constants come last.
  const plain = box.constants < box.nodes.length ? box.nodes.slice(0, box.nodes.length - box.constants) : box.nodes;
  const ops = tally(plain, i => report.nodes[i].op);
  if (box.opened >= 0 && plain.length === 1) return [shown(report.nodes[plain[0]].name.split("/").pop(), 80), shown(ops[0][0], 80)];
  const first = ops.length === 1 && plain.length === 1 && isPlaceholder(ops[0][0]) ? report.nodes[plain[0]].name
      : ops.slice(0, 2).map(([op, n]) => n > 1 ? `${op} \u00d7${grouped(n)}` : op).join(", ") + (ops.length > 2 ? ", \u2026" : "");
  const kind = ops.every(([op]) => isPlaceholder(op)) ? "input" : box.opened >= 0 ? "constants" : box.code;
  return [shown(first, 80), kind + (plain.length < box.nodes.length ? ` + ${plural(box.constants, "constant")}` : "")];
}

const tag = code => {
  const mark = el("span", {class: "tag"}, code);
  mark.style.background = cssColor(code);
  return mark;
};

const pairs = rows => el("dl", {}, ...rows.filter(row => row).flatMap(([term, value]) => [el("dt", {}, term), el("dd", {}, value)]));

function listing(title, items, make) {
  if (!items.length) return [];
  const list = el("ul", {}, ...items.slice(0, LISTED).map(item => el("li", {}, make(item))));
  if (items.length > LISTED) list.append(el("li", {class: "faint"}, `${grouped(items.length - LISTED)} more`));
  return [el("h4", {}, title), list];
}

const link = (text, act) => el("button", {class: "link mono", onclick: act}, shown(text, 200));

// The button that shows an engine's nodes on the map, or hides them again.
function openingButton(engine, e, act) {
  const many = engine.nodes.length > MAX_OPENED && !act.isOpen(e);
  return el("button", {onclick: () => act.toggleEngine(e), disabled: many, title: many ? `At most ${grouped(MAX_OPENED)} nodes are drawn` : ""},
            act.isOpen(e) ? "Collapse it on the map" : "Expand it on the map");
}

function engineDetails(engine, e, members, act) {
  return [
    el("h3", {}, shown(engine.name)), tag("engine"),
    pairs([
      ["nodes", grouped(engine.nodes.length) + (members > engine.nodes.length ? `, and ${plural(members - engine.nodes.length, "constant")}` : "")],
      ["layers", grouped(engine.layers.length)], ["arithmetic", flops(engine.flops)],
      engine.reference_flops_share > 0 && ["in reference kernels", percent(engine.reference_flops_share)],
      engine.int8_macs_share > 0 && ["multiply-adds in INT8", percent(engine.int8_macs_share)],
      ["plan", `${bytes(engine.plan_bytes)}, weights ${bytes(engine.weights_bytes)}`],
      ["memory", `about ${bytes(engine.memory_bytes)}: weights ${bytes(engine.weights_memory_bytes)}, activations ${bytes(engine.activations_bytes)}, scratch ${bytes(engine.scratch_bytes)}`],
      ["over its border", bytes(engine.boundary_bytes)], ["built in", `${engine.build_s.toFixed(3)} s`],
    ]),
    el("p", {class: "buttons"}, openingButton(engine, e, act), el("button", {onclick: act.listNodes}, "List its nodes"),
       el("button", {onclick: act.listLayers}, "List its layers")),
    ...listing("Inputs", engine.inputs, t => el("code", {}, shown(tensorText(t)))),
    ...listing("Outputs", engine.outputs, t => el("code", {}, shown(tensorText(t)))),
    ...listing("Layers by op", tally(engine.layers, l => l.op), ([op, n]) => `${op} \u00d7${grouped(n)}`),
    ...listing("Warnings", engine.warnings, text => shown(text)),
    ...listing("Passes", engine.passes, text => shown(text)),
    pairs([["plan identity", el("code", {}, shown(engine.identity))]]),
  ];
}

function nativeDetails(report, box, act) {
  const members = box.nodes.map(i => report.nodes[i]);
  const hints = [...new Set(members.map(node => node.hint).filter(Boolean))];
  return [
    el("h3", {}, `${plural(members.length, "native node")}${box.runs > 1 ? ` in ${grouped(box.runs)} runs` : ""}`), tag(box.code),
    el("p", {}, el("button", {onclick: act.listNodes}, "List them")),
    ...listing("Reasons", tally(members, generalReason), ([reason, n]) => `${n > 1 ? grouped(n) + " \u00d7 " : ""}${shown(reason)}`),
    ...listing("Hints", hints, text => shown(text)),
    ...listing("Ops", tally(members, node => node.op), ([op, n]) => `${shown(op)} \u00d7${grouped(n)}`),
    ...listing("Nodes", box.nodes, i => link(report.nodes[i].name, () => act.showNode(i))),
  ];
}

function nodeDetails(report, i, users, act) {
  const node = report.nodes[i], engine = report.engines[node.engine];
  const linked = list => [...new Set(list || [])];
  return [
    el("h3", {class: "mono"}, shown(node.name, 2000)), tag(engine ? "engine" : node.code),
    pairs([
      ["op", el("code", {}, shown(node.op))],
      engine ? ["engine", link(engine.name, () => act.showEngine(node.engine))] : ["reason", shown(node.reason || node.code, 2000)],
      !engine && node.hint ? ["hint", shown(node.hint, 2000)] : null,
    ]),
    ...(engine ? [el("p", {}, openingButton(engine, node.engine, act))] : []),
    ...listing("Takes from", linked(node.inputs), j => link(report.nodes[j].name, () => act.showNode(j))),
    ...listing("Runs after", linked(node.control_inputs), j => link(report.nodes[j].name, () => act.showNode(j))),
    ...listing("Feeds", users, j => link(report.nodes[j].name, () => act.showNode(j))),
  ];
}
