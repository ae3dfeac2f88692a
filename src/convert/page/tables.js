// What each table shows.

function reasonRows(report) {
  const rows = new Map();
  report.nodes.forEach(node => {
    if (node.engine >= 0) return;
    const reason = generalReason(node), key = `${node.code}\n${node.op}\n${reason}`;
    if (!rows.has(key)) rows.set(key, {code: node.code, op: node.op, reason, hint: node.hint || "", count: 0});
    ++rows.get(key).count;
  });
  return [...rows.values()].sort((a, b) => (a.op === "Const") - (b.op === "Const") || b.count - a.count);
}

const textColumn = (title, width, of, more = {}) => ({title, width, value: of, text: i => String(of(i)), ...more});
const numberColumn = (title, width, of, text) => ({title, width, num: true, value: of, text: i => text(of(i))});

function barColumn(title, of, most) {
  return {title, width: "140px", value: of, text: i => percent(of(i)), draw: i => el("meter", {min: 0, max: most, value: of(i), title: percent(of(i))})};
}

function engineTable(report, pick) {
  const e = report.engines;
  return {id: "engines", name: "Engines", count: e.length, onPick: pick, columns: [
    textColumn("engine", "", i => e[i].name, {mono: true}),
    numberColumn("nodes", "80px", i => e[i].nodes.length, grouped),
    numberColumn("layers", "80px", i => e[i].layers.length, grouped),
    numberColumn("FLOPs", "110px", i => e[i].flops, flops),
    numberColumn("plan", "95px", i => e[i].plan_bytes, bytes),
    numberColumn("weights", "95px", i => e[i].weights_bytes, bytes),
    numberColumn("memory", "95px", i => e[i].memory_bytes, bytes),
    numberColumn("border", "95px", i => e[i].boundary_bytes, bytes),
    numberColumn("reference", "95px", i => e[i].reference_flops_share, percent),
    numberColumn("INT8", "80px", i => e[i].int8_macs_share, percent),
    numberColumn("warnings", "100px", i => e[i].warnings.length, grouped),
    textColumn("inputs", "220px", i => e[i].inputs.map(tensorText).join("; "), {mono: true}),
    textColumn("outputs", "220px", i => e[i].outputs.map(tensorText).join("; "), {mono: true}),
  ]};
}

function layerTable(report, layers, pick) {
  const at = i => layers[i].layer, engine = i => report.engines[layers[i].e].name;
  const total = layers.reduce((sum, row) => sum + row.layer.flops, 0) || 1;
  const most = layers.reduce((top, row) => Math.max(top, row.layer.flops), 0) / total || 1;
  return {id: "layers", name: "Layers", count: layers.length, onPick: pick, facet: {label: "every engine", of: engine}, columns: [
    textColumn("layer", "", i => at(i).name, {mono: true}),
    textColumn("op", "130px", i => at(i).op),
    textColumn("dtype", "90px", i => at(i).dtype),
    textColumn("weights", "90px", i => at(i).weights_dtype || ""),
    numberColumn("FLOPs", "110px", i => at(i).flops, flops),
    numberColumn("share", "80px", i => at(i).flops / total, percent),
    barColumn("of all layers", i => at(i).flops / total, most),
    textColumn("Winograd", "95px", i => at(i).winograd_allowed ? "allowed" : ""),
    textColumn("engine", "190px", engine, {mono: true}),
  ]};
}

function nodeTable(report, pick) {
  const n = report.nodes, engine = i => n[i].engine >= 0 ? report.engines[n[i].engine].name : "";
  return {id: "nodes", name: "Nodes", count: n.length, onPick: pick, facet: {label: "every code", of: i => n[i].engine >= 0 ? "engine" : n[i].code}, columns: [
    numberColumn("#", "75px", i => i, grouped),
    textColumn("node", "", i => n[i].name, {mono: true}),
    textColumn("op", "170px", i => n[i].op),
    textColumn("engine", "190px", engine, {mono: true}),
    textColumn("code", "130px", i => n[i].code || ""),
    textColumn("reason", "340px", i => n[i].reason || ""),
    textColumn("hint", "200px", i => n[i].hint || ""),
  ]};
}

