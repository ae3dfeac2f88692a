"use strict";
// The contracted graph: a box an engine, a box a connected run of native nodes of one code. An engine that is opened has a box a node.

const isPlaceholder = op => op.startsWith("Placeholder");

const isConstantNode = node => node.op === "Const" && !node.inputs && !node.control_inputs;

// Constants outside of closed engines, and what an open one computes from constants alone. They would make every layer wide, so they
// go to the box that they feed. -> {is: by node, order: producers first, users: of each, in a Map}
function findConstants(nodes, isOpen) {
  const waiting = new Int32Array(nodes.length), inside = new Map(), is = new Uint8Array(nodes.length), order = [], users = new Map();
  const add = (map, from, to) => map.has(from) ? map.get(from).push(to) : map.set(from, [to]);
  eachEdge(nodes, (from, to) => {
    if (!isOpen(nodes[to])) return;
    ++waiting[to];
    if (isOpen(nodes[from])) add(inside, from, to);
  });
  const mark = i => { is[i] = 1; order.push(i); };
  nodes.forEach((node, i) => { if (isConstantNode(node) && (node.engine < 0 || isOpen(node))) mark(i); });
  for (let at = 0; at < order.length; ++at)
    for (const user of inside.get(order[at]) || []) if (--waiting[user] === 0) mark(user);
  eachEdge(nodes, (from, to) => { if (is[from]) add(users, from, to); });
  return {is, order, users};
}

function eachEdge(nodes, visit) {
  nodes.forEach((node, to) => {
    for (const from of node.inputs || []) if (nodes[from].op !== "NextIteration") visit(from, to, false);
    for (const from of node.control_inputs || []) if (nodes[from].op !== "NextIteration") visit(from, to, true);
  });
}

// Layers by the most changes of code or engine on a path to each unit (an engine, or a native node). Units of one code and layer
// have no path to one another through anything else, so that boxes of them never close a cycle.
function layerUnits(nodes, unitOf, keyOf, isConstant) {
  const count = keyOf.length, start = new Int32Array(count + 1), waiting = new Int32Array(count), layer = new Int32Array(count);
  const visitUnits = visit => eachEdge(nodes, (from, to) => {
    if (unitOf[from] !== unitOf[to] && !isConstant(from)) visit(unitOf[from], unitOf[to]);
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

// engine: the whole of it is this box; opened: an engine that the one node of this box (and its constants) is part of.
function newBox(engine, code, layer, opened = -1) {
  return {engine, opened, code, layer, nodes: [], constants: 0, runs: 0, flops: 0, fetched: false, from: new Map(), to: new Map()};
}

// `open`: engines whose nodes are shown. -> {boxes, boxOf: box of each node, boxOfEngine: -1 for an open one, merged: whether runs of
// one code and layer share a box}. boxes[i].from and .to: index of a neighbour -> "data" or "control".
function contract(report, limit, open = new Set()) {
  const nodes = report.nodes, engines = report.engines.length;
  const codes = new Map(), unitOf = new Int32Array(nodes.length), keys = [];
  const closed = node => node.engine >= 0 && !open.has(node.engine);
  const constants = findConstants(nodes, node => open.has(node.engine)), isConstant = i => constants.is[i] === 1;
  for (let e = 0; e < engines; ++e) keys.push(e);
  nodes.forEach((node, i) => {
    unitOf[i] = closed(node) ? node.engine : keys.length;
    if (closed(node)) return;
    if (node.engine >= 0) {
      keys.push(-1 - i);  // its own
      return;
    }
    const code = isPlaceholder(node.op) ? "placeholder" : node.code;
    if (!codes.has(code)) codes.set(code, engines + codes.size);
    keys.push(codes.get(code));
  });
  const keyOf = Int32Array.from(keys), layer = layerUnits(nodes, unitOf, keyOf, isConstant);

  const parent = Int32Array.from(keyOf, (_, u) => u);
  const root = u => {
    while (parent[u] !== u) u = parent[u] = parent[parent[u]];
    return u;
  };
  eachEdge(nodes, (from, to) => {
    const a = unitOf[from], b = unitOf[to];
    if (keyOf[a] === keyOf[b] && layer[a] === layer[b] && !isConstant(from)) parent[root(b)] = root(a);
  });
  let runs = 0;
  nodes.forEach((node, i) => { runs += node.engine < 0 && !isConstant(i) && root(unitOf[i]) === unitOf[i]; });
  const merged = runs + engines > limit;

  const boxes = [], boxOf = new Int32Array(nodes.length).fill(-1), byKey = new Map();
  const boxOfEngine = report.engines.map((engine, e) =>
      open.has(e) ? -1 : boxes.push(Object.assign(newBox(e, "engine", layer[e]), {flops: engine.flops})) - 1);
  const place = (i, key, code, at) => {
    if (!byKey.has(key)) byKey.set(key, boxes.push(newBox(-1, code, at, nodes[i].engine)) - 1);
    boxOf[i] = byKey.get(key);
    boxes[boxOf[i]].nodes.push(i);
  };
  nodes.forEach((node, i) => {
    const u = unitOf[i];
    if (closed(node)) {
      boxOf[i] = boxOfEngine[node.engine];
      boxes[boxOf[i]].nodes.push(i);
    } else if (!isConstant(i)) {
      place(i, merged ? `${keyOf[u]} ${layer[u]}` : root(u), node.code || "engine", layer[u]);
      boxes[boxOf[i]].runs += root(u) === u;
    }
  });
  placeConstants(nodes, constants, boxes, boxOf, place);
  connect(report, boxes, boxOf);
  return {boxes, boxOf, boxOfEngine, merged};
}

// A constant of one box that is no engine is counted there; others stand one layer before their first user.
function placeConstants(nodes, {order, users}, boxes, boxOf, place) {
  for (const i of order.reverse()) {
    const used = [...new Set((users.get(i) || []).map(user => boxOf[user]))];
    if (used.length === 1 && boxes[used[0]].engine < 0) {
      boxOf[i] = used[0];
      boxes[used[0]].nodes.push(i);
    } else {
      const {engine, code} = nodes[i], at = used.length ? used.reduce((least, b) => Math.min(least, boxes[b].layer), Infinity) - 1 : 0;
      place(i, `constants ${engine} ${code} ${at}`, code || "engine", at);
    }
    ++boxes[boxOf[i]].constants;
  }
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
