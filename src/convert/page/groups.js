"use strict";
// The contracted graph: a box an engine, a box a connected run of native nodes of one code.

const isPlaceholder = op => op.startsWith("Placeholder");

// Nodes without inputs that stay native. They would make every layer wide, so they go to the box that they feed.
const isConstant = node => node.engine < 0 && node.op === "Const" && !node.inputs && !node.control_inputs;

function eachEdge(nodes, visit) {
  nodes.forEach((node, to) => {
    for (const from of node.inputs || []) if (nodes[from].op !== "NextIteration") visit(from, to, false);
    for (const from of node.control_inputs || []) if (nodes[from].op !== "NextIteration") visit(from, to, true);
  });
}

// Layers by the most changes of code or engine on a path to each unit (an engine, or a native node). Units of one code and layer
// have no path to one another through anything else, so that boxes of them never close a cycle.
function layerUnits(nodes, unitOf, keyOf) {
  const count = keyOf.length, start = new Int32Array(count + 1), waiting = new Int32Array(count), layer = new Int32Array(count);
  const visitUnits = visit => eachEdge(nodes, (from, to) => {
    if (unitOf[from] !== unitOf[to] && !isConstant(nodes[from])) visit(unitOf[from], unitOf[to]);
  });
  visitUnits((from, to) => { ++start[from + 1]; ++waiting[to]; });
  for (let u = 0; u < count; ++u) start[u + 1] += start[u];
  const next = start.slice(), users = new Int32Array(start[count]), queue = [];
  visitUnits((from, to) => { users[next[from]++] = to; });
  for (let u = 0; u < count; ++u) if (!waiting[u]) queue.push(u);
  for (let at = 0; at < queue.length; ++at) {
    const u = queue[at];
    for (let e = start[u]; e < start[u + 1]; ++e) {
      const user = users[e];
      layer[user] = Math.max(layer[user], layer[u] + (keyOf[u] === keyOf[user] ? 0 : 1));
      if (--waiting[user] === 0) queue.push(user);
    }
  }
  return layer;
}

function newBox(engine, code, layer) {
  return {engine, code, layer, nodes: [], constants: 0, runs: 0, flops: 0, fetched: false, from: new Map(), to: new Map()};
}

// -> {boxes, boxOf: box of each node, merged: whether runs of one code and layer share a box}. boxes[i].from and .to: index of a
// neighbour -> "data" or "control".
function contract(report, limit) {
  const nodes = report.nodes, engines = report.engines.length;
  const codes = new Map(), unitOf = new Int32Array(nodes.length), keys = [];
  for (let e = 0; e < engines; ++e) keys.push(e);
  nodes.forEach((node, i) => {
    unitOf[i] = node.engine >= 0 ? node.engine : keys.length;
    if (node.engine >= 0) return;
    const code = isPlaceholder(node.op) ? "placeholder" : node.code;
    if (!codes.has(code)) codes.set(code, engines + codes.size);
    keys.push(codes.get(code));
  });
  const keyOf = Int32Array.from(keys), layer = layerUnits(nodes, unitOf, keyOf);

  const parent = Int32Array.from(keyOf, (_, u) => u);
  const root = u => {
    while (parent[u] !== u) u = parent[u] = parent[parent[u]];
    return u;
  };
  eachEdge(nodes, (from, to) => {
    const a = unitOf[from], b = unitOf[to];
    if (keyOf[a] === keyOf[b] && layer[a] === layer[b] && !isConstant(nodes[from])) parent[root(b)] = root(a);
  });
  let runs = 0;
  nodes.forEach((node, i) => { runs += node.engine < 0 && !isConstant(node) && root(unitOf[i]) === unitOf[i]; });
  const merged = runs + engines > limit;

  const boxes = report.engines.map((engine, e) => Object.assign(newBox(e, "engine", layer[e]), {flops: engine.flops}));
  const boxOf = new Int32Array(nodes.length).fill(-1), byKey = new Map();
  const place = (i, key, code, at) => {
    if (!byKey.has(key)) byKey.set(key, boxes.push(newBox(-1, code, at)) - 1);
    boxOf[i] = byKey.get(key);
    boxes[boxOf[i]].nodes.push(i);
  };
  nodes.forEach((node, i) => {
    const u = unitOf[i];
    if (node.engine >= 0) {
      boxOf[i] = node.engine;
      boxes[node.engine].nodes.push(i);
    } else if (!isConstant(node)) {
      place(i, merged ? `${keyOf[u]} ${layer[u]}` : root(u), node.code, layer[u]);
      boxes[boxOf[i]].runs += root(u) === u;
    }
  });
  placeConstants(nodes, boxes, boxOf, place);
  connect(report, boxes, boxOf);
  return {boxes, boxOf, merged};
}

// A constant of one native box is counted there; others stand one layer before their first user.
function placeConstants(nodes, boxes, boxOf, place) {
  const first = new Map();  // constant -> {box: of its users, or -1 for several; layer: least of theirs}
  eachEdge(nodes, (from, to) => {
    if (!isConstant(nodes[from])) return;
    const box = boxOf[to], seen = first.get(from);
    if (!seen) first.set(from, {box, layer: boxes[box].layer});
    else {
      if (seen.box !== box) seen.box = -1;
      seen.layer = Math.min(seen.layer, boxes[box].layer);
    }
  });
  nodes.forEach((node, i) => {
    if (boxOf[i] >= 0) return;
    const user = first.get(i);
    if (user && user.box >= 0 && boxes[user.box].engine < 0) {
      boxOf[i] = user.box;
      boxes[user.box].nodes.push(i);
      ++boxes[user.box].constants;
    } else {
      const at = user ? user.layer - 1 : 0;
      place(i, `constants ${node.code} ${at}`, node.code, at);
      ++boxes[boxOf[i]].constants;
    }
  });
}

function connect(report, boxes, boxOf) {
  eachEdge(report.nodes, (from, to, control) => {
    const a = boxOf[from], b = boxOf[to];
    if (a === b || boxes[a].to.get(b) === "data") return;
    boxes[a].to.set(b, control ? "control" : "data");
    boxes[b].from.set(a, control ? "control" : "data");
  });
  const fetched = new Set(report.outputs.map(name => name.replace(/:\d+$/, "")));
  report.nodes.forEach((node, i) => { if (fetched.has(node.name)) boxes[boxOf[i]].fetched = true; });
}