function reasonTable(report, pick) {
  const rows = reasonRows(report);
  return {id: "reasons", name: "Native by reason", count: rows.length, onPick: i => pick(rows[i]), facet: {label: "every code", of: i => rows[i].code}, columns: [
    numberColumn("nodes", "80px", i => rows[i].count, grouped),
    textColumn("code", "140px", i => rows[i].code),
    textColumn("op", "200px", i => rows[i].op),
    textColumn("reason", "", i => rows[i].reason, {wrap: true}),
    textColumn("hint", "320px", i => rows[i].hint, {wrap: true}),
  ]};
}

function sizeTable(report) {
  const rows = report.by_minimum_segment_size, all = report.totals.nodes || 1;
  return {id: "sizes", name: "Segment sizes", count: rows.length, intro: "What each minimum_segment_size would give, before builds and limits.", columns: [
    numberColumn("minimum_segment_size", "200px", i => rows[i].minimum_segment_size, grouped),
    numberColumn("engines", "110px", i => rows[i].engines, grouped),
    numberColumn("nodes", "110px", i => rows[i].nodes, grouped),
    numberColumn("of all nodes", "110px", i => rows[i].nodes / all, percent),
    barColumn("", i => rows[i].nodes / all, 1),
  ]};
}

function measuredTable(report) {
  const rows = report.measured, ms = value => value.toFixed(3), factor = value => value.toFixed(2);
  const kept = new Set(report.engines.map(engine => engine.name));
  const verdict = i => kept.has(rows[i].engine) && !rows[i].slower ? "kept" : rows[i].slower ? "slower" : "left native";
  return {id: "measured", name: "Measured", count: rows.length, intro: "Each engine in TensorFlow against the nodes that it replaced, copies at its border included.", columns: [
    textColumn("engine", "", i => rows[i].engine, {mono: true}),
    numberColumn("nodes", "80px", i => rows[i].nodes, grouped),
    numberColumn("TensorFlow, ms", "130px", i => rows[i].native_ms, ms),
    numberColumn("engine, ms", "110px", i => rows[i].engine_ms, ms),
    numberColumn("ratio", "80px", i => rows[i].ratio, factor),
    numberColumn("low", "80px", i => rows[i].low, factor),
    numberColumn("high", "80px", i => rows[i].high, factor),
    numberColumn("pairs", "80px", i => rows[i].pairs, grouped),
    textColumn("verdict", "110px", verdict),
    textColumn("shapes", "240px", i => Object.entries(rows[i].shapes).map(([name, shape]) => `${name} [${shape.join(",")}]`).join("; "), {mono: true}),
  ]};
}

function accuracyTable(report) {
  const a = report.accuracy, rows = a.floating_layers;
  return {id: "accuracy", name: "Accuracy", count: rows.length,
          intro: `Metric: FP32 ${a.fp32}, every layer in INT8 ${a.int8}, result ${a.result} after ${plural(a.evaluations, "evaluation")}. ` +
                 `Run time against all INT8: x ${a.time_ratio.toFixed(2)}. Layers that went back to floating point, worst first:`,
          columns: [numberColumn("#", "75px", i => i + 1, grouped), textColumn("layer", "", i => rows[i], {mono: true})]};
}

function warningTable(report) {
  const rows = [...report.warnings.map(text => ["", text]), ...report.engines.flatMap(e => e.warnings.map(text => [e.name, text]))];
  return {id: "warnings", name: "Warnings", count: rows.length, columns: [
    textColumn("engine", "210px", i => rows[i][0], {mono: true}),
    textColumn("warning", "", i => rows[i][1], {wrap: true}),
  ]};
}

function tableSpecs(report, layers, pick) {
  return [
    engineTable(report, pick.engine), reasonTable(report, pick.reason), nodeTable(report, pick.node), layerTable(report, layers, pick.layer),
    sizeTable(report), ...(report.measured ? [measuredTable(report)] : []), ...(report.accuracy ? [accuracyTable(report)] : []),
    warningTable(report),
  ];
}
