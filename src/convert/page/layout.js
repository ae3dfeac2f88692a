// Places of the boxes: layers from left to right, long graphs in rows like text.

const MIN_HEIGHT = 34, GAP_X = 70, GAP_Y = 14, ROW_GAP = 60;
const SHAPE = 2, MAX_ROWS = 80;  // width to height of the map; a very long graph is wider
const SWEEPS = 4, SORTED_BOXES = 20000;

function sizeBoxes(boxes, by) {
  const weight = box => by === "flops" ? box.flops : box.nodes.length;
  let most = 1;
  for (const box of boxes) most = Math.max(most, weight(box));
  for (const box of boxes) {
    const share = Math.sqrt(weight(box) / most);
    box.w = 120 + 100 * share;
    box.h = MIN_HEIGHT + 150 * share;
  }
}

// Boxes beside their neighbours: each layer is ordered by the mean place of those in the layers before, then after.
function orderLayers(boxes, layers) {
  const place = new Float64Array(boxes.length);
  const number = layer => layer.forEach((b, i) => { place[b] = (i + 0.5) / layer.length; });
  layers.forEach(number);
  if (boxes.length > SORTED_BOXES) return;
  const mean = (b, side) => {
    let sum = 0;
    for (const other of boxes[b][side].keys()) sum += place[other];
    return boxes[b][side].size ? sum / boxes[b][side].size : place[b];
  };
  for (let sweep = 0; sweep < SWEEPS; ++sweep) {
    const side = sweep % 2 ? "to" : "from";
    for (const layer of sweep % 2 ? [...layers].reverse() : layers) {
      const want = new Map(layer.map(b => [b, mean(b, side)]));
      layer.sort((a, b) => want.get(a) - want.get(b) || a - b);
      number(layer);
    }
  }
}

// Sets x, y, w, h of each box. -> {width, height}
function layOut(boxes, by) {
  if (!boxes.length) return {width: 1, height: 1};
  sizeBoxes(boxes, by);
  const byLayer = new Map();
  boxes.forEach((box, b) => {
    if (!byLayer.has(box.layer)) byLayer.set(box.layer, []);
    byLayer.get(box.layer).push(b);
  });
  const layers = [...byLayer.keys()].sort((a, b) => a - b).map(key => byLayer.get(key));
  orderLayers(boxes, layers);

  let area = 0;
  for (const box of boxes) area += (box.w + GAP_X) * (box.h + GAP_Y);
  const tallest = Math.max(500, Math.sqrt(area) * 0.8);
  const columns = layers.map(layer => stack(boxes, layer, tallest));
  const width = columns.reduce((sum, column) => sum + column.width + GAP_X, 0);
  const slack = width / columns.length;  // so that no lone column is left over
  let best = {scale: 0, rows: []};
  for (let count = 1; count <= MAX_ROWS; ++count) {  // a single row is easier to follow
    const rows = breakRows(columns, width / count + slack), size = extent(rows);
    const scale = Math.min(SHAPE / size.width, 1 / size.height) * (rows.length === 1 ? 1.5 : 1);
    if (scale > best.scale) best = {scale, rows};
    if (rows.length === columns.length) break;
  }
  placeRows(boxes, best.rows);
  return extent(best.rows);
}

// Rows of consecutive columns, none much wider than `line`. -> [{columns, width, height}]
function breakRows(columns, line) {
  const rows = [];
  for (const column of columns) {
    const row = rows[rows.length - 1];
    if (row && row.width + GAP_X + column.width <= line) {
      row.columns.push(column);
      row.width += GAP_X + column.width;
      row.height = Math.max(row.height, column.height);
    } else rows.push({columns: [column], width: column.width, height: column.height});
  }
  return rows;
}

function extent(rows) {
  let width = 0, height = -ROW_GAP;
  for (const row of rows) {
    width = Math.max(width, row.width);
    height += row.height + ROW_GAP;
  }
  return {width, height};
}

function placeRows(boxes, rows) {
  let y = 0;
  for (const row of rows) {
    let x = 0;
    for (const column of row.columns) {
      for (const [b, dx, dy] of column.places) {
        boxes[b].x = x + dx;
        boxes[b].y = y + (row.height - column.height) / 2 + dy;
      }
      x += column.width + GAP_X;
    }
    y += row.height + ROW_GAP;
  }
}

// One layer as one column, or as several where it would be too tall.
function stack(boxes, layer, tallest) {
  const column = {places: [], width: 0, height: 0};
  let x = 0, y = 0, wide = 0;
  for (const b of layer) {
    const box = boxes[b];
    if (y > 0 && y + box.h > tallest) {
      x += wide + GAP_Y;
      y = wide = 0;
    }
    column.places.push([b, x, y]);
    wide = Math.max(wide, box.w);
    y += box.h + GAP_Y;
    column.height = Math.max(column.height, y - GAP_Y);
    column.width = x + wide;
  }
  return column;
}
