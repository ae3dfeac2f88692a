// The map on a canvas: what is out of view is not drawn.

const MAX_EDGES = 8000;  // in view; more would be a grey area

function createMap(canvas, {label, onSelect, onOpen, onToggle, note}) {
  const context = canvas.getContext("2d");
  let boxes = [], size = {width: 1, height: 1}, view = {x: 0, y: 0, scale: 1}, colors = {}, selected = -1, over = -1, pending = false;
  let edges = [];

  function readColors() {
    const style = getComputedStyle(document.documentElement);
    colors = {};
    for (const name of ["bg", "fg", "faint", "edge", "accent", "other", "engine", ...CODES, ...SPARE]) colors[name] = style.getPropertyValue("--" + name);
    colors.font = getComputedStyle(document.body).fontFamily;
  }
  const colorOf = box => colors[colorName(box.code)];

  function request() {
    if (pending) return;
    pending = true;
    requestAnimationFrame(() => { pending = false; draw(); });
  }

  // Everything, or a part of the map, in view.
  function fit(part = {x: 0, y: 0, ...size}) {
    const width = canvas.clientWidth, height = canvas.clientHeight, margin = 24;
    const scale = Math.min((width - 2 * margin) / part.width, (height - 2 * margin) / part.height, 1.6);
    view = {scale, x: (width - part.width * scale) / 2 - part.x * scale, y: (height - part.height * scale) / 2 - part.y * scale};
    request();
  }

  function fitBoxes(wanted) {
    let [x, y, right, bottom] = [Infinity, Infinity, -Infinity, -Infinity];
    for (const box of boxes.filter(wanted)) {
      x = Math.min(x, box.x);
      y = Math.min(y, box.y);
      right = Math.max(right, box.x + box.w);
      bottom = Math.max(bottom, box.y + box.h);
    }
    if (x < right) fit({x, y, width: right - x, height: bottom - y});
  }

  function zoom(factor, x = canvas.clientWidth / 2, y = canvas.clientHeight / 2) {
    const least = Math.min(canvas.clientWidth / size.width, canvas.clientHeight / size.height, 1) / 4;
    const scale = Math.min(Math.max(view.scale * factor, least), 4);
    view = {scale, x: x - (x - view.x) * scale / view.scale, y: y - (y - view.y) * scale / view.scale};
    request();
  }

  const left = box => box.x * view.scale + view.x;
  const top = box => box.y * view.scale + view.y;

  function tracePath(edge) {
    const a = boxes[edge.from], b = boxes[edge.to], s = view.scale;
    const x1 = left(a) + a.w * s, y1 = top(a) + a.h * s / 2, x2 = left(b), y2 = top(b) + b.h * s / 2;
    const bend = Math.min(Math.max(Math.abs(x2 - x1) / 2, 20 * s), 160 * s);
    context.moveTo(x1, y1);
    context.bezierCurveTo(x1 + bend, y1, x2 - bend, y2, x2, y2);
    if (s < 0.35) return;
    const head = 6 * Math.min(s, 1.2);
    context.moveTo(x2 - head, y2 - head / 2);
    context.lineTo(x2, y2);
    context.lineTo(x2 - head, y2 + head / 2);
  }

  function inView(edge) {
    const a = boxes[edge.from], b = boxes[edge.to], s = view.scale;
    return Math.max(left(a) + a.w * s, left(b)) > 0 && Math.min(left(a), left(b)) < canvas.clientWidth &&
        Math.max(top(a) + a.h * s, top(b) + b.h * s) > 0 && Math.min(top(a), top(b)) < canvas.clientHeight;
  }

  function strokeEdges(list, color, width) {
    context.strokeStyle = color;
    context.lineWidth = width;
    for (const control of [false, true]) {
      context.setLineDash(control ? [4, 3] : []);
      context.beginPath();
      for (const edge of list) if (edge.control === control) tracePath(edge);
      context.stroke();
    }
    context.setLineDash([]);
  }

  function drawBox(box, b) {
    const x = left(box), y = top(box), w = box.w * view.scale, h = box.h * view.scale;
    if (x + w < 0 || y + h < 0 || x > canvas.clientWidth || y > canvas.clientHeight) return;
    const color = colorOf(box), small = MIN_HEIGHT * view.scale < 7;
    context.beginPath();
    context.roundRect(x, y, Math.max(w, 1), Math.max(h, 1), Math.min(7 * view.scale, 7, h / 3));
    if (!small) {
      context.fillStyle = colors.bg;
      context.fill();
    }
    context.globalAlpha = small ? 1 : box.engine >= 0 ? 0.28 : 0.14;
    context.fillStyle = color;
    context.fill();
    context.globalAlpha = 1;
    const marked = b === selected || b === over;
    if (!small || marked) {
      context.strokeStyle = marked ? colors.accent : color;
      context.lineWidth = b === selected ? 3 : box.engine >= 0 ? 2 : 1.2;
      context.stroke();
    }
    if (box.fetched && !small) {  // a mark on the right border: an output is here
      context.fillStyle = color;
      context.fillRect(x + w - 5 * Math.min(view.scale, 1), y + h * 0.2, 5 * Math.min(view.scale, 1), h * 0.6);
    }
    drawLabel(box, x, y, w, h);
  }

  function drawLabel(box, x, y, w, h) {
    const size = Math.min(Math.max(13 * view.scale, 9), 15);
    if (h < size * 1.3 || w < 4 * size) return;
    box.label ||= label(box);
    const lines = box.label.slice(0, Math.max(1, Math.floor((h - 4) / (size * 1.3)))), room = w - 12 * Math.min(view.scale, 1) - 4;
    lines.forEach((text, i) => {
      context.font = `${i ? "" : "600 "}${size}px ${colors.font}`;
      context.fillStyle = i ? colors.faint : colors.fg;
      const fits = Math.max(1, Math.floor(text.length * room / Math.max(context.measureText(text).width, 1)));
      context.fillText(fits < text.length ? text.slice(0, Math.max(1, fits - 1)) + "\u2026" : text, x + 7 * Math.min(view.scale, 1),
                       y + h / 2 + (i - (lines.length - 1) / 2) * size * 1.3);
    });
  }

  function draw() {
    const ratio = devicePixelRatio || 1, width = canvas.clientWidth, height = canvas.clientHeight;
    if (canvas.width !== Math.round(width * ratio) || canvas.height !== Math.round(height * ratio)) {
      canvas.width = Math.round(width * ratio);
      canvas.height = Math.round(height * ratio);
    }
    context.setTransform(ratio, 0, 0, ratio, 0, 0);
    context.clearRect(0, 0, width, height);
    context.textBaseline = "middle";
    const visible = edges.filter(inView), many = visible.length > MAX_EDGES;
    note(many ? "Zoom in to see all edges." : "");
    if (!many) {
      context.globalAlpha = visible.length > 1500 ? 0.35 : 0.8;
      strokeEdges(visible, colors.edge, 1);
      context.globalAlpha = 1;
    }
    boxes.forEach(drawBox);
    const focus = over >= 0 ? over : selected;
    if (focus >= 0) strokeEdges(visible.filter(e => e.from === focus || e.to === focus).slice(0, MAX_EDGES), colors.accent, 1.8);
  }

  function boxAt(x, y) {
    const wx = (x - view.x) / view.scale, wy = (y - view.y) / view.scale, slack = 2 / view.scale;
    return boxes.findIndex(b => wx >= b.x - slack && wx <= b.x + b.w + slack && wy >= b.y - slack && wy <= b.y + b.h + slack);
  }

  // Shows a box as selected; with `reveal` brings it into view.
  function select(b, reveal) {
    selected = b;
    if (b >= 0 && reveal) {
      const box = boxes[b];
      if (box.h * view.scale < 26) view.scale = Math.min(1, 26 / box.h);
      const x = left(box), y = top(box), w = box.w * view.scale, h = box.h * view.scale;
      if (x < 0 || x + w > canvas.clientWidth) view.x += (canvas.clientWidth - w) / 2 - x;
      if (y < 0 || y + h > canvas.clientHeight) view.y += (canvas.clientHeight - h) / 2 - y;
    }
    request();
  }

  attachPointer(canvas, {
    pan: (dx, dy) => { view.x += dx; view.y += dy; request(); },
    zoom,
    hover: (x, y) => {
      const b = x === undefined ? -1 : boxAt(x, y);
      canvas.classList.toggle("over", b >= 0);
      if (b !== over) { over = b; canvas.title = b >= 0 ? label(boxes[b]).join("\n") : ""; request(); }
    },
    click: (x, y) => { select(boxAt(x, y)); onSelect(selected); },
    doubleClick: (x, y) => { const b = boxAt(x, y); if (b >= 0) onToggle(b); },
  });
  canvas.addEventListener("keydown", event => {
    const step = 60, keys = {
      "+": () => zoom(1.3), "=": () => zoom(1.3), "-": () => zoom(1 / 1.3), "0": () => fit(),
      ArrowLeft: () => { view.x += step; }, ArrowRight: () => { view.x -= step; },
      ArrowUp: () => { view.y += step; }, ArrowDown: () => { view.y -= step; },
      n: () => walk(1), p: () => walk(-1), Enter: () => selected >= 0 && onOpen(selected), e: () => selected >= 0 && onToggle(selected), Escape: () => { select(-1); onSelect(-1); },
    };
    if (!keys[event.key] || event.ctrlKey || event.metaKey || event.altKey) return;
    event.preventDefault();
    keys[event.key]();
    request();
  });

  function walk(step) {
    if (!boxes.length) return;
    const order = walk.order ||= boxes.map((_, b) => b).sort((a, b) => boxes[a].layer - boxes[b].layer || boxes[a].y - boxes[b].y);
    const at = selected < 0 ? (step > 0 ? 0 : order.length - 1) : (order.indexOf(selected) + step + order.length) % order.length;
    select(order[at], true);
    onSelect(selected);
  }

  const resized = new ResizeObserver(request);
  resized.observe(canvas);
  matchMedia("(prefers-color-scheme:dark)").addEventListener("change", () => { readColors(); request(); });
  readColors();
  return {
    fit, fitBoxes, zoom, select,
    show: (all, by) => {
      boxes = all;
      edges = boxes.flatMap((box, from) => [...box.to].map(([to, kind]) => ({from, to, control: kind === "control"})));
      selected = over = -1;
      size = layOut(boxes, by);
      walk.order = null;
      fit();
    },
    screenPlace: b => ({x: left(boxes[b]) + boxes[b].w * view.scale / 2, y: top(boxes[b]) + boxes[b].h * view.scale / 2}),
  };
}

// Mouse, pen and touch: one pointer pans, two zoom, a press without a move clicks.
function attachPointer(canvas, act) {
  const down = new Map();
  let moved = 0;
  const spread = () => {
    const [a, b] = [...down.values()];
    return {distance: Math.hypot(a.x - b.x, a.y - b.y), x: (a.x + b.x) / 2, y: (a.y + b.y) / 2};
  };
  const release = event => {
    if (down.delete(event.pointerId) && !down.size) canvas.classList.remove("drag");
  };
  canvas.addEventListener("pointerdown", event => {
    if (!down.size) moved = 0;
    down.set(event.pointerId, {x: event.offsetX, y: event.offsetY});
    canvas.setPointerCapture(event.pointerId);
  });
  canvas.addEventListener("pointermove", event => {
    const at = down.get(event.pointerId);
    if (!at) return act.hover(event.offsetX, event.offsetY);
    const dx = event.offsetX - at.x, dy = event.offsetY - at.y, before = down.size === 2 && spread();
    moved += Math.abs(dx) + Math.abs(dy);
    at.x = event.offsetX;
    at.y = event.offsetY;
    if (before) {
      const after = spread();
      act.zoom(after.distance / Math.max(before.distance, 1), after.x, after.y);
    } else if (moved > 4) {
      canvas.classList.add("drag");
      act.pan(dx, dy);
    }
  });
  canvas.addEventListener("pointerup", event => {
    if (down.size === 1 && moved <= 4) act.click(event.offsetX, event.offsetY);
    release(event);
  });
  canvas.addEventListener("dblclick", event => act.doubleClick(event.offsetX, event.offsetY));
  canvas.addEventListener("pointercancel", release);
  canvas.addEventListener("pointerleave", () => act.hover());
  canvas.addEventListener("wheel", event => {
    event.preventDefault();
    act.zoom(Math.exp(-event.deltaY * (event.deltaMode ? 0.05 : 0.0015)), event.offsetX, event.offsetY);
  }, {passive: false});
}
